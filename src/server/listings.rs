//! The three listings: pods, services, nodes.

use std::sync::Arc;

use crate::engine::{EndpointCounts, Engine, Namespaces, Stored};
use crate::model::{Node, ObjectName, Pod, Service};
use crate::selector::Selector;
use crate::wire::{self, proto};

use super::list::{At, Listing};

#[derive(Clone)]
pub(super) struct Pods {
    pub selector: Selector,
    pub namespaces: Namespaces,
}

impl Listing for Pods {
    type Object = Stored<Pod>;
    type Item = proto::PodItem;
    type Page = proto::ListPodsResponse;

    fn read(&self, engine: &Engine, after: Option<&ObjectName>, limit: usize) -> Vec<Stored<Pod>> {
        engine.pods(&self.selector, &self.namespaces, after, limit)
    }

    fn name(pod: &Stored<Pod>) -> ObjectName {
        pod.object.name.clone()
    }

    fn encode(pod: &Stored<Pod>) -> proto::PodItem {
        pod_item(pod)
    }

    fn page(at: At, pods: Vec<proto::PodItem>, next_page_token: String) -> proto::ListPodsResponse {
        proto::ListPodsResponse {
            revision: at.revision,
            source_age: at.source_age,
            pods,
            next_page_token,
        }
    }
}

#[derive(Clone)]
pub(super) struct Services {
    pub selector: Selector,
    pub namespaces: Namespaces,
}

/// A service, and how many endpoints it has.
pub(super) type CountedService = (Stored<Arc<Service>>, EndpointCounts);

impl Listing for Services {
    type Object = CountedService;
    type Item = proto::ServiceItem;
    type Page = proto::ListServicesResponse;

    fn read(
        &self,
        engine: &Engine,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<CountedService> {
        let services = engine.services(&self.selector, &self.namespaces, after, limit);
        services
            .into_iter()
            .map(|service| counted(engine, service))
            .collect()
    }

    fn name((service, _): &CountedService) -> ObjectName {
        service.object.name.clone()
    }

    fn encode(service: &CountedService) -> proto::ServiceItem {
        service_item(service)
    }

    fn page(
        at: At,
        services: Vec<proto::ServiceItem>,
        next_page_token: String,
    ) -> proto::ListServicesResponse {
        proto::ListServicesResponse {
            revision: at.revision,
            source_age: at.source_age,
            services,
            next_page_token,
        }
    }
}

#[derive(Clone)]
pub(super) struct Nodes {
    pub selector: Selector,
}

/// A node, and how many pods name it.
pub(super) type PeopledNode = (Stored<Arc<Node>>, u64);

impl Listing for Nodes {
    type Object = PeopledNode;
    type Item = proto::NodeItem;
    type Page = proto::ListNodesResponse;

    fn read(&self, engine: &Engine, after: Option<&ObjectName>, limit: usize) -> Vec<Self::Object> {
        let nodes = engine.nodes(
            &self.selector,
            after.map(|after| after.name.as_str()),
            limit,
        );
        nodes
            .into_iter()
            .map(|node| peopled(engine, node))
            .collect()
    }

    fn name((node, _): &Self::Object) -> ObjectName {
        ObjectName::cluster(node.object.name.clone())
    }

    fn encode(node: &Self::Object) -> proto::NodeItem {
        node_item(node)
    }

    fn page(
        at: At,
        nodes: Vec<proto::NodeItem>,
        next_page_token: String,
    ) -> proto::ListNodesResponse {
        proto::ListNodesResponse {
            revision: at.revision,
            source_age: at.source_age,
            nodes,
            next_page_token,
        }
    }
}

pub(super) fn pod_item(pod: &Stored<Pod>) -> proto::PodItem {
    proto::PodItem {
        pod: Some(wire::encode_pod(&pod.object)),
        revision: pod.revision,
    }
}

pub(super) fn counted(engine: &Engine, service: Stored<Arc<Service>>) -> CountedService {
    let counts = engine.endpoint_counts(&service.object.name);
    (
        service,
        counts.unwrap_or(EndpointCounts { total: 0, ready: 0 }),
    )
}

pub(super) fn service_item((service, counts): &CountedService) -> proto::ServiceItem {
    proto::ServiceItem {
        service: Some(wire::encode_service(&service.object)),
        revision: service.revision,
        endpoints: counts.total,
        ready_endpoints: counts.ready,
    }
}

pub(super) fn peopled(engine: &Engine, node: Stored<Arc<Node>>) -> PeopledNode {
    let pods = engine.pods_on_node(&node.object.name);
    (node, pods)
}

pub(super) fn node_item((node, pods): &PeopledNode) -> proto::NodeItem {
    proto::NodeItem {
        node: Some(wire::encode_node(&node.object)),
        revision: node.revision,
        pods: *pods,
    }
}
