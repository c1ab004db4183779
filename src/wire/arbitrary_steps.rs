//! Random transactions and events, for the tests of the wire.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::engine::{Event, ServiceEntry};
use crate::model::{
    Endpoint, EndpointIdentity, Expectation, Kind, LabelPatch, ObjectName, ObjectRef, Operation,
    PatchTarget, Precondition, Transaction,
};

use super::WriteRequest;
use super::arbitrary::{endpoint, labels, name, node, object, selector, service, text, word};

pub(super) fn object_ref() -> impl Strategy<Value = ObjectRef> {
    (select(Kind::ALL.to_vec()), name()).prop_map(|(kind, name)| {
        ObjectRef::new(
            kind,
            if kind.is_namespaced() {
                name
            } else {
                ObjectName::cluster(name.name)
            },
        )
    })
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let target = prop_oneof![
        object_ref().prop_map(PatchTarget::Object),
        (
            select(vec![Kind::Pod, Kind::Service, Kind::Node]),
            vec(word(), 0..3),
            selector()
        )
            .prop_map(|(kind, namespaces, selector)| PatchTarget::Selector {
                kind,
                namespaces,
                selector
            }),
    ];
    prop_oneof![
        object().prop_map(Operation::Put),
        object_ref().prop_map(Operation::Delete),
        (target, labels(), any::<bool>()).prop_map(|(target, labels, overwrite)| {
            let (set, remove): (Vec<_>, Vec<_>) = labels
                .into_iter()
                .partition(|(key, _)| key.as_str().len() % 2 == 0);
            let remove = remove.into_iter().map(|(key, _)| key).collect();
            Operation::PatchLabels(LabelPatch {
                target,
                set,
                remove,
                overwrite,
            })
        }),
    ]
}

pub(super) fn write_request() -> impl Strategy<Value = WriteRequest> {
    let expect = prop_oneof![
        Just(Expectation::Exists),
        Just(Expectation::Absent),
        any::<u64>().prop_map(Expectation::Revision)
    ];
    let precondition =
        (object_ref(), expect).prop_map(|(object, expect)| Precondition { object, expect });
    (
        vec(precondition, 0..3),
        vec(operation(), 0..4),
        text(),
        text(),
    )
        .prop_map(
            |(preconditions, operations, source, request_id)| WriteRequest {
                transaction: Transaction {
                    preconditions,
                    operations,
                    source,
                },
                request_id,
            },
        )
}

pub(super) fn entry() -> impl Strategy<Value = ServiceEntry> {
    (service(), any::<u64>(), 0..3usize).prop_map(|(mut service, revision, which)| {
        service.name = ObjectName::new("ns", format!("s{which}"));
        ServiceEntry {
            service: service.into(),
            revision,
        }
    })
}

/// Events about few services and few endpoints, so that elements merge and endpoints come back.
pub(super) fn event() -> impl Strategy<Value = Event> {
    let service = || (0..3usize).prop_map(|which| ObjectName::new("ns", format!("s{which}")));
    let few = || {
        let names = ["", "web-7d4b9-a", "web-7d4b9-b", "web-7d4b9-", "db-0"];
        (0..4u8, select(names.to_vec())).prop_map(|(last, pod)| EndpointIdentity {
            addresses: [std::net::IpAddr::from([10, 0, 0, last])]
                .into_iter()
                .collect(),
            pod: (!pod.is_empty()).then(|| ObjectName::new("ns", pod)),
            ..Default::default()
        })
    };
    prop_oneof![
        1 => Just(Event::Reset),
        2 => entry().prop_map(Event::Replace),
        2 => entry().prop_map(Event::Entry),
        2 => (service(), 1..=u64::MAX).prop_map(|(service, revision)| Event::Rewritten { service, revision }),
        8 => (service(), few(), endpoint()).prop_map(|(service, identity, endpoint)| Event::Endpoint {
            service,
            endpoint: Endpoint { identity, ..endpoint },
        }),
        6 => (service(), few()).prop_map(|(service, identity)| Event::Removed { service, identity }),
        1 => service().prop_map(Event::Remove),
        1 => node().prop_map(|node| Event::Node(node.into())),
        1 => word().prop_map(Event::NodeRemoved),
    ]
}
