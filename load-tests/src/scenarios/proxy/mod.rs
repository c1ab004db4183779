//! A node's service rules: what it costs to write all of them, and one endpoint's, by how many services
//! there are; beside kube-proxy itself, which takes Go to build it, and beside its layout of the same state,
//! written with the same tool. In network namespaces of its own: it needs root, `ip`, and `nft` or `iptables`.
//!
//! | file | what it does |
//! |---|---|
//! | `needs` | which ways of keeping rules there are here |
//! | `measure` | one way at one size |
//! | `sides` | selectord and kube-proxy's layout, each in a namespace |
//! | `way` | what differs between ways: the tool, the texts |
//! | `kube_proxy` | kube-proxy itself, in one more |
//! | `objects` | the services and slices that it is told of |
//! | `cluster` | services that change one by one |
//! | `kube_nft` `kube_iptables` | the same state as kube-proxy writes it |
//! | `listing` | what the kernel has, compared |
//! | `in_force` | when what is written is in force |
//! | `netlink` | one endpoint without a program between |
//! | `connect` | connections through the first service and the last |
//! | `namespace` `program` | a network namespace; a tool run to its end |
//! | `rows` `curves` `notes` | what is told of it |

mod cluster;
mod connect;
mod curves;
mod in_force;
mod kube_iptables;
mod kube_nft;
mod kube_proxy;
mod listing;
mod measure;
mod namespace;
mod needs;
mod netlink;
mod notes;
mod objects;
mod program;
mod rows;
mod run;
mod sides;
mod way;

pub use run::run;
