//! The iptables rules: pure, from a service port's rules to text for `iptables-restore`.
//!
//! The chains are those of kube-proxy's iptables mode, with `SELD-` where it has `KUBE-`, so that both
//! can stand side by side and whoever knows one can read the other. Rules of ours are in chains of
//! ours, but for the jumps at the head of the kernel's own chains.
//!
//! ```text
//! nat     SELD-SERVICES    address, protocol, port → SELD-SVC-…, SELD-SVL-…, SELD-EXT-…, SELD-FW-…
//!                          last: the node's addresses → SELD-NODEPORTS → SELD-EXT-…
//!         SELD-FW-…        allowed sources → SELD-EXT-…
//!         SELD-EXT-…       mark, or the short circuit of the policy Local → SELD-SVC-…, SELD-SVL-…
//!         SELD-SVC-…       chance → DNAT; with affinity → SELD-SEP-… → DNAT
//! filter  SELD-SERVICES, SELD-EXTERNAL-SERVICES, SELD-PROXY-FIREWALL   what nobody answers or may use
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`Table`] [`Item`] | what can come, change and go by itself: a chain, a rule in a shared chain, jumps |
//! | `names` | chains of a service's own, spelt as kube-proxy's are |
//! | `layout` | what is there without any service |
//! | `hairpin` [`Kernel`] | who is sent to itself, and whether one rule can tell |
//! | [`render`] | a service port's items |
//! | [`Rules`] | the items of all ports in both families, and what differs from what the kernel has |
//! | [`Script`] | changes of one family as one text, and whose each line is |
//! | [`Listing`] | what `iptables-save` prints, read back |
//! | [`Variant`] | in which of the kernel's two homes a node's rules live |
//! | `tools` | what a node has of iptables, and what is read and removed with it |
//! | `quiet` | when the legacy variant's rules need not be read to know that nobody changed them |
//! | [`Iptables`] | keeps the kernel's rules so |

mod backend;
mod hairpin;
mod held;
mod item;
mod layout;
mod listing;
mod names;
mod quiet;
mod render;
mod rules;
mod script;
#[cfg(test)]
mod tests;
mod tools;
mod variant;

pub use backend::Iptables;
pub use hairpin::Kernel;
pub use item::{Item, PerTable, Table};
pub use layout::fixed;
pub use listing::{Listing, parse};
pub use render::render;
pub use rules::Rules;
pub use script::Script;
pub use variant::Variant;
