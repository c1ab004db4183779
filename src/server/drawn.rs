use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::Status;

/// A stream of answers that are made only while somebody takes them.
///
/// What makes them runs inside of whoever asks for the next one: without a task, a queue or a message
/// of its own, so that a client that does not read costs what its connection has taken and no more.
/// What it returns is how the stream ends.
pub(super) struct Drawn<T> {
    work: Option<Work>,
    slot: Arc<Slot<T>>,
}

type Work = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// Where the answers are put.
pub(super) struct Tap<T>(Arc<Slot<T>>);

struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Tap<T> {
    /// Answers, and goes on when the next answer is asked for.
    pub(super) async fn send(&self, message: T) {
        *self.0.lock() = Some(message);
        // Nobody has to be woken: whoever takes the answer comes here when the next one is wanted.
        poll_fn(|_| {
            if self.0.lock().is_some() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

impl<T: Send + 'static> Drawn<T> {
    /// Answers what `produce` puts into the tap. Dropping the stream drops it wherever it stands.
    pub(super) fn new<F>(produce: impl FnOnce(Tap<T>) -> F) -> Self
    where
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let slot = Arc::new(Slot(Mutex::new(None)));
        let work = produce(Tap(Arc::clone(&slot)));
        Drawn {
            work: Some(Box::pin(work)),
            slot,
        }
    }
}

impl<T> Stream for Drawn<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(None);
        };
        match work.as_mut().poll(cx) {
            Poll::Ready(end) => {
                self.work = None;
                Poll::Ready(end.err().map(Err))
            }
            Poll::Pending => match self.slot.lock().take() {
                Some(message) => Poll::Ready(Some(Ok(message))),
                None => Poll::Pending,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::wire::status;

    #[tokio::test]
    async fn nothing_is_made_that_nobody_takes() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let mut stream = Drawn::new(|tap| async move {
            for i in 0..5 {
                count.fetch_add(1, Ordering::Relaxed);
                tap.send(i).await;
            }
            Err(status::draining())
        });
        for i in 0..5 {
            assert_eq!(made.load(Ordering::Relaxed), i);
            assert_eq!(stream.next().await.unwrap().unwrap(), i);
        }
        let end = stream.next().await.unwrap().unwrap_err();
        assert_eq!(end.code(), tonic::Code::Unavailable);
        assert!(stream.next().await.is_none());
    }
}
