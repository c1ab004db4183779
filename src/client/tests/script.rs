//! A Watch service that does as it is told: one script for each subscription, in order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::client::{Client, Cursor};
use crate::engine::{Event, ServiceEntry};
use crate::model::{
    Conditions, Endpoint, EndpointIdentity, EndpointPorts, Hints, ObjectName, Pod, Revision,
    Service,
};
use crate::wire::proto::watch_endpoints_request::Request as Wanted;
use crate::wire::proto::watch_server::{Watch, WatchServer};
use crate::wire::{Checkpoint, MessageWriter, PodEventBatch, proto};

/// What a subscription is sent.
pub(super) enum Act<M> {
    Send(M),
    Fail(Status),
    /// Waits until the client has offered all it holds.
    Offered,
    /// Says nothing, for ever.
    Silence,
}

/// Scripts, and what clients asked for.
pub(super) struct Script {
    endpoints: Mutex<VecDeque<Vec<Act<proto::WatchEndpointsResponse>>>>,
    pods: Mutex<VecDeque<Vec<Act<proto::WatchPodsResponse>>>>,
    asked: UnboundedSender<Asked>,
}

/// A request that reached the server.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    Endpoints(proto::watch_endpoints_request::Request),
    Pods(proto::WatchPodsRequest),
}

impl Asked {
    /// The revision that a subscription goes on from.
    pub(super) fn cursor(&self) -> Option<Revision> {
        let cursor = match self {
            Asked::Endpoints(proto::watch_endpoints_request::Request::Subscribe(it)) => {
                it.cursor.as_ref()
            }
            Asked::Endpoints(_) => panic!("not a subscription: {self:?}"),
            Asked::Pods(it) => it.cursor.as_ref(),
        };
        cursor.map(|cursor| cursor.revision)
    }
}

type Answers<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// The answers of the next script. Without one it is refused, so that a test ends whose client asks once more
/// than it is to.
fn play<M: Send + 'static>(
    scripts: &Mutex<VecDeque<Vec<Act<M>>>>,
    offered: Arc<Notify>,
) -> Result<Response<Answers<M>>, Status> {
    let acts = scripts
        .lock()
        .unwrap()
        .pop_front()
        .ok_or_else(|| Status::invalid_argument("no script"))?;
    let silent = acts.iter().any(|act| matches!(act, Act::Silence));
    let answers = tokio_stream::iter(acts).then(move |act| {
        let offered = Arc::clone(&offered);
        async move {
            match act {
                Act::Send(message) => Some(Ok(message)),
                Act::Fail(status) => Some(Err(status)),
                Act::Silence => None,
                Act::Offered => {
                    offered.notified().await;
                    None
                }
            }
        }
    });
    let answers = answers.filter_map(|answer| answer);
    Ok(Response::new(if silent {
        Box::pin(answers.chain(tokio_stream::pending()))
    } else {
        Box::pin(answers)
    }))
}

#[tonic::async_trait]
impl Watch for Arc<Script> {
    type WatchEndpointsStream = Answers<proto::WatchEndpointsResponse>;
    type WatchPodsStream = Answers<proto::WatchPodsResponse>;

    async fn watch_endpoints(
        &self,
        request: Request<Streaming<proto::WatchEndpointsRequest>>,
    ) -> Result<Response<Self::WatchEndpointsStream>, Status> {
        let mut requests = request.into_inner();
        let asked = self.asked.clone();
        let offered = Arc::new(Notify::new());
        let all_is_offered = Arc::clone(&offered);
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                if let Some(request) = request.request {
                    let last = matches!(&request, Wanted::Offer(offer) if offer.last);
                    let _ = asked.send(Asked::Endpoints(request));
                    if last {
                        all_is_offered.notify_one();
                    }
                }
            }
        });
        play(&self.endpoints, offered)
    }

    async fn watch_pods(
        &self,
        request: Request<proto::WatchPodsRequest>,
    ) -> Result<Response<Self::WatchPodsStream>, Status> {
        let _ = self.asked.send(Asked::Pods(request.into_inner()));
        play(&self.pods, Arc::default())
    }
}

