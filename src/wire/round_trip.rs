//! What is encoded decodes to the same, for every object and every event.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;
use prost::encoding::{DecodeContext, decode_key, decode_varint, encode_varint, skip_field};

use crate::engine::{PodEvent, Scope, ServiceScope, View};
use crate::model::Pod;

use super::arbitrary::{
    container_port, endpoint, manual, name, node, object, pod, selector, service, so_many_labels,
    word,
};
use super::arbitrary_steps::{event, write_request};
use super::*;

fn checkpoint() -> Checkpoint {
    Checkpoint {
        cursor: Cursor {
            epoch: bytes::Bytes::from_static(b"epoch"),
            revision: 7,
            scope: 9,
        },
        commit_time: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)),
        source_age: Duration::from_millis(1_500),
    }
}

/// A message as a client reads it, whose prefix says its length.
fn read(message: &EncodedMessage) -> proto::WatchEndpointsResponse {
    let all = message.parts.concat();
    assert_eq!(all[0], 0);
    let length = u32::from_be_bytes(all[1..5].try_into().unwrap());
    assert_eq!((all.len(), message.len()), (length as usize + 5, all.len()));
    proto::WatchEndpointsResponse::decode(message.body()).unwrap()
}

/// What is read is what the message says.
fn check_read(reader: &mut PodReader, bytes: &[u8]) -> Result<(), TestCaseError> {
    let read = reader.read(bytes);
    match proto::Pod::decode(bytes) {
        Ok(message) => prop_assert_eq!(read, decode_pod(message)),
        Err(_) => prop_assert!(read.is_err(), "{:?}", read),
    }
    Ok(())
}

/// Bytes that take the place of others.
type Changes = Vec<(prop::sample::Index, u8)>;

fn changes() -> impl Strategy<Value = Changes> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

fn change(bytes: &mut [u8], changes: Changes) {
    for (at, byte) in changes {
        if !bytes.is_empty() {
            bytes[at.index(bytes.len())] = byte;
        }
    }
}

/// A pod that now and then has as many labels and ports as are remembered, or more.
fn small_or_large_pod() -> impl Strategy<Value = Pod> {
    let many = (so_many_labels(30..41), vec(container_port(), 30..41));
    (pod(), option::weighted(0.1, many)).prop_map(|(pod, many)| match many {
        Some((labels, ports)) => Pod {
            labels,
            ports: ports.into(),
            ..pod
        },
        None => pod,
    })
}

/// The fields of a message, each as it stands there.
fn fields(message: &[u8]) -> Vec<Vec<u8>> {
    let (mut left, mut fields) = (message, Vec::new());
    while !left.is_empty() {
        let field = left;
        let (tag, wire_type) = decode_key(&mut left).unwrap();
        skip_field(wire_type, tag, &mut left, DecodeContext::default()).unwrap();
        fields.push(field[..field.len() - left.len()].to_vec());
    }
    fields
}

/// Each two labels in one, and ports, whose fields are there twice then.
fn two_in_one(fields: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let (mut all, mut waiting) = (Vec::new(), BTreeMap::new());
    for field in fields {
        let mut content = &field[1..];
        if ![4 << 3 | 2, 9 << 3 | 2].contains(&field[0]) {
            all.push(field);
            continue;
        }
        decode_varint(&mut content).unwrap();
        match waiting.remove(&field[0]) {
            None => {
                waiting.insert(field[0], content.to_vec());
            }
            Some(first) => {
                let joined = [&first, content].concat();
                let mut field = vec![field[0]];
                encode_varint(joined.len() as u64, &mut field);
                all.push([field, joined].concat());
            }
        }
    }
    all
}

