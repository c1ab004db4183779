//! The oracle: what the engine promises, computed anew after every transaction by scanning
//! everything. Written from the rules of Kubernetes, not from the engine; it shares with it only
//! plain data and [`Selector::matches`](selectord::selector::Selector::matches).

mod cut;
mod endpoints;
mod objects;
mod pods;

pub use cut::Cut;
pub use objects::Oracle;
pub use pods::Within;
