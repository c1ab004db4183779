use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::model::{ContainerPort, Phase, Pod, ReadyCondition, Revision};

use super::names::GroupId;
use super::paged::{Paged, Slots};
use super::templates::TemplateId;
use super::uid::Uid;

/// Bytes of a pod name, behind its last hyphen, that fit into the record.
const SUFFIX: usize = 10;
/// Of [`PodRecord::source`]: the source stands in the extra.
pub(crate) const SOURCE_ELSEWHERE: u16 = u16::MAX;

/// A pod in the index: numbers of what it shares with others, and what is its own. One cache line.
///
/// What does not fit stands in an [`Extra`].
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct PodRecord {
    pub(crate) uid: Uid,
    pub(crate) revision: Revision,
    /// The name behind its last hyphen.
    suffix: [u8; SUFFIX],
    suffix_len: u8,
    pub(crate) phase: Phase,
    pub(crate) ready: ReadyCondition,
    form: Form,
    /// The name up to its last hyphen, and the namespace.
    pub(crate) group: GroupId,
    pub(crate) labels: TemplateId,
    pub(crate) node: u32,
    pub(crate) shape: u32,
    /// As `form` has it.
    address: u32,
    pub(crate) source: u16,
}

/// What a record's `address` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing: the pod has none.
    None,
    /// Its one address, of IPv4.
    V4,
    /// The number of its extra.
    Extra,
}

/// What few pods have: several addresses or one of IPv6, a deletion timestamp, a UID that is none, a
/// name with a long end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Extra {
    pub(crate) ips: SmallVec<[IpAddr; 1]>,
    pub(crate) deletion_timestamp: Option<SmolStr>,
    pub(crate) uid: Option<SmolStr>,
    pub(crate) suffix: Option<SmolStr>,
    pub(crate) source: Option<SmolStr>,
}

/// What pods of one workload share besides their labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) ports: Arc<[ContainerPort]>,
    pub(crate) subdomain: SmolStr,
    pub(crate) hostname: Hostname,
}

/// `spec.hostname`: in a StatefulSet each pod has its own name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Hostname {
    PodName,
    /// This, or empty.
    Text(SmolStr),
}

/// The shape of a pod.
pub(crate) fn shape_of(pod: &Pod) -> Shape {
    Shape {
        ports: pod.ports.clone(),
        subdomain: pod.subdomain.clone(),
        hostname: if pod.hostname == pod.name.name {
            Hostname::PodName
        } else {
            Hostname::Text(pod.hostname.clone())
        },
    }
}

/// Ids of what a record refers to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct References {
    pub(crate) group: GroupId,
    pub(crate) labels: TemplateId,
    pub(crate) node: u32,
    pub(crate) shape: u32,
    /// None: the source stands in the extra.
    pub(crate) source: Option<u16>,
}

/// The records of all pods, by id.
#[derive(Debug, Default)]
pub(crate) struct Records {
    rows: Paged<Option<PodRecord>>,
    extras: Slots<Extra>,
}

impl Records {
    pub(crate) fn get(&self, id: u32) -> Option<&PodRecord> {
        self.rows.get(id)?.as_ref()
    }

    pub(crate) fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    pub(crate) fn extra(&self, record: &PodRecord) -> Option<&Extra> {
        self.extras
            .get(record.address)
            .filter(|_| record.form == Form::Extra)
    }

    /// The name behind its last hyphen.
    pub(crate) fn suffix<'r>(&'r self, record: &'r PodRecord) -> &'r str {
        if let Some(suffix) = self.extra(record).and_then(|extra| extra.suffix.as_ref()) {
            return suffix;
        }
        let inline = record.suffix.get(..usize::from(record.suffix_len));
        std::str::from_utf8(inline.unwrap_or_default()).unwrap_or_default()
    }

    /// The same as bytes, which order as text does.
    pub(super) fn suffix_bytes<'r>(&'r self, record: &'r PodRecord) -> &'r [u8] {
        match self.extra(record).and_then(|extra| extra.suffix.as_ref()) {
            Some(suffix) => suffix.as_bytes(),
            None => record
                .suffix
                .get(..usize::from(record.suffix_len))
                .unwrap_or_default(),
        }
    }

    /// The addresses of a pod, in its order.
    pub(crate) fn ips(&self, record: &PodRecord) -> SmallVec<[IpAddr; 1]> {
        match record.form {
            Form::None => SmallVec::new(),
            Form::V4 => [Ipv4Addr::from(record.address).into()]
                .into_iter()
                .collect(),
            Form::Extra => self
                .extra(record)
                .map(|extra| extra.ips.clone())
                .unwrap_or_default(),
        }
    }

    /// Whether two records have the same addresses, in the same order.
    pub(crate) fn same_ips(&self, one: &PodRecord, other: &PodRecord) -> bool {
        match (self.extra(one), self.extra(other)) {
            (None, None) => (one.form, one.address) == (other.form, other.address),
            (Some(one), Some(other)) => one.ips == other.ips,
            _ => self.ips(one) == self.ips(other),
        }
    }

    /// Writes a pod's record; what stood there is the caller's to forget with [`Records::forget`].
    pub(crate) fn put(
        &mut self,
        id: u32,
        pod: &Pod,
        suffix: &str,
        refers: References,
        source: SmolStr,
        revision: Revision,
    ) {
        let uid = Uid::read(&pod.uid);
        let inline = suffix.len() <= SUFFIX;
        let plain = match pod.pod_ips.as_slice() {
            [] => Some((Form::None, 0)),
            [IpAddr::V4(ip)] => Some((Form::V4, u32::from(*ip))),
            _ => None,
        };
        let ordinary =
            uid.is_some() && inline && pod.deletion_timestamp.is_none() && refers.source.is_some();
        let (form, address) = plain.filter(|_| ordinary).unwrap_or_else(|| {
            let extra = Extra {
                ips: pod.pod_ips.clone(),
                deletion_timestamp: pod.deletion_timestamp.clone(),
                uid: uid.is_none().then(|| pod.uid.clone()),
                suffix: (!inline).then(|| suffix.into()),
                source: refers.source.is_none().then_some(source),
            };
            (Form::Extra, self.extras.insert(extra))
        });
        let mut bytes = [0; SUFFIX];
        bytes
            .iter_mut()
            .zip(suffix.bytes())
            .for_each(|(to, from)| *to = from);
        let record = PodRecord {
            uid: uid.unwrap_or_default(),
            revision,
            suffix: bytes,
            suffix_len: if inline { suffix.len() as u8 } else { 0 },
            phase: pod.phase,
            ready: pod.ready,
            form,
            group: refers.group,
            labels: refers.labels,
            node: refers.node,
            shape: refers.shape,
            address,
            source: refers.source.unwrap_or(SOURCE_ELSEWHERE),
        };
        while self.rows.len() <= id as usize {
            self.rows.push(None);
        }
        if let Some(row) = self.rows.get_mut(id) {
            *row = Some(record);
        }
    }

    /// Takes a record out of its place; it can be read until [`Records::forget`].
    pub(crate) fn take(&mut self, id: u32) -> Option<PodRecord> {
        self.rows.get_mut(id)?.take()
    }

    /// Frees what a record that is gone or was replaced kept elsewhere.
    pub(crate) fn forget(&mut self, record: &PodRecord) {
        if record.form == Form::Extra {
            self.extras.remove(record.address);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.extras.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_cache_line() {
        assert_eq!(size_of::<Option<PodRecord>>(), 64);
    }
}
