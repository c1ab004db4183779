use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a connection lasts at most: it is for one question, and who asks slowly is hung up on.
const LONGEST: Duration = Duration::from_secs(10);
/// Most connections of one listener; who comes while there are as many is hung up on.
const MOST: usize = 64;
/// How long to wait before accepting again, where the system has no room for another connection.
const FULL: Duration = Duration::from_millis(100);

/// Listens at a socket. Where there is no IPv6, what would be everywhere is everywhere else.
pub(super) async fn listen(socket: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(socket).await {
        Err(_) if socket.ip() == IpAddr::from(Ipv6Addr::UNSPECIFIED) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, socket.port())).await
        }
        bound => bound,
    }
}

/// Answers every question with a page, for as long as it is polled; connections end with it.
pub(super) async fn answer<F>(listener: TcpListener, page: F)
where
    F: Fn() -> Response<String> + Clone + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MOST));
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let page = page.clone();
                    connections.spawn(async move {
                        serve(stream, page).await;
                        drop(place);
                    });
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                sleep(FULL).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, page: impl Fn() -> Response<String>) {
    let answer = service_fn(move |_: Request<Incoming>| {
        let answer = page();
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut http = http1::Builder::new();
    let connection = http
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    if let Ok(Err(error)) = timeout(LONGEST, connection).await {
        tracing::debug!(%error, "a connection ended by an error");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn ask(at: SocketAddr) -> String {
        ask_by(TcpStream::connect(at).await.unwrap()).await
    }

    async fn ask_by(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        // Who is hung up on may find out while it writes.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn silent_connections_are_few_and_end_with_the_listener() {
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let at = listener.local_addr().unwrap();
        let page = || Response::new("well".to_owned());
        let task = tokio::spawn(answer(listener, page));
        assert!(
            ask(at).await.ends_with("well"),
            "it is hung up after one answer"
        );

        let mut silent = Vec::new();
        for _ in 0..MOST {
            silent.push(TcpStream::connect(at).await.unwrap());
        }
        assert_eq!(ask(at).await, "");
        task.abort();
        let _ = task.await;
        for mut stream in silent {
            let mut nothing = [0];
            assert!(matches!(stream.read(&mut nothing).await, Ok(0) | Err(_)));
        }
        // Nobody answers. That nobody accepts would be too much to ask: a process that another test starts
        // has this listener too, until it begins its program.
        if let Ok(stream) = TcpStream::connect(at).await {
            assert_eq!(ask_by(stream).await, "");
        }
    }
}
