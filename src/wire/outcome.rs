//! What became of each object of a transaction.

use crate::engine::{ObjectResult, Outcome};

use super::faults::{Decoded, Faults, required};
use super::name::{decode_ref, encode_ref, unknown_number};
use super::proto;
use super::proto::object_result::Outcome as Wire;

/// What became of one object, as a message.
pub fn encode_result(result: &ObjectResult) -> proto::ObjectResult {
    let outcome = match result.outcome {
        Outcome::Created => Wire::Created,
        Outcome::Configured => Wire::Configured,
        Outcome::Unchanged => Wire::Unchanged,
        Outcome::Deleted => Wire::Deleted,
        Outcome::NotFound => Wire::NotFound,
    };
    proto::ObjectResult {
        object: Some(encode_ref(&result.object)),
        outcome: outcome.into(),
        operation: u32::try_from(result.operation).unwrap_or(u32::MAX),
    }
}

/// What became of one object.
///
/// # Errors
/// No object, none that can be, or an outcome that is not known here.
pub fn decode_result(result: proto::ObjectResult) -> Decoded<ObjectResult> {
    let mut faults = Faults::default();
    let outcome = faults.take(|| "outcome".to_owned(), decode_outcome(result.outcome));
    let object = faults.take(
        || "object".to_owned(),
        match result.object {
            Some(object) => decode_ref(object),
            None => required("", "say which object is meant"),
        },
    );
    let operation = usize::try_from(result.operation).unwrap_or(usize::MAX);
    let decoded = object.zip(outcome).map(|(object, outcome)| ObjectResult {
        object,
        outcome,
        operation,
    });
    faults.finish(decoded)?.ok_or_else(Vec::new)
}

fn decode_outcome(number: i32) -> Decoded<Outcome> {
    match Wire::try_from(number) {
        Ok(Wire::Created) => Ok(Outcome::Created),
        Ok(Wire::Configured) => Ok(Outcome::Configured),
        Ok(Wire::Unchanged) => Ok(Outcome::Unchanged),
        Ok(Wire::Deleted) => Ok(Outcome::Deleted),
        Ok(Wire::NotFound) => Ok(Outcome::NotFound),
        Ok(Wire::Unspecified) => required("", "say what became of the object"),
        Err(_) => unknown_number(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, ObjectName, ObjectRef};

    fn result(outcome: Outcome) -> ObjectResult {
        ObjectResult {
            object: ObjectRef::new(Kind::Pod, ObjectName::new("default", "rng-a")),
            outcome,
            operation: 3,
        }
    }

    #[test]
    fn every_outcome_decodes_to_itself() {
        for outcome in [
            Outcome::Created,
            Outcome::Configured,
            Outcome::Unchanged,
            Outcome::Deleted,
            Outcome::NotFound,
        ] {
            let result = result(outcome);
            assert_eq!(decode_result(encode_result(&result)), Ok(result));
        }
    }

    #[test]
    fn an_empty_result_lacks_both_its_parts() {
        let faults = decode_result(proto::ObjectResult::default()).unwrap_err();
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["outcome", "object"]);
    }

    #[test]
    fn an_outcome_of_a_later_version_is_refused_by_its_number() {
        let mut message = encode_result(&result(Outcome::Created));
        message.outcome = 77;
        let faults = decode_result(message).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().contains("77"), "{}", faults[0]);
    }
}
