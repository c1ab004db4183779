use std::fmt;

use bytes::Bytes;
use tonic::Streaming;

use crate::model::Revision;
use crate::wire::proto;

use super::{CallError, Client};

/// Some bytes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPart {
    /// They follow those that came before.
    pub data: Bytes,
    /// The revision that it is of: the same in every part.
    pub revision: Revision,
    /// Objects that have gone into it up to here, about.
    pub objects: u64,
    /// Of so many.
    pub total_objects: u64,
}

/// The bytes of a snapshot, as they come: see [`crate::snapshot`]. What has come is nothing before the
/// end has.
pub struct SnapshotParts(Streaming<proto::SaveSnapshotResponse>);

impl fmt::Debug for SnapshotParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotParts").finish_non_exhaustive()
    }
}

impl SnapshotParts {
    /// The next part; none at the end.
    ///
    /// # Errors
    /// Whatever keeps it from coming.
    pub async fn next(&mut self) -> Result<Option<SnapshotPart>, CallError> {
        let part = self.0.message().await?;
        Ok(part.map(|part| SnapshotPart {
            data: part.data,
            revision: part.revision,
            objects: part.objects,
            total_objects: part.total_objects,
        }))
    }
}

impl Client {
    /// Saves every object as it is now, while writes go on: the bytes of a file. There is no deadline,
    /// but whoever does not take them is not waited for long.
    ///
    /// # Errors
    /// Whatever keeps the stream from opening.
    pub async fn save_snapshot(&self) -> Result<SnapshotParts, CallError> {
        let request = proto::SaveSnapshotRequest {};
        let answer = self.admin().save_snapshot(request).await?;
        Ok(SnapshotParts(answer.into_inner()))
    }
}
