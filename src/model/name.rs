use std::fmt;

use smol_str::SmolStr;

/// What kind of object a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A v1 Pod.
    Pod,
    /// A v1 Service.
    Service,
    /// A v1 Node: cluster-scoped, its namespace is empty.
    Node,
    /// A hand-made v1 Endpoints object.
    Endpoints,
    /// A hand-made discovery/v1 EndpointSlice.
    EndpointSlice,
}

impl Kind {
    /// Every kind, in the order in which they are listed and printed.
    pub const ALL: [Kind; 5] = [
        Kind::Node,
        Kind::Service,
        Kind::Pod,
        Kind::Endpoints,
        Kind::EndpointSlice,
    ];

    /// The singular, lower-case name that kubectl prints before a slash: `pod`.
    pub fn singular(self) -> &'static str {
        match self {
            Kind::Pod => "pod",
            Kind::Service => "service",
            Kind::Node => "node",
            Kind::Endpoints => "endpoints",
            Kind::EndpointSlice => "endpointslice",
        }
    }

    /// Whether objects of this kind live in a namespace.
    pub fn is_namespaced(self) -> bool {
        !matches!(self, Kind::Node)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.singular())
    }
}

/// Namespace and name of an object. The namespace of a cluster-scoped object is empty.
///
/// Orders by namespace, then name: the order of every listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ObjectName {
    /// The namespace, or empty for a cluster-scoped object.
    pub namespace: SmolStr,
    /// The name.
    pub name: SmolStr,
}

impl ObjectName {
    /// A name in a namespace.
    pub fn new(namespace: impl Into<SmolStr>, name: impl Into<SmolStr>) -> Self {
        ObjectName {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The name of a cluster-scoped object.
    pub fn cluster(name: impl Into<SmolStr>) -> Self {
        ObjectName {
            namespace: SmolStr::default(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// Which object: a kind and a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The object's kind.
    pub kind: Kind,
    /// The object's namespace and name.
    pub name: ObjectName,
}

impl ObjectRef {
    /// The object of this kind and name.
    pub fn new(kind: Kind, name: ObjectName) -> Self {
        ObjectRef { kind, name }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}
