//! The stream of a live query: pod events into messages below a set size, and back.

use prost::Message as _;

use crate::engine::PodEvent;
use crate::labels::FieldError;

use super::faults::{Decoded, Faults, required};
use super::name::{decode_name, encode_name, unknown_number};
use super::pod::{decode_pod, encode_pod};
use super::proto;
use super::proto::EventType;
use super::scope::{Checkpoint, decode_checkpoint, encode_checkpoint};

/// Most bytes that an element adds to what it holds.
const ELEMENT_OVERHEAD: usize = 6;

/// Pod events on their way into one message, closed before it passes a limit, as in
/// [`super::MessageWriter`].
#[derive(Debug)]
pub struct PodEventBatch {
    limit: usize,
    size: usize,
    events: Vec<proto::PodsEvent>,
}

impl PodEventBatch {
    /// An empty message, to be closed before it has more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        PodEventBatch {
            limit,
            size: 0,
            events: Vec::new(),
        }
    }

    /// Whether nothing was added since the last message was taken.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event; answers the message before it, if that is full.
    pub fn push(&mut self, event: &PodEvent) -> Option<proto::WatchPodsResponse> {
        let element = match event {
            PodEvent::Reset => proto::PodsEvent {
                r#type: EventType::Reset.into(),
                ..Default::default()
            },
            PodEvent::Pod { pod, revision } => proto::PodsEvent {
                r#type: EventType::Update.into(),
                pod: Some(proto::PodItem {
                    pod: Some(encode_pod(pod)),
                    revision: *revision,
                }),
                ..Default::default()
            },
            PodEvent::Removed(name) => proto::PodsEvent {
                r#type: EventType::Remove.into(),
                removed: Some(encode_name(name)),
                ..Default::default()
            },
        };
        let size = element.encoded_len().saturating_add(ELEMENT_OVERHEAD);
        let full = !self.events.is_empty() && self.size.saturating_add(size) > self.limit;
        let message = full.then(|| self.take());
        self.size = self.size.saturating_add(size);
        self.events.push(element);
        message
    }

    /// The last message before a pause: what is left, and the checkpoint.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> proto::WatchPodsResponse {
        self.events.push(proto::PodsEvent {
            r#type: EventType::Checkpoint.into(),
            checkpoint: Some(encode_checkpoint(checkpoint)),
            ..Default::default()
        });
        self.take()
    }

    fn take(&mut self) -> proto::WatchPodsResponse {
        self.size = 0;
        proto::WatchPodsResponse {
            events: std::mem::take(&mut self.events),
        }
    }
}

/// What one element of a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodDelta {
    /// A step of the fold.
    Event(PodEvent),
    /// The commit point.
    Checkpoint(Checkpoint),
}

/// One element of a message.
///
/// # Errors
/// What a server that keeps its word does not send.
pub fn decode_pod_event(event: proto::PodsEvent) -> Decoded<PodDelta> {
    let mut faults = Faults::default();
    let decoded = match EventType::try_from(event.r#type) {
        Ok(EventType::Reset) => PodDelta::Event(PodEvent::Reset),
        Ok(EventType::Update) => {
            let item = event.pod.unwrap_or_default();
            let pod = item
                .pod
                .map_or_else(|| required("", "an UPDATE carries one"), decode_pod);
            PodDelta::Event(PodEvent::Pod {
                pod: faults.part("pod.pod", pod),
                revision: item.revision,
            })
        }
        Ok(EventType::Remove) => {
            let removed = event
                .removed
                .map_or_else(|| required("", "a REMOVE carries one"), decode_name);
            PodDelta::Event(PodEvent::Removed(faults.part("removed", removed)))
        }
        Ok(EventType::Checkpoint) => {
            let checkpoint = event.checkpoint.map_or_else(
                || required("", "a CHECKPOINT carries one"),
                decode_checkpoint,
            );
            PodDelta::Checkpoint(faults.part("checkpoint", checkpoint))
        }
        Ok(EventType::Replace | EventType::Offer | EventType::Unspecified) | Err(_) => {
            return unknown_number(event.r#type).map_err(|faults: Vec<FieldError>| {
                faults
                    .into_iter()
                    .map(|fault| fault.under("type"))
                    .collect()
            });
        }
    };
    faults.finish(decoded)
}
