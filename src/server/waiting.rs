//! What a server answers while there is no state yet: that it is there, and what it waits for.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_prost::ProstCodec;
use tower::Service;

use crate::runtime::Readiness;
use crate::wire::proto::admin_server::AdminServer;
use crate::wire::proto::cluster_server::ClusterServer;
use crate::wire::proto::query_server::QueryServer;
use crate::wire::{self, proto, status};

use super::admin::AdminService;
use super::cluster::ClusterService;
use super::limits::Limits;
use super::listen::Listener;
use super::probes;
use super::query::QueryService;
use super::serve::{ServeError, reflection, report, spawn_http, spawn_listeners};
use super::watch_routes::WatchRoutes;

/// How long calls may take to end once there is a state: they are short, but for those who watch health.
const DRAIN: Duration = Duration::from_millis(500);

/// What is known of a server that has no state yet.
#[derive(Debug, Clone)]
pub struct WaitingOptions {
    /// What bounds its clients.
    pub limits: Limits,
    /// What it waits for.
    pub readiness: Readiness,
    /// What kind of store it reads, in one word.
    pub store: &'static str,
}

/// Answers health with NOT_SERVING, `/readyz` with what is waited for, GetStatus with that too, and all
/// other calls with UNAVAILABLE, until `state` is there. If it is there at once, nothing is begun.
///
/// # Errors
/// A listener fails.
pub async fn serve_waiting<T>(
    listeners: Vec<Listener>,
    http: Option<TcpListener>,
    options: WaitingOptions,
    state: impl Future<Output = T>,
) -> Result<T, ServeError> {
    let mut state = std::pin::pin!(state);
    tokio::select! {
        biased;
        state = &mut state => return Ok(state),
        () = ready(()) => {}
    }
    let drain = CancellationToken::new();
    let _drain_at_end = drain.clone().drop_guard();
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&reporter, ServingStatus::NotServing).await;
    let room = Arc::new(Room {
        started: SystemTime::now(),
        readiness: options.readiness.clone(),
        store: options.store,
    });
    let routes = Routes::new(health)
        .add_service(reflection()?)
        .add_service(Waiting::<AdminServer<AdminService>>::new(&room))
        .add_service(Waiting::<ClusterServer<ClusterService>>::new(&room))
        .add_service(Waiting::<QueryServer<QueryService>>::new(&room))
        .add_service(Waiting::<WatchRoutes>::new(&room));
    let mut servers = JoinSet::new();
    spawn_listeners(&mut servers, listeners, routes, &options.limits, &drain);
    if let Some(http) = http {
        let routes = probes::routes(options.readiness, drain.clone(), None);
        spawn_http(&mut servers, http, routes, &drain);
    }
    let state = tokio::select! {
        state = &mut state => state,
        Some(ended) = servers.join_next() => {
            ended??;
            state.await
        }
    };
    drain.cancel();
    let rest = async { while servers.join_next().await.is_some() {} };
    // Who has not left by then is cut off, and connects again.
    let _ = tokio::time::timeout(DRAIN, rest).await;
    Ok(state)
}

struct Room {
    started: SystemTime,
    readiness: Readiness,
    store: &'static str,
}

impl Room {
    fn pending(&self) -> String {
        self.readiness.pending().join(", ")
    }

    fn status(&self) -> proto::GetStatusResponse {
        proto::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: Some(wire::encode_time(self.started)),
            store: self.store.to_owned(),
            unready: self.pending(),
            ..proto::GetStatusResponse::default()
        }
    }
}

/// Stands where the service `S` is going to be.
struct Waiting<S> {
    room: Arc<Room>,
    service: PhantomData<fn() -> S>,
}

impl<S> Waiting<S> {
    fn new(room: &Arc<Room>) -> Waiting<S> {
        Waiting {
            room: Arc::clone(room),
            service: PhantomData,
        }
    }
}

impl<S> Clone for Waiting<S> {
    fn clone(&self) -> Waiting<S> {
        Waiting::new(&self.room)
    }
}

impl<S: NamedService> NamedService for Waiting<S> {
    const NAME: &'static str = S::NAME;
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Waiting<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Poller<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let room = Arc::clone(&self.room);
        if request.uri().path() == "/selectord.v1.Admin/GetStatus" {
            return Box::pin(async move {
                let mut grpc = Grpc::new(ProstCodec::default());
                Ok(grpc.unary(GetStatus(room), request).await)
            });
        }
        Box::pin(async move { Ok(status::unready(&room.pending()).into_http()) })
    }
}

struct GetStatus(Arc<Room>);

impl UnaryService<proto::GetStatusRequest> for GetStatus {
    type Response = proto::GetStatusResponse;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Self::Response>, Status>> + Send>>;

    fn call(&mut self, _: tonic::Request<proto::GetStatusRequest>) -> Self::Future {
        let status = self.0.status();
        Box::pin(async move { Ok(tonic::Response::new(status)) })
    }
}
