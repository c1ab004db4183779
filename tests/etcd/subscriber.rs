//! A subscriber on the bare protocol, which counts what it is sent, and moves between replicas with its
//! cursor.

use std::time::Duration;

use prost::Message as _;
use selectord::engine::{Event, Scope, View};
use selectord::model::Revision;
use selectord::wire::proto::watch_client::WatchClient;
use selectord::wire::proto::watch_endpoints_request::Request as Asked;
use selectord::wire::{self, Cursor, Delta, proto};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::crowd::Order;
use crate::patience::{patiently, rest, until};
use crate::support::random::Random;
use crate::workload::must_be_whole;

/// Connections to each replica, so that no one has more streams than a server allows.
const CONNECTIONS: usize = 8;
/// After so long without an answer another replica is tried.
const OPENING: Duration = Duration::from_secs(5);

/// Ways to the replicas, shared by all subscribers.
pub struct Doors(Vec<Vec<Channel>>);

impl Doors {
    /// To each of these addresses; none is used before it is needed.
    pub fn to(addresses: &[String]) -> Doors {
        let lazily = |address: &String| {
            let endpoint = Endpoint::from_shared(address.clone()).unwrap();
            let endpoint = endpoint.connect_timeout(OPENING);
            (0..CONNECTIONS).map(|_| endpoint.connect_lazy()).collect()
        };
        Doors(addresses.iter().map(lazily).collect())
    }
}

/// What a subscriber was sent up to its first checkpoint after it came back.
#[derive(Debug, Clone, Default)]
pub struct Return {
    /// Bytes of messages.
    pub bytes: usize,
    /// Events, the checkpoint not among them.
    pub events: usize,
    /// Services and endpoints that differ from what it held.
    pub changed: usize,
    /// It was told that its cursor is worth nothing.
    pub reset: bool,
    /// Of the history that its cursor was of.
    pub same_epoch: bool,
}

pub struct Subscriber {
    number: usize,
    pub scope: Scope,
    random: Random,
    /// The replica it is at.
    at: usize,
    pub view: View,
    pub cursor: Option<Cursor>,
    /// Its first snapshot.
    pub first: Option<Return>,
    pub returns: Vec<Return>,
    /// What came since the last checkpoint.
    pending: Vec<Event>,
    /// What came since it subscribed, until there is a checkpoint.
    coming: Option<Return>,
}

/// A stream, which ends with what asks for it.
struct Stream {
    _asks: mpsc::Sender<proto::WatchEndpointsRequest>,
    answers: Streaming<proto::WatchEndpointsResponse>,
}

impl Subscriber {
    pub fn new(number: usize, seed: u64, scope: Scope) -> Subscriber {
        Subscriber {
            number,
            scope,
            random: Random::new(seed * 100_000 + number as u64),
            at: number,
            view: View::default(),
            cursor: None,
            first: None,
            returns: Vec::new(),
            pending: Vec::new(),
            coming: None,
        }
    }

    /// Follows whatever replica it is at, and moves when it is told to or has to. Ends where the orders
    /// say.
    pub async fn live(mut self, doors: &Doors, mut orders: watch::Receiver<Order>) -> Subscriber {
        let mut round = orders.borrow_and_update().round;
        loop {
            let Some(mut stream) = self.open(doors).await else {
                self.elsewhere();
                rest().await;
                continue;
            };
            loop {
                tokio::select! {
                    message = stream.answers.message() => match message {
                        Ok(Some(message)) => self.take(message),
                        Ok(None) | Err(_) => break,
                    },
                    changed = orders.changed() => changed.expect("the test goes on"),
                }
                let order = orders.borrow_and_update().clone();
                if order.is_met_by(self.cursor.as_ref()) {
                    return self;
                }
                if order.round != round {
                    round = order.round;
                    if self.random.chance(order.moving) {
                        break;
                    }
                }
            }
            self.elsewhere();
        }
    }

