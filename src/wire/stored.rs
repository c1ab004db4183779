//! Objects as a store keeps them that others can look into.

use smol_str::SmolStr;

use crate::labels::FieldError;
use crate::model::{Object, ServiceSelector, validate};
use crate::selector::Selector;

use super::endpoints::{decode_manual, encode_manual};
use super::faults::{Decoded, Faults, required};
use super::pod::{decode_pod, encode_pod};
use super::proto;
use super::proto::stored_object::Object as Form;
use super::service::{decode_node, decode_service, encode_node, encode_service};

/// An object with the source that wrote it.
pub fn encode_stored(object: &Object, source: &str) -> proto::StoredObject {
    let nothing = |selector: &ServiceSelector| match selector {
        ServiceSelector::Set(selector) => selector.is_nothing(),
        ServiceSelector::None | ServiceSelector::Map(_) => false,
    };
    proto::StoredObject {
        source: source.to_owned(),
        selects_nothing: matches!(object, Object::Service(service) if nothing(&service.selector)),
        object: Some(match object {
            Object::Pod(pod) => Form::Pod(encode_pod(pod)),
            Object::Service(service) => Form::Service(encode_service(service)),
            Object::Node(node) => Form::Node(encode_node(node)),
            Object::Manual(manual) => Form::Endpoints(encode_manual(manual)),
        }),
    }
}

/// An object that meets every rule, and the source that wrote it.
///
/// # Errors
/// Every fault, with its path from the message: `pod.labels`.
pub fn decode_stored(stored: proto::StoredObject) -> Decoded<(Object, SmolStr)> {
    let mut faults = Faults::default();
    let object = match stored.object {
        None => required("", "say what is stored"),
        Some(Form::Pod(pod)) => within("pod", decode_pod(pod)).map(|pod| Object::Pod(pod.into())),
        Some(Form::Node(node)) => {
            within("node", decode_node(node)).map(|node| Object::Node(node.into()))
        }
        Some(Form::Endpoints(manual)) => {
            within("endpoints", decode_manual(manual)).map(|manual| Object::Manual(manual.into()))
        }
        Some(Form::Service(service)) => {
            within("service", decode_service(service)).map(|mut service| {
                if stored.selects_nothing {
                    service.selector = ServiceSelector::Set(Selector::nothing());
                }
                Object::Service(service.into())
            })
        }
    }?;
    for fault in validate(&object) {
        faults.push(fault);
    }
    faults.finish((object, stored.source.into()))
}

fn within<T>(path: &str, decoded: Decoded<T>) -> Decoded<T> {
    let under = |fault: FieldError| fault.under(path);
    decoded.map_err(|faults| faults.into_iter().map(under).collect())
}
