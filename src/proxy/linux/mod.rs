//! What touches the kernel: the programs of nftables and iptables, and netlink for what no program
//! does as well.
//!
//! Rules go through `nft -f -` or `iptables-restore`: their language is what an operator reads back.
//! Three things do not. A few elements put in or taken out, which is most of what happens: the kernel
//! does that in microseconds, and closes the socket of a program that deleted something only after a
//! grace period; so [`Netfilter`] keeps one open. The number of the ruleset's generation, which is one
//! cheap message and tells whether *anybody* wrote since. And UDP flows, of which the `conntrack` program
//! can delete one pattern a run, each with a walk of the whole table, where one dump and a message for
//! each stale flow does.

mod addresses;
mod elements;
mod flows;
mod iptables;
mod lock;
mod netfilter;
mod netlink;
mod nft;
mod program;

pub use addresses::local_addresses;
pub use elements::ElementsError;
pub use flows::{Flow, UdpTable};
pub use iptables::{IptablesError, IptablesPrograms, IptablesTool, conntrack_is_liberal};
pub use lock::LockWatch;
pub use netfilter::Netfilter;
pub use nft::{Nft, NftError};
