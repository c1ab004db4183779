//! Floor 10: a node's service rules, kept what the stream of endpoint differences says: the work of
//! kube-proxy.
//!
//! ```text
//! client::Watcher ─ cut ─→ choose ─→ PortRules ─→ Claims ─→ PortRules ─→ Backend ─→ the kernel
//!             (which endpoints this node uses)  (who has which address and port)
//!
//! of nftables: PortRules ─→ nft::render ─→ Ledger ─→ Script ─→ nft -f -
//!                           (pure)     (what differs)     (one transaction)
//! of iptables: PortRules ─→ iptables::render ─→ Ledger ─→ Script ─→ iptables-restore, ip6tables-restore
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`choose()`] | which endpoints this node uses, by Kubernetes' rules for consumers: pure |
//! | [`Claims`] | who has an address and port, or a node port, that several services want: pure |
//! | [`Syncer`] | what changed, health checks, refused services and their second chance, UDP flows |
//! | [`Backend`] | one way of keeping rules: write, read back, repair, give up one service and not the others |
//! | [`Nftables`] | that of nftables |
//! | [`nft`] | the nftables rules: pure, text out |
//! | [`Tables`] | what both families' nftables are to hold, and what differs from what they do: pure |
//! | [`iptables`] | the iptables rules: pure, text out; and [`iptables::Iptables`], that way of keeping them |
//! | [`Ledger`] `askers` `services` | what both have in common: who asks for what, what changed |
//! | `stale` `udp` | which UDP flows go where nobody serves: pure; and which have to be looked through |
//! | [`linux`] | the programs of nftables and iptables, and netlink: all that touches the kernel |
//! | [`Monitor`] `metrics` `registry` `pages` | what the proxy says of itself, over HTTP |
//! | [`HealthPorts`] | what it says to load balancers of a service |
//! | [`run()`] | the stream and the clock |
//!
//! Rules that are there at the start are taken over: they are read, compared, and only what
//! differs is written. Rules are never removed at an end. Nothing outside the tables `ip selectord`
//! and `ip6 selectord`, or the chains `SELD-…` and the jumps to them, is touched.

mod askers;
mod backend;
mod belief;
mod choose;
mod cidr;
mod claims;
#[cfg(test)]
mod clashes;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod given_up;
mod hash;
mod health;
mod health_listener;
pub mod iptables;
mod ledger;
pub mod linux;
mod metrics;
mod monitor;
pub mod nft;
mod nftables;
mod options;
mod other_modes;
mod pages;
mod registry;
mod run;
mod service_port;
mod services;
mod stale;
mod sync;
mod tables;
#[cfg(test)]
mod tests;
mod udp;

pub use backend::{Backend, Mode, Report, SyncError, TableSize};
pub use choose::{NodeView, choose, health_check};
pub use cidr::{Cidr, ParseCidrError};
pub use claims::{Claims, Conflict, Place, Settled, SettledServices};
pub use health::{HealthPorts, health_addresses};
pub use ledger::{Change, Changes, Entry, Ledger};
pub use monitor::{Health, Monitor};
pub use nftables::Nftables;
pub use options::{PodTraffic, ProxyOptions};
pub use pages::serve_pages;
pub use run::{ProxyError, once, run};
pub use service_port::{HealthCheck, PortName, PortRules, Target, protocol_word};
pub use stale::{UdpKey, UdpServices};
pub use sync::Syncer;
pub use tables::{KernelTables, Tables};
pub use udp::StaleFlows;
