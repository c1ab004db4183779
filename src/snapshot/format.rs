use std::time::SystemTime;

use bytes::Bytes;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::engine::{MissingNode, ObjectPlace};
use crate::model::{Kind, Revision};
use crate::wire::{encode_time, proto};

pub(super) const MAGIC: &[u8; 8] = b"selctrdS";
/// Raised when older versions cannot read what this one writes.
pub(super) const FORMAT: u32 = 1;
/// Bytes before the header: the magic, the format, and the header's length.
pub(super) const BEFORE_HEADER: usize = 16;
/// Longest header.
pub(super) const MAX_HEADER: usize = 1 << 16;
/// Bytes of the check sum.
pub(super) const SUM: usize = 32;

/// What stands before the objects of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The revision at which the objects were so.
    pub revision: Revision,
    /// The epoch of that revision.
    pub epoch: Bytes,
    /// When it was saved, by the server's clock.
    pub time: Option<SystemTime>,
    /// When the revision was committed; none before the first.
    pub commit_time: Option<SystemTime>,
    /// The version of the server that saved it.
    pub version: String,
    /// What that server did with pods whose node is not known.
    pub missing_node: MissingNode,
    /// How many objects there are of each kind, as [`ObjectPlace::KINDS`] orders them.
    pub objects: [u64; 5],
}

const ADMIT: &str = "admit";
const WITHHOLD: &str = "withhold";

impl Header {
    /// How many objects there are.
    pub fn total(&self) -> u64 {
        self.objects
            .iter()
            .fold(0, |all, some| all.saturating_add(*some))
    }

    /// How many there are of each kind.
    pub fn by_kind(&self) -> impl Iterator<Item = (Kind, u64)> {
        ObjectPlace::KINDS.into_iter().zip(self.objects)
    }

    /// Everything that stands before the body.
    pub(super) fn encode(&self) -> Vec<u8> {
        let [nodes, pods, services, endpoints, endpoint_slices] = self.objects;
        let message = proto::SnapshotHeader {
            revision: self.revision,
            epoch: self.epoch.clone(),
            time: self.time.map(encode_time),
            commit_time: self.commit_time.map(encode_time),
            version: self.version.clone(),
            missing_node: match self.missing_node {
                MissingNode::Admit => ADMIT,
                MissingNode::Withhold => WITHHOLD,
            }
            .to_owned(),
            nodes,
            pods,
            services,
            endpoints,
            endpoint_slices,
        };
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(message.len().saturating_add(BEFORE_HEADER));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&message);
        bytes
    }

    /// The header in its bytes, or what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Header, String> {
        let header = proto::SnapshotHeader::decode(bytes).map_err(|error| error.to_string())?;
        let time = |time: Option<prost_types::Timestamp>| {
            time.and_then(|time| SystemTime::try_from(time).ok())
        };
        let header = Header {
            revision: header.revision,
            time: time(header.time),
            commit_time: time(header.commit_time),
            missing_node: match header.missing_node.as_str() {
                ADMIT => MissingNode::Admit,
                WITHHOLD => MissingNode::Withhold,
                other => return Err(format!("it names the rule {other:?}, which there is not")),
            },
            objects: [
                header.nodes,
                header.pods,
                header.services,
                header.endpoints,
                header.endpoint_slices,
            ],
            epoch: header.epoch,
            version: header.version,
        };
        if header.revision == 0 && header.total() > 0 {
            return Err("it has objects of no revision".to_owned());
        }
        Ok(header)
    }
}

/// Bytes as they come, and whether they end with the check sum of those before.
#[derive(Debug, Default)]
pub struct Checked {
    hash: Sha256,
    /// The last bytes that came, no more than a check sum has.
    end: Vec<u8>,
    bytes: u64,
}

impl Checked {
    /// Takes the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let cut = bytes.len().saturating_sub(SUM);
        let (before, end) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
        let excess = (self.end.len().saturating_add(bytes.len())).saturating_sub(SUM);
        let old: Vec<u8> = self.end.drain(..excess.min(self.end.len())).collect();
        self.hash.update(old);
        self.hash.update(before);
        self.end.extend_from_slice(end);
    }

    /// How many came.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The check sum, if it is that of what came before it.
    pub fn finish(self) -> Option<[u8; 32]> {
        let sum: [u8; SUM] = self.hash.finalize().into();
        (self.end == sum).then_some(sum)
    }
}
