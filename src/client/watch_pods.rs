use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use smol_str::SmolStr;
use tonic::transport::Channel;

use crate::engine::PodEvent;
use crate::model::{ObjectName, Revision};
use crate::selector::Selector;
use crate::wire::{self, Cursor, PodDelta, proto};

use super::convert;
use super::follow::{Feed, Follower, Item, Opening};
use super::{Client, Malformed, PodItem, WatchError};

/// How to watch pods, and from where on.
#[derive(Debug, Clone)]
pub struct WatchPodsOptions {
    /// What the server lists the subscriber as; at most 253 bytes.
    pub name: String,
    /// As in [`super::WatchOptions`].
    pub heartbeat: Duration,
    /// Where to go on from, and the state that belongs to it; none: from nothing.
    pub resume: Option<(Cursor, PodsView)>,
}

impl Default for WatchPodsOptions {
    fn default() -> Self {
        WatchPodsOptions {
            name: String::new(),
            heartbeat: Duration::from_secs(5),
            resume: None,
        }
    }
}

/// The pods that match, as far as a subscriber knows: the fold of the events it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodsView {
    pods: BTreeMap<ObjectName, PodItem>,
    /// After a reset: what was held then and has not been sent again.
    doubtful: BTreeSet<ObjectName>,
}

impl PodsView {
    /// The pods, by namespace and name.
    pub fn pods(&self) -> &BTreeMap<ObjectName, PodItem> {
        &self.pods
    }

    /// Folds one event.
    pub fn apply(&mut self, event: PodEvent) {
        match event {
            PodEvent::Reset => self.doubtful = self.pods.keys().cloned().collect(),
            PodEvent::Pod { pod, revision } => {
                self.doubtful.remove(&pod.name);
                self.pods
                    .insert(pod.name.clone(), PodItem { pod, revision });
            }
            PodEvent::Removed(name) => {
                self.doubtful.remove(&name);
                self.pods.remove(&name);
            }
        }
    }

    /// Drops what a reset put in doubt and nothing confirmed, and answers what that was.
    pub fn checkpoint(&mut self) -> Vec<ObjectName> {
        let dropped: Vec<ObjectName> = std::mem::take(&mut self.doubtful).into_iter().collect();
        for name in &dropped {
            self.pods.remove(name);
        }
        dropped
    }
}

/// One consistent cut of a live query, as [`super::Cut`] is one of endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodsCut {
    /// The revision at which the pods, with this applied, are those that match.
    pub revision: Revision,
    /// What to go on from after this.
    pub cursor: Cursor,
    /// What changed, each pod at most once.
    pub events: Vec<PodEvent>,
    /// After a reset: the pods that were held and match no more.
    pub dropped: Vec<ObjectName>,
    /// When the newest change was committed, by the server's clock.
    pub commit_time: Option<SystemTime>,
    /// How long ago the source of truth was last heard of, at that moment.
    pub source_age: Duration,
}

/// Pods that match a selector, as they change. Lives as [`super::Watcher`] does.
pub struct PodWatcher {
    follower: Follower<PodsFeed>,
    view: PodsView,
    cursor: Option<Cursor>,
}

impl Client {
    /// Watches the pods that match in these namespaces (none given: in all). Nothing is sent before
    /// the first [`PodWatcher::next`].
    pub fn watch_pods(
        &self,
        selector: Selector,
        namespaces: Vec<SmolStr>,
        options: WatchPodsOptions,
    ) -> PodWatcher {
        let silence = options.heartbeat.saturating_mul(3);
        let (cursor, view) = options.resume.unzip();
        let feed = PodsFeed {
            selector,
            namespaces,
            name: options.name,
            max_message_bytes: self.options.max_message_bytes,
        };
        PodWatcher {
            follower: Follower::new(self, feed, cursor.clone(), silence),
            view: view.unwrap_or_default(),
            cursor,
        }
    }
}

impl PodWatcher {
    /// The next consistent cut, which [`PodWatcher::view`] then shows. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// As [`super::Watcher::next`].
    pub async fn next(&mut self) -> Result<PodsCut, WatchError> {
        let (events, checkpoint) = self.follower.next().await?;
        for event in &events {
            self.view.apply(event.clone());
        }
        let dropped = self.view.checkpoint();
        self.cursor = Some(checkpoint.cursor.clone());
        Ok(PodsCut {
            revision: checkpoint.cursor.revision,
            cursor: checkpoint.cursor,
            events,
            dropped,
            commit_time: checkpoint.commit_time,
            source_age: checkpoint.source_age,
        })
    }

    /// The pods at the last cut.
    pub fn view(&self) -> &PodsView {
        &self.view
    }

    /// What to go on from after the last cut.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// How often a connection was given up or lost.
    pub fn reconnects(&self) -> u64 {
        self.follower.contact().borrow().reconnects
    }
}

impl fmt::Debug for PodWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodWatcher")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

struct PodsFeed {
    selector: Selector,
    namespaces: Vec<SmolStr>,
    name: String,
    max_message_bytes: usize,
}

impl Feed for PodsFeed {
    type Event = PodEvent;
    type Message = proto::WatchPodsResponse;

    fn open(&mut self, channel: Channel, cursor: Option<&Cursor>) -> Opening<Self::Message> {
        let request = proto::WatchPodsRequest {
            selector: Some(wire::encode_filter(&self.selector)),
            scope: convert::scope(&self.namespaces),
            cursor: cursor.map(wire::encode_cursor),
            name: self.name.clone(),
        };
        let mut client = proto::watch_client::WatchClient::new(channel)
            .max_decoding_message_size(self.max_message_bytes);
        Box::pin(async move { Ok(client.watch_pods(request).await?.into_inner()) })
    }

    fn read(message: Self::Message, sink: &mut dyn FnMut(Item<PodEvent>)) -> Result<(), Malformed> {
        for event in message.events {
            sink(match wire::decode_pod_event(event)? {
                PodDelta::Event(event) => Item::Event(event),
                PodDelta::Checkpoint(checkpoint) => Item::Checkpoint(checkpoint),
            });
        }
        Ok(())
    }
}
