//! What calls answer, in the words of the model. Every answer carries the revision it is true at.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::engine::ObjectResult;
use crate::model::{Endpoint, Node, Pod, Revision, Service};

/// A transaction that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The revision it got; that of the state it saw if nothing had to be changed.
    pub revision: Revision,
    /// What became of each object it named or matched, in the order of its operations.
    pub results: Vec<ObjectResult>,
    /// The revision of the state that its preconditions and selectors were looked at in.
    pub resolved_at: Revision,
}

/// An answer, and the revision it is true at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The revision.
    pub revision: Revision,
    /// How long before the answer the server had last heard of its source of truth; zero where it is that
    /// itself.
    pub source_age: Duration,
    /// The answer.
    pub answer: T,
}

/// A pod as it was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodItem {
    /// The pod.
    pub pod: Pod,
    /// The revision that wrote it last.
    pub revision: Revision,
}

/// A service as it was last written, and how many endpoints it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceItem {
    /// The service.
    pub service: Service,
    /// The revision that wrote it last.
    pub revision: Revision,
    /// Its endpoints.
    pub endpoints: u64,
    /// Those of them that are ready.
    pub ready_endpoints: u64,
}

/// A node as it was last written, and how many pods it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeItem {
    /// The node.
    pub node: Node,
    /// The revision that wrote it last.
    pub revision: Revision,
    /// Pods that name it.
    pub pods: u64,
}

/// A service with its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEndpoints {
    /// The service.
    pub service: Service,
    /// Its endpoints, by identity.
    pub endpoints: Vec<Endpoint>,
}

/// How many pods are in each group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouped {
    /// Values and counts, the largest first, equal ones by value.
    pub groups: Vec<(String, u64)>,
    /// Pods without a value.
    pub without: u64,
    /// Pods in groups beyond the limit.
    pub others: u64,
    /// How many groups are beyond the limit.
    pub other_groups: u64,
}

/// How a selector is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The selector in canonical form.
    pub selector: String,
    /// In the order of evaluation.
    pub steps: Vec<PlanStep>,
    /// How many pods match.
    pub count: u64,
    /// How long the server took.
    pub elapsed: Duration,
}

/// One step of a [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// The requirement, or what else narrows the answer.
    pub term: String,
    /// `start`, `intersect`, `subtract`, `probe` or `range`.
    pub action: String,
    /// Pods that meet the term alone.
    pub estimated: u64,
    /// Pods left after the step.
    pub remaining: u64,
    /// Postings read.
    pub postings: u64,
}

/// What a server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// The server's version.
    pub version: String,
    /// The name of its history.
    pub epoch: Bytes,
    /// Its newest revision.
    pub revision: Revision,
    /// When it started.
    pub started: Option<SystemTime>,
    /// When the newest change was committed.
    pub commit_time: Option<SystemTime>,
    /// How long ago its source of truth was last heard of.
    pub source_age: Duration,
    /// What keeps its facts.
    pub store: String,
    /// What it does with a pod whose node is unknown.
    pub missing_node: String,
    /// How many of everything it holds, named as in the protocol, in its order.
    pub sizes: Vec<(&'static str, u64)>,
    /// Work done since the start, named as in the protocol, in its order.
    pub work: Vec<(&'static str, u64)>,
    /// What it still has to do before it serves, or why it takes no new watches; empty: nothing.
    pub unready: String,
    /// What is wrong with its store, though reads and writes go on; empty: nothing.
    pub store_fault: String,
    /// Objects that its store takes in one transaction; 0: as many as the server.
    pub max_transaction_objects: u64,
    /// Bytes that these may have together; 0: as many as the server takes.
    pub max_transaction_bytes: u64,
}

/// An open stream of differences, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The server's number for it.
    pub id: u64,
    /// What it calls itself.
    pub name: String,
    /// Its address.
    pub peer: String,
    /// What it watches, in words.
    pub scope: String,
    /// The newest checkpoint it was sent.
    pub sent: Revision,
    /// What it says it has applied; 0: it has not said.
    pub applied: Revision,
    /// Since when it has been open.
    pub since: Option<SystemTime>,
    /// For how long it has been behind the newest revision.
    pub behind: Duration,
}

/// What the slow recomputation of everything found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Differences from what is kept; empty: everything agrees.
    pub discrepancies: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}
