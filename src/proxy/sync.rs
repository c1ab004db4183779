use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::{Event, View};
use crate::model::ObjectName;

use super::udp::UdpFlows;
use super::{
    Backend, HealthCheck, NodeView, ProxyOptions, Report, SyncError, choose, health_check,
};

/// Keeps the kernel's rules what a view says, whichever way they are kept.
///
/// Synchronous: it waits for the kernel. It works in the network namespace of the thread it runs on.
#[derive(Debug)]
pub struct Syncer {
    backend: Box<dyn Backend>,
    node: NodeView,
    /// Services to be looked at.
    dirty: BTreeSet<ObjectName>,
    /// Services whose rules were refused, and why.
    refused: BTreeMap<ObjectName, String>,
    checks: BTreeMap<ObjectName, HealthCheck>,
    udp: UdpFlows,
}

impl Syncer {
    /// A syncer that knows of no service yet.
    pub fn new(options: &ProxyOptions, backend: Box<dyn Backend>) -> Syncer {
        Syncer {
            backend,
            node: NodeView {
                name: options.node.clone(),
                zone: None,
            },
            dirty: BTreeSet::new(),
            refused: BTreeMap::new(),
            checks: BTreeMap::new(),
            udp: UdpFlows::new(),
        }
    }

    /// Notes what a cut changed. Nothing is written.
    pub fn note(&mut self, view: &View, events: &[Event], dropped: &[ObjectName]) {
        self.dirty.extend(dropped.iter().cloned());
        for event in events {
            match event {
                Event::Replace(entry) | Event::Entry(entry) => {
                    self.dirty.insert(entry.service.name.clone());
                }
                Event::Endpoint { service, .. } | Event::Removed { service, .. } => {
                    if !self.dirty.contains(service) {
                        self.dirty.insert(service.clone());
                    }
                }
                Event::Remove(name) => {
                    self.dirty.insert(name.clone());
                }
                // Rules say nothing of revisions; of what a reset drops, the names are given.
                Event::Reset | Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => {
                }
            }
        }
        let node = NodeView::of(&self.node.name, view);
        if node != self.node {
            self.node = node;
            self.dirty.extend(view.services().keys().cloned());
        }
    }

    /// Makes the kernel's rules what the view says, of all services that changed and of both families
    /// together. Whatever was noted and not written yet is written together.
    ///
    /// The kernel's rules are read and compared the first time, after a failure, and when
    /// [`Syncer::check`] found that somebody else wrote. A service whose rules are refused keeps those it
    /// had.
    ///
    /// # Errors
    /// When nothing could be written. What was noted is kept for the next time.
    pub fn sync(&mut self, view: &View) -> Result<Report, SyncError> {
        let mut report = Report::default();
        self.backend.begin(&mut report)?;
        report.conflicts = self.choose(view);
        self.backend.write(&mut report)?;
        self.refused.extend(report.refused.iter().cloned());
        self.udp.written(|name| self.refused.contains_key(name));
        match self.udp.forget() {
            Ok(flows) => report.flows = flows,
            Err(error) => {
                tracing::warn!(%error, "cannot forget UDP flows to endpoints that are gone");
            }
        }
        Ok(report)
    }

    /// Looks at the services that changed. Answers who is in whose way.
    fn choose(&mut self, view: &View) -> Vec<String> {
        let mut conflicts = Vec::new();
        for name in std::mem::take(&mut self.dirty) {
            self.refused.remove(&name);
            let service = view.services().get(&name);
            match service.and_then(|service| health_check(service, &self.node)) {
                Some(check) => self.checks.insert(name.clone(), check),
                None => self.checks.remove(&name),
            };
            let ports = service.map_or_else(Vec::new, |service| choose(service, &self.node));
            let ports: Vec<_> = ports.into_iter().map(Arc::new).collect();
            self.udp.set(&name, &ports);
            conflicts.extend(self.backend.set(&name, ports));
        }
        conflicts
    }

    /// The way in which rules are kept.
    pub fn backend(&mut self) -> &mut dyn Backend {
        self.backend.as_mut()
    }

    /// Whether somebody else changed rules since the last write. If so, the next sync reads and compares.
    pub fn check(&mut self) -> bool {
        self.backend.check()
    }

    /// Has the services whose rules were refused tried again. Answers whether there are any.
    pub fn retry_refused(&mut self) -> bool {
        self.dirty.extend(self.refused.keys().cloned());
        !self.refused.is_empty()
    }

    /// Services whose rules were refused, and why.
    pub fn refused(&self) -> &BTreeMap<ObjectName, String> {
        &self.refused
    }

    /// What load balancers ask this node.
    pub fn health_checks(&self) -> Vec<HealthCheck> {
        self.checks.values().cloned().collect()
    }

    /// The whole rules as text, as if nothing were there.
    pub fn print(&mut self, view: &View) -> String {
        self.choose(view);
        self.backend.print()
    }
}
