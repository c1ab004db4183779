//! Listing everything at one revision, page by page.

use std::time::Instant;

use bytes::Bytes;

use crate::engine::Listed;
use crate::model::Revision;

use super::etcd_store::{EtcdStore, Shared};
use super::keys::{Key, check_format, decode_history, etcd_revision, format_missing, revision};
use super::proto::{KeyValue, RangeRequest, RangeResponse};
use super::request::{Answer, range, read};
use super::seen::Head;
use super::value::decode;
use super::{EtcdError, ListProgress, Listing, Placed, requests};

/// Keys of the first page.
const FIRST_PAGE: i64 = 512;
/// Most keys of a page, and about so many bytes.
const MAX_PAGE: i64 = 16_384;
const PAGE_BYTES: i64 = 4 << 20;
/// So often a page is asked for again, each time half as large: it may be more than arrives in time.
const HALVINGS: usize = 3;
/// So often it begins anew when what it reads is compacted meanwhile.
const ATTEMPTS: usize = 5;

impl EtcdStore {
    /// Reads everything under the prefix at one revision, and tells now and then how far it is.
    ///
    /// Linear in the bytes of all objects, and holds them.
    ///
    /// # Errors
    /// No quorum answers in time, the history is another one, or a key is none of ours. Values are read
    /// when the listing is applied.
    pub async fn list(
        &self,
        tell: &mut (dyn FnMut(ListProgress) + Send),
    ) -> Result<Listing, EtcdError> {
        self.list_behind(Revision::MAX, tell).await
    }

    /// The same; values that were written behind a revision are found to be good.
    pub(super) async fn list_behind(
        &self,
        known: Revision,
        tell: &mut (dyn FnMut(ListProgress) + Send),
    ) -> Result<Listing, EtcdError> {
        let mut attempts = 0;
        loop {
            match self.list_once(known, tell).await {
                Err(EtcdError::Compacted { .. }) if attempts < ATTEMPTS => attempts += 1,
                result => return result,
            }
        }
    }

    async fn list_once(
        &self,
        known: Revision,
        tell: &mut (dyn FnMut(ListProgress) + Send),
    ) -> Result<Listing, EtcdError> {
        let Shared { calls, keys, .. } = &*self.shared;
        let seen = self.seen();
        let (mut key, range_end) = keys.all();
        let mut reading = Reading {
            store: self,
            known,
            ours: 0,
            has_format: false,
            history: None,
            head: Head::default(),
            objects: Vec::new(),
            requests: Vec::new(),
        };
        let asked_at = Instant::now();
        let mut progress = ListProgress::default();
        let mut limit = FIRST_PAGE;
        let mut first: Option<Answer> = None;
        let mut halvings = 0;
        loop {
            let request = range(RangeRequest {
                key: key.clone(),
                range_end: range_end.clone(),
                limit,
                revision: first.as_ref().map_or(0, |at| etcd_revision(at.revision)),
                ..RangeRequest::default()
            });
            let mut answer = match calls.txn(&read(vec![request])).await {
                Err(error) if error.is_transient() && halvings < HALVINGS && limit > 1 => {
                    halvings += 1;
                    limit /= 2;
                    continue;
                }
                answered => answered?,
            };
            halvings = 0;
            let RangeResponse { kvs, more, count } = answer.range();
            if first.is_none() {
                seen.check(&answer)?;
                progress.of = u64::try_from(count).unwrap_or(0);
                first = Some(answer);
            }
            progress.keys = progress.keys.saturating_add(kvs.len() as u64);
            limit = next_limit(&kvs);
            let last = kvs.last().map(|kv| kv.key.clone());
            for kv in kvs {
                reading.read(kv)?;
            }
            tell(progress);
            match last {
                Some(last) if more => key = behind(&last),
                _ => break,
            }
        }
        self.check_history(reading.history)?;
        if !reading.has_format {
            return Err(format_missing(keys));
        }
        let first = first.unwrap_or_default();
        self.note(&first, reading.head);
        Ok(Listing {
            keys: keys.clone(),
            revision: reading.ours,
            read_at: first.revision,
            asked_at,
            objects: reading.objects,
            requests: reading.requests,
        })
    }
}

/// What has been read of a listing.
struct Reading<'s> {
    store: &'s EtcdStore,
    known: Revision,
    ours: Revision,
    has_format: bool,
    history: Option<crate::store::HistoryId>,
    head: Head,
    objects: Vec<Listed<Bytes>>,
    requests: Vec<Placed>,
}

impl Reading<'_> {
    fn read(&mut self, kv: KeyValue) -> Result<(), EtcdError> {
        let keys = &self.store.shared.keys;
        let written = revision(kv.mod_revision);
        self.ours = self.ours.max(written);
        match keys.read(&kv.key)? {
            Key::Format => {
                check_format(&kv.key, &kv.value)?;
                self.has_format = true;
            }
            Key::History => self.history = Some(decode_history(&kv.key, &kv.value)?),
            Key::Head => self.head = Head::of(Some(kv)),
            Key::Request(place) => {
                let request = requests::decode(place, kv)?;
                self.requests.push((place, Some(request)));
            }
            Key::Object(object) => {
                if written > self.known {
                    decode(keys, &object, kv.value.clone())?;
                }
                self.objects.push(Listed {
                    object,
                    revision: written,
                    value: kv.value,
                });
            }
        }
        Ok(())
    }
}

/// The key that comes directly behind another.
fn behind(key: &[u8]) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next.into()
}

/// As many keys as come to the bytes that a page should have, if they are like these.
fn next_limit(page: &[KeyValue]) -> i64 {
    let bytes = page
        .iter()
        .map(|kv| kv.key.len() + kv.value.len())
        .sum::<usize>();
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).max(1);
    let keys = i64::try_from(page.len()).unwrap_or(i64::MAX);
    keys.saturating_mul(PAGE_BYTES)
        .saturating_div(bytes)
        .clamp(1, MAX_PAGE)
}
