//! A wire to a member, on which requests and answers can be lost.

use std::net::SocketAddr;

use selectord::store::etcd::EtcdOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::etcd::Etcd;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// What the member says does not arrive.
    Deaf,
    /// What is said to the member does not arrive.
    Mute,
    /// Connections are cut, and new ones wait.
    Cut,
}

/// The wire; ends with the test.
pub struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Wire {
    /// To the first member.
    pub async fn to(etcd: &Etcd) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, looked_at) = watch::channel(State::Whole);
        tokio::spawn(accept(listener, etcd.client(0), looked_at));
        Wire { address, state }
    }

    /// How to connect through it.
    pub fn options(&self, etcd: &Etcd) -> EtcdOptions {
        let mut options = etcd.options();
        let prefix = options.address.prefix().to_owned();
        let address = format!("etcd://{}{prefix}", self.address);
        options.address = address.parse().unwrap();
        options
    }

    pub fn lose_answers(&self) {
        self.state.send_replace(State::Deaf);
    }

    pub fn lose_requests(&self) {
        self.state.send_replace(State::Mute);
    }

    /// Answers when nothing is carried any more.
    pub async fn cut(&self) {
        self.state.send_replace(State::Cut);
        // One is whoever accepts.
        while self.state.receiver_count() > 1 {
            tokio::task::yield_now().await;
        }
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, mut state: watch::Receiver<State>) {
    while state.wait_for(|state| *state != State::Cut).await.is_ok() {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        tokio::spawn(carry(client, to, state.clone()));
    }
}

/// Carries bytes both ways until the wire is cut.
async fn carry(client: TcpStream, to: SocketAddr, mut state: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(to).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry_one_way(from_client, to_server, state.clone(), State::Mute) => {}
        () = carry_one_way(from_server, to_client, state.clone(), State::Deaf) => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Carries bytes, and loses them while the wire is so.
async fn carry_one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: watch::Receiver<State>,
    loses: State,
) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let arrives = *state.borrow() != loses;
        if arrives && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
