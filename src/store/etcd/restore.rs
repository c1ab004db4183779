//! Filling an etcd with objects from elsewhere, so that nobody takes the half of it for the whole.
//!
//! While it goes on, a mark stands where the history's id belongs: who serves the prefix finds that its
//! history is none any more and takes no writes, and who comes waits. The id comes last, a new one.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use tokio::task::JoinSet;

use crate::model::Object;
use crate::store::HistoryId;

use super::calls::Calls;
use super::history::{find, random_history};
use super::keys::{FORMAT, Keys, encode_history, random_id, revision};
use super::proto::{KeyValue, RangeRequest, RangeResponse, RequestOp, TxnRequest};
use super::request::{delete, has_value, is_empty, put, range, read, written_by};
use super::seen::changed;
use super::value::encode;
use super::{EtcdError, EtcdOptions};

/// Transactions on their way at one time.
const UNDER_WAY: usize = 8;
/// Bytes around the objects of a transaction.
const AROUND: usize = 1_024;
/// Bytes beside an operation in the list of them.
const BESIDE: usize = 16;

/// An etcd that is being filled. Dropped before it is [`EtcdRestore::finish`]ed, it is of no use to
/// anybody, and says so; another may replace it.
#[derive(Debug)]
pub struct EtcdRestore {
    calls: Arc<Calls>,
    keys: Keys,
    /// What stands where the history's id belongs.
    mark: Bytes,
    /// What is to be sent together.
    operations: Vec<RequestOp>,
    bytes: usize,
    under_way: JoinSet<Result<(), EtcdError>>,
}

impl EtcdRestore {
    /// Whether an object can be put at all: to be asked of all of them before anything is deleted.
    ///
    /// # Errors
    /// It takes more bytes than a request may have.
    pub fn check(options: &EtcdOptions, object: &Object, source: &str) -> Result<(), EtcdError> {
        let name = object.object_ref();
        let key = Keys::new(options.address.prefix()).object(&name);
        let bytes = put(key, encode(object, source)).encoded_len();
        let limit = options.max_request_bytes.saturating_sub(AROUND);
        if bytes.saturating_add(BESIDE) > limit {
            return Err(EtcdError::Limit {
                cause: format!(
                    "{name} takes {bytes} bytes, and a request may have {limit} of objects"
                ),
            });
        }
        Ok(())
    }

    /// Begins. Objects that are there are refused, unless they may be replaced; then they are deleted
    /// now, and `tell` is told how many were.
    ///
    /// # Errors
    /// There are objects; something is none of ours; no quorum answers in time.
    pub async fn begin(
        options: EtcdOptions,
        replaces: bool,
        tell: &mut dyn FnMut(u64),
    ) -> Result<EtcdRestore, EtcdError> {
        let keys = Keys::new(options.address.prefix());
        let mut restore = EtcdRestore {
            mark: keys.mark()?,
            calls: Arc::new(Calls::new(options)),
            keys,
            operations: Vec::new(),
            bytes: 0,
            under_way: JoinSet::new(),
        };
        restore.calls.agree().await?;
        restore.mark(replaces).await?;
        let mut deleted = 0u64;
        loop {
            // A transaction that was written under a request id is gone with the rest.
            let page = restore.page(restore.keys.contents()).await?;
            if page.is_empty() {
                break;
            }
            deleted = deleted.saturating_add(page.len() as u64);
            for found in page {
                restore.add(delete(found.key)).await?;
            }
            restore.settle().await?;
            tell(deleted);
        }
        if deleted > 0 {
            restore.mark_anew().await?;
        }
        Ok(restore)
    }

    /// Puts another mark there: a deletion that was sent twice, and arrives late, finds that its own is gone,
    /// and deletes nothing of what is put from now on.
    async fn mark_anew(&mut self) -> Result<(), EtcdError> {
        let before = std::mem::replace(&mut self.mark, self.keys.mark()?);
        let request = TxnRequest {
            compare: vec![has_value(self.keys.history(), before)],
            success: vec![put(self.keys.history(), self.mark.clone())],
            ..TxnRequest::default()
        };
        // An attempt that was not answered may have been done.
        if self.calls.txn(&request).await?.succeeded || self.is_marked().await? {
            return Ok(());
        }
        Err(changed("another restore has begun"))
    }

