use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::connection::{Came, Connection, Scratch, WINDOW};
use super::scan::{Message, Scan};

/// How a crowd subscribes.
#[derive(Debug, Clone, Copy)]
pub struct CrowdOptions {
    /// Streams on one connection.
    pub per_connection: usize,
    /// Whether each message's time is kept.
    pub timed: bool,
}

/// What a stream has come to.
#[derive(Debug, Default)]
pub struct Stream {
    /// Its newest checkpoint's revision, and one more; 0: it had none.
    reached: AtomicU64,
    messages: AtomicU64,
    eventful: AtomicU64,
    bytes: AtomicU64,
    ended: AtomicBool,
    keep: bool,
    kept: Mutex<Vec<Vec<u8>>>,
}

impl Stream {
    /// The revision of its newest checkpoint.
    pub fn revision(&self) -> Option<u64> {
        self.reached.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Messages it was sent.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Those of them that have more than a checkpoint.
    pub fn eventful(&self) -> u64 {
        self.eventful.load(Ordering::Relaxed)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn count(&self, message: Message, body: Option<Vec<u8>>) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.eventful
            .fetch_add(message.eventful.into(), Ordering::Relaxed);
        self.bytes
            .fetch_add(message.bytes as u64, Ordering::Relaxed);
        if let Some(body) = body {
            lock(&self.kept).push(body);
        }
        if let Some(revision) = message.checkpoint {
            self.reached.store(revision + 1, Ordering::Relaxed);
        }
    }

    /// The messages since the last time, if they are kept.
    pub fn kept(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *lock(&self.kept))
    }
}

/// A checkpoint came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// To this stream.
    pub stream: u32,
    /// Its revision.
    pub revision: u64,
    /// When.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    streams: Vec<Stream>,
    arrivals: Mutex<Vec<Arrival>>,
    timed: bool,
    stalled: AtomicBool,
    /// Why a connection ended, the first time one did.
    broken: Mutex<Option<String>>,
}

