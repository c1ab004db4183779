//! The iptables mode, in both variants of iptables.
//!
//! | module | what it does |
//! |---|---|
//! | `variant` | programs of one variant, and a node that uses them |
//! | `decision` | what the kernel does with a packet, read off `iptables-save` |
//! | `check` | that this is what the oracle says |
//! | `faults` | the lock, a service that is refused, a missing family, rules of others |
//! | `kernel` | a family, a permission, or a readable table that is not there |
//! | `no_match` | a kernel that cannot compare addresses |
//! | `quiet` | when the legacy variant's rules are read to see whether somebody changed them |
//! | `golden` | the texts of the tests without a kernel, given to one |
//! | `proportional` | what is written for one endpoint and one service |

mod check;
mod decision;
mod faults;
mod golden;
mod kernel;
mod no_match;
mod proportional;
mod quiet;
mod variant;

pub use check::check_decisions;
pub use faults::damages;
pub use variant::{our_lines, programs};
