//! Snapshots: objects are taken from the engine in pieces and put into the bytes of a file, which are
//! sent as they come to be.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use tonic::Status;
use tracing::{info, warn};

use crate::runtime::SaveSession;
use crate::snapshot::{Header, SnapshotWriter};
use crate::wire::{proto, status};

use super::context::{Context, unsaved};
use super::outflow::{Outflow, Outlet};
use super::patience::Patience;

/// Bytes of a message, about.
const CHUNK: usize = 64 << 10;

/// Begins a save, and answers its bytes.
pub(super) async fn save(
    context: &Arc<Context>,
) -> Result<Outflow<proto::SaveSnapshotResponse>, Status> {
    let session = context.runtime.save().await.map_err(unsaved)?;
    let contents = session.contents();
    let header = Header {
        revision: contents.revision,
        epoch: Bytes::copy_from_slice(context.runtime.epoch().as_bytes()),
        time: Some(SystemTime::now()),
        commit_time: contents.commit_time,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        missing_node: context.runtime.missing_node(),
        objects: contents.objects,
    };
    let context = Arc::clone(context);
    Ok(Outflow::spawn(|outlet| async move {
        let (revision, began) = (header.revision, Instant::now());
        info!(revision, objects = header.total(), "saving a snapshot");
        let limits = &context.limits;
        let mut saving = Saving {
            session,
            patience: Patience::new(limits.save_wait, limits.save_rate),
            context,
            outlet,
            revision,
            total: header.total(),
            objects: 0,
            bytes: 0,
        };
        let ended = saving.run(SnapshotWriter::new(&header)).await;
        match &ended {
            Ok(()) => {
                let seconds = format!("{:.2}", began.elapsed().as_secs_f64());
                info!(
                    revision,
                    bytes = saving.bytes,
                    seconds,
                    "the snapshot is saved"
                );
            }
            Err(error) => warn!(revision, error = error.message(), "no snapshot was saved"),
        }
        ended
    }))
}

struct Saving {
    session: SaveSession,
    patience: Patience,
    context: Arc<Context>,
    outlet: Outlet<proto::SaveSnapshotResponse>,
    revision: u64,
    total: u64,
    objects: u64,
    bytes: u64,
}

impl Saving {
    async fn run(&mut self, mut writer: SnapshotWriter) -> Result<(), Status> {
        let defect = |error: std::io::Error| status::internal(error.to_string());
        loop {
            let piece = tokio::select! {
                biased;
                () = self.context.drain.cancelled() => return Err(status::draining()),
                piece = self.session.next() => piece.map_err(unsaved)?,
            };
            let Some(piece) = piece else { break };
            for object in piece {
                writer.push(&object.encode()).map_err(defect)?;
                self.objects = self.objects.saturating_add(1);
            }
            if writer.ready() >= CHUNK {
                self.send(writer.take()).await?;
            }
        }
        if self.objects != self.total {
            return Err(status::internal(format!(
                "{} objects were found where there are {}",
                self.objects, self.total
            )));
        }
        let rest = writer.finish().map_err(defect)?;
        self.send(rest).await
    }

    /// Sends bytes in messages; waits for whoever reads them, but neither for ever nor for a trickle:
    /// others have to wait for their turn.
    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Status> {
        let mut bytes = Bytes::from(bytes);
        while !bytes.is_empty() {
            let data = bytes.split_to(bytes.len().min(CHUNK));
            let length = data.len() as u64;
            self.bytes = self.bytes.saturating_add(length);
            let message = proto::SaveSnapshotResponse {
                data,
                revision: self.revision,
                objects: self.objects,
                total_objects: self.total,
            };
            let (wait, asked) = (self.patience.left(), Instant::now());
            tokio::select! {
                biased;
                () = self.context.drain.cancelled() => return Err(status::draining()),
                sent = tokio::time::timeout(wait, self.outlet.send(message)) => match sent {
                    Ok(Ok(())) => self.patience.taken(length, asked.elapsed()),
                    Ok(Err(_)) => return Err(status::unavailable("the client is gone")),
                    Err(_) => {
                        let limits = &self.context.limits;
                        return Err(status::slow(limits.save_wait, limits.save_rate));
                    }
                },
            }
        }
        Ok(())
    }
}
