//! Floor 12: the command line. One file per verb; `main` is [`run()`].
//!
//! | file | what it knows |
//! |---|---|
//! | `args` `target` `resource` `changes` | what a user may write, and what it means |
//! | `apply` `count` `delete` `explain` `get` `label` `proxy` `selector` `serve` `snapshot` `status` `watch` `completion` | the verbs |
//! | `store` `data_dir` `listening` `teller` | where `serve` keeps what it knows, where it listens, what it tells |
//! | `log` `signals` | what `serve` and `proxy` log, and when they end |
//! | `rows` `sockets` `table` `print` `lines` `progress` `age` | how answers look, and whether they are old |
//! | `failure` `run` | exit codes: 0 done, 1 failed, 2 used wrongly |

mod age;
mod apply;
mod args;
mod batch;
mod changes;
mod completion;
mod count;
mod data_dir;
mod delete;
mod explain;
mod failure;
mod files;
mod get;
mod get_watch;
mod label;
mod labelled;
mod limits;
mod lines;
mod listening;
mod log;
mod print;
mod progress;
mod proxy;
mod resource;
mod rows;
mod run;
mod selector;
mod serve;
mod signals;
mod snapshot;
mod snapshot_restore;
mod snapshot_save;
mod snapshot_status;
mod sockets;
mod status;
mod store;
mod table;
mod target;
mod teller;
mod watch;

pub use run::run;
