//! Everything a subscriber could know, at one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use selectord::engine::{Scope, ServiceEntry, ServiceView};
use selectord::model::{ClusterIp, Node, ObjectName, Pod, Revision, Service, ServiceType};
use selectord::selector::Selector;
use smol_str::SmolStr;

use super::{Oracle, Within};

/// A state, whole.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    pub revision: Revision,
    pub services: BTreeMap<ObjectName, ServiceView>,
    pub nodes: BTreeMap<SmolStr, Arc<Node>>,
    pub pods: BTreeMap<ObjectName, (Pod, Revision)>,
}

impl Cut {
    pub(super) fn of(oracle: &Oracle, revision: Revision) -> Cut {
        let services = oracle.services().map(|(service, written)| {
            let entry = ServiceEntry {
                service: Arc::new(service.clone()),
                revision: written,
            };
            (
                service.name.clone(),
                ServiceView {
                    entry,
                    endpoints: oracle.compute(service),
                },
            )
        });
        Cut {
            revision,
            services: services.collect(),
            nodes: oracle
                .nodes()
                .map(|(node, _)| (node.name.clone(), Arc::new(node.clone())))
                .collect(),
            pods: oracle
                .pods()
                .map(|(pod, at)| (pod.name.clone(), (pod.clone(), at)))
                .collect(),
        }
    }

    /// The services a subscriber of this scope holds.
    pub fn services_in(&self, scope: &Scope) -> BTreeMap<ObjectName, ServiceView> {
        self.services
            .iter()
            .filter(|(_, view)| in_scope(scope, &view.entry.service))
            .map(|(name, view)| (name.clone(), view.clone()))
            .collect()
    }

    /// The nodes a subscriber of this scope holds.
    pub fn nodes_in(&self, scope: &Scope) -> BTreeMap<SmolStr, Arc<Node>> {
        let Scope::Node(wanted) = scope else {
            return BTreeMap::new();
        };
        self.nodes
            .iter()
            .filter(|(name, _)| *name == wanted)
            .map(|(name, node)| (name.clone(), node.clone()))
            .collect()
    }

    /// The pods a live query holds.
    pub fn pods_in(
        &self,
        selector: &Selector,
        within: &Within,
    ) -> BTreeMap<ObjectName, (Pod, Revision)> {
        self.pods
            .iter()
            .filter(|(name, (pod, _))| within.contains(name) && selector.matches(&pod.labels))
            .map(|(name, held)| (name.clone(), held.clone()))
            .collect()
    }
}

fn in_scope(scope: &Scope, service: &Service) -> bool {
    match scope {
        Scope::Node(_) => match &service.cluster_ip {
            ClusterIp::Ips(ips) => {
                !ips.is_empty() && service.service_type != ServiceType::ExternalName
            }
            ClusterIp::Unset | ClusterIp::Headless => false,
        },
        Scope::Services(wanted) => {
            let namespace =
                wanted.namespaces.is_empty() || wanted.namespaces.contains(&service.name.namespace);
            let name = wanted.names.is_empty() || wanted.names.contains(&service.name);
            namespace && name && wanted.selector.matches(&service.labels)
        }
    }
}
