//! Objects as values.

use bytes::Bytes;
use prost::Message as _;
use smol_str::SmolStr;

use crate::model::{Object, ObjectRef};
use crate::wire::proto::StoredObject;
use crate::wire::{decode_stored, encode_stored};

use super::EtcdError;
use super::keys::{Keys, foreign};

pub(super) fn encode(object: &Object, source: &str) -> Bytes {
    encode_stored(object, source).encode_to_vec().into()
}

/// An object, and whose it is.
///
/// # Errors
/// [`EtcdError::Foreign`]: there is something else under the object's key.
pub(super) fn decode(
    keys: &Keys,
    of: &ObjectRef,
    value: Bytes,
) -> Result<(Object, SmolStr), EtcdError> {
    let wrong = |what: String| foreign(&keys.object(of), what);
    let message = StoredObject::decode(value);
    let message = message.map_err(|error| wrong(format!("its value is no object: {error}")))?;
    let (object, source) = decode_stored(message).map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        wrong(format!("its value breaks a rule: {first}"))
    })?;
    let found = object.object_ref();
    if found != *of {
        return Err(wrong(format!("its value is {found}")));
    }
    Ok((object, source))
}