/// Many subscribers on a thread of their own. Dropping it breaks their connections off.
#[derive(Debug)]
pub struct Crowd {
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Subscribes with each request; those with `true` keep their messages. Answers once each has its
    /// first checkpoint.
    ///
    /// # Errors
    /// One was refused, or none came for a minute.
    pub fn start(
        address: &str,
        requests: Vec<(Bytes, bool)>,
        options: CrowdOptions,
    ) -> anyhow::Result<Crowd> {
        let keep = |(_, keep): &(Bytes, bool)| Stream {
            keep: *keep,
            ..Stream::default()
        };
        let shared = Arc::new(Shared {
            streams: requests.iter().map(keep).collect(),
            timed: options.timed,
            ..Shared::default()
        });
        let (end, ending) = oneshot::channel();
        let thread = std::thread::spawn({
            let (shared, address) = (Arc::clone(&shared), address.to_owned());
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => {
                        let all = LocalSet::new();
                        let per_connection = options.per_connection.max(1);
                        let following = follow_all(shared, address, requests, per_connection);
                        all.spawn_local(following);
                        all.spawn_local(pausing());
                        // Dropping them breaks the connections off.
                        let _ = runtime.block_on(all.run_until(ending));
                    }
                    Err(error) => shared.breaks(&error.to_string()),
                }
            }
        });
        let crowd = Crowd {
            shared,
            end: Some(end),
            thread: Some(thread),
        };
        crowd.reach(0, Duration::from_secs(60))?;
        Ok(crowd)
    }

    /// The streams, in the order of their requests.
    pub fn streams(&self) -> &[Stream] {
        &self.shared.streams
    }

    /// Messages and bytes that all were sent.
    pub fn total(&self) -> (u64, u64) {
        self.streams().iter().fold((0, 0), |(messages, bytes), s| {
            (messages + s.messages(), bytes + s.bytes())
        })
    }

    /// From now on no stream is read any more, or all are again from when something comes.
    pub fn stall(&self, stalled: bool) {
        self.shared.stalled.store(stalled, Ordering::Relaxed);
    }

    /// How many streams are not at a revision yet.
    pub fn behind(&self, revision: u64) -> usize {
        let behind = |s: &&Stream| s.revision().is_none_or(|reached| reached < revision);
        self.streams().iter().filter(behind).count()
    }

    /// Takes the times of the checkpoints so far, oldest first.
    pub fn arrivals(&self) -> Vec<Arrival> {
        std::mem::take(&mut *lock(&self.shared.arrivals))
    }

    /// Waits until every stream has a checkpoint at or behind a revision.
    ///
    /// # Errors
    /// A connection broke, a stream ended, or it took longer than `patience`.
    pub fn reach(&self, revision: u64, patience: Duration) -> anyhow::Result<()> {
        self.reach_by(revision, patience, |_| true)
    }

    /// The same of some of the streams.
    ///
    /// # Errors
    /// As [`Crowd::reach`].
    pub fn reach_by(
        &self,
        revision: u64,
        patience: Duration,
        which: impl Fn(usize) -> bool,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            if let Some(why) = &*lock(&self.shared.broken) {
                bail!("a subscriber's connection broke: {why}");
            }
            let ended = |s: &Stream| s.ended.load(Ordering::Relaxed);
            if let Some(number) = self.streams().iter().position(ended) {
                bail!("the server ended the stream of subscriber {number}");
            }
            let streams = self.streams().iter().enumerate();
            let behind = streams
                .filter(|(number, _)| which(*number))
                .filter(|(_, s)| s.revision().is_none_or(|reached| reached < revision))
                .count();
            if behind == 0 {
                return Ok(());
            }
            if start.elapsed() > patience {
                let all = self.streams().len();
                bail!("{behind} of {all} subscribers have not come to revision {revision}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn breaks(&self, why: &str) {
        lock(&self.broken).get_or_insert_with(|| why.to_owned());
    }
}

/// Between two looks at the sockets.
const PAUSE: Duration = Duration::from_millis(1);

/// Has this thread look at its sockets once in a while only. Were it woken by each write of the server,
/// the server would pay for that: over loopback, who sends does the receiver's work too, and a network
/// would not have it so.
async fn pausing() {
    loop {
        std::thread::sleep(PAUSE);
        tokio::task::yield_now().await;
    }
}

/// Connects one after the other, so that the server's queue of connections does not overflow.
async fn follow_all(
    shared: Arc<Shared>,
    address: String,
    requests: Vec<(Bytes, bool)>,
    per_connection: usize,
) {
    let scratch = Rc::new(RefCell::new(Scratch::default()));
    for (number, requests) in requests.chunks(per_connection).enumerate() {
        let first = number * per_connection;
        let requests = requests.iter().map(|(request, _)| request.clone());
        match Connection::open(&address, WINDOW, requests).await {
            Ok(connection) => {
                let (shared, scratch) = (Arc::clone(&shared), Rc::clone(&scratch));
                tokio::task::spawn_local(async move {
                    let followed = follow(&shared, connection, first, &scratch).await;
                    shared.breaks(&match followed {
                        Ok(()) => "the server closed it".to_owned(),
                        Err(error) => format!("{error:#}"),
                    });
                });
            }
            Err(error) => return shared.breaks(&error.to_string()),
        }
    }
}

async fn follow(
    shared: &Shared,
    mut connection: Connection,
    first: usize,
    scratch: &RefCell<Scratch>,
) -> anyhow::Result<()> {
    let of_connection = shared.streams.get(first..).context("streams")?;
    let mut scans: Vec<Scan> = Vec::new();
    let mut was_stalled = false;
    loop {
        connection.readable().await?;
        let stalled = shared.stalled.load(Ordering::Relaxed);
        if was_stalled && !stalled {
            connection.resume().await?;
        }
        was_stalled = stalled;
        let open = {
            let at = Instant::now();
            let mut arrivals = shared.timed.then(|| lock(&shared.arrivals));
            let mut scratch = scratch.borrow_mut();
            connection.read(&mut scratch, stalled, |index, came| {
                let Some(stream) = of_connection.get(index) else {
                    return;
                };
                while scans.len() <= index {
                    let keep = of_connection.get(scans.len()).is_some_and(|s| s.keep);
                    scans.push(Scan::new(keep));
                }
                let (Came::Bytes(bytes), Some(scan)) = (came, scans.get_mut(index)) else {
                    stream.ended.store(true, Ordering::Relaxed);
                    return;
                };
                scan.take(bytes, |message, body| {
                    stream.count(message, body);
                    if let (Some(revision), Some(arrivals)) = (message.checkpoint, &mut arrivals) {
                        let stream = (first + index) as u32;
                        arrivals.push(Arrival {
                            stream,
                            revision,
                            at,
                        });
                    }
                });
            })?
        };
        if !open {
            return Ok(());
        }
        connection.flush().await?;
    }
}
