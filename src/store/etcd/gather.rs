//! Whole revisions out of a watch's answers.

use crate::engine::Replicated;
use crate::model::Revision;

use super::keys::revision;
use super::proto::event::EventType;
use super::proto::{Event, KeyValue, WatchResponse};
use super::{EtcdError, Placed};

/// One revision of ours.
#[derive(Debug, PartialEq)]
pub(super) struct Revised {
    pub(super) revision: Revision,
    pub(super) changes: Vec<Replicated>,
    pub(super) requests: Vec<Placed>,
    /// What it came as.
    pub(super) bytes: usize,
}

/// What an event tells.
#[derive(Debug)]
pub(super) enum Told {
    /// What became of an object.
    Change(Replicated),
    /// Under which request id.
    Request(Placed),
    /// Of nothing that a replica holds.
    Nothing,
}

/// What a watch has told and what is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// More of it may come: a large answer comes in fragments, which end anywhere.
    open: Option<Revised>,
    broken: Option<EtcdError>,
}

impl Gather {
    /// What stands behind all that was handed out: nothing more is to be read then.
    pub(super) fn broken(&mut self) -> Option<EtcdError> {
        self.broken.take()
    }

    /// The revisions that are whole with another answer, in order; `change` reads an event.
    ///
    /// # Errors
    /// An event cannot be read, and nothing whole precedes it. If something does, that comes first, and
    /// what is wrong is kept.
    pub(super) fn take(
        &mut self,
        answer: WatchResponse,
        mut change: impl FnMut(KeyValue, bool) -> Result<Told, EtcdError>,
    ) -> Result<Vec<Revised>, EtcdError> {
        let mut whole = Vec::new();
        for event in answer.events {
            let is_deleted = event.r#type() == EventType::Delete;
            let Event { kv: Some(kv), .. } = event else {
                continue;
            };
            let at = revision(kv.mod_revision);
            if self.open.as_ref().is_some_and(|open| open.revision != at) {
                whole.extend(self.open.take());
            }
            let bytes = kv.key.len().saturating_add(kv.value.len());
            let read = change(kv, is_deleted);
            let open = self.open.get_or_insert_with(|| Revised {
                revision: at,
                changes: Vec::new(),
                requests: Vec::new(),
                bytes: 0,
            });
            open.bytes = open.bytes.saturating_add(bytes);
            match read {
                Ok(Told::Change(change)) => open.changes.push(change),
                Ok(Told::Request(request)) => open.requests.push(request),
                Ok(Told::Nothing) => {}
                Err(error) => {
                    self.open = None;
                    if whole.is_empty() {
                        return Err(error);
                    }
                    self.broken = Some(error);
                    return Ok(whole);
                }
            }
        }
        if !answer.fragment {
            whole.extend(self.open.take());
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, ObjectName, ObjectRef};
    use crate::store::etcd::keys::foreign;

    /// An answer with deletions of nodes, which are called by their revisions.
    fn answer(revisions: &[i64], fragment: bool) -> WatchResponse {
        let event = |(number, revision): (usize, &i64)| Event {
            r#type: EventType::Delete.into(),
            kv: Some(KeyValue {
                key: format!("{revision}-{number}").into(),
                mod_revision: *revision,
                ..KeyValue::default()
            }),
        };
        WatchResponse {
            events: revisions.iter().enumerate().map(event).collect(),
            fragment,
            ..WatchResponse::default()
        }
    }

    /// How many changes each revision has. Those of revision 13 cannot be read.
    fn take(gather: &mut Gather, answer: WatchResponse) -> Result<Vec<(u64, usize)>, EtcdError> {
        let whole = gather.take(answer, |kv, is_deleted| {
            assert!(is_deleted);
            if kv.mod_revision == 13 {
                return Err(foreign(&kv.key, "it cannot be read"));
            }
            let name = ObjectName::cluster(String::from_utf8_lossy(&kv.key));
            Ok(Told::Change(Replicated::Delete(ObjectRef::new(
                Kind::Node,
                name,
            ))))
        })?;
        let counted = whole.iter().map(|it| (it.revision, it.changes.len()));
        Ok(counted.collect())
    }

    #[test]
    fn a_revision_is_whole_with_its_last_fragment() {
        let mut gather = Gather::default();
        let told = take(&mut gather, answer(&[1, 1, 2], true));
        assert_eq!(told, Ok(vec![(1, 2)]));
        assert_eq!(take(&mut gather, answer(&[2, 2], true)), Ok(vec![]));
        let told = take(&mut gather, answer(&[2, 3, 3], false));
        assert_eq!(told, Ok(vec![(2, 4), (3, 2)]));
        assert_eq!(take(&mut gather, answer(&[4], false)), Ok(vec![(4, 1)]));
        assert_eq!(gather.broken(), None);
    }

    #[test]
    fn what_precedes_something_wrong_is_told_first() {
        let mut gather = Gather::default();
        assert_eq!(take(&mut gather, answer(&[10], true)), Ok(vec![]));
        let told = take(&mut gather, answer(&[10, 11, 12, 13, 14], false));
        assert_eq!(told, Ok(vec![(10, 2), (11, 1), (12, 1)]));
        assert!(matches!(gather.broken(), Some(EtcdError::Foreign { .. })));
        assert!(take(&mut Gather::default(), answer(&[13, 14], false)).is_err());
    }
}
