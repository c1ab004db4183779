//! Kinds, names and the small enumerations that several subjects share.

use std::net::IpAddr;

use crate::labels::FieldError;
use crate::model::{IpFamily, Kind, ObjectName, ObjectRef, Protocol, parse_ip};

use super::faults::{Decoded, Faults, invalid};
use super::proto;

/// Longest namespace, in bytes.
const MAX_NAMESPACE: usize = 63;
/// Longest name, in bytes.
const MAX_NAME: usize = 253;
/// Most namespaces that one request names.
const MAX_NAMESPACES: usize = 10_000;

/// The wire's number for a kind.
pub fn encode_kind(kind: Kind) -> proto::Kind {
    match kind {
        Kind::Pod => proto::Kind::Pod,
        Kind::Service => proto::Kind::Service,
        Kind::Node => proto::Kind::Node,
        Kind::Endpoints => proto::Kind::Endpoints,
        Kind::EndpointSlice => proto::Kind::EndpointSlice,
    }
}

/// A kind from the wire's number.
///
/// # Errors
/// `KIND_UNSPECIFIED` and unknown numbers.
pub fn decode_kind(number: i32) -> Decoded<Kind> {
    match proto::Kind::try_from(number) {
        Ok(proto::Kind::Pod) => Ok(Kind::Pod),
        Ok(proto::Kind::Service) => Ok(Kind::Service),
        Ok(proto::Kind::Node) => Ok(Kind::Node),
        Ok(proto::Kind::Endpoints) => Ok(Kind::Endpoints),
        Ok(proto::Kind::EndpointSlice) => Ok(Kind::EndpointSlice),
        Ok(proto::Kind::Unspecified) => Err(vec![FieldError::required(
            "",
            "say which kind of object is meant",
        )]),
        Err(_) => unknown_number(number),
    }
}

/// A number that no member of an enumeration has: the writer knows more than this reader.
pub(super) fn unknown_number<T>(number: i32) -> Decoded<T> {
    Err(vec![FieldError::not_supported(
        "",
        format!("{number} is not a number of this enumeration"),
    )])
}

/// Namespace and name.
pub fn encode_name(name: &ObjectName) -> proto::ObjectName {
    proto::ObjectName {
        namespace: name.namespace.to_string(),
        name: name.name.to_string(),
    }
}

/// Namespace and name, both needed.
///
/// # Errors
/// Either is missing.
pub fn decode_name(name: proto::ObjectName) -> Decoded<ObjectName> {
    let mut faults = Faults::default();
    if name.namespace.is_empty() {
        faults.push(FieldError::required(
            "namespace",
            "the object lives in a namespace",
        ));
    }
    if name.name.is_empty() {
        faults.push(FieldError::required("name", "say which object is meant"));
    }
    check_lengths(&mut faults, &name.namespace, &name.name);
    faults.finish(ObjectName::new(name.namespace, name.name))
}

/// Kind, namespace and name.
pub fn encode_ref(object: &ObjectRef) -> proto::ObjectRef {
    proto::ObjectRef {
        kind: encode_kind(object.kind).into(),
        namespace: object.name.namespace.to_string(),
        name: object.name.name.to_string(),
    }
}

/// Whether an object may be called so, as far as length goes: what is longer is nobody's name, and is
/// not remembered or repeated.
pub(super) fn is_of_legal_length(namespace: &str, name: &str) -> bool {
    namespace.len() <= MAX_NAMESPACE && name.len() <= MAX_NAME
}

pub(super) fn check_lengths(faults: &mut Faults, namespace: &str, name: &str) {
    for (path, text, max) in [
        ("namespace", namespace, MAX_NAMESPACE),
        ("name", name, MAX_NAME),
    ] {
        if text.len() > max {
            let detail = format!("must be no more than {max} bytes, is {}", text.len());
            faults.push(FieldError::invalid(path, detail));
        }
    }
}

/// Namespaces that narrow a request.
///
/// # Errors
/// Too many, or one that is longer than any can be.
pub fn check_namespaces(namespaces: &[String]) -> Decoded<()> {
    let mut faults = Faults::default();
    if namespaces.len() > MAX_NAMESPACES {
        let detail = format!("{} given, {MAX_NAMESPACES} allowed", namespaces.len());
        faults.push(FieldError::too_many("", detail));
    }
    for (i, namespace) in namespaces.iter().enumerate() {
        if namespace.len() > MAX_NAMESPACE {
            let length = namespace.len();
            let detail = format!("must be no more than {MAX_NAMESPACE} bytes, is {length}");
            faults.push(FieldError::invalid(format!("[{i}]"), detail));
        }
    }
    faults.finish(())
}

/// Kind, namespace and name; the namespace is empty for a node and for nothing else.
///
/// # Errors
/// An unknown kind, a missing name, a namespace where none belongs or none where one does.
pub fn decode_ref(object: proto::ObjectRef) -> Decoded<ObjectRef> {
    let mut faults = Faults::default();
    let kind = faults.take(|| "kind".to_owned(), decode_kind(object.kind));
    if object.name.is_empty() {
        faults.push(FieldError::required("name", "say which object is meant"));
    }
    check_lengths(&mut faults, &object.namespace, &object.name);
    match kind {
        Some(kind) if kind.is_namespaced() && object.namespace.is_empty() => {
            faults.push(FieldError::required(
                "namespace",
                format!("a {kind} lives in a namespace"),
            ));
        }
        Some(kind) if !kind.is_namespaced() && !object.namespace.is_empty() => {
            faults.push(FieldError::forbidden(
                "namespace",
                format!("a {kind} lives in no namespace"),
            ));
        }
        _ => {}
    }
    let name = ObjectName::new(object.namespace, object.name);
    faults.finish(ObjectRef::new(kind.unwrap_or(Kind::Pod), name))
}

pub(super) fn encode_protocol(protocol: Protocol) -> i32 {
    match protocol {
        Protocol::Tcp => proto::Protocol::Tcp,
        Protocol::Udp => proto::Protocol::Udp,
        Protocol::Sctp => proto::Protocol::Sctp,
    }
    .into()
}

pub(super) fn decode_protocol(number: i32) -> Decoded<Protocol> {
    match proto::Protocol::try_from(number) {
        Ok(proto::Protocol::Unspecified | proto::Protocol::Tcp) => Ok(Protocol::Tcp),
        Ok(proto::Protocol::Udp) => Ok(Protocol::Udp),
        Ok(proto::Protocol::Sctp) => Ok(Protocol::Sctp),
        Err(_) => unknown_number(number),
    }
}

pub(super) fn encode_family(family: IpFamily) -> i32 {
    match family {
        IpFamily::V4 => proto::IpFamily::Ipv4,
        IpFamily::V6 => proto::IpFamily::Ipv6,
    }
    .into()
}

pub(super) fn decode_family(number: i32) -> Decoded<IpFamily> {
    match proto::IpFamily::try_from(number) {
        Ok(proto::IpFamily::Ipv4) => Ok(IpFamily::V4),
        Ok(proto::IpFamily::Ipv6) => Ok(IpFamily::V6),
        Ok(proto::IpFamily::Unspecified) => invalid("must be IP_FAMILY_IPV4 or IP_FAMILY_IPV6"),
        Err(_) => unknown_number(number),
    }
}

pub(super) fn decode_ip(text: impl AsRef<str>) -> Decoded<IpAddr> {
    parse_ip(text.as_ref()).or_else(|error| invalid(error.to_string()))
}
