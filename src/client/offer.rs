use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tokio_stream::wrappers::WatchStream;

use crate::engine::View;
use crate::model::ObjectName;
use crate::wire::{MAX_OFFERED, encode_offer, proto};

/// Endpoints that are hashed for one message: some milliseconds of work, unless one service has more.
const MOST_ENDPOINTS: usize = 16_384;

/// Says what is held, whenever it is asked: a message at a time, each made when the connection has room
/// for it.
pub(super) struct Offers {
    /// What to offer, each time that the server asks. Weak: a connection that is gone keeps nothing.
    asked: WatchStream<Weak<View>>,
    /// What is being offered, and the name that came last.
    current: Option<(Weak<View>, Option<ObjectName>)>,
}

impl Offers {
    pub(super) fn new(asked: WatchStream<Weak<View>>) -> Self {
        Offers {
            asked,
            current: None,
        }
    }
}

impl Stream for Offers {
    type Item = proto::Offer;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<proto::Offer>> {
        loop {
            // Who is asked again begins again.
            let asked = Pin::new(&mut self.asked).poll_next(cx);
            if let Poll::Ready(Some(view)) = asked {
                self.current = Some((view, None));
                continue;
            }
            let Some((weak, after)) = self.current.take() else {
                return asked.map(|_| None);
            };
            // What is not held any more is not waited for either: the connection is being given up.
            let Some(view) = weak.upgrade() else {
                continue;
            };
            let (offer, last) = part(&view, after.as_ref());
            self.current = last.map(|last| (weak, Some(last)));
            return Poll::Ready(Some(offer));
        }
    }
}

/// What is held behind a name, as much as goes into a message; and the last name of it, if there may be more.
fn part(view: &View, after: Option<&ObjectName>) -> (proto::Offer, Option<ObjectName>) {
    let mut endpoints = 0_usize;
    let mut held = Vec::new();
    let mut rest = view.held(after);
    while held.len() < MAX_OFFERED && endpoints < MOST_ENDPOINTS {
        let Some(next) = rest.next() else {
            return (encode_offer(&held, true), None);
        };
        let service = view.services().get(&next.name);
        endpoints = endpoints.saturating_add(service.map_or(0, |it| it.endpoints.len()));
        held.push(next);
    }
    (
        encode_offer(&held, false),
        held.last().map(|held| held.name.clone()),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;
    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::engine::{Event, ServiceEntry};
    use crate::model::Service;
    use crate::wire::decode_offer;

    fn view(services: usize) -> View {
        let mut view = View::default();
        for i in 0..services {
            let service = Service {
                name: ObjectName::new("default", format!("svc-{i:05}")),
                ..Service::default()
            };
            view.apply(Event::Replace(ServiceEntry {
                service: Arc::new(service),
                revision: i as u64,
            }));
        }
        view
    }

    #[tokio::test]
    async fn everything_held_is_offered_in_order_each_time_it_is_asked_for() {
        for services in [0, 1, MAX_OFFERED, 2 * MAX_OFFERED + 7] {
            let view = Arc::new(view(services));
            let (ask, asked) = watch::channel(Weak::new());
            let mut offers = Offers::new(WatchStream::from_changes(asked));
            for _ in 0..2 {
                ask.send_replace(Arc::downgrade(&view));
                let mut held = Vec::new();
                loop {
                    let after = held
                        .last()
                        .map(|held: &crate::engine::Held| held.name.clone());
                    let offer = offers.next().await.unwrap();
                    let (part, is_last) = decode_offer(offer, after.as_ref()).unwrap();
                    held.extend(part);
                    if is_last {
                        break;
                    }
                }
                assert!(held.into_iter().eq(view.held(None)), "{services}");
            }
            drop(ask);
            assert!(offers.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn what_is_let_go_is_not_offered() {
        let view = Arc::new(view(MAX_OFFERED + 1));
        let (ask, asked) = watch::channel(Arc::downgrade(&view));
        let mut offers = Offers::new(WatchStream::new(asked));
        assert!(!offers.next().await.unwrap().last);
        drop((view, ask));
        assert!(offers.next().await.is_none());
    }
}
