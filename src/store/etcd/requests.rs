//! Request ids as keys, so that whoever is asked again knows that it was done.
//!
//! There is a set number of places, and an id has its own: whoever comes later to a place takes it. A
//! transaction takes its place only if nobody has since it was looked at, as it does with objects. Who
//! follows hears of all of them; who lists anew finds those whose place was not taken by a later one.

use bytes::Bytes;
use prost::Message as _;
use smol_str::SmolStr;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::Revision;
use crate::store::AnsweredRequest;
use crate::wire::proto::StoredRequest;

use super::EtcdError;
use super::keys::{PLACES, foreign, revision};
use super::proto::KeyValue;

/// Under which request id a transaction is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedRequest {
    /// The id.
    pub request_id: SmolStr,
    /// Tells another transaction under the same id from this one asked again.
    pub digest: u64,
    /// The revision of the state that it was resolved in.
    pub resolved_at: Revision,
    /// The revision that wrote the id's [place](request_place) last; none: nobody has.
    pub expected: Option<Revision>,
}

/// What stands at a place now; none: nothing, as somebody deleted it.
pub type Placed = (u16, Option<AnsweredRequest>);

/// The place of a request id. Every version of selectord has to come to the same.
pub fn request_place(request_id: &str) -> u16 {
    let place = xxh3_64(request_id.as_bytes()) % u64::from(PLACES);
    u16::try_from(place).unwrap_or(0)
}

pub(super) fn encode(request: &ProposedRequest) -> Bytes {
    let stored = StoredRequest {
        request_id: request.request_id.to_string(),
        digest: request.digest,
        resolved_revision: request.resolved_at,
    };
    stored.encode_to_vec().into()
}

/// What stands at a place.
///
/// # Errors
/// [`EtcdError::Foreign`]: it is something else.
pub(super) fn decode(at: u16, kv: KeyValue) -> Result<AnsweredRequest, EtcdError> {
    let wrong = |what: &str| foreign(&kv.key, what);
    let stored =
        StoredRequest::decode(kv.value.clone()).map_err(|_| wrong("its value is no request"))?;
    if request_place(&stored.request_id) != at {
        return Err(wrong("its value is a request that belongs elsewhere"));
    }
    Ok(AnsweredRequest {
        request_id: stored.request_id.into(),
        digest: stored.digest,
        resolved_at: stored.resolved_revision,
        revision: revision(kv.mod_revision),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        // As all versions have to: others may have written it.
        assert_eq!(
            ["", "r1", "a-b"].map(request_place),
            [5_314, 10_067, 15_903]
        );
        let request = ProposedRequest {
            request_id: "r1".into(),
            digest: 7,
            resolved_at: 3,
            expected: None,
        };
        let kv = KeyValue {
            key: "k".into(),
            value: encode(&request),
            mod_revision: 5,
            ..KeyValue::default()
        };
        let answered = AnsweredRequest {
            request_id: "r1".into(),
            digest: 7,
            resolved_at: 3,
            revision: 5,
        };
        assert_eq!(decode(request_place("r1"), kv.clone()), Ok(answered));
        assert!(decode(request_place("r1") ^ 1, kv).is_err());
    }
}
