//! The answer of GetEndpoints: a service and its endpoints at one revision, in messages that are made
//! as the client reads them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;

use prost::Message as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use crate::engine::{Engine, Stored};
use crate::model::{Endpoint, Kind, ObjectName, ObjectRef, Revision, Service};
use crate::wire::{self, proto, status};

use super::context::Context;
use super::drawn::Drawn;

/// Most bytes of an element's tag and length.
const FRAMING: usize = 6;
/// Endpoints of large answers that are held for their readers, of all clients together: some 256 MiB.
const MOST_HELD: u32 = 500_000;
/// So many endpoints fit into one message, of which nothing is held back.
const SMALL: u64 = 128;
/// How long a large answer is held for its reader.
const READ_TIME: Duration = Duration::from_secs(60);

/// Room for what large answers hold. Those that find none wait until others are read.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Room(Arc::new(Semaphore::new(MOST_HELD as usize)))
    }
}

impl Room {
    async fn take(&self, endpoints: u64) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(endpoints).unwrap_or(MOST_HELD).min(MOST_HELD);
        Arc::clone(&self.0).acquire_many_owned(wanted).await.ok()
    }
}

type Found = (Stored<Arc<Service>>, Vec<Endpoint>);

/// The service and its endpoints, unless these are more than `most`: then how many.
fn read(engine: &Engine, name: &ObjectName, most: u64) -> Option<Result<Found, u64>> {
    let total = engine.endpoint_counts(name)?.total;
    if total > most {
        return Some(Err(total));
    }
    engine.service(name).zip(engine.endpoints(name)).map(Ok)
}

/// What a service has at a revision not below `at_least`.
pub(super) async fn endpoints(
    context: &Context,
    name: ObjectName,
    at_least: Revision,
) -> Result<Drawn<proto::GetEndpointsResponse>, Status> {
    let mut most = SMALL;
    let mut room = None;
    loop {
        let wanted = name.clone();
        let question = move |engine: &Engine| read(engine, &wanted, most);
        let (revision, found) = context.read(at_least, question).await?;
        match found {
            None => return Err(status::not_found(&ObjectRef::new(Kind::Service, name))),
            Some(Ok((service, endpoints))) => {
                let held = Held {
                    revision,
                    source_age: context.source_age(),
                    service: Some(service.object),
                    namespace: name.namespace.to_string(),
                    endpoints: endpoints.into_iter(),
                    room,
                };
                return Ok(send(held, context.limits.stream_message_bytes));
            }
            Some(Err(total)) => {
                // Given back first: whoever waits for more must not keep others waiting.
                drop(room.take());
                room = tokio::select! {
                    biased;
                    room = context.room.take(total) => room,
                    () = context.drain.cancelled() => return Err(status::draining()),
                };
                most = total;
            }
        }
    }
}

/// What is left of an answer.
struct Held {
    revision: Revision,
    source_age: Option<prost_types::Duration>,
    /// Until the first message.
    service: Option<Arc<Service>>,
    namespace: String,
    endpoints: vec::IntoIter<Endpoint>,
    /// None for a small answer.
    room: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// The next message, below a size.
    fn message(&mut self, max_bytes: usize) -> proto::GetEndpointsResponse {
        let service = self.service.take();
        let mut message = proto::GetEndpointsResponse {
            revision: self.revision,
            source_age: self.source_age,
            service: service.as_deref().map(wire::encode_service),
            endpoints: Vec::new(),
        };
        let mut bytes = message.encoded_len();
        while let Some(endpoint) = self.endpoints.as_slice().first() {
            let endpoint = wire::encode_endpoint(endpoint, &self.namespace);
            bytes = bytes.saturating_add(endpoint.encoded_len().saturating_add(FRAMING));
            if bytes > max_bytes && !message.endpoints.is_empty() {
                break;
            }
            message.endpoints.push(endpoint);
            self.endpoints.next();
        }
        message
    }
}

fn send(held: Held, max_bytes: usize) -> Drawn<proto::GetEndpointsResponse> {
    let large = held.room.is_some();
    let held = Arc::new(Mutex::new(Some(held)));
    // A stream that is not read is not asked for its next message either, so that time has to be
    // kept outside of it.
    let letting_go = large.then(|| {
        let held = Arc::clone(&held);
        AbortOnDropHandle::new(tokio::spawn(async move {
            tokio::time::sleep(READ_TIME).await;
            *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }))
    });
    Drawn::new(move |tap| async move {
        let _letting_go = letting_go;
        loop {
            let (message, more) = {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(left) = &mut *held else {
                    return Err(status::unread(READ_TIME));
                };
                let message = left.message(max_bytes);
                let more = !left.endpoints.as_slice().is_empty();
                if !more {
                    *held = None;
                }
                (message, more)
            };
            tap.send(message).await;
            if !more {
                return Ok(());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::model::{Conditions, EndpointIdentity, EndpointPorts, Hints};

    fn held(endpoints: usize, room: Option<OwnedSemaphorePermit>) -> Held {
        let endpoint = |i: usize| Endpoint {
            identity: EndpointIdentity {
                hostname: format!("h{i}").into(),
                ..EndpointIdentity::default()
            },
            uid: "".into(),
            ports: EndpointPorts::OfService,
            conditions: Conditions {
                ready: true,
                serving: true,
                terminating: false,
            },
            node: "".into(),
            zone: "".into(),
            hints: Hints::default(),
        };
        Held {
            revision: 7,
            source_age: None,
            service: Some(Arc::new(Service::default())),
            namespace: "default".to_owned(),
            endpoints: (0..endpoints).map(endpoint).collect::<Vec<_>>().into_iter(),
            room,
        }
    }

    #[tokio::test]
    async fn a_large_answer_holds_room_until_its_last_message() {
        let room = Room::default();
        let all = room.0.available_permits();
        let permit = room.take(1_000).await;
        let mut answer = send(held(1_000, permit), 2_000);
        let (mut messages, mut endpoints) = (0, 0);
        while endpoints < 1_000 {
            assert_eq!(room.0.available_permits(), all - 1_000);
            let message = answer.next().await.unwrap().unwrap();
            assert_eq!(message.service.is_some(), messages == 0);
            assert!(message.encoded_len() <= 2_000);
            messages += 1;
            endpoints += message.endpoints.len();
        }
        assert!(messages > 5);
        assert_eq!(room.0.available_permits(), all);
        assert!(answer.next().await.is_none());
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_any_more_gives_its_room_back() {
        let room = Room::default();
        let all = room.0.available_permits();
        let permit = room.take(u64::MAX).await;
        assert_eq!(room.0.available_permits(), 0);
        let mut answer = send(held(1_000, permit), 2_000);
        answer.next().await.unwrap().unwrap();
        drop(answer);
        // The task that keeps the time ends as soon as it is looked at.
        while room.0.available_permits() < all {
            tokio::task::yield_now().await;
        }
    }
}
