//! Subscribers that stop reading for a while.

use prost::Message as _;
use selectord::client::Client;
use selectord::engine::{Event, Scope, View};
use selectord::wire::proto::watch_client::WatchClient;
use selectord::wire::proto::watch_endpoints_request::Request as Asked;
use selectord::wire::{self, Delta, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::flood::{CHANGES, Flood, PODS, ROUNDS};
use crate::state::{State, patiently};

const STALLED: u32 = 200;
/// Bytes that one stream may hold unread on this side, and that a message is kept below on the other.
const WINDOW: u32 = 64 << 10;
/// Messages that may be on their way to a stream that is not read: in its window, in what the
/// transport has taken and cannot send, in the stream's own place for one, and on both sides of each.
const ON_THE_WAY: usize = 5;
/// What the stalled streams may cost the server: 128 KiB each. What it keeps for itself of so many
/// changes is little beside it; were what they have not read queued for each, it would be twenty times
/// as much.
const MEMORY: u64 = STALLED as u64 * (128 << 10);

/// A subscriber without a library: what it does not ask for stays where it is.
struct Raw {
    /// The stream ends with this.
    _asks: mpsc::Sender<proto::WatchEndpointsRequest>,
    answers: Streaming<proto::WatchEndpointsResponse>,
    view: View,
}

/// What came up to a checkpoint.
#[derive(Debug, Default)]
struct Told {
    endpoints: usize,
    resets: usize,
    bytes: usize,
}

impl Raw {
    async fn subscribe(channel: &Channel) -> Raw {
        let (asks, requests) = mpsc::channel(1);
        let subscribe = proto::Subscribe {
            scope: Some(wire::encode_scope(&Scope::all())),
            ..proto::Subscribe::default()
        };
        let request = Some(Asked::Subscribe(subscribe));
        asks.send(proto::WatchEndpointsRequest { request })
            .await
            .unwrap();
        let mut client = WatchClient::new(channel.clone());
        let answers = patiently(client.watch_endpoints(ReceiverStream::new(requests)));
        Raw {
            _asks: asks,
            answers: answers.await.unwrap().into_inner(),
            view: View::default(),
        }
    }

    /// Folds what comes, up to a checkpoint at or behind a revision.
    async fn until(&mut self, revision: u64) -> Told {
        let mut told = Told::default();
        loop {
            let message = patiently(self.answers.message()).await.unwrap();
            let message = message.expect("the stream goes on");
            told.bytes += message.encoded_len();
            for event in message.events {
                match wire::decode_event(event).expect("a server keeps its word") {
                    Delta::Events(events) => {
                        for event in events {
                            told.endpoints += usize::from(matches!(event, Event::Endpoint { .. }));
                            told.resets += usize::from(event == Event::Reset);
                            self.view.apply(event);
                        }
                    }
                    Delta::Offer => panic!("nobody said that he can offer"),
                    Delta::Checkpoint(checkpoint) => {
                        self.view.checkpoint();
                        if checkpoint.cursor.revision >= revision {
                            return told;
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_that_do_not_read_cost_little_and_return_to_one_merged_catch_up() {
    let flood = Flood::start().await;
    let channel = Endpoint::from_shared(format!("http://{}", flood.server.address))
        .unwrap()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * (STALLED + 8))
        .connect()
        .await
        .unwrap();
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        let mut subscriber = Raw::subscribe(&channel).await;
        subscriber.until(1).await;
        stalled.push(subscriber);
    }
    let mut live = Raw::subscribe(&channel).await;
    let snapshot = live.until(flood.populate().await).await;
    let before = flood.server.memory();

    // None of the stalled is read from here on. The writer is answered and the live one, on the same
    // connection, is told, round after round.
    let mut last = 0;
    let mut sent = 0;
    for round in 0..ROUNDS {
        last = flood.round(round).await;
        sent += live.until(last).await.bytes;
    }
    let grown = flood.server.memory().saturating_sub(before);
    println!("{sent} bytes told, {grown} bytes grown, snapshot: {snapshot:?}");
    assert!(sent > 20 * WINDOW as usize, "too few to stall anybody");
    assert!(grown < MEMORY, "{grown} bytes for {STALLED} stalled");

    let client = Client::connect(&flood.server.address).await.unwrap();
    let right = State::asked(&client, &Scope::all(), last).await;
    State::of(&live.view).must_be(&right, "the one that reads");
    for subscriber in &mut stalled {
        let told = subscriber.until(last).await;
        State::of(&subscriber.view).must_be(&right, "one that reads again");
        // What was on its way, and then each endpoint once.
        let most = snapshot.bytes + ON_THE_WAY * WINDOW as usize;
        assert!(
            told.resets == 0 && told.bytes <= most && told.endpoints < CHANGES / 4,
            "{told:?}, of {CHANGES} changes and {most} bytes: nothing was merged"
        );
    }
    assert_eq!(
        live.view
            .services()
            .values()
            .next()
            .unwrap()
            .endpoints
            .len(),
        PODS as usize
    );
}
