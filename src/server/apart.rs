use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A future that is looked at only when it was woken itself, and not each time that another one beside
/// it in the same task was.
pub(super) struct Apart<F> {
    inner: F,
    bell: Arc<Bell>,
    /// Of the bell.
    waker: Waker,
}

struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }
}

impl<F> Apart<F> {
    pub(super) fn new(inner: F) -> Self {
        let bell = Arc::new(Bell {
            rung: AtomicBool::new(true),
            task: Mutex::new(None),
        });
        Apart {
            inner,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }
}

impl<F: Future + Unpin> Future for Apart<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        {
            let mut task = (self.bell.task.lock()).unwrap_or_else(PoisonError::into_inner);
            match &mut *task {
                Some(task) => task.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        // Rung meanwhile, it rings the task that was just noted.
        if !self.bell.rung.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let this = &mut *self;
        let mut cx = Context::from_waker(&this.waker);
        Pin::new(&mut this.inner).poll(&mut cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_when_it_was_woken() {
        let (polled, notify) = (std::cell::Cell::new(0), Notify::new());
        let mut notified = Box::pin(notify.notified());
        let mut apart = Apart::new(Box::pin(async {
            poll_fn(|cx| {
                polled.set(polled.get() + 1);
                notified.as_mut().poll(cx)
            })
            .await;
        }));
        for _ in 0..5 {
            let now = poll_fn(|cx| Poll::Ready(Pin::new(&mut apart).poll(cx))).await;
            assert!(now.is_pending());
        }
        assert_eq!(polled.get(), 1);
        notify.notify_waiters();
        apart.await;
        assert_eq!(polled.get(), 2);
    }
}
