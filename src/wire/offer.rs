//! What a subscriber holds, in answer to an OFFER.

use bytes::Bytes;

use crate::engine::Held;
use crate::labels::FieldError;
use crate::model::{Digest, ObjectName};

use super::faults::{Decoded, Faults, invalid};
use super::name::check_lengths;
use super::proto;

/// Most services in one message of an offer.
pub const MAX_OFFERED: usize = 1_000;

/// A part of an offer as a message.
pub fn encode_offer(held: &[Held], is_last: bool) -> proto::Offer {
    let services = held.iter().map(|held| proto::HeldService {
        namespace: held.name.namespace.to_string(),
        name: held.name.name.to_string(),
        digest: Bytes::copy_from_slice(&held.digest.to_bytes()),
        service_revision: held.revision,
    });
    proto::Offer {
        services: services.collect(),
        last: is_last,
    }
}

/// A part of an offer, whose names are behind `after`, and whether it is the last.
///
/// # Errors
/// Too many services, none in a part that is not the last, names that are out of order or that nothing
/// can have, digests of another length.
pub fn decode_offer(offer: proto::Offer, after: Option<&ObjectName>) -> Decoded<(Vec<Held>, bool)> {
    let mut faults = Faults::default();
    let count = offer.services.len();
    if count > MAX_OFFERED {
        let detail = format!("{count} given, {MAX_OFFERED} allowed in a message");
        return Err(vec![FieldError::too_many("services", detail)]);
    }
    if count == 0 && !offer.last {
        faults.push(FieldError::required(
            "services",
            "only the last message of an offer may be empty",
        ));
    }
    let held: Vec<Held> = faults.list("services", offer.services, decode_held);
    let names = after.into_iter().chain(held.iter().map(|held| &held.name));
    // Of faults before it is not known how many there are, and nothing else is looked at then.
    let behind = usize::from(after.is_none());
    let places = names.clone().zip(names.skip(1)).enumerate();
    for (i, (before, name)) in places.filter(|(_, (before, name))| before >= name) {
        let path = format!("services[{}]", i.saturating_add(behind));
        let detail = format!("{name} is to come before {before}, and each once");
        faults.push(FieldError::invalid(path, detail));
    }
    faults.finish((held, offer.last))
}

fn decode_held(held: proto::HeldService) -> Decoded<Held> {
    let mut faults = Faults::default();
    if held.name.is_empty() {
        faults.push(FieldError::required("name", "say what is held"));
    }
    check_lengths(&mut faults, &held.namespace, &held.name);
    let digest = <[u8; 16]>::try_from(held.digest.as_ref())
        .or_else(|_| invalid(format!("a digest has 16 bytes, not {}", held.digest.len())));
    let digest = Digest::from_bytes(faults.part("digest", digest));
    faults.finish(Held {
        name: ObjectName::new(held.namespace, held.name),
        digest,
        revision: held.service_revision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(names: &[(&str, &str)]) -> Vec<Held> {
        let held = names.iter().map(|(namespace, name)| Held {
            name: ObjectName::new(*namespace, *name),
            digest: Digest::from_bytes([7; 16]),
            revision: 3,
        });
        held.collect()
    }

    fn paths(offer: proto::Offer, after: Option<&ObjectName>) -> String {
        let faults = decode_offer(offer, after).unwrap_err();
        let paths: Vec<_> = faults.into_iter().map(|fault| fault.path).collect();
        paths.join(" ")
    }

    #[test]
    fn an_offer_is_read_as_it_was_written() {
        let sent = held(&[("", "node-1"), ("a", "x"), ("a", "y"), ("b", "a")]);
        let read = decode_offer(encode_offer(&sent, true), None).unwrap();
        assert_eq!(read, (sent.clone(), true));
        let after = ObjectName::new("", "node-0");
        assert_eq!(
            decode_offer(encode_offer(&sent, false), Some(&after)).unwrap(),
            (sent, false)
        );
        assert!(
            decode_offer(encode_offer(&[], true), None)
                .unwrap()
                .0
                .is_empty()
        );
    }

    #[test]
    fn what_no_offer_may_be_is_named() {
        let offer = |names| encode_offer(&held(names), false);
        let swapped = [("a", "x"), ("b", "a"), ("a", "y"), ("c", "z")];
        assert_eq!(paths(offer(&swapped), None), "services[2]");
        let twice = [("a", "x"), ("a", "x")];
        assert_eq!(paths(offer(&twice), None), "services[1]");
        let after = ObjectName::new("a", "x");
        assert_eq!(
            paths(offer(&[("a", "x"), ("b", "x")]), Some(&after)),
            "services[0]"
        );
        assert_eq!(paths(offer(&[]), None), "services");
        assert_eq!(paths(offer(&[("a", "")]), None), "services[0].name");
        let mut short = offer(&[("a", "x"), ("a", "y")]);
        short.services[1].digest = Bytes::from_static(b"short");
        assert_eq!(paths(short, None), "services[1].digest");
        let names: Vec<String> = (0..=MAX_OFFERED).map(|i| format!("s{i:04}")).collect();
        let names: Vec<_> = names.iter().map(|name| ("a", name.as_str())).collect();
        assert!(decode_offer(offer(&names[1..]), None).is_ok());
        assert_eq!(paths(offer(&names), None), "services");
    }
}
