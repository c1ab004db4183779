use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::Status;

use crate::wire::status;

/// Messages that a stream holds for a client that does not read: what flow control has not taken
/// yet. Beyond that the task that makes them waits.
const CAPACITY: usize = 1;

/// A stream of answers made by a task of its own. What the task returns is how the stream ends,
/// after everything it sent.
pub(super) struct Outflow<T> {
    messages: mpsc::Receiver<T>,
    ending: Option<oneshot::Receiver<Result<(), Status>>>,
}

/// Where a task puts its answers.
pub(super) struct Outlet<T>(mpsc::Sender<T>);

/// The client is gone.
pub(super) struct Gone;

impl<T> Outlet<T> {
    /// Waits until there is room.
    pub(super) async fn send(&self, message: T) -> Result<(), Gone> {
        self.0.send(message).await.map_err(|_| Gone)
    }
}

impl<T: Send + 'static> Outflow<T> {
    /// Runs `produce` on a task. It should end when the outlet says that the client is gone; how it
    /// ends is then of no interest.
    pub(super) fn spawn<F>(produce: impl FnOnce(Outlet<T>) -> F) -> Self
    where
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (sender, messages) = mpsc::channel(CAPACITY);
        let (end, ending) = oneshot::channel();
        let work = produce(Outlet(sender));
        tokio::spawn(async move {
            let _ = end.send(work.await);
        });
        Outflow {
            messages,
            ending: Some(ending),
        }
    }
}

impl<T> Stream for Outflow<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = ready!(self.messages.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(message)));
        }
        let Some(ending) = self.ending.as_mut() else {
            return Poll::Ready(None);
        };
        let ended = ready!(Pin::new(ending).poll(cx));
        self.ending = None;
        Poll::Ready(match ended {
            Ok(Ok(())) => None,
            Ok(Err(status)) => Some(Err(status)),
            Err(_) => Some(Err(status::internal(
                "the task that fed this stream ended by a defect",
            ))),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn the_status_comes_after_everything_sent() {
        let stream = Outflow::spawn(|outlet| async move {
            for i in 0..5 {
                if outlet.send(i).await.is_err() {
                    return Ok(());
                }
            }
            Err(status::draining())
        });
        let items: Vec<_> = stream
            .map(|item| item.map_err(|status| status.code()))
            .collect()
            .await;
        assert_eq!(
            items,
            [
                Ok(0),
                Ok(1),
                Ok(2),
                Ok(3),
                Ok(4),
                Err(tonic::Code::Unavailable)
            ]
        );
    }
}
