//! The nftables rules: pure, from a service port's rules to a transaction's text.
//!
//! Two tables, `ip selectord` and `ip6 selectord`, of one layout. No service has a rule of its own
//! unless it asks for affinity or source ranges: a packet's address, protocol and port are looked up
//! in maps that all services share, and so is the endpoint, at a random place below their count. A
//! rule that binds a map costs the kernel more the more there are; elements do not.
//!
//! ```text
//! services          addr . proto . port        vmap @service-ips        → goto pick-tcp-3
//! pick-tcp-3        addr . port . random of 3  map @endpoint-ips-tcp    → dnat
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`Item`] [`Shared`] | what can come, change and go by itself: a chain, a set, an element |
//! | `layout` | what a table has without any service |
//! | `names` | chains and sets of a service's own, spelt as kube-proxy's are |
//! | [`Slots`] | endpoints keep their places, so that one's change is one element |
//! | [`render`] | a service port's items |
//! | [`Script`] | changes as text for `nft -f -` |
//! | [`Edit`] | the same of elements alone, in the kernel's bytes |
//! | [`held`] | what a table has of a port already, read off its listing |
//! | [`Listing`] | what `nft list table` prints, read back |

mod edit;
mod held;
mod item;
mod layout;
mod listing;
mod names;
mod render;
mod script;
mod slots;
#[cfg(test)]
mod tests;

pub use edit::{Data, Edit};
pub use held::held;
pub use item::{Item, Key, Shared};
pub use layout::{TABLE, fixed};
pub use listing::{Listing, parse};
pub use render::{render, slot_keys};
pub use script::Script;
pub use slots::{Slots, place};
