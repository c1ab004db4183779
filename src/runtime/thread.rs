use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::engine::{Engine, EngineOptions, ResolveLimits};
use crate::store::etcd::EtcdStore;
use crate::store::{Epoch, Store, StoreFault};

use super::committer::Committer;
use super::error::{StartError, Stopped};
use super::handle::{About, Queues, Runtime};
use super::head::{Head, Totals};
use super::owner::{First, Owner};
use super::replica::{Listed, Replica};
use super::room::Room;
use super::save::{SaveOptions, Saves};
use super::share::Share;
use super::shared::{Shared, TransactionBounds};
use super::source::Source;
use super::state::{Published, State};
use super::tail::Tail;
use super::write_queue::WriteQueue;
use super::writer::Writer;

/// How many writes wait before those who write wait too.
const WRITE_QUEUE: usize = 1024;
/// How many queries, and how many pieces of catch-up, wait.
const READ_QUEUE: usize = 1024;

/// How the engine and its owner behave.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeOptions {
    /// What the engine derives and remembers.
    pub engine: EngineOptions,
    /// What one transaction may come to.
    pub resolve: ResolveLimits,
    /// Most distinct live queries open at one time.
    pub max_live_queries: usize,
    /// About how many bytes of what was committed may wait, encoded, to be distributed.
    pub tail_bytes: usize,
    /// About how many bytes of transactions may be on their way to be written. Those who write wait
    /// while there are as many; one transaction of any size is let through by itself.
    pub max_queued_bytes: usize,
    /// Most pods of all live queries together, each counted in each, at which another is opened.
    pub max_live_query_members: u64,
    /// Most syncs that may be under way at one time.
    pub max_syncs: usize,
    /// For so long writes are gathered before they are made durable together. Zero: what comes while a
    /// group is being written is the next one.
    pub gather: Duration,
    /// What saving snapshots may take.
    pub saves: SaveOptions,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        RuntimeOptions {
            engine: EngineOptions::default(),
            resolve: ResolveLimits::default(),
            max_live_queries: 1_000,
            tail_bytes: 16 << 20,
            max_queued_bytes: 64 << 20,
            max_live_query_members: 10_000_000,
            max_syncs: 64,
            gather: Duration::ZERO,
            saves: SaveOptions::default(),
        }
    }
}

/// The thread that owns the engine.
#[derive(Debug)]
pub struct RuntimeThread {
    thread: JoinHandle<()>,
    drain: CancellationToken,
}

/// Starts an engine on an empty store, on a thread of its own.
///
/// # Errors
/// The system gives no thread.
pub fn start(
    store: Box<dyn Store>,
    options: RuntimeOptions,
) -> Result<(Runtime, RuntimeThread), StartError> {
    start_with(store, Engine::new(options.engine), options)
}

/// Starts an engine that was read back from its store, on a thread of its own.
///
/// # Errors
/// The system gives no thread.
pub fn start_with(
    store: Box<dyn Store>,
    engine: Engine,
    options: RuntimeOptions,
) -> Result<(Runtime, RuntimeThread), StartError> {
    let store_fault = store.fault();
    let about = About {
        epoch: Epoch::new(store.history(), engine.options()),
        store_kind: store.kind(),
        store_fault: store_fault.clone(),
        missing_node: engine.options().missing_node,
        shared: None,
    };
    let committed_at = store.committed_at();
    let writer = Writer::new(store, store_fault, options.resolve);
    let committer = Committer::Alone(Box::new(writer));
    launch(committer, engine, committed_at, about, options)
}

/// Starts an engine that was listed from a store which other processes write to as well, on a thread of
/// its own. What others write is followed from behind the listing; what is written here goes through the
/// store and comes back.
///
/// # Errors
/// There is no tokio runtime here for the calls to the store, or the system gives no thread.
pub fn start_shared(
    store: EtcdStore,
    engine: Engine,
    listed: Listed,
    options: RuntimeOptions,
) -> Result<(Runtime, RuntimeThread), StartError> {
    let tasks = Handle::try_current().map_err(io::Error::other)?;
    let limits = store.options();
    let shared = Shared {
        source: Arc::new(Source::new(listed.contact.at, listed.contact.revision)),
        bounds: TransactionBounds {
            // One operation is for the history.
            objects: limits.max_txn_ops.saturating_sub(1),
            bytes: limits.max_request_bytes,
        },
        store,
    };
    let about = About {
        epoch: Epoch::new(shared.store.history(), engine.options()),
        store_kind: "etcd",
        store_fault: StoreFault::default(),
        missing_node: engine.options().missing_node,
        shared: Some(shared.clone()),
    };
    let replica = Replica::new(shared, listed, options.resolve, tasks);
    let committer = Committer::Shared(Box::new(replica));
    launch(committer, engine, None, about, options)
}

fn launch(
    committer: Committer,
    engine: Engine,
    committed_at: Option<SystemTime>,
    about: About,
    options: RuntimeOptions,
) -> Result<(Runtime, RuntimeThread), StartError> {
    let (writes, write_queue) = mpsc::channel(WRITE_QUEUE);
    let (queries, query_queue) = mpsc::channel(READ_QUEUE);
    let (catch_ups, catch_up_queue) = mpsc::channel(READ_QUEUE);
    let (release, releases) = mpsc::unbounded_channel();
    let (head_tx, head) = watch::channel(Head {
        revision: engine.head(),
        commit_time: committed_at,
    });
    let (totals_tx, totals) = watch::channel(Totals::default());
    let drain = CancellationToken::new();
    let tail = Arc::new(Tail::new(engine.head(), options.tail_bytes));
    let saves = Saves::new(options.saves);
    let published = Published {
        tail: Arc::clone(&tail),
        head: head_tx,
        totals: totals_tx,
    };
    let owner = Owner {
        state: State::new(engine, published, saves.clone()),
        committer,
        writes: WriteQueue::new(write_queue),
        queries: query_queue,
        catch_ups: catch_up_queue,
        releases,
        release: release.clone(),
        drain: drain.clone(),
        max_live_queries: options.max_live_queries,
        max_live_query_members: options.max_live_query_members,
        live_queries: HashMap::new(),
        first: First::default(),
        share: Share::default(),
        gather: options.gather,
    };
    // A runtime of one thread only waits on the queues; the engine's own work never yields.
    let waiting = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let thread = std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || waiting.block_on(owner.run()))?;
    let queues = Queues {
        writes,
        queries,
        catch_ups,
        releases: release,
        tail,
        room: Room::new(options.max_queued_bytes),
        syncs: Arc::new(Semaphore::new(
            options.max_syncs.min(Semaphore::MAX_PERMITS),
        )),
        max_syncs: options.max_syncs,
        saves,
        pieces: AtomicU64::new(0),
    };
    let runtime = Runtime::new(queues, head, totals, about);
    Ok((runtime, RuntimeThread { thread, drain }))
}

impl RuntimeThread {
    /// Lets the thread finish what waits for it, and waits for its end. What is asked later is
    /// answered with [`Stopped`].
    ///
    /// # Errors
    /// The thread had ended by a panic.
    pub async fn shutdown(self) -> Result<(), Stopped> {
        self.drain.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                error!("the thread that owns the engine ended by a panic");
                Err(Stopped)
            }
        }
    }
}
