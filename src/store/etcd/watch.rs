//! One watch of everything under the prefix, until it breaks off.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::engine::{Replicated, Stored};
use crate::model::Revision;

use super::calls::{Calls, Session, dressed};
use super::etcd_store::{EtcdStore, Shared};
use super::failure::Failure;
use super::gather::{Gather, Revised, Told};
use super::keys::{Key, check_format, decode_history, etcd_revision, format_missing, revision};
use super::proto::watch_client::WatchClient;
use super::proto::watch_request::RequestUnion;
use super::proto::{KeyValue, WatchCreateRequest, WatchRequest, WatchResponse};
use super::seen::Head;
use super::value::decode;
use super::{EtcdError, requests};

/// Most bytes of one answer. Those of many revisions come in fragments, each no larger than a request to
/// this etcd may be, of which etcd itself advises no more than 10 MiB.
const MAX_ANSWER: usize = 64 << 20;

/// A watch that was begun.
pub(super) struct Watch {
    session: Session,
    answers: Streaming<WatchResponse>,
    gather: Gather,
    /// The watch ends when this does.
    _requests: mpsc::Sender<WatchRequest>,
}

impl EtcdStore {
    /// Begins to watch, at a revision.
    ///
    /// # Errors
    /// No member begins it in time, or what is asked for is compacted.
    pub(super) async fn watch(&self, from: Revision) -> Result<Watch, EtcdError> {
        let calls = &self.shared.calls;
        let mut patience = calls.patience();
        loop {
            match self.begin(from, patience.left()).await {
                Ok(watch) => return Ok(watch),
                Err(failure) if patience.tries_again(&failure).await => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }

    async fn begin(&self, from: Revision, within: Duration) -> Result<Watch, Failure> {
        let Shared { calls, keys, .. } = &*self.shared;
        let (key, range_end) = keys.all();
        let create = WatchRequest {
            request_union: Some(RequestUnion::CreateRequest(WatchCreateRequest {
                key,
                range_end,
                start_revision: etcd_revision(from),
                fragment: true,
            })),
        };
        let (requests, sent) = mpsc::channel(1);
        // There is room for one.
        let _ = requests.try_send(create);
        let session = calls.session(within).await?;
        let sent = dressed(ReceiverStream::new(sent), &session);
        let mut client =
            WatchClient::new(session.member.channel.clone()).max_decoding_message_size(MAX_ANSWER);
        let begun = tokio::time::timeout(within, async {
            let mut answers = client.watch(sent).await?.into_inner();
            let first = answers.message().await?;
            let first = first.ok_or_else(|| Status::unavailable("the watch ended"))?;
            Ok((answers, first))
        });
        match begun.await {
            Ok(Ok((answers, first))) => {
                let cluster = first.header.as_ref().map_or(0, |header| header.cluster_id);
                calls.check_cluster(cluster, &session.member).await?;
                if let Some(failure) = canceled(calls, &first, &session) {
                    return Err(failure);
                }
                Ok(Watch {
                    session,
                    answers,
                    gather: Gather::default(),
                    _requests: requests,
                })
            }
            Ok(Err(status)) => Err(calls.refused(&status, &session)),
            Err(_) => Err(Failure::unanswered(calls.silent(&session.member))),
        }
    }

    /// Talks to another member, as this one does not keep up.
    pub(super) fn leave(&self, watch: &Watch) -> EtcdError {
        let calls = &self.shared.calls;
        calls.members.leave(&watch.session.member);
        let address = &watch.session.member.address;
        calls
            .members
            .unavailable(format!("{address}: the watch stands still"))
    }

    /// The next revisions: what has come, each whole, in order.
    ///
    /// # Errors
    /// The watch broke off, what it should tell is compacted, the history is another one, or something
    /// came that is none of ours: then what came before it has been answered.
    pub(super) async fn next(&self, watch: &mut Watch) -> Result<Vec<Revised>, EtcdError> {
        if let Some(error) = watch.gather.broken() {
            return Err(error);
        }
        let calls = &self.shared.calls;
        let answer = match watch.answers.message().await {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                let status = Status::unavailable("the watch ended");
                return Err(calls.refused(&status, &watch.session).error);
            }
            Err(status) => return Err(calls.refused(&status, &watch.session).error),
        };
        if let Some(failure) = canceled(calls, &answer, &watch.session) {
            return Err(failure.error);
        }
        let change = |kv, is_deleted| self.change(kv, is_deleted);
        watch.gather.take(answer, change)
    }

    /// What an event tells.
    fn change(&self, kv: KeyValue, is_deleted: bool) -> Result<Told, EtcdError> {
        let keys = &self.shared.keys;
        match keys.read(&kv.key)? {
            Key::History if is_deleted => self.check_history(None)?,
            Key::History => self.check_history(Some(decode_history(&kv.key, &kv.value)?))?,
            Key::Format if is_deleted => return Err(format_missing(keys)),
            Key::Format => check_format(&kv.key, &kv.value)?,
            Key::Head if !is_deleted => self.note_head(Head::of(Some(kv))),
            Key::Request(place) if is_deleted => return Ok(Told::Request((place, None))),
            Key::Request(place) => {
                let request = requests::decode(place, kv)?;
                return Ok(Told::Request((place, Some(request))));
            }
            Key::Head => {}
            Key::Object(object) if is_deleted => {
                return Ok(Told::Change(Replicated::Delete(object)));
            }
            Key::Object(of) => {
                let (object, source) = decode(keys, &of, kv.value)?;
                return Ok(Told::Change(Replicated::Put(Stored {
                    object,
                    revision: revision(kv.mod_revision),
                    source,
                })));
            }
        }
        Ok(Told::Nothing)
    }
}

/// Why a watch is over, if it is.
fn canceled(calls: &Calls, answer: &WatchResponse, session: &Session) -> Option<Failure> {
    if !answer.canceled {
        return None;
    }
    if answer.compact_revision > 0 {
        let at = revision(answer.compact_revision);
        return Some(Failure::before_sending(EtcdError::Compacted { at }));
    }
    let reason = answer.cancel_reason.as_str();
    // A watch is refused with these words alone, whatever is wrong with the token.
    let status = if reason.contains("permission denied") || reason.contains("auth") {
        Status::unauthenticated(reason)
    } else {
        Status::unavailable(reason)
    };
    Some(calls.refused(&status, session))
}