#[test]
fn each_of_several_fields_of_one_number_is_looked_at() {
    let namespaces = [0x0a, 1, 0xff, 0x0a, 1, b'a', 0x12, 1, b'p'];
    let keys = [0x22, 6, 0x0a, 1, 0xff, 0x0a, 1, b'k'];
    let values = [0x22, 9, 0x0a, 1, b'k', 0x12, 1, 0xff, 0x12, 1, b'v'];
    for bytes in [&namespaces[..], &keys, &values] {
        assert!(proto::Pod::decode(bytes).is_err());
        let read = PodReader::default().read(bytes);
        assert!(read.is_err(), "{read:?}");
    }
}

proptest! {
    /// Whatever the bytes are, and whatever was read before them, what is read is what the message says. Pods
    /// that differ in little show what is taken from the one before.
    #[test]
    fn what_is_read_of_a_pod_is_what_the_message_says(
        pods in vec((small_or_large_pod(), any::<bool>(), changes()), 1..6),
    ) {
        let mut reader = PodReader::default();
        let mut last: Option<Pod> = None;
        for (mut pod, alike, changes) in pods {
            if let Some(last) = last.filter(|_| alike) {
                pod = Pod { labels: last.labels, ports: last.ports, ..pod };
                pod.name.namespace = last.name.namespace;
            }
            let mut bytes = encode_pod(&pod).encode_to_vec();
            prop_assert_eq!(reader.read(&bytes), Ok(pod.clone()));
            last = Some(pod);
            change(&mut bytes, changes);
            check_read(&mut reader, &bytes)?;
        }
    }

    /// Nor where fields stand in any order, and more often than once.
    #[test]
    fn what_is_read_of_two_pods_in_one_is_what_the_message_says(
        rounds in vec(
            (small_or_large_pod(), small_or_large_pod()).prop_flat_map(|(one, other)| {
                let all = [one, other].map(|pod| fields(&encode_pod(&pod).encode_to_vec())).concat();
                let byte = prop_oneof![any::<u8>(), Just(0xff)];
                let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), byte);
                (Just(all).prop_shuffle(), any::<bool>(), vec(change, 0..3))
            }),
            1..4,
        ),
    ) {
        let mut reader = PodReader::default();
        for (mut fields, joined, changes) in rounds {
            if joined {
                fields = two_in_one(fields);
            }
            check_read(&mut reader, &fields.concat())?;
            let length = fields.len();
            for (field, at, byte) in changes.into_iter().filter(|_| length > 0) {
                let field = &mut fields[field.index(length)];
                let at = at.index(field.len());
                field[at] = byte;
            }
            check_read(&mut reader, &fields.concat())?;
        }
    }
}

