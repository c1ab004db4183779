//! Connections at a steady rate, while something happens.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::namespace::Namespace;
use super::node::until;
use super::talk::{Answer, connect_once};

/// From the end of one connection to the beginning of the next: a hundred a second.
const PAUSE: Duration = Duration::from_millis(10);

/// One connection after the other, to one address after the other; none is begun before the last one
/// has ended.
pub struct Load {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ending: AtomicBool,
    ended: AtomicUsize,
    failed: Mutex<Vec<(SocketAddr, Answer)>>,
}

impl Load {
    pub fn start(from: &Namespace, to: &[String]) -> Load {
        let to: Vec<SocketAddr> = to.iter().map(|to| to.parse().unwrap()).collect();
        let shared = Arc::new(Shared::default());
        let by_thread = Arc::clone(&shared);
        let thread = from.spawn(move || {
            for to in to.iter().cycle() {
                if by_thread.ending.load(Ordering::SeqCst) {
                    return;
                }
                match connect_once(*to) {
                    Answer::By { .. } => {}
                    other => by_thread.failed.lock().unwrap().push((*to, other)),
                }
                by_thread.ended.fetch_add(1, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
        });
        Load {
            shared,
            thread: Some(thread),
        }
    }

    /// Waits until so many more connections have ended. With one, all that had begun before have.
    pub fn go_on(&self, connections: usize) {
        let ended = || self.shared.ended.load(Ordering::SeqCst);
        let goal = ended() + connections;
        until("the next connections", || ended() >= goal);
    }

    /// Ends it, and answers how many connections there were, and those that failed.
    pub fn end(mut self) -> (usize, Vec<(SocketAddr, Answer)>) {
        self.stop();
        let failed = std::mem::take(&mut *self.shared.failed.lock().unwrap());
        (self.shared.ended.load(Ordering::SeqCst), failed)
    }

    fn stop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}
