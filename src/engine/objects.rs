use crate::index::Namespaces;
use crate::model::{Kind, ManualKind, Object, ObjectName, ObjectRef};
use crate::selector::Selector;

use super::state::{Engine, Stored};

/// Where an object stands in the one order of all objects: by kind, namespace and name. Kinds are
/// ordered so that what endpoints are made of comes before what they are of: nodes, pods, services,
/// Endpoints, EndpointSlices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectPlace {
    rank: u8,
    name: ObjectName,
}

impl ObjectPlace {
    /// Kinds in this order.
    pub const KINDS: [Kind; 5] = [
        Kind::Node,
        Kind::Pod,
        Kind::Service,
        Kind::Endpoints,
        Kind::EndpointSlice,
    ];

    /// Where the object's kind stands among [`ObjectPlace::KINDS`].
    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// The object's name.
    pub fn name(&self) -> &ObjectName {
        &self.name
    }
}

impl From<ObjectRef> for ObjectPlace {
    fn from(object: ObjectRef) -> Self {
        let rank = match object.kind {
            Kind::Node => 0,
            Kind::Pod => 1,
            Kind::Service => 2,
            Kind::Endpoints => 3,
            Kind::EndpointSlice => 4,
        };
        ObjectPlace {
            rank,
            name: object.name,
        }
    }
}

impl Engine {
    /// At most `limit` objects that stand behind a place, in order: fewer only if there are no more.
    /// Costs what it passes.
    pub fn objects(&self, after: Option<&ObjectPlace>, limit: usize) -> Vec<Stored<Object>> {
        self.some_objects(after, limit, usize::MAX).0
    }

    /// The same, but of hand-made objects, of which each may hold many endpoints, no more once they have
    /// so many of them together; and whether no objects stand behind these.
    pub fn some_objects(
        &self,
        after: Option<&ObjectPlace>,
        limit: usize,
        endpoints: usize,
    ) -> (Vec<Stored<Object>>, bool) {
        let mut found = Vec::new();
        let mut left = endpoints;
        let all = (&Selector::everything(), &Namespaces::all());
        let first = after.map_or(0, |after| after.rank);
        for (rank, kind) in (0u8..).zip(ObjectPlace::KINDS) {
            let room = limit.saturating_sub(found.len());
            if rank < first || room == 0 {
                continue;
            }
            let behind = after.filter(|after| after.rank == rank);
            let behind = behind.map(ObjectPlace::name);
            match kind {
                Kind::Node => {
                    let behind = behind.map(|name| name.name.as_str());
                    let nodes = self.nodes(all.0, behind, room).into_iter();
                    found.extend(
                        nodes.map(|stored| {
                            stored.map(|node| Object::Node(Box::new((*node).clone())))
                        }),
                    );
                }
                Kind::Pod => {
                    let pods = self.pods(all.0, all.1, behind, room).into_iter();
                    found.extend(pods.map(|stored| stored.map(|pod| Object::Pod(Box::new(pod)))));
                }
                Kind::Service => {
                    let services = self.services(all.0, all.1, behind, room).into_iter();
                    found.extend(services.map(|stored| {
                        stored.map(|service| Object::Service(Box::new((*service).clone())))
                    }));
                }
                Kind::Endpoints => {
                    found.extend(self.manual_behind(
                        ManualKind::Endpoints,
                        behind,
                        room,
                        &mut left,
                    ));
                }
                Kind::EndpointSlice => {
                    let kind = ManualKind::EndpointSlice;
                    found.extend(self.manual_behind(kind, behind, room, &mut left));
                }
            }
        }
        let is_all = found.len() < limit && left > 0;
        (found, is_all)
    }

    fn manual_behind(
        &self,
        kind: ManualKind,
        after: Option<&ObjectName>,
        limit: usize,
        left: &mut usize,
    ) -> impl Iterator<Item = Stored<Object>> {
        let manual = self.reconciler.manual.behind(kind, after).take(limit);
        let within = manual.take_while(|record| {
            let subsets = record.object.subsets.iter();
            let endpoints: usize = subsets.map(|subset| subset.endpoints.len()).sum();
            let is_within = *left > 0;
            *left = left.saturating_sub(endpoints);
            is_within
        });
        within.map(|record| Stored {
            object: Object::Manual(Box::new((*record.object).clone())),
            revision: record.revision,
            source: record.source.clone(),
        })
    }

    /// How many objects there are of each kind, as [`ObjectPlace::KINDS`] orders them.
    pub fn object_counts(&self) -> [u64; 5] {
        let manual = &self.reconciler.manual;
        [
            self.reconciler.nodes.len() as u64,
            self.index.len(),
            self.reconciler.services.len() as u64,
            manual.count(ManualKind::Endpoints) as u64,
            manual.count(ManualKind::EndpointSlice) as u64,
        ]
    }
}
