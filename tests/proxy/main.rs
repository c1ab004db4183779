//! A node's rules in the kernel, in network namespaces that the test makes and removes. Needs root, ip and
//! nft, and iptables for its modes; what is missing is said loudly, with the tests and modes that are skipped
//! for it, or fails them if `SELECTORD_TEST_ROOT` is set. `SELECTORD_TEST_KILLS`, `SELECTORD_TEST_REPLACED`
//! and `SELECTORD_TEST_SEEDS` make storms longer.
//!
//! | module | what it does |
//! |---|---|
//! | `mode` | the ways of keeping rules, each of which has to do all this |
//! | `program` | shell scripts in the place of programs |
//! | `namespace` | a network namespace, and threads that live in it |
//! | `world` | services and endpoints that change at random |
//! | `decision` | what the kernel does with a packet, read off its tables |
//! | `oracle` | what it should do, written once more from the objects alone, slow and obvious |
//! | `clashes` | services that want what another has |
//! | `random` | after any changes: the tables of a fresh sync, and the oracle's decisions |
//! | `elements` | elements that go to the kernel without nft |
//! | `faults` | flushes, edits, a service that is refused, nft that cannot be run |
//! | `start` | rules, flows and a kernel as a process finds them when it starts |
//! | `proportional` | what is written for one endpoint |
//! | `iptables` | the same for iptables, in both of its variants |
//! | `node` | a node with the real proxy on it |
//! | `operator` | the pages and numbers of a proxy that runs, and what they say when something is wrong |
//! | `switching` | what is left of another mode, and of a server that was there before |
//! | `example` | the example for Kubernetes, and the rights that it gives |
//! | `topology` | two nodes, pods, a client, and the network between |
//! | `talk` `load` | what pods answer, how clients ask, and how they do so all the time |
//! | `lab` | the topology with a server and proxies, for real packets: the rest |
//! | `packets` | who answers, whom he sees, and what those get whom nobody answers |
//! | `affinity` | who stays with an endpoint, and for how long |
//! | `hints` | zones and nodes for which endpoints are meant |
//! | `leaving` | endpoints that go: they answer, are told to load balancers, and keep their connections |
//! | `udp` `sctp` | what is theirs alone |
//! | `rolling` | a rolling update under load, in the right order and in the wrong one |
//! | `restarts` | proxies and servers that end and are killed, under load |
//! | `kube_proxy` | kube-proxy's own rules on the same node |
//! | `meddling` | others that write rules, or hold them locked, while a proxy runs |

#![cfg(all(feature = "service", target_os = "linux"))]

mod affinity;
mod clashes;
mod decision;
mod elements;
mod example;
mod faults;
mod hints;
mod iptables;
mod kube_proxy;
mod lab;
mod leaving;
mod load;
mod meddling;
mod mode;
mod namespace;
mod node;
mod operator;
mod oracle;
mod packets;
mod program;
mod proportional;
mod random;
mod restarts;
mod rolling;
mod sctp;
mod start;
mod switching;
mod talk;
mod topology;
mod udp;
mod world;

#[path = "../process/mod.rs"]
mod process;
#[path = "../root/mod.rs"]
mod root;
#[path = "../support/mod.rs"]
mod support;
