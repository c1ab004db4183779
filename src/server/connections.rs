use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::server::{Connected as _, TcpConnectInfo};
use tower::{Service, ServiceExt as _, service_fn};
use tracing::{debug, warn};

use super::calls::Calls;
use super::gather::{Gathering, in_turns};
use super::listen::Listener;

/// Bytes of one call that may be on their way to the server unread.
const STREAM_WINDOW: u32 = 64 << 10;
/// Bytes of one stream's answers that wait in the server for a client that does not read, beside the
/// message that went past them.
const SEND_BUFFER: usize = 16 << 10;
/// Bytes of one request's headers.
const HEADERS: u32 = 16 << 10;
/// How often a silent connection is asked whether it is alive, and how long it has to answer.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait before accepting again, where the system has no room for another connection.
const FULL: Duration = Duration::from_millis(100);

/// Serves what connects to a listener until the drain, and then until every call has ended. Whoever
/// connects while there is no place is hung up on.
pub(super) async fn serve_listener<S, F>(
    listener: Listener,
    service: S,
    places: Arc<Semaphore>,
    streams: u32,
    drain: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = F>,
    S: Clone + Send + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let streams = streams.max(1);
    let mut http = http2::Builder::new(TokioExecutor::new());
    // A call that the server is slow to read holds up no other on its connection: all their windows
    // together fit into the connection's.
    http.timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW.saturating_mul(streams).min(i32::MAX as u32))
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    let mut connections = JoinSet::new();
    let mut full = false;
    let serve = async {
        loop {
            let accepted = accept(&listener).await;
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((io, info)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        // Once, and not for each of those who come meanwhile.
                        if !mem::replace(&mut full, true) {
                            warn!(
                                "connections are refused: there are as many as max_connections allows"
                            );
                        }
                        continue;
                    };
                    full = false;
                    let of = service
                        .clone()
                        .map_request(move |request: Request<Incoming>| {
                            let mut request = request.map(Body::new);
                            if let Some(info) = &info {
                                request.extensions_mut().insert(info.clone());
                            }
                            request
                        });
                    let served = serve_connection(http.clone(), io, of, drain.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(FULL).await;
                }
            }
        }
    };
    tokio::select! {
        () = drain.cancelled() => {}
        () = serve => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A connection of either kind.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<C: AsyncRead + AsyncWrite + Send + Unpin> Connection for C {}

async fn accept(listener: &Listener) -> io::Result<(Box<dyn Connection>, Option<TcpConnectInfo>)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let info = stream.connect_info();
            Ok((Box::new(stream), Some(info)))
        }
        Listener::Unix(listener, _file) => {
            let (stream, _) = listener.accept().await?;
            Ok((Box::new(stream), None))
        }
    }
}

async fn serve_connection<S, F>(
    http: http2::Builder<TokioExecutor>,
    io: Box<dyn Connection>,
    service: S,
    drain: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future = F>,
    S: Clone + Send + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let (socket, calls) = (Gathering::new(io), Calls::default());
    let counted = calls.clone();
    let service = service_fn(move |request| {
        let call = counted.begin();
        let answer = service.clone().oneshot(request);
        async move {
            let response = answer.await?;
            Ok::<_, Infallible>(response.map(|body| call.until_end_of(body)))
        }
    });
    let connection = http.serve_connection(
        TokioIo::new(socket.share()),
        TowerToHyperService::new(service),
    );
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = in_turns(connection.as_mut(), &socket, &calls) => served,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            in_turns(connection.as_mut(), &socket, &calls).await
        }
    };
    if let Err(error) = served {
        debug!(%error, "a connection ended by an error");
    }
}
