use std::io;
use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime};

use http::Response;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tower::ServiceExt;
use tracing::{info, warn};

use crate::runtime::{Readiness, Ring, Runtime};
use crate::wire::proto::admin_server::AdminServer;
use crate::wire::proto::cluster_server::ClusterServer;
use crate::wire::proto::query_server::QueryServer;
use crate::wire::{proto, status};

use super::admin::AdminService;
use super::arriving::Arrivals;
use super::audience::Audience;
use super::cluster::ClusterService;
use super::connections::serve_listener;
use super::context::{Context, current};
use super::distribute::distribute;
use super::endpoints::Room;
use super::limits::Limits;
use super::listen::Listener;
use super::probes;
use super::query::QueryService;
use super::subscribers::Subscribers;
use super::watch_routes::WatchRoutes;

/// How often it is looked at whether a store that is shared is heard of.
const LOOK: Duration = Duration::from_millis(250);

/// What a server needs beside its listeners and its runtime.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What bounds its clients.
    pub limits: Limits,
    /// Until this is ready, health says NOT_SERVING, and all services but Admin answer UNAVAILABLE: what
    /// is only half there must not be taken for the state.
    pub readiness: Readiness,
    /// Once it is not known for so long whether the store has something newer than what is applied, health
    /// says NOT_SERVING, and nobody begins to watch. Queries and open streams go on.
    pub max_lag: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            limits: Limits::default(),
            readiness: Readiness::default(),
            max_lag: Duration::from_secs(30),
        }
    }
}

/// Why a server ended before it was asked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The HTTP listener failed.
    #[error("the HTTP listener failed")]
    Http(#[from] io::Error),
    /// A task that served a listener ended by a defect.
    #[error("a task of the server ended by a defect")]
    Task(#[from] JoinError),
    /// The thread that owns the engine ended.
    #[error("the engine's thread ended")]
    EngineStopped,
    /// The reflection service could not be built of the API's descriptors.
    #[error("the API's descriptors cannot be reflected")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until `shutdown` is cancelled, then drains: health turns to NOT_SERVING, streams end with
/// a status that tells clients to reconnect, calls that have begun are answered. What has not ended
/// after [`Limits::drain`] is cut.
///
/// # Errors
/// A listener fails, or the engine's thread ends.
pub async fn serve(
    listeners: Vec<Listener>,
    http: Option<TcpListener>,
    runtime: Runtime,
    options: ServerOptions,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let ServerOptions {
        limits,
        readiness,
        max_lag,
    } = options;
    // Ends what runs below when this ends, however that comes.
    let drain = shutdown.child_token();
    let _drain_at_end = drain.clone().drop_guard();
    let context = Arc::new(Context {
        runtime: runtime.clone(),
        audience: Arc::new(Audience::new(limits.heartbeat)),
        ring: Ring::new(runtime.head(), limits.ring_bytes, limits.merged_bytes),
        subscribers: Subscribers::new(limits.max_subscribers),
        room: Room::default(),
        started: SystemTime::now(),
        disbelieved: Once::new(),
        drain: drain.clone(),
        limits: limits.clone(),
        readiness: readiness.clone(),
        max_lag,
    });
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&reporter, ServingStatus::NotServing).await;
    let routes = Routes::new(health).add_service(reflection()?);
    let routes = add_services(routes, &context);

    let mut servers: JoinSet<Result<(), ServeError>> = JoinSet::new();
    servers.spawn({
        let context = Arc::clone(&context);
        let drained = drain.clone().cancelled_owned();
        async move {
            distribute(&context).await;
            drained.await;
            Ok(())
        }
    });
    spawn_listeners(&mut servers, listeners, routes, &limits, &drain);
    if let Some(listener) = http {
        let of = Some((runtime.clone(), max_lag));
        let routes = probes::routes(readiness.clone(), drain.clone(), of);
        spawn_http(&mut servers, listener, routes, &drain);
    }

    let ready = async {
        readiness.ready().await;
        follow_health(&reporter, &runtime, max_lag).await;
    };
    let ended = tokio::select! {
        biased;
        () = drain.cancelled() => Ok(()),
        () = runtime.stopped() => Err(ServeError::EngineStopped),
        Some(ended) = servers.join_next() => flatten(ended),
        () = ready => Ok(()),
    };
    report(&reporter, ServingStatus::NotServing).await;
    drain.cancel();
    let rest = async {
        let mut result = Ok(());
        while let Some(ended) = servers.join_next().await {
            result = result.and(flatten(ended));
        }
        result
    };
    match tokio::time::timeout(limits.drain, rest).await {
        Ok(rest) => ended.and(rest),
        Err(_) => {
            info!("some clients did not leave in time, and are cut off");
            ended
        }
    }
}

/// Says that it serves, for as long as it is current.
async fn follow_health(reporter: &HealthReporter, runtime: &Runtime, max_lag: Duration) {
    let mut before = None;
    loop {
        let now = current(runtime, max_lag);
        match (&now, before) {
            (Ok(()), Some(true)) | (Err(_), Some(false)) => {}
            (Ok(()), _) => report(reporter, ServingStatus::Serving).await,
            (Err(lagging), _) => {
                warn!("NOT_SERVING: {lagging}");
                report(reporter, ServingStatus::NotServing).await;
            }
        }
        before = Some(now.is_ok());
        if runtime.bounds().is_none() {
            // Its own store has nothing that it does not know.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Serves the routes to whoever connects, until the drain.
pub(super) fn spawn_listeners(
    servers: &mut JoinSet<Result<(), ServeError>>,
    listeners: Vec<Listener>,
    routes: Routes,
    limits: &Limits,
    drain: &CancellationToken,
) {
    let max_message_bytes = limits.max_message_bytes;
    let routes = routes.prepare();
    let service = ServiceExt::<http::Request<Body>>::map_response(routes, move |response| {
        name_limit(response, max_message_bytes)
    });
    let arrivals = Arrivals::new(limits);
    let service = service.map_request(move |request| arrivals.bound(request));
    let places = Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS));
    let places = Arc::new(places);
    for listener in listeners {
        let places = Arc::clone(&places);
        let streams = limits.max_streams_per_connection;
        let server = serve_listener(listener, service.clone(), places, streams, drain.clone());
        servers.spawn(async move {
            server.await;
            Ok(())
        });
    }
}

/// Serves the health pages, until the drain.
pub(super) fn spawn_http(
    servers: &mut JoinSet<Result<(), ServeError>>,
    listener: TcpListener,
    routes: axum::Router,
    drain: &CancellationToken,
) {
    let drained = drain.clone().cancelled_owned();
    servers.spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(drained)
            .await
            .map_err(ServeError::Http)
    });
}

