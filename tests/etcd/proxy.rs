//! A wire that can be cut: a small TCP proxy between two programs.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes that are on their way at once.
const AT_ONCE: usize = 16 << 10;
/// Bytes of a request's head, at most.
const HEAD: usize = 8 << 10;

/// A wire. Clones are the same wire.
#[derive(Debug, Clone, Default)]
pub struct Link(Arc<watch::Sender<Wire>>);

#[derive(Debug, Clone, Copy, Default)]
struct Wire {
    /// Nothing comes through, and nobody is told.
    held: bool,
    /// How often its connections were broken off.
    broken: u64,
}

impl Link {
    /// Nothing comes through from now on; connections stay, as they do when a cable is pulled.
    pub fn cut(&self) {
        self.0.send_modify(|wire| wire.held = true);
    }

    /// What was on its way comes through, and everything after it.
    pub fn heal(&self) {
        self.0.send_modify(|wire| wire.held = false);
    }

    /// Breaks off its connections, as whoever loses its table of connections does.
    pub fn break_off(&self) {
        self.0.send_modify(|wire| wire.broken += 1);
    }
}

/// Takes connections for `target` on one wire.
pub async fn forward(listener: TcpListener, target: SocketAddr, link: Link) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(carry(socket, Vec::new(), target, link.clone()));
    }
}

/// Takes connections of etcd's members for one of them: each says in its first request from whom it
/// is, and has the wire that `link_from` answers for it.
pub async fn forward_peers(
    listener: TcpListener,
    target: SocketAddr,
    link_from: impl Fn(&str) -> Link + Clone + Send + Sync + 'static,
) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let link_from = link_from.clone();
        tokio::spawn(async move {
            if let Some(head) = head(&mut socket).await {
                let link = link_from(&sender(&head));
                carry(socket, head, target, link).await;
            }
        });
    }
}

/// The head of the first request, and perhaps more; none if it ended before.
async fn head(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let came = socket.read_buf(&mut head).await.ok()?;
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") || head.len() > HEAD {
            return Some(head);
        }
        if came == 0 {
            return None;
        }
    }
}

/// Who etcd says it is from: a member's number in hexadecimal. Empty if it does not say.
fn sender(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let from = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-server-from"));
    from.map_or(String::new(), |(_, value)| value.trim().to_owned())
}

async fn carry(mut socket: TcpStream, first: Vec<u8>, target: SocketAddr, link: Link) {
    let mut wire = link.0.subscribe();
    let born = wire.borrow().broken;
    let connection = async {
        passes(&mut link.0.subscribe()).await;
        let Ok(mut onward) = TcpStream::connect(target).await else {
            // Nobody is there; the connection is reset as the target's own system would.
            let _ = socket.shutdown().await;
            return;
        };
        let _ = (socket.set_nodelay(true), onward.set_nodelay(true));
        if onward.write_all(&first).await.is_err() {
            return;
        }
        let (from, back) = socket.into_split();
        let (returning, to) = onward.into_split();
        tokio::select! {
            () = copy(from, to, link.0.subscribe()) => {}
            () = copy(returning, back, link.0.subscribe()) => {}
        }
    };
    tokio::select! {
        () = connection => {}
        _ = wire.wait_for(|wire| wire.broken != born) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut bytes = vec![0; AT_ONCE];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        passes(&mut wire).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    // Its end, too, is only seen where the wire is whole.
    passes(&mut wire).await;
}

async fn passes(wire: &mut watch::Receiver<Wire>) {
    let _ = wire.wait_for(|wire| !wire.held).await;
}
