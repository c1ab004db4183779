//! A node's rules in the kernel, in network namespaces that the test makes and removes. Needs root and
//! nft; without them each test says loudly that it was skipped, or fails if `SELECTORD_TEST_ROOT` is set.
//!
//! | module | what it does |
//! |---|---|
//! | `mode` | the ways of keeping rules, each of which has to do all this |
//! | `namespace` | a network namespace, and threads that live in it |
//! | `world` | services and endpoints that change at random |
//! | `decision` | what the kernel does with a packet, read off its tables |
//! | `oracle` | what it should do, written once more from the objects alone, slow and obvious |
//! | `random` | after any changes: the tables of a fresh sync, and the oracle's decisions |
//! | `faults` | flushes, edits, a service that is refused, nft that cannot be run |
//! | `proportional` | what is written for one endpoint |
//! | `iptables` | the same for iptables, in both of its variants |
//! | `node` | a node with the real proxy on it |
//! | `operator` | the pages and numbers of a proxy that runs, and what they say when something is wrong |
//! | `example` | the example for Kubernetes, and the rights that it gives |
//! | `lab` | two nodes, pods, a client, and real packets |

#![cfg(all(feature = "service", target_os = "linux"))]

mod decision;
mod example;
mod faults;
mod iptables;
mod lab;
mod mode;
mod namespace;
mod node;
mod operator;
mod oracle;
mod proportional;
mod random;
mod topology;
mod world;

#[path = "../process/mod.rs"]
mod process;
#[path = "../root/mod.rs"]
mod root;
#[path = "../support/mod.rs"]
mod support;
