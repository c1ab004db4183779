//! The history that stands in an etcd: found, made, or made anew.

use crate::store::HistoryId;

use super::EtcdError;
use super::calls::Calls;
use super::keys::{
    FORMAT, Keys, check_format, decode_history, encode_history, foreign, format_missing, random_id,
};
use super::proto::{KeyValue, RangeRequest, TxnRequest};
use super::request::{get, has_value, is_empty, put, range, read, written_by};
use super::seen::{Head, Seen};

/// So often it is looked anew when others get in between.
const ATTEMPTS: usize = 8;

/// What stands beside the objects.
pub(super) struct Found {
    seen: Seen,
    pub(super) format: Option<KeyValue>,
    pub(super) history: Option<KeyValue>,
    /// Any key at all.
    any: Option<KeyValue>,
}

impl Found {
    /// Refuses what is none of ours: a format that is not known, or keys without one.
    pub(super) fn check(&self, keys: &Keys) -> Result<(), EtcdError> {
        match (&self.format, &self.any) {
            (Some(format), _) => check_format(&format.key, &format.value),
            (None, _) if self.history.is_some() || self.seen.head.revision > 0 => {
                Err(format_missing(keys))
            }
            (None, Some(any)) => {
                let format = keys.format();
                let missing = String::from_utf8_lossy(&format);
                Err(foreign(&any.key, format!("there is no key {missing:?}")))
            }
            (None, None) => Ok(()),
        }
    }
}

/// The history under our prefix, which is made if there is none and nothing else either.
pub(super) async fn find_or_make(
    calls: &Calls,
    keys: &Keys,
) -> Result<(HistoryId, Seen), EtcdError> {
    for _ in 0..ATTEMPTS {
        let found = find(calls, keys).await?;
        found.check(keys)?;
        if let Some(history) = &found.history {
            return Ok((decode_history(&history.key, &history.value)?, found.seen));
        }
        let new = random_history()?;
        calls
            .txn(&making(keys, new, found.format.is_some())?)
            .await?;
        // What stands there now is the history, whoever made it.
    }
    Err(calls.members.unavailable("the history comes and goes"))
}

pub(super) async fn find(calls: &Calls, keys: &Keys) -> Result<Found, EtcdError> {
    let (key, range_end) = keys.all();
    let any = range(RangeRequest {
        key,
        range_end,
        limit: 1,
        keys_only: true,
        ..RangeRequest::default()
    });
    let beside = [keys.format(), keys.history(), keys.head()].map(get);
    let request = read(beside.into_iter().chain([any]).collect());
    let mut answer = calls.txn(&request).await?;
    let (format, history) = (answer.key(), answer.key());
    let head = Head::of(answer.key());
    Ok(Found {
        seen: Seen {
            revision: answer.revision,
            head,
        },
        format,
        history,
        any: answer.key(),
    })
}

/// Makes a history where there is none: in an empty place, or where only it is missing.
fn making(keys: &Keys, history: HistoryId, is_known: bool) -> Result<TxnRequest, EtcdError> {
    let free = if is_known {
        written_by(keys.history(), 0)
    } else {
        is_empty(keys.all())
    };
    Ok(TxnRequest {
        compare: vec![free],
        success: vec![
            put(keys.format(), FORMAT.to_string().into()),
            put(keys.history(), encode_history(history)),
            put(keys.head(), random_id()?),
        ],
        ..TxnRequest::default()
    })
}

/// Puts another history in the place of this one, if it still is the one.
pub(super) async fn renew(calls: &Calls, keys: &Keys, known: HistoryId) -> Result<(), EtcdError> {
    let request = TxnRequest {
        compare: vec![has_value(keys.history(), encode_history(known))],
        success: vec![
            put(keys.history(), encode_history(random_history()?)),
            put(keys.head(), random_id()?),
        ],
        ..TxnRequest::default()
    };
    // Done twice, the second finds that the first was done.
    calls.txn(&request).await.map(drop)
}

pub(super) fn random_history() -> Result<HistoryId, EtcdError> {
    HistoryId::random().map_err(|error| EtcdError::Randomness {
        cause: error.to_string(),
    })
}
