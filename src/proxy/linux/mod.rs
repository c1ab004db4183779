//! What touches the kernel: the programs of nftables and iptables, and netlink for what no program
//! does as well.
//!
//! Rules go through `nft -f -` or `iptables-restore`: their language is what an operator reads back.
//! Two things do not: the number of the ruleset's generation, which is one cheap message and tells
//! whether *anybody* wrote since; and UDP flows, of which the `conntrack` program can delete one pattern
//! a run, each with a walk of the whole table, where one dump and a message for each stale flow does.

mod addresses;
mod flows;
mod generation;
mod iptables;
mod netlink;
mod nft;
mod program;

pub use addresses::local_addresses;
pub use flows::{Flow, UdpTable};
pub use generation::generation;
pub use iptables::{IptablesError, IptablesPrograms, IptablesTool, conntrack_is_liberal};
pub use nft::{Nft, NftError};
