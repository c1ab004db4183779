use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{StreamExt as _, once};
use tonic::transport::Channel;

use crate::engine::{Event, Scope, View};
use crate::model::{ObjectName, Revision};
use crate::wire::{self, Cursor, Delta, proto};

use super::follow::{Contact, Feed, Follower, Item, Opening};
use super::offer::Offers;
use super::{Client, Malformed, WatchError};

/// How to watch, and from where on.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// What the server lists the subscriber as; at most 253 bytes.
    pub name: String,
    /// How often the server is known to speak when nothing happens. Three times as long without a
    /// word, and the connection is given up.
    pub heartbeat: Duration,
    /// Where to begin.
    pub resume: Resume,
}

/// Where a watch begins.
#[derive(Debug, Clone, Default)]
pub enum Resume {
    /// With nothing.
    #[default]
    Nothing,
    /// With a cursor, and the state that belongs to it. Where the server cannot go on from the cursor, it
    /// is offered a digest of each service, and sends those that differ.
    State(Cursor, View),
    /// With a cursor alone: the state that belongs to it was applied elsewhere and not kept. Cuts bring what
    /// differs from it, as events; [`Watcher::view`] is the state only after an [`Event::Reset`], with which
    /// everything comes where the server cannot go on from the cursor.
    Cursor(Cursor),
}

impl From<(Cursor, View)> for Resume {
    fn from((cursor, view): (Cursor, View)) -> Resume {
        Resume::State(cursor, view)
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            name: String::new(),
            heartbeat: Duration::from_secs(5),
            resume: Resume::Nothing,
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
    /// After a reset: the services that were held and are no more. Of those that a digest showed to be gone,
    /// there is an event.
    pub dropped: Vec<ObjectName>,
    /// When the newest change was committed, by the server's clock.
    pub commit_time: Option<SystemTime>,
    /// How long ago the source of truth was last heard of, at that moment.
    pub source_age: Duration,
}

/// Endpoints of services, as they change.
///
/// Connections come and go underneath: it waits from 0.2 s to 10 s between attempts, goes on from its
/// cursor, and refuses to be taken back. A server that cannot go on from the cursor (it has begun another
/// history, or has forgotten too much) is offered digests of what is held, and sends what differs. In
/// memory are the folded state, the cut that is gathering
/// (at most about twice the state) and no queue.
pub struct Watcher {
    follower: Follower<EndpointsFeed>,
    cursor: Option<Cursor>,
}

impl Client {
    /// Watches the endpoints of the services in scope. Nothing is sent before the first
    /// [`Watcher::next`].
    pub fn watch(&self, scope: Scope, options: WatchOptions) -> Watcher {
        let silence = options.silence();
        let (cursor, view) = match options.resume {
            Resume::Nothing => (None, None),
            Resume::State(cursor, view) => (Some(cursor), Some(view)),
            Resume::Cursor(cursor) => (Some(cursor), None),
        };
        let feed = EndpointsFeed {
            scope,
            name: options.name,
            max_message_bytes: self.options.max_message_bytes,
            applied: watch::Sender::new(0),
            is_whole: view.is_some(),
            view: Arc::new(view.unwrap_or_default()),
            asked: watch::Sender::new(Weak::new()),
        };
        Watcher {
            follower: Follower::new(self, feed, cursor.clone(), silence),
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
        let feed = self.follower.feed_mut();
        feed.is_whole |= events.contains(&Event::Reset);
        // Nobody else has it, unless the server broke off what it had asked for.
        let view = Arc::make_mut(&mut feed.view);
        for event in &events {
            view.apply(event.clone());
        }
        let dropped = view.checkpoint();
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
        &self.follower.feed().view
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
        self.follower.contact().borrow().source_age
    }

    /// What is heard of the server, as it changes: for whoever looks on from elsewhere. It changes only
    /// while [`Watcher::next`] is waited for.
    pub fn contact(&self) -> watch::Receiver<Contact> {
        self.follower.contact()
    }

    /// How often a connection was given up or lost.
    pub fn reconnects(&self) -> u64 {
        self.follower.contact().borrow().reconnects
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
    /// The state at the last cut.
    view: Arc<View>,
    /// Whether that is all there is to hold, and not only what came since a cursor.
    is_whole: bool,
    /// The view, each time that the server asks for it on the connection that was opened last.
    asked: watch::Sender<Weak<View>>,
}

impl Feed for EndpointsFeed {
    type Event = Event;
    type Message = proto::WatchEndpointsResponse;

    fn open(&mut self, channel: Channel, cursor: Option<&Cursor>) -> Opening<Self::Message> {
        use proto::watch_endpoints_request::Request;
        let subscribe = proto::Subscribe {
            scope: Some(wire::encode_scope(&self.scope)),
            cursor: cursor.map(wire::encode_cursor),
            name: self.name.clone(),
            // It subscribes once on a stream.
            subscription: 0,
            can_offer: self.is_whole,
        };
        let applied = WatchStream::new(self.applied.subscribe())
            .filter(|revision| *revision > 0)
            .map(Request::AppliedRevision);
        self.asked = watch::Sender::new(Weak::new());
        let offers = Offers::new(WatchStream::from_changes(self.asked.subscribe()));
        let requests = once(Request::Subscribe(subscribe))
            .chain(applied.merge(offers.map(Request::Offer)))
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
                Delta::Offer => sink(Item::Offer),
                Delta::Checkpoint(checkpoint) => sink(Item::Checkpoint(checkpoint)),
            }
        }
        Ok(())
    }

    fn offer(&self) {
        self.asked.send_replace(Arc::downgrade(&self.view));
    }
}
