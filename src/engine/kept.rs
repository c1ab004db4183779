//! The records of the log as a store keeps them: by names, since ids never leave the process.

use smol_str::SmolStr;

use crate::model::{EndpointIdentity, IpFamily, ObjectName, Revision, Sequence};
use crate::reconcile::{Reconciler, ServicePositions};

use super::log::{Named, Record};
use super::state::Engine;

/// What happened to records that a store was told of, up to a place in the log, and was not told.
#[derive(Debug)]
pub(crate) struct Noted {
    since: Sequence,
    dropped: Vec<Sequence>,
    replaced: Vec<Sequence>,
    /// What changed since the log ended here counts for how much is told next.
    counted: Sequence,
    /// How many were noted since.
    fresh: usize,
}

impl Noted {
    pub(super) fn since(since: Sequence) -> Noted {
        Noted {
            since,
            dropped: Vec::new(),
            replaced: Vec::new(),
            counted: since,
            fresh: 0,
        }
    }

    pub(super) fn drop_at(&mut self, at: Sequence) {
        if at <= self.since {
            self.dropped.push(at);
            self.fresh = self.fresh.saturating_add(1);
        }
    }

    pub(super) fn replace_at(&mut self, at: Sequence) {
        if at <= self.since {
            self.replaced.push(at);
            self.fresh = self.fresh.saturating_add(1);
        }
    }

    /// How many are told next: twice as many as there came to be, so that the rest comes to its end.
    fn next_piece(&mut self, least: usize, last: Sequence) -> usize {
        let written = last.0.saturating_sub(self.counted.0);
        let written = usize::try_from(written).unwrap_or(usize::MAX);
        let fresh = self.fresh.saturating_add(written);
        self.count_from(last);
        least.max(fresh.saturating_mul(2))
    }

    pub(super) fn count_from(&mut self, last: Sequence) {
        self.counted = last;
        self.fresh = 0;
    }
}

/// Takes some from the end.
fn take_last(places: &mut Vec<Sequence>, most: usize) -> Vec<Sequence> {
    places.split_off(places.len().saturating_sub(most))
}

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecord {
    /// Its place in the log.
    pub at: Sequence,
    /// The revision that wrote it.
    pub revision: Revision,
    /// What it is of.
    pub of: RecordOf,
}

/// What a record is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOf {
    /// A service: its fields, or one of its anchors.
    Service(ObjectName),
    /// A computed endpoint.
    Endpoint {
        /// Whose endpoint.
        service: ObjectName,
        /// Name of a pod in the service's namespace.
        pod: SmolStr,
        /// Of the addresses.
        family: IpFamily,
    },
    /// A hand-made endpoint that shows.
    Manual {
        /// Whose endpoint.
        service: ObjectName,
        /// Which.
        identity: EndpointIdentity,
    },
    /// A removal that is remembered.
    Removal {
        /// Whose endpoint it was.
        service: ObjectName,
        /// The endpoint's identity, as bytes.
        key: Vec<u8>,
    },
    /// A deleted service.
    DeletedService(ObjectName),
    /// A node.
    Node(SmolStr),
    /// A deleted node.
    DeletedNode(SmolStr),
}

/// Where a log ends, what it has forgotten, and how much there is beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptEnd {
    /// The newest revision.
    pub head: Revision,
    /// The newest record ever written.
    pub last: Sequence,
    /// The newest deletion that was forgotten, and its revision.
    pub floor: (Sequence, Revision),
    /// How many records there are.
    pub records: u64,
    /// How many objects there are.
    pub objects: u64,
}

/// How the records differ from what a store was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// It is gone.
    Dropped(Sequence),
    /// It is new, or another one in the place of one.
    Written(KeptRecord),
}