/// The answer, unless it takes so long that it will not come.
pub(super) async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(180);
    let answer = tokio::time::timeout(patience, answer).await;
    answer.expect("no answer")
}

/// A client of a server with these scripts, and what the server is asked.
pub(super) async fn serve(
    endpoints: Vec<Vec<Act<proto::WatchEndpointsResponse>>>,
    pods: Vec<Vec<Act<proto::WatchPodsResponse>>>,
) -> (Client, UnboundedReceiver<Asked>) {
    let (asked, asks) = unbounded_channel();
    let script = Arc::new(Script {
        endpoints: Mutex::new(endpoints.into()),
        pods: Mutex::new(pods.into()),
        asked,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tonic::transport::Server::builder().add_service(WatchServer::new(script));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (Client::connect(&address).await.unwrap(), asks)
}

pub(super) fn checkpoint(epoch: &'static str, revision: Revision) -> Checkpoint {
    let cursor = Cursor {
        epoch: Bytes::from(epoch),
        revision,
        scope: 1,
    };
    Checkpoint {
        cursor,
        ..Checkpoint::default()
    }
}

/// Events and their checkpoint in one message.
pub(super) fn cut(
    events: Vec<Event>,
    epoch: &'static str,
    revision: Revision,
) -> Act<proto::WatchEndpointsResponse> {
    let mut writer = MessageWriter::new(usize::MAX, 0);
    for event in &events {
        assert!(!writer.push(event));
    }
    let message = writer.checkpoint(&checkpoint(epoch, revision));
    Act::Send(proto::WatchEndpointsResponse::decode(message.body()).unwrap())
}

/// Events whose checkpoint never comes.
pub(super) fn part(events: Vec<Event>) -> Act<proto::WatchEndpointsResponse> {
    let Act::Send(mut message) = cut(events, "", 0) else {
        panic!("a cut is a message")
    };
    message.events.pop();
    Act::Send(message)
}

/// Asks for what is held.
pub(super) fn ask() -> Act<proto::WatchEndpointsResponse> {
    let event = proto::EndpointsEvent {
        r#type: proto::EventType::Offer.into(),
        ..Default::default()
    };
    Act::Send(proto::WatchEndpointsResponse {
        events: vec![event],
        subscription: 0,
    })
}

pub(super) fn pods_cut(
    events: Vec<crate::engine::PodEvent>,
    epoch: &'static str,
    revision: Revision,
) -> Act<proto::WatchPodsResponse> {
    let mut batch = PodEventBatch::new(usize::MAX);
    for event in &events {
        assert!(batch.push(event).is_none());
    }
    Act::Send(batch.checkpoint(&checkpoint(epoch, revision)))
}

pub(super) fn name(service: &str) -> ObjectName {
    ObjectName::new("default", service)
}

pub(super) fn replace(service: &str, revision: Revision) -> Event {
    let service = Service {
        name: name(service),
        ..Service::default()
    };
    Event::Replace(ServiceEntry {
        service: Arc::new(service),
        revision,
    })
}

pub(super) fn endpoint(service: &str, last: u8) -> Event {
    let endpoint = Endpoint {
        identity: EndpointIdentity {
            addresses: [[10, 1, 0, last].into()].into_iter().collect(),
            ..Default::default()
        },
        uid: "".into(),
        ports: EndpointPorts::OfService,
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: "".into(),
        zone: "".into(),
        hints: Hints::default(),
    };
    Event::Endpoint {
        service: name(service),
        endpoint,
    }
}

pub(super) fn pod(name: &str, revision: Revision) -> crate::engine::PodEvent {
    let pod = Pod {
        name: ObjectName::new("default", name),
        ..Pod::default()
    };
    crate::engine::PodEvent::Pod { pod, revision }
}
