//! A cluster whose pods, services and nodes change at random.

use std::collections::BTreeMap;

use selectord::model::{Kind, Node, Operation, Pod, ReadyCondition, Service, Transaction};

use crate::support::build::{
    BuildNode, BuildPod, BuildService, Labelled, all_matching, asked, delete_op, labels, node,
    patch, pod, put_op, service, value,
};
use crate::support::random::Random;

pub const NAMESPACES: [&str; 3] = ["blue", "green", "red"];
pub const NODE: &str = "n0";
const NODES: [&str; 6] = [NODE, "n1", "n2", "n3", "n4", "n5"];
const ZONES: [&str; 3] = ["za", "zb", "zc"];
/// As many services has a namespace, and each is called by one of them.
pub const APPS: [&str; 5] = ["api", "cart", "mail", "rng", "web"];
const TEAMS: [&str; 2] = ["east", "west"];
const PODS: usize = 150;
/// Most changes of one transaction.
const CHANGES: usize = 4;

/// What of it is there now: enough to change it, and to make it again.
pub struct Cluster {
    pub random: Random,
    pods: BTreeMap<String, Pod>,
    services: BTreeMap<String, Service>,
    born: u32,
}

impl Cluster {
    pub fn new(seed: u64) -> Cluster {
        Cluster {
            random: Random::new(seed),
            pods: BTreeMap::new(),
            services: BTreeMap::new(),
            born: 0,
        }
    }

    /// Everything there is at first, in one transaction.
    pub fn populate(&mut self) -> Transaction {
        let mut operations: Vec<Operation> = NODES
            .into_iter()
            .map(|name| put_op(self.node(name)))
            .collect();
        for namespace in NAMESPACES {
            for app in APPS {
                operations.push(self.put_service(format!("{namespace}/{app}")));
            }
            for number in 0..PODS {
                operations.push(self.put_pod(format!("{namespace}/p{number}")));
            }
        }
        asked(operations)
    }

    /// The next changes.
    pub fn transaction(&mut self) -> Transaction {
        let changes = self.random.between(1, CHANGES);
        asked((0..changes).map(|_| self.change()).collect::<Vec<_>>())
    }

    /// Makes one pod of a namespace ready or not, and nothing else.
    pub fn flip_one(&mut self, namespace: &str) -> Transaction {
        let prefix = format!("{namespace}/");
        let name = self.pods.keys().find(|name| name.starts_with(&prefix));
        let name = name.expect("there are pods").clone();
        asked([self.flip(&name)])
    }

    fn change(&mut self) -> Operation {
        type Kinds = fn(&mut Cluster) -> Operation;
        let kind = self.random.weighted::<Kinds>(&[
            (40, |cluster| {
                let name = cluster.some_pod();
                cluster.flip(&name)
            }),
            (20, Cluster::relabel_pod),
            (16, Cluster::turn_pod_over),
            (8, Cluster::change_service),
            (4, Cluster::turn_service_over),
            (4, Cluster::patch_pods),
            (1, |cluster| {
                let name = cluster.random.pick(&NODES);
                put_op(cluster.node(name))
            }),
        ]);
        kind(self)
    }

    fn some_pod(&mut self) -> String {
        let names: Vec<&String> = self.pods.keys().collect();
        self.random.pick(&names).clone()
    }

    fn some_service(&mut self) -> String {
        let names: Vec<&String> = self.services.keys().collect();
        self.random.pick(&names).clone()
    }

    /// A node in a zone of chance: of every pod on it the endpoint may change.
    fn node(&mut self, name: &str) -> Node {
        node(name).zone(self.random.pick(&ZONES))
    }

    /// A new pod of this name, never one that was there before.
    fn put_pod(&mut self, name: String) -> Operation {
        self.born += 1;
        let [_, _, a, b] = self.born.to_be_bytes();
        let made = pod(&name)
            .ip(&format!("10.0.{a}.{b}"))
            .uid(&format!("uid-{}", self.born))
            .label("app", self.random.pick(&APPS))
            .on(self.random.pick(&NODES))
            .ready();
        self.pods.insert(name, made.clone());
        put_op(made)
    }

    fn put_service(&mut self, name: String) -> Operation {
        let app = name.split('/').next_back().expect("a name");
        let mut made = service(&name)
            .selects(&format!("app={app}"))
            .label("team", self.random.pick(&TEAMS));
        if self.random.chance(70) {
            self.born += 1;
            let [_, _, a, b] = self.born.to_be_bytes();
            made = made.cluster_ip(&format!("10.96.{a}.{b}"));
        }
        self.services.insert(name, made.clone());
        put_op(made)
    }

    fn flip(&mut self, name: &str) -> Operation {
        let pod = self.pods.get_mut(name).expect("it is there");
        pod.ready = match pod.ready {
            ReadyCondition::True => ReadyCondition::False,
            _ => ReadyCondition::True,
        };
        put_op(pod.clone())
    }

    fn relabel_pod(&mut self) -> Operation {
        let (name, app) = (self.some_pod(), self.random.pick(&APPS));
        let pod = self.pods.get_mut(&name).expect("it is there");
        pod.labels = labels(&format!("app={app}"));
        put_op(pod.clone())
    }

    /// Deletes a pod, or makes one of that name again.
    fn turn_pod_over(&mut self) -> Operation {
        let namespace = self.random.pick(&NAMESPACES);
        let number = self.random.below(PODS);
        let name = format!("{namespace}/p{number}");
        if self.pods.remove(&name).is_some() {
            delete_op(Kind::Pod, &name)
        } else {
            self.put_pod(name)
        }
    }

    /// Another team, and so another scope; or other pods; or no more a cluster IP.
    fn change_service(&mut self) -> Operation {
        let name = self.some_service();
        let (what, team, app) = (
            self.random.below(3),
            self.random.pick(&TEAMS),
            self.random.pick(&APPS),
        );
        let changed = self.services.get(&name).expect("it is there").clone();
        let changed = match what {
            0 => changed.label("team", team),
            1 => changed.selects(&format!("app={app}")),
            _ => changed.headless(),
        };
        self.services.insert(name, changed.clone());
        put_op(changed)
    }

    fn turn_service_over(&mut self) -> Operation {
        let (namespace, app) = (self.random.pick(&NAMESPACES), self.random.pick(&APPS));
        let name = format!("{namespace}/{app}");
        // One is left, to be changed.
        if self.services.len() > 1 && self.services.remove(&name).is_some() {
            delete_op(Kind::Service, &name)
        } else {
            self.put_service(name)
        }
    }

    /// A label that no service selects by, on all pods of an app, wherever they are.
    fn patch_pods(&mut self) -> Operation {
        let (app, canary) = (self.random.pick(&APPS), self.random.pick(&["a", "b"]));
        let target = all_matching(Kind::Pod, &format!("app={app}"));
        let mut patch = patch(target, &[]);
        patch
            .set
            .push((crate::support::build::key("canary"), value(canary)));
        patch.overwrite = true;
        Operation::PatchLabels(patch)
    }
}
