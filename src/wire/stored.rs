//! Objects as they are kept outside of an engine, with whose they are.

use smol_str::SmolStr;

use crate::model::{Object, ServiceSelector};
use crate::selector::Selector;

use super::endpoints::{decode_manual, encode_manual};
use super::faults::{Decoded, required};
use super::pod::{decode_pod, encode_pod};
use super::proto;
use super::proto::stored_object::Object as Wire;
use super::service::{decode_node, decode_service, encode_node, encode_service};

/// An object, and whose it is.
pub fn encode_stored(object: &Object, source: &str) -> proto::StoredObject {
    let mut stored = proto::StoredObject {
        source: source.to_owned(),
        ..proto::StoredObject::default()
    };
    stored.object = Some(match object {
        Object::Pod(pod) => Wire::Pod(encode_pod(pod)),
        Object::Node(node) => Wire::Node(encode_node(node)),
        Object::Manual(manual) => Wire::Endpoints(encode_manual(manual)),
        Object::Service(service) => {
            stored.selects_nothing = matches!(
                &service.selector,
                ServiceSelector::Set(selector) if selector.is_nothing()
            );
            Wire::Service(encode_service(service))
        }
    });
    stored
}

/// An object, and whose it is.
///
/// # Errors
/// There is none, or none that can be.
pub fn decode_stored(stored: proto::StoredObject) -> Decoded<(Object, SmolStr)> {
    let object = match stored.object {
        None => return required("object", "say which object is meant"),
        Some(Wire::Pod(pod)) => Object::Pod(Box::new(decode_pod(pod)?)),
        Some(Wire::Node(node)) => Object::Node(Box::new(decode_node(node)?)),
        Some(Wire::Endpoints(manual)) => Object::Manual(Box::new(decode_manual(manual)?)),
        Some(Wire::Service(service)) => {
            let mut service = decode_service(service)?;
            if stored.selects_nothing {
                service.selector = ServiceSelector::Set(Selector::nothing());
            }
            Object::Service(Box::new(service))
        }
    };
    Ok((object, SmolStr::from(stored.source)))
}
