//! What a quorum has said of the store, so that one that went back is noticed.

use bytes::Bytes;

use crate::model::Revision;

use super::EtcdError;
use super::keys::revision;
use super::proto::KeyValue;
use super::request::Answer;

/// The store as it was at a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) revision: Revision,
    pub(super) head: Head,
}

/// The newest transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) revision: Revision,
    pub(super) id: Bytes,
}

impl Head {
    /// As the key says; if it is not there, none.
    pub(super) fn of(key: Option<KeyValue>) -> Head {
        let key = key.unwrap_or_default();
        Head {
            revision: revision(key.mod_revision),
            id: key.value,
        }
    }
}

impl Seen {
    /// Whether a quorum's answer, to a question asked after this was seen, can be of the same history.
    ///
    /// # Errors
    /// [`EtcdError::HistoryChanged`].
    pub(super) fn check(&self, answer: &Answer) -> Result<(), EtcdError> {
        if answer.revision < self.revision {
            return Err(changed(format!(
                "it was at revision {} and is at {}",
                self.revision, answer.revision
            )));
        }
        Ok(())
    }

    /// Whether the newest transaction, of which a quorum told later, can have come behind the one that was
    /// seen: what is at the revision seen may be compacted.
    ///
    /// # Errors
    /// [`EtcdError::HistoryChanged`].
    pub(super) fn check_newest(&self, newest: &Head) -> Result<(), EtcdError> {
        if newest.revision > self.head.revision || *newest == self.head {
            return Ok(());
        }
        Err(changed(format!(
            "its newest transaction was at revision {} and is at {}",
            self.head.revision, newest.revision
        )))
    }

    /// Whether the head that there was at this revision is the one that was seen then.
    ///
    /// # Errors
    /// [`EtcdError::HistoryChanged`].
    pub(super) fn check_head(&self, then: &Head) -> Result<(), EtcdError> {
        if *then == self.head {
            return Ok(());
        }
        Err(changed(format!(
            "another transaction was the newest at revision {}",
            self.revision
        )))
    }
}

pub(super) fn changed(how: impl Into<String>) -> EtcdError {
    EtcdError::HistoryChanged { how: how.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::etcd::proto::{ResponseHeader, TxnResponse};

    #[test]
    fn what_goes_back_is_of_another_history() {
        let head = |revision, id: &'static str| Head {
            revision,
            id: id.into(),
        };
        let seen = Seen {
            revision: 10,
            head: head(9, "a"),
        };
        let at = |revision| {
            let header = ResponseHeader {
                revision,
                ..ResponseHeader::default()
            };
            Answer::new(TxnResponse {
                header: Some(header),
                ..TxnResponse::default()
            })
        };
        assert_eq!(seen.check(&at(10)), Ok(()));
        assert_eq!(seen.check(&at(11)), Ok(()));
        assert!(seen.check(&at(9)).is_err());
        assert_eq!(seen.check_head(&head(9, "a")), Ok(()));
        assert!(seen.check_head(&head(9, "b")).is_err());
        assert!(seen.check_head(&head(8, "a")).is_err());
        assert_eq!(seen.check_newest(&head(9, "a")), Ok(()));
        assert_eq!(seen.check_newest(&head(11, "b")), Ok(()));
        assert!(seen.check_newest(&head(9, "b")).is_err());
        assert!(seen.check_newest(&head(8, "c")).is_err());
    }
}
