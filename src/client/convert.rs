//! Messages that only a client reads or writes, to and from the words of the model.

use std::time::{Duration, SystemTime};

use smol_str::SmolStr;

use crate::model::{Endpoint, Service};
use crate::wire::{self, proto};

use super::{Malformed, NodeItem, Page, PodItem, ServiceItem};

/// Where to look; no namespaces: everywhere.
pub(super) fn scope(namespaces: &[SmolStr]) -> Option<proto::Scope> {
    (!namespaces.is_empty()).then(|| proto::Scope {
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
    })
}

/// A moment; none where it is absent or beyond what a clock can say.
pub(super) fn time(time: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(time).ok())
}

/// A length of time; zero where it is absent or negative.
pub(super) fn duration(duration: Option<prost_types::Duration>) -> Duration {
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .unwrap_or_default()
}

pub(super) fn pod_item(item: proto::PodItem) -> Result<PodItem, Malformed> {
    let pod = item.pod.ok_or_else(|| Malformed::missing("pod"))?;
    Ok(PodItem {
        pod: wire::decode_pod(pod)?,
        revision: item.revision,
    })
}

pub(super) fn service_item(item: proto::ServiceItem) -> Result<ServiceItem, Malformed> {
    let service = item.service.ok_or_else(|| Malformed::missing("service"))?;
    Ok(ServiceItem {
        service: wire::decode_service(service)?,
        revision: item.revision,
        endpoints: item.endpoints,
        ready_endpoints: item.ready_endpoints,
    })
}

pub(super) fn node_item(item: proto::NodeItem) -> Result<NodeItem, Malformed> {
    let node = item.node.ok_or_else(|| Malformed::missing("node"))?;
    Ok(NodeItem {
        node: wire::decode_node(node)?,
        revision: item.revision,
        pods: item.pods,
    })
}

pub(super) fn endpoint(
    service: &Service,
    endpoint: proto::Endpoint,
) -> Result<Endpoint, Malformed> {
    Ok(wire::decode_endpoint(endpoint, &service.name.namespace)?)
}

pub(super) fn pods_page(page: proto::ListPodsResponse) -> Result<Page<PodItem>, Malformed> {
    let items = page
        .pods
        .into_iter()
        .map(pod_item)
        .collect::<Result<_, _>>()?;
    Ok(Page {
        revision: page.revision,
        source_age: duration(page.source_age),
        items,
        next: page.next_page_token,
    })
}

pub(super) fn services_page(
    page: proto::ListServicesResponse,
) -> Result<Page<ServiceItem>, Malformed> {
    let items = page
        .services
        .into_iter()
        .map(service_item)
        .collect::<Result<_, _>>()?;
    Ok(Page {
        revision: page.revision,
        source_age: duration(page.source_age),
        items,
        next: page.next_page_token,
    })
}

pub(super) fn nodes_page(page: proto::ListNodesResponse) -> Result<Page<NodeItem>, Malformed> {
    let items = page
        .nodes
        .into_iter()
        .map(node_item)
        .collect::<Result<_, _>>()?;
    Ok(Page {
        revision: page.revision,
        source_age: duration(page.source_age),
        items,
        next: page.next_page_token,
    })
}
