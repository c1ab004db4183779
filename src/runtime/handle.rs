use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smol_str::SmolStr;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::engine::{Engine, MissingNode, Namespaces, PodWalk, Progress, Walk};
use crate::model::{Kind, ObjectRef, Revision, Transaction};
use crate::selector::Selector;
use crate::store::{Epoch, StoreFault};
use crate::wire::{MessageWriter, PodEventBatch, WriteRequest, proto};

use super::command::{Commit, Committed, Ending, Read, Release, Write};
use super::error::{CommitError, LiveQueryError, Stopped, SyncError};
use super::head::{Head, Totals};
use super::live_query::LiveQuery;
use super::recent::digest;
use super::room::Room;
use super::save::Saves;
use super::shared::Shared;
use super::size::size;
use super::sync::{SyncEnd, SyncId, SyncScope, SyncSession};
use super::tail::Tail;

/// Most records that one piece of a catch-up reads. Of endpoints, about as many fill a message, which
/// ends a piece as well.
const PIECE_RECORDS: usize = 1_024;
/// The same of a live query.
const PIECE_PODS: usize = 256;

/// The ways to the thread that owns the engine, and what it leaves for all to see.
#[derive(Debug)]
pub(super) struct Queues {
    pub writes: mpsc::Sender<Write>,
    pub queries: mpsc::Sender<Read>,
    pub catch_ups: mpsc::Sender<Read>,
    pub releases: mpsc::UnboundedSender<Release>,
    pub tail: Arc<Tail>,
    /// For transactions that are on their way to the writer.
    pub room: Room,
    /// Places for syncs that are under way.
    pub syncs: Arc<Semaphore>,
    pub max_syncs: usize,
    pub saves: Saves,
    /// Pieces of catch-up that were asked for.
    pub pieces: AtomicU64,
}

/// A handle on the one engine. Cloning it is cheap; the engine's thread ends when the last is
/// dropped, or at [`super::RuntimeThread::shutdown`].
#[derive(Debug, Clone)]
pub struct Runtime {
    queues: Arc<Queues>,
    head: watch::Receiver<Head>,
    totals: watch::Receiver<Totals>,
    about: About,
}

/// What does not change as long as an engine lives.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub epoch: Epoch,
    pub store_kind: &'static str,
    pub store_fault: StoreFault,
    pub missing_node: MissingNode,
    /// None where nobody else writes to the store.
    pub shared: Option<Shared>,
}

/// A bounded part of what a follower of a live query has not been told.
#[derive(Debug)]
pub struct PodPiece {
    /// Where the follower is now.
    pub walk: PodWalk,
    /// What was written behind the last full message.
    pub batch: PodEventBatch,
    /// A message that became full.
    pub full: Option<proto::WatchPodsResponse>,
    /// Whether that was all.
    pub progress: Progress,
    /// The head at which it was read.
    pub head: Head,
}

/// A bounded part of what a subscriber has not been told, as it travels.
#[derive(Debug)]
pub struct EncodedPiece {
    /// Where the subscriber is now.
    pub walk: Walk,
    /// What was written, perhaps with a full message.
    pub out: MessageWriter,
    /// Whether that was all.
    pub progress: Progress,
    /// The head at which it was read.
    pub head: Head,
}

/// A transaction that has been handed to the writer.
#[derive(Debug)]
pub struct PendingCommit(oneshot::Receiver<Result<Committed, CommitError>>);

impl PendingCommit {
    /// Waits until every later read sees it, or until it is refused.
    ///
    /// # Errors
    /// As [`Runtime::commit`].
    pub async fn committed(self) -> Result<Committed, CommitError> {
        self.0.await.unwrap_or(Err(CommitError::Stopped(Stopped)))
    }
}

impl Runtime {
    pub(super) fn new(
        queues: Queues,
        head: watch::Receiver<Head>,
        totals: watch::Receiver<Totals>,
        about: About,
    ) -> Self {
        Runtime {
            queues: Arc::new(queues),
            head,
            totals,
            about,
        }
    }

    pub(super) fn queues(&self) -> &Queues {
        &self.queues
    }

    pub(super) fn shared(&self) -> Option<&Shared> {
        self.about.shared.as_ref()
    }

    /// Names what subscribers can resume in.
    pub fn epoch(&self) -> Epoch {
        self.about.epoch
    }

