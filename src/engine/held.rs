use std::ops::Bound::{Excluded, Unbounded};

use smol_str::SmolStr;

use crate::model::{Digest, ObjectName, RecordHasher, Revision};

use super::fold::{ServiceView, View};

/// What a subscriber says that it holds: a service, or, without a namespace, a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Of which service; of a node, the namespace is empty.
    pub name: ObjectName,
    /// The sum of the hashes of its records.
    pub digest: Digest,
    /// The revision that came with a service's fields, which is no part of the digest; of a node, 0.
    pub revision: Revision,
}

impl ServiceView {
    /// The digest of the service and its endpoints. Linear in their size.
    pub fn digest(&self) -> Digest {
        let service = &self.entry.service;
        let home = service.name.namespace.as_str();
        let mut hasher = RecordHasher::default();
        let endpoints = self.endpoints.values();
        let endpoints: Digest = endpoints.map(|it| hasher.endpoint(it, home)).sum();
        endpoints + hasher.service(service)
    }
}

impl View {
    /// What is held behind a name, in order of name: nodes, then services. Each costs its endpoints, when it
    /// is asked for.
    pub fn held(&self, after: Option<&ObjectName>) -> impl Iterator<Item = Held> {
        let node = after.filter(|name| name.namespace.is_empty());
        let service = after.filter(|name| !name.namespace.is_empty());
        let nodes_are_through = service.is_some();
        let behind = node.map_or(Unbounded, |name| Excluded(name.name.as_str()));
        let nodes = self.nodes().range::<str, _>((behind, Unbounded));
        let nodes = nodes.filter(move |_| !nodes_are_through);
        let nodes = nodes.map(|(name, node)| Held {
            name: ObjectName::new(SmolStr::default(), name.clone()),
            digest: RecordHasher::default().node(node),
            revision: 0,
        });
        let behind = service.map_or(Unbounded, Excluded);
        let services = self.services().range((behind, Unbounded));
        let services = services.map(|(name, service)| Held {
            name: name.clone(),
            digest: service.digest(),
            revision: service.entry.revision,
        });
        nodes.chain(services)
    }
}