fn flatten(ended: Result<Result<(), ServeError>, JoinError>) -> Result<(), ServeError> {
    ended.unwrap_or_else(|defect| Err(defect.into()))
}

/// Whoever looks after a server is answered from the start; everybody else once it is ready. A
/// subscriber that came back early would take the half-loaded state for the whole, and drop the rest.
fn add_services(routes: Routes, context: &Arc<Context>) -> Routes {
    let max = context.limits.max_message_bytes;
    let gated = Arc::clone(context);
    let gate = move |request: Request<()>| gated.ready().map(|()| request);
    let cluster = ClusterServer::new(ClusterService(Arc::clone(context)));
    let query = QueryServer::new(QueryService(Arc::clone(context)));
    let watch = WatchRoutes(Arc::clone(context));
    let admin = AdminServer::new(AdminService(Arc::clone(context)));
    routes
        .add_service(InterceptedService::new(
            cluster.max_decoding_message_size(max),
            gate.clone(),
        ))
        .add_service(InterceptedService::new(
            query.max_decoding_message_size(max),
            gate.clone(),
        ))
        .add_service(InterceptedService::new(watch, gate))
        .add_service(admin.max_decoding_message_size(max))
}

pub(super) fn reflection() -> Result<ServerReflectionServer<impl ServerReflection>, ServeError> {
    Ok(tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?)
}

/// Says the same of every service, and of the server as a whole.
pub(super) async fn report(reporter: &HealthReporter, serving: ServingStatus) {
    let services = [
        "",
        <ClusterServer<ClusterService> as NamedService>::NAME,
        <QueryServer<QueryService> as NamedService>::NAME,
        <WatchRoutes as NamedService>::NAME,
        <AdminServer<AdminService> as NamedService>::NAME,
    ];
    for service in services {
        reporter.set_service_status(service, serving).await;
    }
}

/// A request that is too large is refused before a handler sees it: with a code of no meaning to
/// clients, and without a name for the limit.
fn name_limit(response: Response<Body>, max_message_bytes: usize) -> Response<Body> {
    let oversized = tonic::Status::from_header_map(response.headers())
        .is_some_and(|s| status::is_oversized(&s));
    if oversized {
        status::oversized(max_message_bytes).into_http()
    } else {
        response
    }
}
