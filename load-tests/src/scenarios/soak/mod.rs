//! Everything at once, for as long as is wanted.
//!
//! | file | what |
//! |---|---|
//! | `run` | churn, queries, subscribers; at the end everything is compared |
//! | `member` | a subscriber that folds, and its temper: steady, stalling, or often cut off |
//! | `strangers` | subscribers that come in crowds and are killed |
//! | `asking` | queries meanwhile |

mod asking;
mod member;
mod run;
mod strangers;

pub use run::run;
