//! How a verb ends, and how that is said.

use std::io;
use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::client::{CallError, ConnectError, WatchError};
use crate::server::ListenError;

/// How a server's words begin when it could not do a write, and has not.
const NOTHING_WRITTEN: [&str; 4] = [
    "not written",
    "nothing was sent",
    "nothing of this attempt was written",
    "writes are refused",
];

/// How a verb ended that printed whatever there was to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Everything was done.
    Well,
    /// Something was not, and has been reported.
    Partly,
}

/// A command line that cannot be meant: exit code 2, and where to read on.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Misused {
    message: String,
    verb: &'static str,
}

impl Misused {
    /// What is wrong with the use of a verb, and what to write instead.
    pub(super) fn of(verb: &'static str, message: impl Into<String>) -> anyhow::Error {
        Misused {
            message: message.into(),
            verb,
        }
        .into()
    }
}

/// Prints what went wrong on standard error and chooses the exit code.
pub(super) fn report(result: anyhow::Result<Done>) -> ExitCode {
    match result {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Partly) => ExitCode::FAILURE,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", said(&error));
            if let Some(misused) = error.downcast_ref::<Misused>() {
                eprintln!("See 'selectord {} --help'.", misused.verb);
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// A transaction that failed; says that nothing was changed, where that is known.
pub(super) fn uncommitted(failed: CallError) -> anyhow::Error {
    let left_nothing = left_nothing(&failed);
    let error = anyhow::Error::from(failed);
    match left_nothing {
        true => error.context("nothing was changed"),
        false => error,
    }
}

/// Whether a transaction that failed is known to have changed nothing: it was refused, or the server says so.
/// What broke off on its way may have been applied.
pub(super) fn left_nothing(failed: &CallError) -> bool {
    let Some(status) = failed.status() else {
        return false;
    };
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented => true,
        Code::Unavailable => NOTHING_WRITTEN
            .iter()
            .any(|said| status.message().starts_with(said)),
        _ => false,
    }
}

/// Whoever read the output has seen enough: that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The error and its causes on one line (details of a status on further ones), each cause once; and
/// what to do, where that is known.
fn said(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    if let Some(advice) = advice(error) {
        text.push('\n');
        text.push_str(advice);
    }
    text
}

fn advice(error: &anyhow::Error) -> Option<&'static str> {
    if error
        .chain()
        .any(|cause| matches!(cause.downcast_ref(), Some(ConnectError::Unreachable { .. })))
    {
        return Some(
            "Is it running? Start it with 'selectord serve', or say where it is with --server or SELECTORD_SERVER.",
        );
    }
    let in_use = |cause: &io::Error| cause.kind() == io::ErrorKind::AddrInUse;
    if error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(in_use))
    {
        let grpc = |cause: &(dyn std::error::Error + 'static)| cause.is::<ListenError>();
        return Some(if error.chain().any(grpc) {
            "Something listens there already: choose another address with --listen."
        } else {
            "Something listens there already: choose another address with --http."
        });
    }
    if error.chain().any(answers_in_http) {
        return Some(
            "HTTP answers there, but no gRPC: is that the port of --http? Name that of --listen, which is 7400 unless it was said otherwise.",
        );
    }
    let call = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<CallError>())?;
    if call.status().is_some_and(is_label_conflict) {
        return Some("Say --overwrite to replace the value.");
    }
    match call.code() {
        // Its message says what to do.
        Code::Unavailable if call.to_string().contains("written") => None,
        Code::Unavailable => Some("The server could not be reached or is stopping; try again."),
        Code::DeadlineExceeded => {
            Some("The server took too long; try again, or ask for less at a time.")
        }
        _ => None,
    }
}

/// Whether somebody answered who speaks HTTP and does not know gRPC.
fn answers_in_http(cause: &(dyn std::error::Error + 'static)) -> bool {
    let status = match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(CallError::Status(status)), _) | (_, Some(WatchError::Refused(status))) => status,
        _ => return false,
    };
    // No server says a status like this: it is what is made of an answer that holds none.
    status.message().contains("grpc-status header missing")
}

/// Whether a label has another value than the one it was to get.
fn is_label_conflict(status: &Status) -> bool {
    let details = status.get_details_precondition_failure();
    let mut violations = details.iter().flat_map(|details| &details.violations);
    violations.any(|violation| violation.r#type == "LABEL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn causes_are_said_once() {
        let error: anyhow::Error = io::Error::other("no such thing").into();
        let error = Err::<(), _>(error)
            .context("cannot read pods.yaml: no such thing")
            .unwrap_err();
        assert_eq!(said(&error), "cannot read pods.yaml: no such thing");
        let error = Err::<(), _>(io::Error::other("no such thing"))
            .context("cannot read pods.yaml")
            .unwrap_err();
        assert_eq!(said(&error), "cannot read pods.yaml: no such thing");
    }

    #[test]
    fn nothing_was_changed_only_where_that_is_known() {
        use crate::runtime::CommitError;
        use crate::store::StoreError;
        use crate::store::etcd::{EtcdError, SubmitError};
        let etcd = || EtcdError::Unavailable {
            members: "a:1".to_owned(),
            cause: "no answer in time".to_owned(),
        };
        let said = |code, message: &str| {
            let failed = CallError::from(Status::new(code, message));
            said(&uncommitted(failed)).starts_with("nothing was changed: ")
        };
        for (error, nothing) in [
            (CommitError::Unknown, false),
            (CommitError::Undecided, false),
            (CommitError::NotBack { revision: 7 }, false),
            (CommitError::Shared(SubmitError::Unknown(etcd())), false),
            (CommitError::Shared(SubmitError::NotWritten(etcd())), true),
            (CommitError::Stopped(crate::runtime::Stopped), false),
            (
                CommitError::Store(std::sync::Arc::new(StoreError::Full)),
                true,
            ),
            (CommitError::ReadOnly, true),
            (CommitError::Collided { attempts: 3 }, true),
            (
                CommitError::Away {
                    age: std::time::Duration::ZERO,
                    why: None,
                },
                true,
            ),
            (
                CommitError::TooLate {
                    patience: std::time::Duration::ZERO,
                },
                true,
            ),
        ] {
            let error = error.to_string();
            assert_eq!(said(Code::Unavailable, &error), nothing, "{error}");
        }
        for (code, nothing) in [
            (Code::FailedPrecondition, true),
            (Code::InvalidArgument, true),
            (Code::DeadlineExceeded, false),
            (Code::Cancelled, false),
            (Code::Internal, false),
            (Code::Unknown, false),
            // The answer was too large to be read.
            (Code::OutOfRange, false),
        ] {
            assert_eq!(said(code, "why"), nothing, "{code:?}");
        }
    }

    #[test]
    fn an_address_in_use_names_the_flag_that_chooses_another() {
        let in_use = || io::Error::from(io::ErrorKind::AddrInUse);
        let http = Err::<(), _>(in_use())
            .context("cannot listen at 127.0.0.1:7402 (--http)")
            .unwrap_err();
        assert!(said(&http).ends_with("with --http."));
        let grpc: anyhow::Error = ListenError::Io {
            address: "127.0.0.1:7400".parse().unwrap(),
            source: in_use(),
        }
        .into();
        assert!(said(&grpc).ends_with("with --listen."));
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = Err::<(), _>(io::Error::from(io::ErrorKind::BrokenPipe))
            .context("printing")
            .unwrap_err();
        assert!(is_broken_pipe(&error));
    }
}
