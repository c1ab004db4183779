//! kube-proxy's own rules on the same node.
//!
//! They are put there by what kube-proxy 1.34.3 ran itself when it was told `first.jsonl` and then `change.jsonl`, a line for
//! each event of an API server's watches. `record`, which takes Go, builds and runs it, and wrote down what it ran:
//! `nftables.sh` and `iptables.sh`. So the tests need no Go; that a new recording is the same is asked by `.ci/run`.
//!
//! | module | what it does |
//! |---|---|
//! | `recorded` | what kube-proxy runs, from the recording |
//! | `beside` | each mode of ours beside each of its |

mod beside;
mod recorded;