proptest! {
    /// Elements that were encoded before, shared or copied, come in the order in which they were added.
    #[test]
    fn encoded_elements_stay_in_order(sizes in vec((any::<bool>(), 1..40_000usize), 0..12), limit in 1..90_000usize) {
        let mut writer = MessageWriter::new(limit, 0);
        let mut messages = Vec::new();
        let named = |i: usize, size: usize| crate::engine::Event::NodeRemoved(format!("{i}-{}", "x".repeat(size)).into());
        for (i, (encoded, size)) in sizes.iter().enumerate() {
            let full = if *encoded {
                let mut element = ElementWriter::default();
                element.event(&named(i, *size));
                writer.push_encoded(&element.take().into())
            } else {
                writer.push(&named(i, *size))
            };
            prop_assert_eq!(full, writer.take_full().map(|message| messages.push(read(&message))).is_some());
        }
        messages.push(read(&writer.checkpoint(&checkpoint())));
        prop_assert!(writer.is_empty());
        let names: Vec<_> = messages.iter().flat_map(|m| &m.events).filter_map(|e| Some(e.node.as_ref()?.name.clone())).collect();
        let right: Vec<_> = sizes.iter().enumerate().map(|(i, (_, size))| format!("{i}-{}", "x".repeat(*size))).collect();
        prop_assert_eq!(names, right);
        for message in &messages {
            prop_assert!(message.encoded_len() <= limit || message.events.len() <= 2, "{} bytes", message.encoded_len());
        }
    }

    #[test]
    fn objects(pod in pod(), service in service(), node in node(), manual in manual(), endpoint in endpoint()) {
        prop_assert_eq!(decode_pod(encode_pod(&pod)), Ok(pod));
        prop_assert_eq!(decode_service(encode_service(&service)), Ok(service));
        prop_assert_eq!(decode_node(encode_node(&node)), Ok(node));
        prop_assert_eq!(decode_manual(encode_manual(&manual)), Ok(manual));
        prop_assert_eq!(decode_endpoint(encode_endpoint(&endpoint, "ns"), "ns"), Ok(endpoint));
    }

    #[test]
    fn stored_objects(object in object(), source in word()) {
        prop_assert_eq!(decode_stored(encode_stored(&object, &source)), Ok((object, source)));
    }

    #[test]
    fn transactions(write in write_request()) {
        prop_assert_eq!(decode_transaction(encode_transaction(&write)), Ok(write));
    }

    #[test]
    fn scopes(namespaces in btree_set(word(), 0..3), names in btree_set(name(), 0..3), selector in selector()) {
        let scope = Scope::Services(ServiceScope { namespaces, names, selector });
        prop_assert_eq!(decode_scope(Some(encode_scope(&scope))), Ok(scope));
    }

    #[test]
    fn pod_events(pods in vec((pod(), any::<u64>()), 0..6), removed in vec(name(), 0..3)) {
        let events: Vec<PodEvent> = [PodEvent::Reset]
            .into_iter()
            .chain(pods.into_iter().map(|(pod, revision)| PodEvent::Pod { pod, revision }))
            .chain(removed.into_iter().map(PodEvent::Removed))
            .collect();
        let mut batch = PodEventBatch::new(300);
        let mut messages: Vec<_> = events.iter().filter_map(|event| batch.push(event)).collect();
        messages.push(batch.checkpoint(&checkpoint()));
        let decoded: Vec<_> = messages.into_iter().flat_map(|m| m.events).filter_map(|e| decode_pod_event(e).ok()).collect();
        let expected: Vec<_> =
            events.into_iter().map(PodDelta::Event).chain([PodDelta::Checkpoint(checkpoint())]).collect();
        prop_assert_eq!(decoded, expected);
    }

    /// Merging changes the order among events of a run, never what they fold to; messages keep to
    /// the limit unless one event alone is larger.
    #[test]
    fn merged_events_fold_to_the_same(events in vec(event(), 0..40), limit in 1..2_000usize) {
        let mut writer = MessageWriter::new(limit, 5);
        let mut expected = View::default();
        let mut messages = Vec::new();
        for event in events {
            if writer.push(&event) {
                messages.push(read(&writer.take_full().unwrap()));
            }
            expected.apply(event);
        }
        for message in &messages {
            let parts: usize = message
                .events
                .iter()
                .map(|e| e.endpoints.len() + e.removed.len() + usize::from(e.service.is_some() || e.node.is_some()))
                .sum();
            prop_assert!(message.encoded_len() <= limit || parts <= 1, "{} bytes", message.encoded_len());
        }
        messages.push(read(&writer.checkpoint(&checkpoint())));
        prop_assert!(messages.iter().all(|message| message.subscription == 5));
        let mut folded = View::default();
        let mut ended = None;
        for element in messages.into_iter().flat_map(|message| message.events) {
            match decode_event(element) {
                Ok(Delta::Events(events)) => events.into_iter().for_each(|event| folded.apply(event)),
                Ok(Delta::Checkpoint(checkpoint)) => ended = Some(checkpoint),
                Ok(Delta::Offer) => prop_assert!(false, "nothing was asked"),
                Err(faults) => prop_assert!(false, "{faults:?}"),
            }
        }
        prop_assert_eq!(ended, Some(checkpoint()));
        prop_assert_eq!(folded, expected);
    }
}
