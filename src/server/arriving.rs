//! Messages that have begun to arrive and are not whole: what they may hold together, and for how long
//! each may be waited for. Nothing else bounds them, as no handler sees a message before it is whole.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

use crate::wire::status;

use super::limits::Limits;

/// Bytes of a message that are not counted: what a call may have on its way unread anyway.
const UNCOUNTED: usize = 64 << 10;
/// Most bytes of a message to the Watch service: what is kept of it is kept as long as its stream.
const MAX_WATCH_MESSAGE: usize = 1 << 20;
const WATCH: &str = "/selectord.v1.Watch/";

/// What all bodies share.
#[derive(Debug, Clone)]
pub(super) struct Arrivals {
    bytes: Arc<Semaphore>,
    wait: Duration,
}

impl Arrivals {
    pub(super) fn new(limits: &Limits) -> Self {
        let bytes = limits.max_arriving_bytes.min(Semaphore::MAX_PERMITS);
        Arrivals {
            bytes: Arc::new(Semaphore::new(bytes)),
            wait: limits.message_wait,
        }
    }

    /// The request, with a body that ends by an error where a message passes a limit.
    pub(super) fn bound(&self, request: http::Request<Body>) -> http::Request<Body> {
        let watches = request.uri().path().starts_with(WATCH);
        request.map(|inner| {
            Body::new(Arriving {
                inner,
                shared: self.clone(),
                max: if watches {
                    MAX_WATCH_MESSAGE
                } else {
                    usize::MAX
                },
                message: Message::default(),
                held: None,
                left: self.wait,
                waiting: None,
            })
        })
    }
}

/// The body of a request, whose messages are counted as they arrive.
struct Arriving {
    inner: Body,
    shared: Arrivals,
    /// Most bytes of one message.
    max: usize,
    message: Message,
    held: Option<OwnedSemaphorePermit>,
    /// For how much longer the rest of the message is waited for. The time in which nobody asks for it
    /// is not the client's.
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// How much of a message is there: of the five bytes that say its length, and of itself.
#[derive(Debug, Default)]
struct Message {
    prefix: [u8; 5],
    prefixed: usize,
    body: usize,
}

impl Message {
    /// Its length, once that is known.
    fn len(&self) -> Option<usize> {
        let [_, a, b, c, d] = self.prefix;
        let len = u32::from_be_bytes([a, b, c, d]);
        (self.prefixed == self.prefix.len()).then(|| usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn has_begun(&self) -> bool {
        self.prefixed > 0
    }

    /// Takes what belongs to it, and begins anew when it is whole: then answers true.
    fn take(&mut self, bytes: &mut &[u8]) -> bool {
        while let Some(room) = self.prefix.get_mut(self.prefixed)
            && let Some((first, rest)) = bytes.split_first()
        {
            *room = *first;
            self.prefixed = self.prefixed.saturating_add(1);
            *bytes = rest;
        }
        let Some(len) = self.len() else {
            return false;
        };
        let taken = len.saturating_sub(self.body).min(bytes.len());
        self.body = self.body.saturating_add(taken);
        *bytes = bytes.get(taken..).unwrap_or_default();
        let whole = self.body >= len;
        if whole {
            *self = Message::default();
        }
        whole
    }
}

impl Arriving {
    fn arrived(&mut self, mut bytes: &[u8]) -> Result<(), Status> {
        while !bytes.is_empty() {
            let whole = self.message.take(&mut bytes);
            if whole {
                self.held = None;
                self.left = self.shared.wait;
            }
            if self.message.len().is_some_and(|len| len > self.max) {
                return Err(status::limit_exceeded(
                    "max_watch_message_bytes",
                    format!("a message to the Watch service may have {} bytes", self.max),
                ));
            }
        }
        let held = self.held.as_ref().map_or(0, |held| held.num_permits());
        let more = self
            .message
            .body
            .saturating_sub(UNCOUNTED.saturating_add(held));
        if more == 0 {
            return Ok(());
        }
        let full = || {
            status::limit_exceeded(
                "max_arriving_bytes",
                "too much has been sent to this server of messages that are not whole: try again",
            )
        };
        let permits = u32::try_from(more).map_err(|_| full())?;
        let bytes = Arc::clone(&self.shared.bytes);
        let taken = bytes.try_acquire_many_owned(permits).map_err(|_| full())?;
        match &mut self.held {
            Some(held) => held.merge(taken),
            none => *none = Some(taken),
        }
        Ok(())
    }

    /// Whether the rest of a message has been waited for too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.message.has_begun() {
            return false;
        }
        let left = self.left;
        let (_, sleep) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            if this.is_late(cx) {
                this.held = None;
                return Poll::Ready(Some(Err(status::incomplete(this.shared.wait))));
            }
            return Poll::Pending;
        };
        if let Some((since, _)) = this.waiting.take() {
            this.left = this.left.saturating_sub(since.elapsed());
        }
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(refused) = this.arrived(data)
        {
            this.held = None;
            return Poll::Ready(Some(Err(refused)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_wherever_they_are_cut() {
        let mut sent = Vec::new();
        let lengths = [0u32, 1, 7, 0, 300];
        for len in lengths {
            sent.push(0);
            sent.extend(len.to_be_bytes());
            sent.extend(vec![9; len as usize]);
        }
        for piece in 1..20 {
            let mut message = Message::default();
            let mut whole = 0;
            for mut bytes in sent.chunks(piece) {
                while !bytes.is_empty() {
                    whole += usize::from(message.take(&mut bytes));
                }
            }
            assert_eq!(whole, lengths.len(), "in pieces of {piece}");
            assert!(!message.has_begun());
        }
    }
}
