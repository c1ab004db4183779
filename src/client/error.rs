use std::fmt;

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::labels::FieldError;

use super::Address;

/// Why no connection came about.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address cannot be dialled.
    #[error(transparent)]
    Address(#[from] super::ParseAddressError),
    /// Nobody answers there.
    #[error("cannot reach selectord at {address}")]
    Unreachable {
        /// The address.
        address: Address,
        /// What the transport says.
        #[source]
        cause: tonic::transport::Error,
    },
}

/// Why a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server, or the way to it, answered with a status. Prints the rich details too.
    #[error("{}", Explained(.0))]
    Status(Box<Status>),
    /// The answer cannot be understood: the server is not of a version this client knows.
    #[error("the server's answer cannot be understood")]
    Malformed(#[source] Malformed),
}

/// A message that breaks the contract of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(Vec<FieldError>);

impl Malformed {
    /// A field that the contract asks for is not there.
    pub(super) fn missing(field: &str) -> Malformed {
        Malformed(vec![FieldError::required(field, "")])
    }

    /// What is wrong, field by field.
    pub fn faults(&self) -> &[FieldError] {
        &self.0
    }
}

impl From<Vec<FieldError>> for Malformed {
    fn from(faults: Vec<FieldError>) -> Self {
        Malformed(faults)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, fault)| {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")
        })
    }
}

impl std::error::Error for Malformed {}

impl CallError {
    /// The gRPC status, where there is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            CallError::Status(status) => Some(status),
            CallError::Malformed(_) => None,
        }
    }

    /// The gRPC status code; `DataLoss` for an answer that cannot be understood.
    pub fn code(&self) -> Code {
        self.status().map_or(Code::DataLoss, Status::code)
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        CallError::Status(Box::new(status))
    }
}

impl From<Malformed> for CallError {
    fn from(malformed: Malformed) -> Self {
        CallError::Malformed(malformed)
    }
}

/// Why a watch ended for good: trying again would not help.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The server refuses the subscription.
    #[error("{}", Explained(.0))]
    Refused(Box<Status>),
    /// The stream cannot be understood: the server is not of a version this client knows.
    #[error("the server's stream cannot be understood")]
    Malformed(#[from] Malformed),
}

/// Whether the same request would be refused again, whoever answers it.
pub(super) fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated
    )
}

/// A status in words: its message, then a line for each detail that the message does not hold.
struct Explained<'a>(&'a Status);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0.message();
        if message.is_empty() {
            write!(f, "{}", self.0.code().description())?;
        } else {
            f.write_str(message)?;
        }
        let mut line = |subject: &str, text: &str| {
            if text.is_empty() || message.contains(text) {
                Ok(())
            } else if subject.is_empty() {
                write!(f, "\n  {text}")
            } else {
                write!(f, "\n  {subject}: {text}")
            }
        };
        let details = self.0.get_error_details();
        for violation in details
            .bad_request()
            .iter()
            .flat_map(|d| &d.field_violations)
        {
            line(&violation.field, &violation.description)?;
        }
        for violation in details
            .precondition_failure()
            .iter()
            .flat_map(|d| &d.violations)
        {
            line(&violation.subject, &violation.description)?;
        }
        for violation in details.quota_failure().iter().flat_map(|d| &d.violations) {
            line(&violation.subject, &violation.description)?;
        }
        if let Some(resource) = details.resource_info() {
            line(&resource.resource_name, &resource.description)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation};

    #[test]
    fn details_are_printed_under_the_message() {
        let mut details = ErrorDetails::new();
        details
            .set_bad_request(vec![
                FieldViolation::new("operations[0].put_pod.name", "Required value"),
                FieldViolation::new("operations[1].put_pod.name", "is refused"),
            ])
            .set_precondition_failure(vec![PreconditionViolation::new(
                "REVISION",
                "pod a/b",
                "is at revision 7",
            )]);
        let status = Status::with_error_details(
            Code::InvalidArgument,
            "the transaction is refused",
            details,
        );
        assert_eq!(
            CallError::from(status).to_string(),
            "the transaction is refused\n  operations[0].put_pod.name: Required value\n  pod a/b: is at revision 7"
        );
    }

    #[test]
    fn a_bare_status_says_what_its_code_means() {
        let error = CallError::from(Status::new(Code::Unavailable, ""));
        assert_eq!(error.to_string(), Code::Unavailable.description());
        assert_eq!(error.code(), Code::Unavailable);
    }
}