    /// What kind of store it writes to, in one word.
    pub fn store_kind(&self) -> &'static str {
        self.about.store_kind
    }

    /// What is wrong with the store though it goes on.
    pub fn store_fault(&self) -> Option<&'static str> {
        self.about.store_fault.get()
    }

    /// What becomes of pods whose node is not known.
    pub fn missing_node(&self) -> MissingNode {
        self.about.missing_node
    }

    /// The newest state that readers see.
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Work done since the start.
    pub fn totals(&self) -> Totals {
        *self.totals.borrow()
    }

    /// Tells of every move of the head; closed when the engine's thread ends.
    pub fn watch_head(&self) -> watch::Receiver<Head> {
        self.head.clone()
    }

    /// Waits until the engine's thread ends.
    pub async fn stopped(&self) {
        // An error is what is waited for: the condition never holds.
        let _ = self.head.clone().wait_for(|_| false).await;
    }

    /// Applies a transaction. A request id, unless empty, makes it safe to send again.
    ///
    /// # Errors
    /// It was refused, or could not be made durable; nothing of it was applied. After
    /// [`CommitError::Unknown`], [`CommitError::Undecided`], [`CommitError::Stopped`] and
    /// [`SubmitError::Unknown`](crate::store::etcd::SubmitError::Unknown) that is not known; after
    /// [`CommitError::NotBack`] it is durable.
    pub async fn commit(
        &self,
        transaction: Transaction,
        request_id: SmolStr,
    ) -> Result<Committed, CommitError> {
        self.submit(transaction, request_id, None)
            .await?
            .committed()
            .await
    }

    /// Hands a transaction to the writer, behind those handed over before it. Waits while too many
    /// are on their way, or too large ones.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn submit(
        &self,
        transaction: Transaction,
        request_id: SmolStr,
        sync: Option<SyncId>,
    ) -> Result<PendingCommit, Stopped> {
        let room = self.queues.room.take(size(&transaction)).await?;
        let (reply, committed) = oneshot::channel();
        // Taken here, and not on the engine's thread.
        let write = WriteRequest {
            transaction,
            request_id,
        };
        let digest = digest(&write);
        let commit = Commit {
            transaction: write.transaction,
            request_id: write.request_id,
            digest,
            sync,
            room,
            reply,
        };
        self.queues
            .writes
            .send(Write::Commit(commit))
            .await
            .map_err(|_| Stopped)?;
        Ok(PendingCommit(committed))
    }

    /// Answers a question at one revision, between writes. It holds up everything else while it
    /// runs, so it should take no longer than it must.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn query<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        ask(&self.queues.queries, question).await
    }

    /// Waits until a revision is applied; in a store that others use too, until all of ours up to it is.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn read_at(&self, at_least: Revision) -> Result<(), Stopped> {
        let mut head = self.head.clone();
        let applied = head.wait_for(|head| head.revision >= at_least);
        let Some(shared) = self.shared() else {
            return applied.await.map(|_| ()).map_err(|_| Stopped);
        };
        tokio::select! {
            biased;
            applied = applied => applied.map(|_| ()).map_err(|_| Stopped),
            () = shared.source.reach(at_least) => Ok(()),
        }
    }

    /// What was committed and is not yet distributed, encoded while somebody watches.
    pub fn tail(&self) -> &Arc<Tail> {
        &self.queues.tail
    }

    /// How many pieces of catch-up were asked for since the start.
    pub fn pieces(&self) -> u64 {
        self.queues.pieces.load(Ordering::Relaxed)
    }

    /// Reads on from where a walk is, a bounded piece, and writes it: until a message is full, which
    /// must be taken before the next piece is asked for.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn catch_up(
        &self,
        mut walk: Walk,
        mut out: MessageWriter,
    ) -> Result<EncodedPiece, Stopped> {
        self.queues.pieces.fetch_add(1, Ordering::Relaxed);
        let head = self.head.clone();
        ask(&self.queues.catch_ups, move |engine| {
            let progress = engine.catch_up(&mut walk, PIECE_RECORDS, &mut |event| {
                if out.push(&event) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            // The head moves on this thread alone, so it is the engine's.
            let head = *head.borrow();
            EncodedPiece {
                walk,
                out,
                progress,
                head,
            }
        })
        .await
    }

    /// Reads on from where a walk through a live query is, a bounded piece, and writes it: until a
    /// message is full.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn catch_up_pods(
        &self,
        query: &LiveQuery,
        mut walk: PodWalk,
        mut batch: PodEventBatch,
    ) -> Result<PodPiece, Stopped> {
        let id = query.id();
        self.queues.pieces.fetch_add(1, Ordering::Relaxed);
        let head = self.head.clone();
        ask(&self.queues.catch_ups, move |engine| {
            let mut full = None;
            let progress = engine.catch_up_pods(id, &mut walk, PIECE_PODS, &mut |event| {
                full = batch.push(&event);
                match full {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            });
            let head = *head.borrow();
            PodPiece {
                walk,
                batch,
                full,
                progress,
                head,
            }
        })
        .await
    }

    /// Registers a live query; the same selector and namespaces share one.
    ///
    /// # Errors
    /// Too many are open.
    pub async fn open_live_query(
        &self,
        selector: Selector,
        namespaces: Namespaces,
    ) -> Result<LiveQuery, LiveQueryError> {
        let (reply, opened) = oneshot::channel();
        let write = Write::OpenLiveQuery {
            selector,
            namespaces,
            reply,
        };
        self.queues.writes.send(write).await.map_err(|_| Stopped)?;
        opened.await.map_err(|_| Stopped)?
    }

    /// Begins a sync of what `source` says of `kinds` in `namespaces`; an earlier one of the same
    /// source is aborted.
    ///
    /// # Errors
    /// Too many are under way.
    pub async fn begin_sync(
        &self,
        source: SmolStr,
        kinds: BTreeSet<Kind>,
        namespaces: Namespaces,
    ) -> Result<SyncSession, SyncError> {
        let limit = self.queues.max_syncs;
        let place = Arc::clone(&self.queues.syncs)
            .try_acquire_owned()
            .map_err(|_| SyncError::TooMany { limit })?;
        let (reply, begun) = oneshot::channel();
        self.queues
            .writes
            .send(Write::BeginSync { source, reply })
            .await
            .map_err(|_| Stopped)?;
        let (id, began) = begun.await.map_err(|_| Stopped)?;
        let scope = SyncScope {
            kinds,
            namespaces,
            began,
        };
        let releases = self.queues.releases.clone();
        Ok(SyncSession::new(id, scope, place, releases))
    }

    /// Notes that the source says an object is there, whether or not the transaction that says so is
    /// then refused: a source that writes what is not legal has not said that the object is gone. Only
    /// what the sync could delete is remembered, so that it takes no more memory than what is there.
    ///
    /// # Errors
    /// The engine's thread has ended.
    pub async fn mention(
        &self,
        session: &mut SyncSession,
        object: ObjectRef,
    ) -> Result<(), Stopped> {
        if let Some(new) = session.mention(object) {
            let began = session.began();
            let known = self.query(move |engine| {
                let is_old = |object: &ObjectRef| {
                    let written = engine.revision_of(object);
                    written.is_some_and(|revision| revision <= began)
                };
                new.into_iter().filter(is_old).collect::<Vec<_>>()
            });
            session.mentioned.extend(known.await?);
        }
        Ok(())
    }

    /// Ends a sync: what its source wrote at or before the beginning and did not mention since is
    /// deleted, in one transaction; in several where the store bounds them ([`Runtime::bounds`]). Whatever
    /// was submitted before is written before.
    ///
    /// # Errors
    /// A later sync of the same source has begun, or the deletion could not be written. Where it takes
    /// several transactions, some may be done.
    pub async fn end_sync(&self, mut session: SyncSession) -> Result<SyncEnd, CommitError> {
        let (reply, ended) = oneshot::channel();
        let write = Write::EndSync {
            sync: session.id().clone(),
            scope: session.scope.clone(),
            mentioned: session.take_mentioned(),
            reply,
        };
        self.queues.writes.send(write).await.map_err(|_| Stopped)?;
        match ended.await.map_err(|_| Stopped)?? {
            Ending::Done(end) => Ok(end),
            Ending::Left(objects) => self.delete_in_parts(&session, objects).await,
        }
    }
}

async fn ask<T: Send + 'static>(
    queue: &mpsc::Sender<Read>,
    question: impl FnOnce(&Engine) -> T + Send + 'static,
) -> Result<T, Stopped> {
    let (reply, answer) = oneshot::channel();
    let read: Read = Box::new(move |engine| {
        // Who asked may have gone away while this waited; then nobody needs the answer.
        if !reply.is_closed() {
            let _ = reply.send(question(engine));
        }
    });
    queue.send(read).await.map_err(|_| Stopped)?;
    answer.await.map_err(|_| Stopped)
}
