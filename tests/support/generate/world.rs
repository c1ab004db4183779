//! A world: the objects there are, and what may happen to them next.

use std::collections::BTreeMap;

use selectord::engine::{Scope, ServiceScope};
use selectord::labels::{Key, Value};
use selectord::model::{
    Change, Kind, Node, Object, ObjectName, ObjectRef, Pod, ResolvedTransaction, ZONE_LABEL,
};
use smol_str::SmolStr;

use super::super::build::IntoObject;
use super::super::oracle::Within;
use super::super::random::Random;
use super::{
    NAMESPACES, NODES, ZONES, labels, manual, namespace, pod_name, pods, service_name, services,
};

/// How likely each kind of change is.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    pub pods: usize,
    pub services: usize,
    pub nodes: usize,
    pub manuals: usize,
    /// Most changes of one transaction.
    pub changes: usize,
    /// Of 100 changes of something that is there, how many delete it or replace it by another.
    pub turnover: usize,
}

impl Mix {
    /// A bit of everything.
    pub const ALL: Mix = Mix {
        pods: 60,
        services: 20,
        nodes: 8,
        manuals: 12,
        changes: 6,
        turnover: 25,
    };
    /// Services come and go under few names, or change what scopes look at.
    pub const SERVICES: Mix = Mix {
        pods: 25,
        services: 65,
        nodes: 2,
        manuals: 8,
        changes: 3,
        turnover: 45,
    };
    /// Pods change one at a time.
    pub const PODS: Mix = Mix {
        pods: 96,
        services: 2,
        nodes: 1,
        manuals: 1,
        changes: 1,
        turnover: 10,
    };
}

pub struct World {
    pub random: Random,
    mix: Mix,
    objects: BTreeMap<ObjectRef, Object>,
    born: u64,
}

impl World {
    pub fn new(seed: u64, mix: Mix) -> World {
        World {
            random: Random::new(seed),
            mix,
            objects: BTreeMap::new(),
            born: 0,
        }
    }

    pub fn change_mix(&mut self, mix: Mix) {
        self.mix = mix;
    }

    pub fn objects(&self) -> &BTreeMap<ObjectRef, Object> {
        &self.objects
    }

    /// The next transaction; the world is afterwards as it says.
    pub fn transaction(&mut self) -> ResolvedTransaction {
        let changes = self.random.between(1, self.mix.changes);
        let changes: Vec<Change> = (0..changes).map(|_| self.change()).collect();
        ResolvedTransaction::new(changes, self.random.pick(&["", "east", "west"]))
    }

    /// A transaction of one pod becoming ready or not, if there is a pod.
    pub fn flip(&mut self) -> Option<ResolvedTransaction> {
        let pods: Vec<Pod> = self.pods().cloned().collect();
        if pods.is_empty() {
            return None;
        }
        let mut pod = self.random.pick(&pods);
        pods::flip(&mut pod);
        let change = self.put(pod.into_object());
        Some(ResolvedTransaction::new([change], ""))
    }

    fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.objects.values().filter_map(|object| match object {
            Object::Pod(pod) => Some(pod.as_ref()),
            _ => None,
        })
    }

    fn put(&mut self, object: Object) -> Change {
        self.objects.insert(object.object_ref(), object.clone());
        Change::Put(object)
    }

    /// Deletes it, there or not.
    fn delete(&mut self, object: ObjectRef) -> Change {
        self.objects.remove(&object);
        Change::Delete(object)
    }

    fn change(&mut self) -> Change {
        let Mix {
            pods,
            services,
            nodes,
            manuals,
            ..
        } = self.mix;
        let kind = self.random.weighted(&[
            (pods, Kind::Pod),
            (services, Kind::Service),
            (nodes, Kind::Node),
            (manuals, Kind::Endpoints),
        ]);
        match kind {
            Kind::Pod => self.change_pod(),
            Kind::Service => self.change_service(),
            Kind::Node => self.change_node(),
            Kind::Endpoints | Kind::EndpointSlice => self.change_manual(),
        }
    }

    /// Of something that is there: whether to delete it, and else whether to replace it whole.
    fn turnover(&mut self) -> (bool, bool) {
        let turns = self.random.chance(self.mix.turnover);
        let delete = self.random.chance(60);
        (turns && delete, turns && !delete)
    }

    fn change_pod(&mut self) -> Change {
        let name = pod_name(&mut self.random);
        let object = ObjectRef::new(Kind::Pod, name.clone());
        let (delete, replace) = self.turnover();
        self.born += 1;
        let next = match self.objects.get(&object) {
            Some(_) if delete => return self.delete(object),
            Some(Object::Pod(old)) if !replace => {
                let mut pod = old.as_ref().clone();
                pods::change(&mut self.random, &mut pod);
                pod
            }
            None if self.random.chance(3) => return self.delete(object),
            _ => pods::pod(&mut self.random, name, self.born),
        };
        self.put(next.into_object())
    }

    fn change_service(&mut self) -> Change {
        let name = service_name(&mut self.random);
        let object = ObjectRef::new(Kind::Service, name.clone());
        let (delete, replace) = self.turnover();
        self.born += 1;
        let next = match self.objects.get(&object) {
            Some(_) if delete => return self.delete(object),
            Some(Object::Service(old)) if !replace => {
                let mut service = old.as_ref().clone();
                services::change(&mut self.random, &mut service);
                service
            }
            None if self.random.chance(3) => return self.delete(object),
            _ => services::service(&mut self.random, name, self.born),
        };
        self.put(next.into_object())
    }

    fn change_node(&mut self) -> Change {
        let name = self.random.pick(&NODES);
        let object = ObjectRef::new(Kind::Node, ObjectName::cluster(name));
        if self.objects.contains_key(&object) && self.random.chance(30) {
            return self.delete(object);
        }
        let mut labels = labels::label_set(&mut self.random);
        if self.random.chance(80) {
            let zone = Value::new(self.random.pick(&ZONES)).expect("it is a value");
            labels.insert(Key::new(ZONE_LABEL).expect("it is a key"), zone);
        }
        self.put(
            Node {
                name: name.into(),
                uid: SmolStr::default(),
                labels,
            }
            .into_object(),
        )
    }

    fn change_manual(&mut self) -> Change {
        if self.random.chance(35) {
            let (kind, name) = manual::name(&mut self.random);
            return self.delete(ObjectRef::new(kind.kind(), name));
        }
        let pods: Vec<Pod> = self.pods().cloned().collect();
        let pods: Vec<&Pod> = pods.iter().collect();
        let object = manual::manual(&mut self.random, &pods);
        self.put(object.into_object())
    }
}

/// Any scope a subscriber may ask for.
pub fn scope(random: &mut Random) -> Scope {
    if random.chance(20) {
        return Scope::Node(super::node_name(random));
    }
    let mut scope = ServiceScope::default();
    if random.chance(30) {
        scope.namespaces.insert(namespace(random));
    }
    if random.chance(25) {
        scope
            .names
            .extend((0..random.between(1, 3)).map(|_| service_name(random)));
    }
    if random.chance(50) {
        scope.selector = labels::selector(random);
    }
    Scope::Services(scope)
}

/// Any choice of namespaces a query may ask for; one of them may hold nothing.
pub fn within(random: &mut Random) -> Within {
    match random.below(4) {
        0 | 1 => Within::All,
        2 => Within::Only(vec![namespace(random)]),
        _ => {
            let mut namespaces: Vec<SmolStr> =
                NAMESPACES.iter().copied().map(SmolStr::new).collect();
            namespaces.remove(random.below(NAMESPACES.len()));
            namespaces.push("empty".into());
            Within::Only(namespaces)
        }
    }
}
