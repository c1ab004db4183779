//! What a subscriber holds, on its way from its requests to its walk: one message at a time.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use crate::engine::Held;
use crate::labels::FieldError;
use crate::model::ObjectName;
use crate::wire::{decode_offer, proto, status};

use super::context::valid;

/// One message of an offer.
struct Part {
    held: Vec<Held>,
    is_last: bool,
    /// Dropped when the part is used up.
    used: oneshot::Sender<()>,
}

/// Where the walk takes offers from. While it has a part, no further request is read; when it is dropped,
/// what still comes is passed over.
pub(super) struct Offers {
    asked: Arc<AtomicBool>,
    parts: mpsc::Receiver<Part>,
    /// Of the part that is being used.
    using: Option<oneshot::Sender<()>>,
}

/// Where requests put them.
pub(super) struct Offering {
    /// Until the last part has come.
    asked: Arc<AtomicBool>,
    parts: mpsc::Sender<Part>,
    /// The last name of the part before.
    after: Option<ObjectName>,
}

/// The two ends, of one subscription.
pub(super) fn offers() -> (Offering, Offers) {
    let (sender, parts) = mpsc::channel(1);
    let asked = Arc::new(AtomicBool::new(false));
    let offering = Offering {
        asked: Arc::clone(&asked),
        parts: sender,
        after: None,
    };
    let offers = Offers {
        asked,
        parts,
        using: None,
    };
    (offering, offers)
}

impl Offers {
    /// The subscriber is being asked.
    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Release);
    }

    /// The next part, when the one before is used up. Waits for as long as the subscriber keeps silent.
    pub(super) async fn next(&mut self) -> (Vec<Held>, bool) {
        self.using = None;
        match self.parts.recv().await {
            Some(part) => {
                // Behind the last part there is nothing to hold back.
                self.using = (!part.is_last).then_some(part.used);
                (part.held, part.is_last)
            }
            None => pending().await,
        }
    }
}

impl Offering {
    /// Takes a message, and waits until it is used up.
    ///
    /// # Errors
    /// Nobody asked for it, or it breaks a rule.
    pub(super) async fn give(&mut self, offer: proto::Offer) -> Result<(), Status> {
        if !self.asked.load(Ordering::Acquire) {
            let detail = "comes only after an OFFER, until one that says that it is the last";
            return Err(status::invalid(&[FieldError::forbidden("offer", detail)]));
        }
        let (held, is_last) = valid("offer", decode_offer(offer, self.after.as_ref()))?;
        self.after = match held.last() {
            Some(held) if !is_last => Some(held.name.clone()),
            _ => None,
        };
        if is_last {
            self.asked.store(false, Ordering::Release);
        }
        let (used, until) = oneshot::channel();
        let part = Part {
            held,
            is_last,
            used,
        };
        if self.parts.send(part).await.is_ok() {
            // It is never sent, only dropped.
            let _ = until.await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::model::Digest;
    use crate::wire::encode_offer;

    fn part(name: &str, is_last: bool) -> proto::Offer {
        let held = Held {
            name: ObjectName::new("default", name),
            digest: Digest::default(),
            revision: 1,
        };
        encode_offer(&[held], is_last)
    }

    #[tokio::test]
    async fn a_part_is_taken_when_the_one_before_is_used_up() {
        let (mut offering, mut offers) = offers();
        let refused = offering.give(part("a", false)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        offers.ask();
        {
            let mut giving = pin!(offering.give(part("a", false)));
            let mut poll = || {
                giving
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            };
            assert!(poll().is_pending());
            assert_eq!(offers.next().await.0.len(), 1);
            assert!(poll().is_pending(), "it is being used");
            {
                let mut next = pin!(offers.next());
                let poll = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(poll.is_pending(), "there is no more yet");
            }
            assert!(matches!(poll(), Poll::Ready(Ok(()))));
        }
        let refused = offering.give(part("a", true)).await.unwrap_err();
        assert!(refused.message().contains("offer.services[0]"), "{refused}");
        let (given, (held, is_last)) = tokio::join!(offering.give(part("b", true)), offers.next());
        assert!(given.is_ok() && held.len() == 1 && is_last);
        assert!(
            offering.give(part("c", true)).await.is_err(),
            "that was the last"
        );
    }

    #[tokio::test]
    async fn what_nobody_wants_any_more_is_passed_over() {
        let (mut offering, offers) = offers();
        offers.ask();
        drop(offers);
        offering.give(part("a", false)).await.unwrap();
        offering.give(part("b", true)).await.unwrap();
        assert!(offering.give(part("c", true)).await.is_err());
    }
}
