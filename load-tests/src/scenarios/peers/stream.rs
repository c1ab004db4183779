use std::ops::ControlFlow;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use prost::Message as _;
use selectord::engine::{Engine, Progress, Scope, View, Walk};
use selectord::model::Change;
use selectord::wire::proto::WatchEndpointsResponse;
use selectord::wire::{Checkpoint, Cursor, Delta, EncodedMessage, MessageWriter, decode_event};

use crate::cluster::{apply, transaction};

use super::answers::endpoint;

/// Bytes after which a server begins another message.
const MESSAGE: usize = 64 << 10;
/// Records read at once.
const PIECE: usize = 1_024;

/// A subscriber of everything, at the far end of an encoded stream.
pub struct Subscriber {
    pub engine: Engine,
    walk: Walk,
    view: View,
    /// Bytes that it was sent, in gRPC's frames.
    pub bytes: u64,
    /// Messages that it was sent.
    pub messages: u64,
}

impl Subscriber {
    /// One that has everything there is; what that took is not counted.
    pub fn new(engine: Engine) -> anyhow::Result<Subscriber> {
        let mut subscriber = Subscriber {
            walk: Walk::new(Scope::all(), None),
            view: View::default(),
            engine,
            bytes: 0,
            messages: 0,
        };
        subscriber.catch_up()?;
        (subscriber.bytes, subscriber.messages) = (0, 0);
        Ok(subscriber)
    }

    /// Applies changes as one transaction, and brings the subscriber to the head.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> anyhow::Result<()> {
        apply(&mut self.engine, transaction(changes));
        self.catch_up()
    }

    fn catch_up(&mut self) -> anyhow::Result<()> {
        let mut writer = MessageWriter::new(MESSAGE, 1);
        let mut full = Vec::new();
        let revision = loop {
            let progress = self.engine.catch_up(&mut self.walk, PIECE, &mut |event| {
                if writer.push(&event) {
                    full.extend(writer.take_full());
                }
                ControlFlow::Continue(())
            });
            if let Progress::Head(revision) = progress {
                break revision;
            }
        };
        let checkpoint = Checkpoint {
            cursor: Cursor {
                epoch: Bytes::from_static(&[0xab; 16]),
                revision,
                scope: u64::MAX,
            },
            commit_time: Some(SystemTime::now()),
            ..Checkpoint::default()
        };
        full.push(writer.checkpoint(&checkpoint));
        full.iter().try_for_each(|message| self.receive(message))
    }

    /// Takes a message as it comes: as bytes.
    fn receive(&mut self, message: &EncodedMessage) -> anyhow::Result<()> {
        self.bytes += message.len() as u64;
        self.messages += 1;
        for event in WatchEndpointsResponse::decode(message.body())?.events {
            let delta = decode_event(event).map_err(|faults| anyhow!("{faults:?}"))?;
            match delta {
                Delta::Events(events) => {
                    events.into_iter().for_each(|event| self.view.apply(event))
                }
                Delta::Checkpoint(_) => drop(self.view.checkpoint()),
                Delta::Offer => bail!("asked for what is held, which nobody offered"),
            }
        }
        Ok(())
    }

    /// The endpoints that it holds of the one service there is, sorted.
    pub fn endpoints(&self) -> anyhow::Result<Vec<String>> {
        let (_, held) = self
            .view
            .services()
            .iter()
            .next()
            .context("nothing was told")?;
        let endpoints = held.endpoints.values();
        let mut lines: Vec<String> = endpoints
            .map(|one| endpoint(&held.entry.service, one))
            .collect();
        lines.sort_unstable();
        Ok(lines)
    }
}
