//! The library in this process, without a service around it.
//!
//! | file | what it measures |
//! |---|---|
//! | `load` | bulk load, and the longest of small transactions |
//! | `stall` | the longest wait of a query while pods load, through the owner thread |
//! | `changes` | each kind of change on the loaded engine |
//! | `memory` | resident bytes, in a fresh process |
//! | `ratios` | what the cost of a change depends on, and must not |
//! | `ordinary` | the same done with ordinary maps: the yardsticks |

mod changes;
mod load;
mod memory;
mod ordinary;
mod ratios;
mod run;
mod stall;

pub use load::loaded;
pub use memory::{
    ENGINE as MEMORY, ORDINARY as MEMORY_YARDSTICK, child as memory_child, loaded as memory_of,
};
pub use run::run;
