use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt as _, once};
use tonic::transport::Channel;

use crate::engine::{Event, Scope, View};
use crate::model::{ObjectName, Revision};
use crate::wire::{self, Cursor, Delta, proto};

use super::follow::{Feed, Follower, Item, Opening};
use super::{Client, Malformed, WatchError};

/// How to watch, and from where on.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// What the server lists the subscriber as; at most 253 bytes.
    pub name: String,
    /// How often the server is known to speak when nothing happens. Three times as long without a
    /// word, and the connection is given up.
    pub heartbeat: Duration,
    /// Where to go on from, and the state that belongs to it; none: from nothing.
    pub resume: Option<(Cursor, View)>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            name: String::new(),
            heartbeat: Duration::from_secs(5),
            resume: None,
        }
    }
}

impl WatchOptions {
    /// How long to bear silence.
    pub(super) fn silence(&self) -> Duration {
        self.heartbeat.saturating_mul(3)
    }
}

/// One consistent cut: everything that differs from the one before it. Apply it whole.
///
/// It may be as big as the state: the first one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The revision at which the state, with this applied, is true.
    pub revision: Revision,
    /// What to go on from after this.
    pub cursor: Cursor,
    /// What changed, in an order that folds; each thing at most once.
    pub events: Vec<Event>,
    /// After a reset: the services that were held and are no more.
    pub dropped: Vec<ObjectName>,
    /// When the newest change was committed, by the server's clock.
    pub commit_time: Option<SystemTime>,
    /// How long ago the source of truth was last heard of, at that moment.
    pub source_age: Duration,
}

/// Endpoints of services, as they change.
///
/// Connections come and go underneath: it waits from 0.2 s to 10 s between attempts, goes on from its
/// cursor, and refuses to be taken back. In memory are the folded state, the cut that is gathering
/// (at most about twice the state) and no queue.
pub struct Watcher {
    follower: Follower<EndpointsFeed>,
    view: View,
    cursor: Option<Cursor>,
}

impl Client {
    /// Watches the endpoints of the services in scope. Nothing is sent before the first
    /// [`Watcher::next`].
    pub fn watch(&self, scope: Scope, options: WatchOptions) -> Watcher {
        let silence = options.silence();
        let (cursor, view) = options.resume.unzip();
        let feed = EndpointsFeed {
            scope,
            name: options.name,
            max_message_bytes: self.options.max_message_bytes,
            applied: watch::Sender::new(0),
        };
        Watcher {
            follower: Follower::new(self, feed, cursor.clone(), silence),
            view: view.unwrap_or_default(),
            cursor,
        }
    }
}

impl Watcher {
    /// The next consistent cut, which [`Watcher::view`] then shows. Waits for as long as it takes,
    /// over any number of connections. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the server refuses the subscription for good, or cannot be understood.
    pub async fn next(&mut self) -> Result<Cut, WatchError> {
        let (events, checkpoint) = self.follower.next().await?;
        for event in &events {
            self.view.apply(event.clone());
        }
        let dropped = self.view.checkpoint();
        self.cursor = Some(checkpoint.cursor.clone());
        Ok(Cut {
            revision: checkpoint.cursor.revision,
            cursor: checkpoint.cursor,
            events,
            dropped,
            commit_time: checkpoint.commit_time,
            source_age: checkpoint.source_age,
        })
    }

    /// The state at the last cut.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What to go on from after the last cut.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Tells the server that everything up to this revision has been applied, now and after each
    /// reconnect. Only the newest report is kept.
    pub fn applied(&self, revision: Revision) {
        self.follower.feed().applied.send_replace(revision);
    }

    /// How long ago the server's source of truth was last heard of, by its last word.
    pub fn source_age(&self) -> Duration {
        self.follower.source_age()
    }

    /// How often a connection was given up or lost.
    pub fn reconnects(&self) -> u64 {
        self.follower.reconnects()
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

struct EndpointsFeed {
    scope: Scope,
    name: String,
    max_message_bytes: usize,
    /// The revision last reported as applied; 0: none yet.
    applied: watch::Sender<Revision>,
}

impl Feed for EndpointsFeed {
    type Event = Event;
    type Message = proto::WatchEndpointsResponse;

    fn open(&self, channel: Channel, cursor: Option<&Cursor>) -> Opening<Self::Message> {
        use proto::watch_endpoints_request::Request;
        let subscribe = proto::Subscribe {
            scope: Some(wire::encode_scope(&self.scope)),
            cursor: cursor.map(wire::encode_cursor),
            name: self.name.clone(),
            // It subscribes once on a stream.
            subscription: 0,
        };
        let applied = WatchStream::new(self.applied.subscribe())
            .filter(|revision| *revision > 0)
            .map(Request::AppliedRevision);
        let requests = once(Request::Subscribe(subscribe))
            .chain(applied)
            .map(|request| proto::WatchEndpointsRequest {
                request: Some(request),
            });
        let mut client = proto::watch_client::WatchClient::new(channel)
            .max_decoding_message_size(self.max_message_bytes);
        Box::pin(async move { Ok(client.watch_endpoints(requests).await?.into_inner()) })
    }

    fn read(message: Self::Message, sink: &mut dyn FnMut(Item<Event>)) -> Result<(), Malformed> {
        for event in message.events {
            match wire::decode_event(event)? {
                Delta::Events(events) => events.into_iter().map(Item::Event).for_each(&mut *sink),
                Delta::Checkpoint(checkpoint) => sink(Item::Checkpoint(checkpoint)),
            }
        }
        Ok(())
    }
}
