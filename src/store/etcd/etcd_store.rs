use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::store::HistoryId;

use super::calls::Calls;
use super::history::{find_or_make, renew};
use super::keys::{Keys, decode_history};
use super::proto::KeyValue;
use super::request::{Answer, get, get_at, read};
use super::seen::{Head, Seen, changed};
use super::{Contact, EtcdAddress, EtcdError, EtcdOptions};

/// An etcd in which objects are kept. Cheap to clone; clones share the connections.
///
/// Knows one history: once there is another, nothing is read or written any more, and whoever wants to
/// go on connects anew.
#[derive(Clone)]
pub struct EtcdStore {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) calls: Calls,
    pub(super) keys: Keys,
    pub(super) history: HistoryId,
    seen: Mutex<Seen>,
}

impl EtcdStore {
    /// Connects to any of the members, and finds the history under the prefix. Where the prefix is empty,
    /// one is made; of several processes that do so at one time, all find the same.
    ///
    /// # Errors
    /// The members are of different clusters; no quorum answers in time; we are not let in; a later version wrote there; or something stands
    /// there that is not ours.
    pub async fn connect(options: EtcdOptions) -> Result<EtcdStore, EtcdError> {
        let keys = Keys::new(options.address.prefix());
        let calls = Calls::new(options);
        calls.agree().await?;
        let (history, seen) = find_or_make(&calls, &keys).await?;
        let shared = Shared {
            calls,
            keys,
            history,
            seen: Mutex::new(seen),
        };
        Ok(EtcdStore {
            shared: Arc::new(shared),
        })
    }

    /// The history these revisions belong to.
    pub fn history(&self) -> HistoryId {
        self.shared.history
    }

    /// Where it is.
    pub fn address(&self) -> &EtcdAddress {
        &self.shared.calls.options.address
    }

    /// What it was connected with.
    pub fn options(&self) -> &EtcdOptions {
        &self.shared.calls.options
    }

    /// Asks a quorum how far the store is, and whether it still is the same.
    ///
    /// # Errors
    /// No quorum answers in time; or [`EtcdError::HistoryChanged`]: the history was made anew, or the
    /// store went back to what it was before.
    pub async fn confirm(&self) -> Result<Contact, EtcdError> {
        let at = Instant::now();
        let Shared { calls, keys, .. } = &*self.shared;
        let seen = self.seen();
        let now = vec![get(keys.history()), get(keys.head())];
        let mut then = now.clone();
        then.push(get_at(keys.head(), seen.revision));
        let (mut answer, knows_then) = match calls.txn(&read(then)).await {
            Err(EtcdError::Compacted { .. }) => (calls.txn(&read(now)).await?, false),
            answered => (answered?, true),
        };
        let history = answer.key();
        let of_history = history.as_ref().map(|key| key.mod_revision);
        let head = Head::of(answer.key());
        if knows_then {
            seen.check_head(&Head::of(answer.key()))?;
        }
        self.check_history_key(history)?;
        seen.check(&answer)?;
        seen.check_newest(&head)?;
        let ours = head
            .revision
            .max(super::keys::revision(of_history.unwrap_or(0)));
        let revision = answer.revision;
        self.note(&answer, head);
        Ok(Contact { at, revision, ours })
    }

    /// Makes the history another one, if it still is ours: for a store that was rewound, or that was filled
    /// from elsewhere. Of several who do so, one does. Answers which history it is now.
    ///
    /// # Errors
    /// As of [`EtcdStore::connect`].
    pub async fn renew_history(&self) -> Result<HistoryId, EtcdError> {
        self.leave_history().await?;
        let Shared { calls, keys, .. } = &*self.shared;
        Ok(find_or_make(calls, keys).await?.0)
    }

    /// The same; whatever it is then, it is not ours.
    pub(super) async fn leave_history(&self) -> Result<(), EtcdError> {
        renew(&self.shared.calls, &self.shared.keys, self.shared.history).await
    }

    /// Whether this, which the store says is its history, is ours.
    pub(super) fn check_history(&self, found: Option<HistoryId>) -> Result<(), EtcdError> {
        match found {
            Some(found) if found == self.shared.history => Ok(()),
            Some(_) => Err(changed("it was given another id")),
            None => Err(changed("its id is gone")),
        }
    }

    /// The same of what stands at its key.
    pub(super) fn check_history_key(&self, found: Option<KeyValue>) -> Result<(), EtcdError> {
        let found = found.map(|key| decode_history(&key.key, &key.value));
        self.check_history(found.transpose()?)
    }

    /// What was seen last.
    pub(super) fn seen(&self) -> Seen {
        let seen = self.shared.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what a quorum said, unless more is known already.
    pub(super) fn note(&self, answer: &Answer, head: Head) {
        self.note_seen(Seen {
            revision: answer.revision,
            head,
        });
    }

    /// Notes a transaction that came by watch: what a member tells, a quorum has.
    pub(super) fn note_head(&self, head: Head) {
        self.note_seen(Seen {
            revision: head.revision,
            head,
        });
    }

    fn note_seen(&self, new: Seen) {
        let seen = self.shared.seen.lock();
        let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
        if new.revision >= seen.revision {
            *seen = new;
        }
    }
}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EtcdStore({}, {:?})", self.address(), self.history())
    }
}
