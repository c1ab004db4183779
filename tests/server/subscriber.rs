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
        let (asks, requests) = mpsc::channel(8);
        asks.send(subscribe(scope, cursor)).await.unwrap();
        let answers = patiently(client.watch_endpoints(ReceiverStream::new(requests)))
            .await
            .unwrap()
            .into_inner();
        Subscriber {
            asks,
            answers,
            view: View::default(),
            sizes: Vec::new(),
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
    };
    proto::WatchEndpointsRequest {
        request: Some(Asked::Subscribe(subscribe)),
    }
}