impl Engine {
    /// Tells how the records differ from what was told when this was last called: each once, and no more
    /// than `least`, or twice as many as came to differ since the last call. Answers whether that was all;
    /// the rest comes with the next calls. Linear in what is told. Only of an engine that was restored; of
    /// others, nothing is noted and nothing told.
    pub fn changed_records(&mut self, least: usize, sink: &mut dyn FnMut(RecordChange)) -> bool {
        let last = self.log.last();
        let Some(mut noted) = self.log.take_noted() else {
            return true;
        };
        let mut left = noted.next_piece(least, last);
        let dropped = take_last(&mut noted.dropped, left);
        left = left.saturating_sub(dropped.len());
        for at in dropped {
            sink(RecordChange::Dropped(at));
        }
        let replaced = take_last(&mut noted.replaced, left);
        left = left.saturating_sub(replaced.len());
        let replaced = replaced
            .into_iter()
            .filter_map(|at| Some((at, self.log.record_at(at)?)));
        let mut told = noted.since;
        let written = self.log.after(noted.since).take(left);
        let written = written.inspect(|(at, _)| told = *at);
        for (at, record) in replaced.chain(written) {
            if let Some(kept) = self.kept(at, record) {
                sink(RecordChange::Written(kept));
            }
        }
        let is_all = noted.dropped.is_empty()
            && noted.replaced.is_empty()
            && self.log.after(told).next().is_none();
        if !is_all {
            noted.since = told;
            self.log.note_again(noted);
        }
        is_all
    }

    /// What records have come to differ by now is told bit by bit, and not at once with the next call of
    /// [`Engine::changed_records`]: to be called where that is not asked for some time.
    pub fn defer_changed_records(&mut self) {
        self.log.count_noted_anew();
    }

    /// Tells every record, in the order of the log.
    pub fn records(&self) -> impl Iterator<Item = KeptRecord> {
        let all = self.log.after(Sequence::START);
        all.filter_map(|(at, record)| self.kept(at, record))
    }

    /// Where the log ends now.
    pub fn kept_end(&self) -> KeptEnd {
        KeptEnd {
            head: self.head,
            last: self.log.last(),
            floor: self.log.floor(),
            records: self.log.len() as u64,
            objects: self.object_count(),
        }
    }

    /// Where the records of a service stand.
    pub fn service_positions(&self, name: &ObjectName) -> Option<ServicePositions> {
        Some(self.reconciler.services.find(name)?.set.positions)
    }

    fn kept(&self, at: Sequence, record: Record) -> Option<KeptRecord> {
        let of = match record {
            Record::Service(id) => RecordOf::Service(self.service_name(id)?),
            Record::Endpoint {
                service,
                pod,
                family,
            } => RecordOf::Endpoint {
                service: self.service_name(service)?,
                pod: self.index.get(pod)?.name().name,
                family,
            },
            Record::Removal(id) => RecordOf::Removal {
                service: self.service_name(id)?,
                key: (self.reconciler.services.get(id)?.set.removals)
                    .at(at)?
                    .to_vec(),
            },
            Record::Named => match self.log.named(at)? {
                Named::Manual(id, identity) => RecordOf::Manual {
                    service: self.service_name(*id)?,
                    identity: identity.clone(),
                },
                Named::DeletedService(name) => RecordOf::DeletedService(name.clone()),
                Named::Node(name) => RecordOf::Node(name.clone()),
                Named::DeletedNode(name) => RecordOf::DeletedNode(name.clone()),
            },
        };
        Some(KeptRecord {
            at,
            revision: self.log.revision_of(at)?,
            of,
        })
    }

    pub(super) fn object_count(&self) -> u64 {
        let Reconciler {
            services,
            nodes,
            manual,
            ..
        } = &self.reconciler;
        [services.len(), nodes.len(), manual.len()]
            .iter()
            .fold(self.index.len(), |all, some| {
                all.saturating_add(*some as u64)
            })
    }

    fn service_name(&self, id: u32) -> Option<ObjectName> {
        Some(self.reconciler.services.get(id)?.service.name())
    }
}
