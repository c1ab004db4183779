//! Who waits for those who catch up.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;

use crate::engine::{Engine, Scope, Walk};
use crate::store::MemoryStore;
use crate::wire::MessageWriter;

use super::*;

type Asked<'r> = Pin<Box<dyn Future<Output = Result<(), Stopped>> + 'r>>;

/// Whether a future is done now. It asks its question the first time.
async fn is_done(future: &mut Pin<Box<impl Future + ?Sized>>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

/// A question that keeps the thread busy until it is told to go on, and says when it begins to.
fn hold(runtime: &Runtime) -> (Asked<'_>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begin, begun) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let question = move |_: &Engine| {
        let _ = begin.send(());
        let _ = goes_on.recv();
    };
    (Box::pin(runtime.query(question)), begun, go_on)
}

#[tokio::test]
async fn a_query_waits_for_no_more_than_one_piece_of_catch_up() {
    let store = Box::new(MemoryStore::new().unwrap());
    let (runtime, thread) = start(store, RuntimeOptions::default()).unwrap();
    let (mut first, begun, go_on) = hold(&runtime);
    assert!(!is_done(&mut first).await);
    begun.recv().unwrap();
    let mut pieces = Vec::new();
    for _ in 0..50 {
        let walk = Walk::new(Scope::all(), None);
        let mut piece = Box::pin(runtime.catch_up(walk, MessageWriter::new(1 << 16, 0)));
        assert!(!is_done(&mut piece).await);
        pieces.push(piece);
    }
    let (mut query, answered, end) = hold(&runtime);
    assert!(!is_done(&mut query).await);
    go_on.send(()).unwrap();
    answered.recv().unwrap();
    let mut told = 0;
    for piece in &mut pieces {
        if told < 2 && is_done(piece).await {
            told += 1;
        }
    }
    assert!(told < 2, "the query waited for several pieces");
    end.send(()).unwrap();
    first.await.unwrap();
    query.await.unwrap();
    drop(pieces);
    thread.shutdown().await.unwrap();
}
