//! An engine from what a store kept: objects as they were last written, and each record where it stood.

use smallvec::SmallVec;
use smol_str::SmolStr;
use thiserror::Error;

use crate::model::{IpFamily, Object, ObjectName, Pod, Revision, Sequence, Service};
use crate::reconcile::{Membership, ServiceId, ServicePositions, Touched};

use super::apply::AHEAD;
use super::kept::{KeptEnd, KeptRecord, RecordOf};
use super::log::{Named, Record};
use super::options::EngineOptions;
use super::state::Engine;

/// For no more pods is room made before they come.
const MOST_EXPECTED: usize = 1 << 24;

/// What a store kept does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RestoreError(String);

fn wrong(what: impl Into<String>) -> RestoreError {
    RestoreError(what.into())
}

/// Puts an engine together: first nodes and pods, then services, then hand-made endpoints, then
/// records in the order of the log. It goes on as the one would have that was kept.
#[derive(Debug)]
pub struct Restore {
    engine: Engine,
    /// Written by the engine where it would note what a transaction touched.
    touched: Touched,
    /// Records of services that have not come yet.
    awaited: usize,
    nodes: usize,
    /// Pods that are put in together, and that were.
    waiting: Vec<(Box<Pod>, Revision, SmolStr)>,
    used: Vec<Object>,
    /// The service of the record before.
    service: Option<(ObjectName, ServiceId)>,
}

impl Restore {
    /// Of an engine with these options.
    pub fn new(options: EngineOptions) -> Restore {
        Restore {
            engine: Engine::new(options),
            touched: Touched::default(),
            awaited: 0,
            nodes: 0,
            waiting: Vec::new(),
            used: Vec::new(),
            service: None,
        }
    }

    /// Says, before the first, how many objects are to come: most of them pods.
    pub fn expect(&mut self, objects: u64) {
        let pods = objects.saturating_sub(objects / 8);
        let names = &mut self.engine.index.names;
        // A number that is damaged must not ask for more memory than there is.
        names.reserve(
            usize::try_from(pods)
                .unwrap_or(usize::MAX)
                .min(MOST_EXPECTED),
        );
    }

