//! A subscriber that folds what it is sent.

use prost::Message as _;
use selectord::engine::{Event, Scope, View};
use selectord::model::ObjectName;
use selectord::wire::proto::watch_endpoints_request::Request as Asked;
use selectord::wire::{self, Checkpoint, Cursor, Delta, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::harness::{Server, patiently};

pub struct Subscriber {
    asks: mpsc::Sender<proto::WatchEndpointsRequest>,
    answers: Streaming<proto::WatchEndpointsResponse>,
    pub view: View,
    /// Of the messages since the last checkpoint but the last: their sizes in bytes.
    pub sizes: Vec<usize>,
    /// Most services in a message when it says what it holds.
    pub part: usize,
}

impl Subscriber {
    pub async fn new(server: &Server, scope: &Scope, cursor: Option<&Cursor>) -> Subscriber {
        Subscriber::with_client(server.watch(), scope, cursor).await
    }

    pub async fn with_client(
        mut client: proto::watch_client::WatchClient<tonic::transport::Channel>,
        scope: &Scope,
        cursor: Option<&Cursor>,
    ) -> Subscriber {
        Subscriber::with_request(&mut client, subscribe(scope, cursor)).await
    }

    /// One that comes back with what it holds, and can say what that is.
    pub async fn holding(
        server: &Server,
        scope: &Scope,
        cursor: Option<&Cursor>,
        view: View,
    ) -> Subscriber {
        let mut asked = subscribe(scope, cursor);
        if let Some(Asked::Subscribe(subscribe)) = &mut asked.request {
            subscribe.can_offer = true;
        }
        let mut subscriber = Subscriber::with_request(&mut server.watch(), asked).await;
        subscriber.view = view;
        subscriber
    }

    async fn with_request(
        client: &mut proto::watch_client::WatchClient<tonic::transport::Channel>,
        asked: proto::WatchEndpointsRequest,
    ) -> Subscriber {
        let (asks, requests) = mpsc::channel(8);
        asks.send(asked).await.unwrap();
        let answers = patiently(client.watch_endpoints(ReceiverStream::new(requests)))
            .await
            .unwrap()
            .into_inner();
        Subscriber {
            asks,
            answers,
            view: View::default(),
            sizes: Vec::new(),
            part: wire::MAX_OFFERED,
        }
    }

    pub async fn resubscribe(&self, scope: &Scope, subscription: u64) {
        let mut asked = subscribe(scope, None);
        if let Some(Asked::Subscribe(subscribe)) = &mut asked.request {
            subscribe.subscription = subscription;
        }
        self.asks.send(asked).await.unwrap();
    }

    pub async fn report_applied(&self, revision: u64) {
        let request = Some(Asked::AppliedRevision(revision));
        self.asks
            .send(proto::WatchEndpointsRequest { request })
            .await
            .unwrap();
    }

    /// Says what it holds, in messages of `part` services, whether or not anybody reads them.
    fn offer(&self) {
        let asks = self.asks.clone();
        let mut held: Vec<_> = self.view.held(None).collect();
        let part = self.part;
        tokio::spawn(async move {
            loop {
                let rest = held.split_off(part.min(held.len()));
                let offer = wire::encode_offer(&held, rest.is_empty());
                let request = Some(Asked::Offer(offer));
                let sent = asks.send(proto::WatchEndpointsRequest { request }).await;
                if sent.is_err() || rest.is_empty() {
                    return;
                }
                held = rest;
            }
        });
    }

    /// Sends any request.
    pub async fn ask(&self, request: Asked) {
        let request = proto::WatchEndpointsRequest {
            request: Some(request),
        };
        self.asks.send(request).await.unwrap();
    }

    /// The next message as it is, folded into nothing.
    pub async fn message(&mut self) -> Result<proto::WatchEndpointsResponse, Status> {
        let message = patiently(self.answers.message()).await?;
        Ok(message.expect("the stream ended without a status"))
    }

    /// Folds what comes up to the next checkpoint; answers it and the events before it.
    pub async fn next(&mut self) -> Result<(Checkpoint, Vec<Event>), Status> {
        let mut told = Vec::new();
        self.sizes.clear();
        loop {
            let message = self.message().await?;
            self.sizes.push(message.encoded_len());
            for element in message.events {
                match wire::decode_event(element).expect("a server keeps its word") {
                    Delta::Events(events) => told.extend(events),
                    Delta::Offer => {
                        told.clear();
                        self.offer();
                    }
                    Delta::Checkpoint(checkpoint) => {
                        told.iter()
                            .cloned()
                            .for_each(|event| self.view.apply(event));
                        self.view.checkpoint();
                        return Ok((checkpoint, told));
                    }
                }
            }
        }
    }

    /// Folds up to the first checkpoint at or behind a revision; answers it and all events before it.
    pub async fn until(&mut self, revision: u64) -> (Checkpoint, Vec<Event>) {
        let mut told = Vec::new();
        loop {
            let (checkpoint, events) = self.next().await.unwrap();
            told.extend(events);
            if checkpoint.cursor.revision >= revision {
                return (checkpoint, told);
            }
        }
    }

    /// Names of the pods behind a service's endpoints, sorted.
    pub fn pods_of(&self, service: &str) -> Vec<String> {
        let held = self
            .view
            .services()
            .get(&ObjectName::new("default", service));
        let pods = held
            .into_iter()
            .flat_map(|service| service.endpoints.keys());
        let mut names: Vec<String> = pods
            .filter_map(|id| Some(id.pod.as_ref()?.name.to_string()))
            .collect();
        names.sort();
        names
    }
}

fn subscribe(scope: &Scope, cursor: Option<&Cursor>) -> proto::WatchEndpointsRequest {
    let subscribe = proto::Subscribe {
        scope: Some(wire::encode_scope(scope)),
        cursor: cursor.map(wire::encode_cursor),
        name: "a test".to_owned(),
        subscription: 0,
        can_offer: false,
    };
    proto::WatchEndpointsRequest {
        request: Some(Asked::Subscribe(subscribe)),
    }
}