    /// Subscribes at a replica, reads up to a revision and leaves. Answers what it was sent.
    pub async fn visit(&mut self, doors: &Doors, at: usize, revision: Revision) -> Return {
        self.at = at;
        let opened = until("a stream", async || {
            self.open(doors).await.ok_or_else(String::new)
        });
        let mut stream = opened.await;
        let is_behind = |it: &Cursor| it.revision < revision;
        while self.coming.is_some() || self.cursor.as_ref().is_none_or(is_behind) {
            let message = patiently("a checkpoint", stream.answers.message()).await;
            self.take(message.unwrap().expect("the stream goes on"));
        }
        let told = self.returns.last().or(self.first.as_ref());
        told.expect("there was a checkpoint").clone()
    }

    fn elsewhere(&mut self) {
        self.at += self.random.between(1, 2);
    }

    async fn open(&mut self, doors: &Doors) -> Option<Stream> {
        let ways = &doors.0[self.at % doors.0.len()];
        let channel = ways[self.number % ways.len()].clone();
        let opened = self.subscribe(channel);
        let stream = tokio::time::timeout(OPENING, opened).await.ok()?.ok()?;
        // A part of what was to come is worth nothing: the cursor is that of the last checkpoint.
        self.pending.clear();
        self.coming = Some(Return::default());
        Some(stream)
    }

    async fn subscribe(&self, channel: Channel) -> Result<Stream, Status> {
        let (asks, requests) = mpsc::channel(1);
        let subscribe = proto::Subscribe {
            scope: Some(wire::encode_scope(&self.scope)),
            cursor: self.cursor.as_ref().map(wire::encode_cursor),
            name: self.number.to_string(),
            ..proto::Subscribe::default()
        };
        let request = Some(Asked::Subscribe(subscribe));
        let sent = asks.send(proto::WatchEndpointsRequest { request }).await;
        sent.expect("there is room for one");
        let mut client = WatchClient::new(channel);
        let answers = client
            .watch_endpoints(ReceiverStream::new(requests))
            .await?;
        Ok(Stream {
            _asks: asks,
            answers: answers.into_inner(),
        })
    }

    fn take(&mut self, message: proto::WatchEndpointsResponse) {
        let bytes = message.encoded_len();
        if let Some(coming) = &mut self.coming {
            coming.bytes += bytes;
        }
        for event in message.events {
            match wire::decode_event(event).expect("a server keeps its word") {
                Delta::Events(events) => self.pending.extend(events),
                Delta::Checkpoint(checkpoint) => self.checkpoint(checkpoint.cursor),
                Delta::Offer => panic!("offered nothing, and asked for what is held"),
            }
        }
    }

    fn checkpoint(&mut self, cursor: Cursor) {
        let held = self.coming.is_some().then(|| self.view.clone());
        let (events, reset) = (self.pending.len(), self.pending.contains(&Event::Reset));
        for event in self.pending.drain(..) {
            self.view.apply(event);
        }
        self.view.checkpoint();
        let whose = format!("subscriber {} of {}", self.number, self.scope);
        must_be_whole(&self.view, &whose);
        let before = self.cursor.replace(cursor.clone());
        let same_epoch = before.as_ref().is_some_and(|it| it.epoch == cursor.epoch);
        if let Some(before) = &before
            && same_epoch
        {
            let (was, is) = (before.revision, cursor.revision);
            assert!(is >= was, "{whose} was taken back from {was} to {is}");
        }
        if let (Some(mut coming), Some(held)) = (self.coming.take(), held) {
            coming.changed = differences(&held, &self.view);
            (coming.events, coming.reset, coming.same_epoch) = (events, reset, same_epoch);
            match before {
                None => self.first = Some(coming),
                Some(_) => self.returns.push(coming),
            }
        }
    }
}

/// Services and endpoints that are in one view and not the same in the other.
pub fn differences(was: &View, is: &View) -> usize {
    let mut found = 0;
    for (name, now) in is.services() {
        let before = was.services().get(name);
        found += usize::from(before.is_none_or(|before| before.entry != now.entry));
        let had = |identity| before.and_then(|before| before.endpoints.get(identity));
        let changed = now.endpoints.iter();
        found += changed
            .filter(|(id, endpoint)| had(id) != Some(*endpoint))
            .count();
    }
    for (name, before) in was.services() {
        match is.services().get(name) {
            // A service that goes takes its endpoints with it.
            None => found += 1,
            Some(now) => {
                let gone = before.endpoints.keys();
                found += gone.filter(|id| !now.endpoints.contains_key(*id)).count();
            }
        }
    }
    found
}
