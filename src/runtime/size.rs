use crate::labels::{Key, LabelSet, Value};
use crate::model::{
    ContainerPort, EndpointPort, LabelPatch, LoadBalancerIp, ManualEndpoint, ManualEndpoints, Node,
    Object, Operation, PatchTarget, Pod, Precondition, Service, ServicePort, ServiceSelector,
    Transaction,
};
use crate::selector::Selector;

/// Bytes that a text takes where it is too long to stand inline.
const TEXT: usize = 64;

/// About how many bytes of memory a transaction takes, no less than half of them.
pub(super) fn size(transaction: &Transaction) -> usize {
    let operations = transaction.operations.iter().map(operation);
    operations
        .sum::<usize>()
        .saturating_add(many::<Precondition>(transaction.preconditions.len()))
        .saturating_add(size_of::<Transaction>())
}

fn operation(operation: &Operation) -> usize {
    let of = match operation {
        Operation::Put(object) => put(object),
        Operation::Delete(_) => 2 * TEXT,
        Operation::PatchLabels(patch) => label_patch(patch),
    };
    of.saturating_add(size_of::<Operation>())
}

fn put(object: &Object) -> usize {
    let of = match object {
        Object::Pod(pod) => {
            size_of::<Pod>() + many::<ContainerPort>(pod.ports.len()) + 16 * pod.pod_ips.len()
        }
        Object::Service(service) => of_service(service),
        Object::Node(_) => size_of::<Node>(),
        Object::Manual(manual) => of_manual(manual),
    };
    of.saturating_add(labels(object.labels()))
        .saturating_add(4 * TEXT)
}

fn of_service(service: &Service) -> usize {
    let selects = match &service.selector {
        ServiceSelector::None => 0,
        ServiceSelector::Map(pairs) => labels(pairs),
        ServiceSelector::Set(set) => selector(set),
    };
    size_of::<Service>()
        + selects
        + many::<ServicePort>(service.ports.len())
        + many::<LoadBalancerIp>(service.load_balancer_ips.len())
        + TEXT * (service.external_ips.len() + service.load_balancer_source_ranges.len())
}

fn of_manual(manual: &ManualEndpoints) -> usize {
    let subsets = manual.subsets.iter().map(|subset| {
        many::<ManualEndpoint>(subset.endpoints.len()) + many::<EndpointPort>(subset.ports.len())
    });
    size_of::<ManualEndpoints>() + subsets.sum::<usize>()
}

fn label_patch(patch: &LabelPatch) -> usize {
    let target = match &patch.target {
        PatchTarget::Object(_) => 2 * TEXT,
        PatchTarget::Selector {
            namespaces,
            selector: selects,
            ..
        } => TEXT * namespaces.len() + selector(selects),
    };
    target + many::<(Key, Value)>(patch.set.len()) + many::<Key>(patch.remove.len())
}

fn labels(labels: &LabelSet) -> usize {
    many::<(Key, Value)>(labels.len())
}

/// A word of it takes more than is written.
fn selector(selector: &Selector) -> usize {
    selector.to_string().len().saturating_mul(8)
}

/// So many of a kind, with a text each.
fn many<T>(count: usize) -> usize {
    count.saturating_mul(size_of::<T>().saturating_add(TEXT))
}
