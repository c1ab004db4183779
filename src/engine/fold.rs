use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::model::{Endpoint, EndpointIdentity, Node, ObjectName};

use super::{Event, ServiceEntry};

/// One service in a [`View`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its fields.
    pub entry: ServiceEntry,
    /// Its endpoints, by identity.
    pub endpoints: BTreeMap<EndpointIdentity, Endpoint>,
}

/// What a subscriber holds: the fold of the events it was sent.
///
/// Between two checkpoints it is a mixture of two states; only what [`View::checkpoint`] leaves is
/// one consistent cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    services: BTreeMap<ObjectName, ServiceView>,
    nodes: BTreeMap<SmolStr, Arc<Node>>,
    /// After a reset: what was held then and has not been sent again.
    doubtful: BTreeSet<ObjectName>,
    doubtful_nodes: BTreeSet<SmolStr>,
}

impl View {
    /// The services, by name.
    pub fn services(&self) -> &BTreeMap<ObjectName, ServiceView> {
        &self.services
    }

    /// The nodes a node scope told of: one or none.
    pub fn nodes(&self) -> &BTreeMap<SmolStr, Arc<Node>> {
        &self.nodes
    }

    /// Folds one event. Events about an endpoint of a service that is not held are ignored: only a
    /// server that breaks its word sends them.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Reset => {
                self.doubtful = self.services.keys().cloned().collect();
                self.doubtful_nodes = self.nodes.keys().cloned().collect();
            }
            Event::Replace(entry) => {
                self.doubtful.remove(&entry.service.name);
                let view = ServiceView {
                    endpoints: BTreeMap::new(),
                    entry,
                };
                self.services.insert(view.entry.service.name.clone(), view);
            }
            Event::Entry(entry) => {
                if let Some(view) = self.services.get_mut(&entry.service.name) {
                    view.entry = entry;
                }
            }
            Event::Rewritten { service, revision } => {
                if let Some(view) = self.services.get_mut(&service) {
                    view.entry.revision = revision;
                }
            }
            Event::Endpoint { service, endpoint } => {
                if let Some(view) = self.services.get_mut(&service) {
                    view.endpoints.insert(endpoint.identity.clone(), endpoint);
                }
            }
            Event::Removed { service, identity } => {
                if let Some(view) = self.services.get_mut(&service) {
                    view.endpoints.remove(&identity);
                }
            }
            Event::Remove(name) => {
                self.services.remove(&name);
                self.doubtful.remove(&name);
            }
            Event::Node(node) => {
                self.doubtful_nodes.remove(&node.name);
                self.nodes.insert(node.name.clone(), node);
            }
            Event::NodeRemoved(name) => {
                self.nodes.remove(&name);
                self.doubtful_nodes.remove(&name);
            }
        }
    }

    /// Nothing is in doubt any more: what is held is being offered, and whatever of it is not so will be
    /// told ([`super::Progress::Offer`]).
    pub fn trust(&mut self) {
        self.doubtful.clear();
        self.doubtful_nodes.clear();
    }

    /// Drops what a reset put in doubt and nothing confirmed. What is left is the state at the
    /// checkpoint's revision. Answers what was dropped.
    pub fn checkpoint(&mut self) -> Vec<ObjectName> {
        for name in std::mem::take(&mut self.doubtful_nodes) {
            self.nodes.remove(&name);
        }
        let dropped: Vec<ObjectName> = std::mem::take(&mut self.doubtful).into_iter().collect();
        for name in &dropped {
            self.services.remove(name);
        }
        dropped
    }
}
