//! gRPC statuses: the only place that chooses a code.
//!
//! Each refusal carries what a program needs to act on it: `BadRequest` names fields,
//! `PreconditionFailure` objects, `ResourceInfo` what is missing, `QuotaFailure` the limit.

use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::engine::ResolveError;
use crate::labels::FieldError;
use crate::model::{Expectation, ObjectRef, Revision};

use super::proto;

/// Most field violations that one status lists: it travels in a header.
const MAX_VIOLATIONS: usize = 8;
/// How soon a client may try a server again that is about to be another one.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Longest text in a status, in bytes, for the same reason.
const MAX_TEXT: usize = 512;

/// A text that fits a header: what clients send is repeated, and may be long.
fn short(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > MAX_TEXT {
        let cut = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(cut.unwrap_or_default());
        text.push('…');
    }
    text
}

/// A request breaks rules: INVALID_ARGUMENT with the path of each field.
pub fn invalid(faults: &[FieldError]) -> Status {
    let message = match faults {
        [] => "the request is not valid".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    let violations: Vec<FieldViolation> = faults
        .iter()
        .take(MAX_VIOLATIONS)
        .map(|fault| {
            let reason = fault.clone();
            FieldViolation::new(
                short(fault.path.clone()),
                short(
                    FieldError {
                        path: String::new(),
                        ..reason
                    }
                    .to_string(),
                ),
            )
        })
        .collect();
    Status::with_error_details(
        Code::InvalidArgument,
        short(message),
        ErrorDetails::with_bad_request(violations),
    )
}

/// One field of a request breaks a rule.
pub fn invalid_field(path: &str, detail: impl Into<String>) -> Status {
    invalid(&[FieldError::invalid(path, detail)])
}

/// A transaction was refused when it was resolved; field paths begin at the request.
pub fn refused(error: &ResolveError) -> Status {
    let at = |operation: usize| format!("transaction.operations[{operation}]");
    let message = short(error.to_string());
    match error {
        ResolveError::PatchContradicts { operation, .. } => {
            invalid_field(&format!("{}.patch_labels.remove", at(*operation)), message)
        }
        ResolveError::KindNotPatchable { operation, .. } => {
            invalid_field(&format!("{}.patch_labels", at(*operation)), message)
        }
        ResolveError::TooManyLabels { operation, .. } => {
            let path = format!("{}.labels", at(*operation));
            invalid(&[FieldError::too_many(path, message)])
        }
        ResolveError::TooManySelectorPatches { .. } => limit_exceeded("selector_patches", message),
        ResolveError::TooManyPods => limit_exceeded("pods", message),
        ResolveError::NotFound { object, .. } => missing(object, message),
        ResolveError::PreconditionFailed { object, expect, .. } => {
            let kind = match expect {
                Expectation::Exists | Expectation::Absent => "EXISTENCE",
                Expectation::Revision(_) => "REVISION",
            };
            precondition(kind, object, message)
        }
        ResolveError::LabelConflict { object, .. } => precondition("LABEL", object, message),
        ResolveError::TooManyOperations { limit } => limit_exceeded(
            "max_operations",
            format!(
                "a transaction may resolve to at most {limit} operations: split it, or raise the server's limit"
            ),
        ),
    }
}

fn precondition(kind: &str, object: &ObjectRef, message: String) -> Status {
    let details = ErrorDetails::with_precondition_failure_violation(
        kind,
        object.to_string(),
        message.clone(),
    );
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// An object that a request names is not there.
pub fn not_found(object: &ObjectRef) -> Status {
    missing(object, short(format!("{object} not found")))
}

fn missing(object: &ObjectRef, message: String) -> Status {
    let details = ErrorDetails::with_resource_info(
        object.kind.singular(),
        object.name.to_string(),
        "",
        message.clone(),
    );
    Status::with_error_details(Code::NotFound, message, details)
}

/// A limit of the server would be passed: RESOURCE_EXHAUSTED, naming the limit.
pub fn limit_exceeded(limit: &str, detail: impl Into<String>) -> Status {
    let detail = detail.into();
    let details = ErrorDetails::with_quota_failure_violation(limit, detail.clone());
    Status::with_error_details(
        Code::ResourceExhausted,
        format!("{limit}: {detail}"),
        details,
    )
}

/// A demanded revision did not come in time.
pub fn too_early(at_least: Revision, head: Revision) -> Status {
    Status::deadline_exceeded(format!(
        "revision {at_least} is not applied yet: the newest is {head}"
    ))
}

/// A stream was opened, and nothing was asked for on it in time.
pub fn unsubscribed(wait: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "no subscribe came within {wait:?}: the first request of a stream subscribes"
    ))
}

