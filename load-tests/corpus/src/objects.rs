use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::labels::Labels;

/// A node. Its only label that matters is its zone's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
}

/// A container port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name.
    pub name: &'static str,
    /// Its number, TCP.
    pub number: u16,
}

/// A pod that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its labels.
    pub labels: Labels,
    /// The node it is on.
    pub node: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its ports.
    pub ports: &'static [ContainerPort],
    /// Whether it is ready.
    pub ready: bool,
}

/// One requirement of a set-based selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// One of these values.
    In(&'static str, Vec<Cow<'static, str>>),
    /// None of these values, or no such label.
    NotIn(&'static str, Vec<Cow<'static, str>>),
    /// No such label.
    DoesNotExist(&'static str),
}

/// Which pods a service selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Pairs, each of which a pod has to have: what Kubernetes' services can say.
    Pairs(Vec<(&'static str, Cow<'static, str>)>),
    /// Requirements, all of which a pod has to meet.
    Set(Vec<Requirement>),
}

/// A port of a service, TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name.
    pub name: &'static str,
    /// The port of the virtual address.
    pub port: u16,
    /// Where pods listen: a name to be looked up in each pod, or a number.
    pub target: Result<&'static str, u16>,
}

/// A service with a virtual address and two ports, one of which finds its target by name.
///
/// Each selects one, two or three pairs of some pod of its namespace, the first of which says which
/// workload is meant: three times in four `app`, else the last or the last but one of its labels. One
/// in a hundred is set-based, and of those one in ten has nothing but negative requirements. The first
/// services are those of the giants, which have no other; DaemonSets have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Which pods it selects.
    pub selector: Selector,
    /// Its virtual address.
    pub cluster_ip: Ipv4Addr,
    /// Its ports.
    pub ports: &'static [ServicePort],
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::In(key, values) => write!(f, "{key} in ({})", values.join(",")),
            Requirement::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(",")),
            Requirement::DoesNotExist(key) => write!(f, "!{key}"),
        }
    }
}

/// The selector as text, as kubectl takes it.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = match self {
            Selector::Pairs(pairs) => pairs.iter().map(|(k, v)| format!("{k}={v}")).collect(),
            Selector::Set(requirements) => requirements.iter().map(ToString::to_string).collect(),
        };
        f.write_str(&parts.join(","))
    }
}
