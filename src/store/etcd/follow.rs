//! Following what is written, without end: over broken watches, lost leaders and compactions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::model::Revision;

use super::gather::Revised;
use super::heart::Heart;
use super::seen::changed;
use super::watch::Watch;
use super::{EtcdError, EtcdStore, Followed};

/// What may wait to be taken, and of how many bytes: behind it, the watch is not read, and in the end etcd
/// lets it wait.
const WAITING: usize = 256;
const WAITING_BYTES: usize = 16 << 20;
/// Contacts that the watch may tell nothing for, though there is something to tell.
const PATIENCE: u32 = 15;
/// Before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// Before everything is listed again, to see whether what is not ours is gone.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// What waits to be taken, with the room that it has meanwhile: one of any size has all of it.
type Waiting = (Followed, Option<OwnedSemaphorePermit>);

/// What is written behind a revision, as it comes. Ends when it is dropped.
#[derive(Debug)]
pub struct Follow {
    told: mpsc::Receiver<Waiting>,
    task: JoinHandle<()>,
}

impl Follow {
    /// What comes next; none behind [`Followed::Ended`]. It may be dropped while it waits, and nothing is
    /// lost.
    pub async fn next(&mut self) -> Option<Followed> {
        self.told.recv().await.map(|(told, _)| told)
    }

    /// Whether nothing has come that is not taken yet.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// What has come already, if anything has.
    pub fn try_next(&mut self) -> Option<Followed> {
        self.told.try_recv().ok().map(|(told, _)| told)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl EtcdStore {
    /// Follows everything that is written behind a revision, each revision whole and once, in order;
    /// in a task of the current runtime. At least once in [`EtcdOptions::heartbeat`](super::EtcdOptions),
    /// a quorum is asked how far it is.
    ///
    /// A store that went back is given a new history, however long that takes, and the following ends.
    pub fn follow(&self, after: Revision) -> Follow {
        self.begin_follow(after, Follower::run)
    }

    /// Follows no more, as something else showed that the store went back: it is given a new history, and
    /// then the following ends.
    pub fn renounce(&self, how: String) -> Follow {
        self.begin_follow(Revision::MAX, |follower| follower.end(changed(how)))
    }

    fn begin_follow<F: Future<Output = ()> + Send + 'static>(
        &self,
        after: Revision,
        work: impl FnOnce(Follower) -> F,
    ) -> Follow {
        let (told, told_here) = mpsc::channel(WAITING);
        let follower = Follower {
            store: self.clone(),
            after,
            quiet: after,
            told,
            room: Arc::new(Semaphore::new(WAITING_BYTES)),
            heart: Heart::start(self.clone()),
            is_lost: false,
        };
        Follow {
            told: told_here,
            task: tokio::spawn(work(follower)),
        }
    }
}

struct Follower {
    store: EtcdStore,
    /// Everything up to here has been told.
    after: Revision,
    /// So far was etcd at the last contact, when nothing of ours was missing.
    quiet: Revision,
    told: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    heart: Heart,
    /// Whether it was told that it does not go on.
    is_lost: bool,
}

/// Why a watch is not read any more.
enum Stop {
    /// Nobody listens.
    Unheard,
    Etcd(EtcdError),
}

impl From<EtcdError> for Stop {
    fn from(error: EtcdError) -> Stop {
        Stop::Etcd(error)
    }
}

impl Follower {
    async fn run(mut self) {
        let mut stop = self.watch().await;
        loop {
            let error = match stop {
                Stop::Unheard => return,
                Stop::Etcd(error) => error,
            };
            let again = match &error {
                EtcdError::HistoryChanged { .. } | EtcdError::NewerFormat { .. } => {
                    return self.end(error).await;
                }
                EtcdError::Compacted { .. } => self.list().await,
                EtcdError::Foreign { .. } | EtcdError::FormatMissing { .. } => {
                    match self.lost(error, LONG_PAUSE).await {
                        Ok(()) => self.list().await,
                        unheard => unheard,
                    }
                }
                _ => self.lost(error, PAUSE).await,
            };
            stop = match again {
                Ok(()) => self.watch().await,
                Err(stop) => stop,
            };
        }
    }

