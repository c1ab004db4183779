//! Floor 10: a node's service rules, kept what the stream of endpoint differences says: the work of
//! kube-proxy.
//!
//! ```text
//! client::Watcher ─ cut ─→ choose ─→ PortRules ─→ nft::render ─→ Ledger ─→ Script ─→ nft -f -
//!                    (which endpoints this node uses)  (pure)     (what differs)     (one transaction)
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`choose()`] | which endpoints this node uses, by Kubernetes' rules for consumers: pure |
//! | [`nft`] | the nftables rules: pure, text out |
//! | [`Tables`] | what both families' tables are to hold, and what differs from what they do: pure |
//! | `stale` | which UDP flows go where nobody serves: pure |
//! | [`linux`] | the `nft` program and netlink: all that touches the kernel |
//! | [`Syncer`] | write, read back, retry, give up one service and not the others |
//! | [`run()`] | the stream, the clock, and health checks over HTTP |
//!
//! Rules that are there at the start are taken over: the tables are read, compared, and only what
//! differs is written. Rules are never removed at an end. Nothing outside the tables `ip selectord`
//! and `ip6 selectord` is touched.

mod choose;
mod cidr;
mod health;
pub mod linux;
pub mod nft;
mod options;
mod run;
mod service_port;
mod stale;
mod sync;
mod tables;
#[cfg(test)]
mod tests;

pub use choose::{NodeView, choose, health_check};
pub use cidr::{Cidr, ParseCidrError};
pub use health::HealthPorts;
pub use options::{PodTraffic, ProxyOptions};
pub use run::{ProxyError, once, run};
pub use service_port::{HealthCheck, PortName, PortRules, Target, protocol_word};
pub use stale::UdpServices;
pub use sync::{Report, SyncError, Syncer, cleanup};
pub use tables::{KernelTables, Tables};