    /// Puts an object in that is no service.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn object(
        &mut self,
        object: Object,
        revision: Revision,
        source: SmolStr,
    ) -> Result<(), RestoreError> {
        match object {
            Object::Pod(pod) => {
                let pods = self.waiting.len().saturating_add(1);
                if !self.engine.has_room_for(pods) {
                    return Err(wrong("there are more pods than ids"));
                }
                self.waiting.push((pod, revision, source));
                if pods >= AHEAD {
                    self.put_pods();
                }
            }
            Object::Node(node) => {
                let reconciler = &mut self.engine.reconciler;
                reconciler.put_node(*node, revision, Some(source), &mut self.touched);
                self.nodes = self.nodes.saturating_add(1);
            }
            Object::Manual(manual) => {
                let reconciler = &mut self.engine.reconciler;
                reconciler.put_manual(*manual, revision, Some(source), &mut self.touched);
            }
            Object::Service(service) => {
                return Err(wrong(format!("service {} has no positions", service.name)));
            }
        }
        self.touched.clear();
        Ok(())
    }

    /// Puts in the pods that wait: what is read of one overlaps with what is read of the others.
    fn put_pods(&mut self) {
        let index = &mut self.engine.index;
        let names = self.waiting.iter();
        let names = names.map(|(pod, ..)| Some((&pod.name, Some(&pod.labels))));
        let sought = index.seek(names);
        for ((pod, revision, source), sought) in self.waiting.drain(..).zip(&sought) {
            index.put(&pod, revision, Some(&source), sought.as_ref());
            self.used.push(Object::Pod(pod));
        }
        index.settle();
    }

    /// Objects that have been put in and are not needed any more: it is less work to drop them on the thread
    /// that made them.
    pub fn take_used(&mut self) -> Vec<Object> {
        std::mem::take(&mut self.used)
    }

    /// Puts a service in, whose records stand at these positions.
    pub fn service(
        &mut self,
        service: Service,
        revision: Revision,
        source: SmolStr,
        positions: ServicePositions,
    ) {
        self.put_pods();
        let name = service.name.clone();
        let Engine {
            reconciler, index, ..
        } = &mut self.engine;
        reconciler.put_service(index, service, revision, Some(source), &mut self.touched);
        self.touched.clear();
        let mut places = [
            positions.entry,
            positions.created,
            positions.labels,
            positions.cluster_ip,
        ];
        places.sort_unstable();
        let distinct = places.chunk_by(|a, b| a == b).count();
        self.awaited = self.awaited.saturating_add(distinct);
        let id = reconciler.services.id(&name);
        if let Some(record) = id.and_then(|id| reconciler.services.get_mut(id)) {
            record.set.positions = positions;
        }
    }

    /// Puts records where they stood.
    ///
    /// # Errors
    /// One does not stand behind those before it, or what it is of is not there. Those before it are in.
    pub fn records(&mut self, records: &[KeptRecord]) -> Result<(), RestoreError> {
        self.put_pods();
        for records in records.chunks(AHEAD) {
            let pod = |record: &KeptRecord| match &record.of {
                RecordOf::Endpoint { service, pod, .. } => {
                    Some(ObjectName::new(service.namespace.clone(), pod.clone()))
                }
                _ => None,
            };
            let pods: SmallVec<[Option<ObjectName>; AHEAD]> = records.iter().map(pod).collect();
            let index = &self.engine.index;
            let sought = index.seek(pods.iter().map(|pod| Some((pod.as_ref()?, None))));
            let ids: SmallVec<[Option<u32>; AHEAD]> =
                index.find_all(pods.iter().map(Option::as_ref), &sought);
            for (record, pod) in records.iter().zip(ids) {
                self.record(record, pod)?;
            }
        }
        Ok(())
    }

    /// Puts a record where it stood; `pod` is that of an endpoint.
    fn record(&mut self, record: &KeptRecord, pod: Option<u32>) -> Result<(), RestoreError> {
        let KeptRecord { at, revision, of } = record;
        let (at, revision) = (*at, *revision);
        let put = match of {
            RecordOf::Service(name) => {
                let id = self.id(name)?;
                let here = self.engine.reconciler.services.get(id);
                if !here.is_some_and(|record| record.set.positions.stands_at(at)) {
                    return Err(wrong(format!("service {name} has no record at {}", at.0)));
                }
                self.awaited = self.awaited.saturating_sub(1);
                self.engine.log.restore(at, revision, Record::Service(id))
            }
            RecordOf::Endpoint {
                service,
                pod: name,
                family,
            } => {
                let id = self.id(service)?;
                let pod = pod.filter(|pod| self.endpoint(id, *pod, *family, at).is_some());
                let pod = pod.ok_or_else(|| {
                    let namespace = &service.namespace;
                    wrong(format!(
                        "pod {namespace}/{name} is no endpoint of its service"
                    ))
                })?;
                let record = Record::Endpoint {
                    service: id,
                    pod,
                    family: *family,
                };
                self.engine.log.restore(at, revision, record)
            }
            RecordOf::Manual { service, identity } => {
                let id = self.id(service)?;
                let reconciler = &mut self.engine.reconciler;
                let endpoint = reconciler.manual.endpoint(service, identity);
                let ready = endpoint.map(|endpoint| endpoint.conditions.ready);
                let set = reconciler.services.get_mut(id).map(|it| &mut it.set);
                let (Some(ready), Some(set)) = (ready, set) else {
                    return Err(wrong(format!(
                        "hand-made endpoint {identity} of service {service} is not there"
                    )));
                };
                set.total = set.total.saturating_add(1);
                set.ready = set.ready.saturating_add(u64::from(ready));
                set.manual.insert(identity.clone(), at);
                let named = Named::Manual(id, identity.clone());
                self.engine.log.restore_named(at, revision, named)
            }
            RecordOf::Removal { service, key } => {
                let id = self.id(service)?;
                if let Some(record) = self.engine.reconciler.services.get_mut(id) {
                    record.set.removals.insert(at, key);
                }
                self.engine.log.restore(at, revision, Record::Removal(id))
            }
            RecordOf::Node(name) => {
                let node = self.engine.reconciler.nodes.get_mut(name);
                let Some(node) = node.filter(|node| node.position == Sequence::START) else {
                    return Err(wrong(format!(
                        "node {name} is not there, or has two records"
                    )));
                };
                node.position = at;
                self.nodes = self.nodes.saturating_sub(1);
                let named = Named::Node(name.clone());
                self.engine.log.restore_named(at, revision, named)
            }
            RecordOf::DeletedService(name) => {
                if self.engine.reconciler.services.id(name).is_some() {
                    return Err(wrong(format!("service {name} is deleted and is there")));
                }
                let named = Named::DeletedService(name.clone());
                self.engine.log.restore_named(at, revision, named)
            }
            RecordOf::DeletedNode(name) => {
                if self.engine.reconciler.nodes.get(name).is_some() {
                    return Err(wrong(format!("node {name} is deleted and is there")));
                }
                let named = Named::DeletedNode(name.clone());
                self.engine.log.restore_named(at, revision, named)
            }
        };
        if put {
            Ok(())
        } else {
            Err(wrong(format!(
                "record {} of revision {revision} is out of order",
                at.0
            )))
        }
    }

    /// The engine, at the end of the log.
    ///
    /// # Errors
    /// Something is missing.
    pub fn finish(mut self, end: KeptEnd) -> Result<Engine, RestoreError> {
        self.put_pods();
        let records = self.engine.log.len() as u64;
        if records != end.records {
            return Err(wrong(format!(
                "there are {records} records, and there were {}",
                end.records
            )));
        }
        let objects = self.engine.object_count();
        if objects != end.objects {
            return Err(wrong(format!(
                "there are {objects} objects, and there were {}",
                end.objects
            )));
        }
        if self.awaited > 0 || self.nodes > 0 {
            return Err(wrong(format!(
                "{} services or nodes have no record",
                self.awaited.saturating_add(self.nodes)
            )));
        }
        if !self.engine.log.restore_end(end.last, end.head, end.floor) {
            return Err(wrong("there are records behind the end of the log"));
        }
        self.engine.head = end.head;
        Ok(self.engine)
    }

    fn id(&mut self, name: &ObjectName) -> Result<ServiceId, RestoreError> {
        if let Some((known, id)) = &self.service
            && known == name
        {
            return Ok(*id);
        }
        let id = self.engine.reconciler.services.id(name);
        let id = id.ok_or_else(|| wrong(format!("service {name} is not there")))?;
        self.service = Some((name.clone(), id));
        Ok(id)
    }

    /// Notes an endpoint that the service has; none if the pod cannot be one.
    fn endpoint(
        &mut self,
        service: ServiceId,
        pod: u32,
        family: IpFamily,
        position: Sequence,
    ) -> Option<()> {
        let Engine {
            reconciler, index, ..
        } = &mut self.engine;
        let record = reconciler.services.get(service)?;
        let endpoint = reconciler.computed(index, record, pod, family)?;
        let membership = Membership {
            service,
            family,
            position,
        };
        if reconciler.memberships.set(pod, membership).is_some() {
            return None;
        }
        let set = &mut reconciler.services.get_mut(service)?.set;
        set.members.insert(pod);
        set.total = set.total.saturating_add(1);
        set.ready = set
            .ready
            .saturating_add(u64::from(endpoint.conditions.ready));
        Some(())
    }
}
