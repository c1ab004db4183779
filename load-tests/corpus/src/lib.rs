//! A seeded cluster: pods, services, nodes and the changes they go through, the same in every run,
//! on every machine and in every version of this crate.
//!
//! Tests, benches and load tests share it, so that their figures are about the same thing; programs
//! in other languages read it as newline-delimited JSON ([`write_ndjson`], or the binary). It knows
//! nothing of selectord.
//!
//! # The model
//!
//! | what | how much of it |
//! |---|---|
//! | namespaces | log-normal in size, median 60 pods, at most 20,000; and one for each giant |
//! | giants | three workloads of a tenth, a fiftieth and a fiftieth of the pods, each all of its namespace and behind a service |
//! | workloads | 5 pods on average: 70% Deployments, 15% StatefulSets, 15% Jobs; three DaemonSets over all nodes |
//! | nodes | one for 100 pods, in 12 zones |
//! | services | one for ten pods, see [`Service`] |
//!
//! Ten labels a pod. Those of the first group are the workload's, so that its pods share them:
//!
//! | key | values | drawn |
//! |---|---|---|
//! | `app` | a fiftieth of the pods' number (20,000 at a million) | cubic skew: the `u³`-th of them |
//! | `tier` `env` `run` | 5, 4, 16 | evenly |
//! | `version` `team` | 500, 300 | evenly; a version is a plain number, for `>` and `<` |
//! | `part-of`, `pod-template-hash` | a fiftieth of the pods' number; one a workload | Deployments |
//! | `controller-revision-hash`, `pod-name` | one a workload; the pod's own name | StatefulSets |
//! | `controller-revision-hash`, `pod-template-generation` | one a workload; 30 | DaemonSets |
//! | `job-name`, `controller-uid` | one a workload each | Jobs |
//! | `zone` | 12 | the zone of the pod's node, so it differs within a workload |
//! | `active` | `yes` 7 times in 8, else `no` | each pod, so it differs within a workload |
//!
//! Everything is drawn anew from the seed and a number (of the pod, of the service), so nothing but
//! the sizes is held in memory, and any object can be made without those before it.

mod churn;
mod cluster;
mod labels;
mod layout;
mod ndjson;
mod objects;
mod rng;
mod services;
mod spec;
#[cfg(test)]
mod tests;

pub use churn::{Change, ChangeKind, Churn};
pub use cluster::Corpus;
pub use labels::{APP, Labels};
pub use ndjson::{write_change, write_ndjson, write_node, write_pod, write_service};
pub use objects::{ContainerPort, Node, Pod, Requirement, Selector, Service, ServicePort};
pub use spec::{Spec, UnknownVariant, Variant};