    /// Tells what a watch tells, as long as it lasts.
    async fn watch(&mut self) -> Stop {
        match self.try_watch().await {
            Ok(never) => match never {},
            Err(stop) => stop,
        }
    }

    async fn try_watch(&mut self) -> Result<std::convert::Infallible, Stop> {
        // A store that went back is to be noticed before anything of it is told.
        let contact = self.store.confirm().await?;
        self.tell(Followed::Contact(contact)).await?;
        let mut watch = self.store.watch(self.after.saturating_add(1)).await?;
        let mut still = 0;
        loop {
            tokio::select! {
                revised = self.store.next(&mut watch) => {
                    still = 0;
                    for revised in revised? {
                        let Revised {
                            revision,
                            changes,
                            requests,
                            bytes,
                        } = revised;
                        let transaction = Followed::Transaction {
                            revision,
                            changes,
                            requests,
                        };
                        let bytes = u32::try_from(bytes.clamp(1, WAITING_BYTES)).unwrap_or(1);
                        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.ok();
                        self.tell_in(room, transaction).await?;
                        self.after = revision;
                    }
                }
                contact = self.heart.next() => self.heard(contact, &watch, &mut still).await?,
            }
        }
    }

    /// Tells of a contact, or that there is none. A watch that has had nothing to tell for long, though
    /// something was written, is given up. Where nothing is written, others' revisions count as told, so
    /// that a watch may begin behind what is compacted of them: one contact later, as a key of ours that
    /// somebody else touched is not counted and comes by watch alone.
    async fn heard(
        &mut self,
        contact: Result<super::Contact, EtcdError>,
        watch: &Watch,
        still: &mut u32,
    ) -> Result<(), Stop> {
        match contact {
            Ok(contact) => {
                if contact.ours > self.after {
                    *still += 1;
                } else {
                    *still = 0;
                    self.after = self.after.max(self.quiet);
                    self.quiet = contact.revision;
                }
                self.tell(Followed::Contact(contact)).await?;
                if *still > PATIENCE {
                    return Err(self.store.leave(watch).into());
                }
                Ok(())
            }
            Err(error @ EtcdError::HistoryChanged { .. }) => Err(error.into()),
            Err(error) => self.tell_lost(error).await,
        }
    }

    /// Lists everything anew, and goes on behind it.
    async fn list(&mut self) -> Result<(), Stop> {
        let listing = self.store.list_behind(self.after, &mut |_| ()).await?;
        self.after = listing.read_at();
        self.tell(Followed::Listed(listing)).await
    }

    /// Tells that it does not go on, and waits a little.
    async fn lost(&mut self, error: EtcdError, pause: Duration) -> Result<(), Stop> {
        self.tell_lost(error).await?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn tell_lost(&mut self, error: EtcdError) -> Result<(), Stop> {
        if std::mem::replace(&mut self.is_lost, true) {
            return Ok(());
        }
        self.tell(Followed::Lost(error)).await
    }

    /// Tells the last. Where the history is another one because the store went back, it is made so before:
    /// whoever begins anew must not find the id of what is gone.
    async fn end(mut self, error: EtcdError) {
        if matches!(error, EtcdError::HistoryChanged { .. }) {
            // What hinders that is another matter than what was told before.
            self.is_lost = false;
            while let Err(failed) = self.store.leave_history().await {
                let pause = match failed.is_transient() {
                    true => PAUSE,
                    false => LONG_PAUSE,
                };
                if self.lost(failed, pause).await.is_err() {
                    return;
                }
            }
        }
        // Nobody may be there to hear it.
        let _ = self.tell(Followed::Ended(error)).await;
    }

    async fn tell(&mut self, what: Followed) -> Result<(), Stop> {
        match what {
            Followed::Contact(_) => self.is_lost = false,
            Followed::Lost(_) => self.is_lost = true,
            _ => {}
        }
        self.tell_in(None, what).await
    }

    async fn tell_in(
        &mut self,
        room: Option<OwnedSemaphorePermit>,
        what: Followed,
    ) -> Result<(), Stop> {
        let told = self.told.send((what, room)).await;
        told.map_err(|_| Stop::Unheard)
    }
}
