//! What an etcd's refusals mean.

use tonic::{Code, Status};

use super::EtcdError;
use super::members::Members;

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: EtcdError,
    /// Whether it may have been done all the same.
    pub(super) maybe_done: bool,
    pub(super) next: Next,
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    GiveUp,
    /// To ask another member, or this one once more.
    Again,
    /// A new token.
    LogIn,
}

impl Failure {
    /// Nothing was sent.
    pub(super) fn before_sending(error: EtcdError) -> Failure {
        Failure {
            next: if error.is_transient() {
                Next::Again
            } else {
                Next::GiveUp
            },
            error,
            maybe_done: false,
        }
    }

    /// It was sent, and no answer came.
    pub(super) fn unanswered(error: EtcdError) -> Failure {
        Failure {
            error,
            maybe_done: true,
            next: Next::Again,
        }
    }

    /// What a member, or the connection to it, answered instead.
    pub(super) fn of(status: &Status, member: &str, members: &Members, prefix: &str) -> Failure {
        let said = status.message();
        let cause = || said.trim_start_matches("etcdserver: ").to_owned();
        let says = |part: &str| said.contains(part);
        let done = |maybe_done, next, error| Failure {
            error,
            maybe_done,
            next,
        };
        let unavailable = || members.unavailable(format!("{member}: {}", cause()));
        let denied = || EtcdError::Denied {
            cause: cause(),
            prefix: prefix.to_owned(),
        };
        match status.code() {
            Code::Unauthenticated => done(false, Next::LogIn, denied()),
            Code::InvalidArgument if says("revision of auth store is old") => {
                done(false, Next::LogIn, denied())
            }
            // It asks for a login now, and did not before.
            Code::InvalidArgument if says("user name is empty") => {
                done(false, Next::LogIn, denied())
            }
            Code::InvalidArgument if says("user name") || says("authentication failed") => {
                done(false, Next::GiveUp, denied())
            }
            Code::PermissionDenied => done(false, Next::GiveUp, denied()),
            Code::OutOfRange if says("compacted") => {
                done(false, Next::GiveUp, EtcdError::Compacted { at: 0 })
            }
            Code::OutOfRange if says("future revision") => {
                let how = "it has not come to a revision that it had come to before".to_owned();
                done(false, Next::GiveUp, EtcdError::HistoryChanged { how })
            }
            Code::ResourceExhausted if says("space exceeded") => {
                done(true, Next::GiveUp, EtcdError::Full { cause: cause() })
            }
            Code::ResourceExhausted if says("too many requests") => {
                done(false, Next::Again, unavailable())
            }
            Code::ResourceExhausted | Code::InvalidArgument
                if says("too large") || says("larger than max") || says("too many operations") =>
            {
                done(false, Next::GiveUp, EtcdError::Limit { cause: cause() })
            }
            Code::Unavailable if says("no leader") => done(false, Next::Again, unavailable()),
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::Internal
            | Code::Unknown => done(true, Next::Again, unavailable()),
            code => {
                let other = EtcdError::Other {
                    member: member.to_owned(),
                    code,
                    message: cause(),
                };
                done(false, Next::GiveUp, other)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_etcd_says_is_understood() {
        let members = Members::new(&["a:1".to_owned()], None);
        let judge = |code, said: &str| {
            let failure = Failure::of(&Status::new(code, said), "a:1", &members, "/p");
            (failure.next, failure.maybe_done)
        };
        for (code, said, next, maybe_done) in [
            (
                Code::Unavailable,
                "etcdserver: no leader",
                Next::Again,
                false,
            ),
            (
                Code::Unavailable,
                "etcdserver: request timed out",
                Next::Again,
                true,
            ),
            (
                Code::Unavailable,
                "etcdserver: leader changed",
                Next::Again,
                true,
            ),
            (
                Code::Unauthenticated,
                "etcdserver: invalid auth token",
                Next::LogIn,
                false,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: revision of auth store is old",
                Next::LogIn,
                false,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: user name is empty",
                Next::LogIn,
                false,
            ),
            (
                Code::PermissionDenied,
                "etcdserver: permission denied",
                Next::GiveUp,
                false,
            ),
            (
                Code::ResourceExhausted,
                "etcdserver: too many requests",
                Next::Again,
                false,
            ),
            (
                Code::ResourceExhausted,
                "etcdserver: mvcc: database space exceeded",
                Next::GiveUp,
                true,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: too many operations in txn request",
                Next::GiveUp,
                false,
            ),
            (Code::Unknown, "transport error", Next::Again, true),
            (Code::Unimplemented, "unknown method", Next::GiveUp, false),
        ] {
            assert_eq!(judge(code, said), (next, maybe_done), "{said}");
        }
        let status = Status::new(
            Code::OutOfRange,
            "etcdserver: mvcc: required revision is a future revision",
        );
        let failure = Failure::of(&status, "a:1", &members, "/p");
        assert!(matches!(failure.error, EtcdError::HistoryChanged { .. }));
    }
}
