//! From nothing, or from where one was, to now.
//!
//! | file | what |
//! |---|---|
//! | `run` | the phases |
//! | `reader` | one stream, read to a revision |
//! | `snapshot` | everything to a new subscriber |
//! | `changed` | what differs, to one who was away while a share of the pods changed |
//! | `lost` | what differs, to one whose server lost its memory |
//! | `killed` | a client that is killed over and over |

mod changed;
mod killed;
mod lost;
mod reader;
mod run;
mod snapshot;

pub use reader::read;
pub use run::run;