/// An answer was not read in time, and is held no longer.
pub fn unread(time: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "the answer was not read within {time:?}: ask again"
    ))
}

/// An answer was read too slowly, and is held no longer.
pub fn slow(behind: Duration, rate: u64) -> Status {
    Status::deadline_exceeded(format!(
        "the answer was read too slowly: a client may fall {behind:?} behind {rate} bytes a second; ask again"
    ))
}

/// A message has begun to arrive, and its rest did not come.
pub fn incomplete(wait: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "the rest of a message did not come within {wait:?}"
    ))
}

/// The server cannot do this now, and may be able to after a restart.
pub fn unavailable(detail: impl Into<String>) -> Status {
    Status::unavailable(detail)
}

/// The server is about to end: the client goes on elsewhere, from where it is.
pub fn draining() -> Status {
    let details = ErrorDetails::with_retry_info(Some(RECONNECT_DELAY));
    Status::with_error_details(
        Code::Unavailable,
        "draining; reconnect with your cursor",
        details,
    )
}

/// The server has not yet done what comes before serving: the client tries again soon.
pub fn unready(pending: &str) -> Status {
    let details = ErrorDetails::with_retry_info(Some(RECONNECT_DELAY));
    Status::with_error_details(
        Code::Unavailable,
        format!("not ready: {pending}; try again"),
        details,
    )
}

/// Another writer took over what this one was doing.
pub fn aborted(detail: impl Into<String>) -> Status {
    Status::aborted(detail)
}

/// A stream ended with an error inside the server.
pub fn internal(detail: impl Into<String>) -> Status {
    Status::internal(detail)
}

/// Whether a status says that a message was larger than its reader takes.
pub fn is_oversized(status: &Status) -> bool {
    status.code() == Code::OutOfRange
}

/// A request larger than the server takes.
pub fn oversized(max_message_bytes: usize) -> Status {
    limit_exceeded(
        "max_message_bytes",
        format!(
            "a message may have at most {max_message_bytes} bytes: split it, or raise the server's limit"
        ),
    )
}

/// A status as the answer to one transaction among many on a stream.
pub fn encode_refusal(status: &Status) -> proto::Refusal {
    let details = tonic_types::pb::Status::decode(status.details())
        .map(|rich| rich.details)
        .unwrap_or_default();
    proto::Refusal {
        code: status.code().into(),
        message: status.message().to_owned(),
        details,
    }
}

/// The status that a refusal stands for.
pub fn decode_refusal(refusal: proto::Refusal) -> Status {
    let code = Code::from_i32(refusal.code);
    let rich = tonic_types::pb::Status {
        code: refusal.code,
        message: refusal.message.clone(),
        details: refusal.details,
    };
    Status::with_details(code, refusal.message, rich.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, ObjectName};

    #[test]
    fn faults_become_field_violations() {
        let status = invalid(&[FieldError::required(
            "transaction.operations[0].put_pod.name",
            "every object needs one",
        )]);
        let violation = status
            .get_details_bad_request()
            .and_then(|bad| bad.field_violations.into_iter().next());
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            violation.map(|violation| (violation.field, violation.description)),
            Some((
                "transaction.operations[0].put_pod.name".into(),
                "Required value: every object needs one".into()
            ))
        );
    }

    #[test]
    fn a_refusal_keeps_the_details_of_its_status() {
        let status = not_found(&ObjectRef::new(
            Kind::Pod,
            ObjectName::new("default", "rng-1"),
        ));
        let back = decode_refusal(encode_refusal(&status));
        assert_eq!(
            (back.code(), back.message()),
            (status.code(), status.message())
        );
        let info = back
            .get_details_resource_info()
            .map(|info| (info.resource_type, info.resource_name));
        assert_eq!(info, Some(("pod".into(), "default/rng-1".into())));
    }
}
