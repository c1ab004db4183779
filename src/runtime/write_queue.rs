use std::collections::VecDeque;

use tokio::sync::mpsc::Receiver;

use super::command::{Commit, Write};

/// What waits to be written, in the order in which it was asked.
pub(super) struct WriteQueue {
    /// Taken from the rest to be looked at, and not done yet.
    taken: VecDeque<Write>,
    rest: Receiver<Write>,
}

impl WriteQueue {
    pub(super) fn new(rest: Receiver<Write>) -> Self {
        WriteQueue {
            taken: VecDeque::new(),
            rest,
        }
    }

    /// Waits until there is one; false: there will be no more. Dropped before it ends, it loses none.
    pub(super) async fn ready(&mut self) -> bool {
        if self.taken.is_empty() {
            let write = self.rest.recv().await;
            self.taken.extend(write);
        }
        !self.taken.is_empty()
    }

    /// Waits for another than those that were taken, and takes it; false: there will be no more.
    pub(super) async fn take_another(&mut self) -> bool {
        let write = self.rest.recv().await;
        let another = write.is_some();
        self.taken.extend(write);
        another
    }

    /// How many were taken, to be looked at.
    pub(super) fn taken(&self) -> usize {
        self.taken.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.rest.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<Write> {
        self.taken.pop_front().or_else(|| self.rest.try_recv().ok())
    }

    /// The next, if it is a transaction. Anything else speaks of the state that those before it left.
    pub(super) fn next_commit(&mut self) -> Option<Commit> {
        match self.next()? {
            Write::Commit(commit) => Some(commit),
            other => {
                self.taken.push_front(other);
                None
            }
        }
    }

    /// It is next again.
    pub(super) fn put_back(&mut self, write: Write) {
        self.taken.push_front(write);
    }

    /// Takes no more; what waits is still to be done.
    pub(super) fn close(&mut self) {
        self.rest.close();
    }
}