    /// Puts the mark where the history's id belongs.
    async fn mark(&self, replaces: bool) -> Result<(), EtcdError> {
        let keys = &self.keys;
        let found = find(&self.calls, keys).await?;
        found.check(keys)?;
        // As it was when it was looked at; and without objects, unless they may be replaced.
        let history = found.history.map_or(0, |key| revision(key.mod_revision));
        let mut compare = vec![written_by(keys.history(), history)];
        if !replaces {
            compare.push(is_empty(keys.objects()));
        }
        let request = TxnRequest {
            compare,
            success: vec![
                put(keys.format(), FORMAT.to_string().into()),
                put(keys.history(), self.mark.clone()),
            ],
            ..TxnRequest::default()
        };
        if self.calls.txn(&request).await?.succeeded || self.is_marked().await? {
            return Ok(());
        }
        if !replaces && !self.page(keys.objects()).await?.is_empty() {
            return Err(EtcdError::Occupied {
                prefix: self.calls.options.address.prefix().to_owned(),
            });
        }
        Err(changed("it was made another one just now"))
    }

    /// Whether our mark stands there: an attempt that was not answered may have been done.
    async fn is_marked(&self) -> Result<bool, EtcdError> {
        let history = find(&self.calls, &self.keys).await?.history;
        Ok(history.is_some_and(|key| key.value == self.mark))
    }

    /// Some of the keys of a range.
    async fn page(&self, (key, range_end): (Bytes, Bytes)) -> Result<Vec<KeyValue>, EtcdError> {
        let limit = self.most().saturating_mul(UNDER_WAY);
        let request = range(RangeRequest {
            key,
            range_end,
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            keys_only: true,
            ..RangeRequest::default()
        });
        let mut answer = self.calls.txn(&read(vec![request])).await?;
        let RangeResponse { kvs, .. } = answer.range();
        Ok(kvs)
    }

    /// Most operations of a transaction.
    fn most(&self) -> usize {
        self.calls.options.max_txn_ops.saturating_sub(1).max(1)
    }

    /// Puts an object. It may not be there before the restore is finished.
    ///
    /// # Errors
    /// It, or one before it, was refused, or no quorum answers in time.
    pub async fn put(&mut self, object: &Object, source: &str) -> Result<(), EtcdError> {
        let key = self.keys.object(&object.object_ref());
        self.add(put(key, encode(object, source))).await
    }

    async fn add(&mut self, operation: RequestOp) -> Result<(), EtcdError> {
        let bytes = operation.encoded_len().saturating_add(BESIDE);
        let limit = self.calls.options.max_request_bytes.saturating_sub(AROUND);
        if self.operations.len() >= self.most() || self.bytes.saturating_add(bytes) > limit {
            self.send().await?;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.operations.push(operation);
        Ok(())
    }

    /// Sends what is gathered, as soon as few enough are on their way.
    async fn send(&mut self) -> Result<(), EtcdError> {
        while self.under_way.len() >= UNDER_WAY {
            self.landed().await?;
        }
        self.bytes = 0;
        let request = TxnRequest {
            compare: vec![has_value(self.keys.history(), self.mark.clone())],
            success: std::mem::take(&mut self.operations),
            ..TxnRequest::default()
        };
        let calls = Arc::clone(&self.calls);
        self.under_way.spawn(async move {
            // Done twice, it comes to the same.
            if calls.txn(&request).await?.succeeded {
                Ok(())
            } else {
                Err(changed("another restore has begun"))
            }
        });
        Ok(())
    }

    /// Waits for one that is on its way, if any is.
    async fn landed(&mut self) -> Result<(), EtcdError> {
        match self.under_way.join_next().await {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(defect)) => Err(self.calls.members.unavailable(defect.to_string())),
        }
    }

    /// Waits until everything that was added is there.
    async fn settle(&mut self) -> Result<(), EtcdError> {
        if !self.operations.is_empty() {
            self.send().await?;
        }
        while !self.under_way.is_empty() {
            self.landed().await?;
        }
        Ok(())
    }

    /// Gives what is there now a history of its own: from then on it is served.
    ///
    /// # Errors
    /// What was put last was refused, or no quorum answers in time.
    pub async fn finish(mut self) -> Result<HistoryId, EtcdError> {
        self.settle().await?;
        let (keys, history) = (&self.keys, random_history()?);
        let id = encode_history(history);
        let request = TxnRequest {
            compare: vec![has_value(keys.history(), self.mark.clone())],
            success: vec![
                put(keys.history(), id.clone()),
                put(keys.head(), random_id()?),
            ],
            ..TxnRequest::default()
        };
        if !self.calls.txn(&request).await?.succeeded {
            // An attempt that was not answered may have been done.
            let now = find(&self.calls, keys).await?.history;
            if now.is_none_or(|key| key.value != id) {
                return Err(changed("another restore has begun"));
            }
        }
        Ok(history)
    }
}
