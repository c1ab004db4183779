//! Clusters that differ in one size only, and a few changes that mean the same in each of them.

use std::ops::ControlFlow;

use selectord::engine::{
    Applied, Engine, EngineOptions, Namespaces, Progress, ResolveLimits, Scope, ServiceScope, Walk,
    Work,
};
use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{
    Change, Conditions, EndpointIdentity, Hints, Kind, LabelPatch, ManualEndpoint, ManualEndpoints,
    ManualKind, ManualSubset, Node, Object, ObjectName, ObjectRef, Operation, PatchTarget, Phase,
    Pod, Protocol, ReadyCondition, ResolvedTransaction, Service, ServicePort, ServiceSelector,
    TargetPort, Transaction, ZONE_LABEL,
};
use selectord::selector::Selector;

const NAMESPACE: &str = "default";
/// The service that changes are about selects `app=subject`.
const SUBJECT: &str = "subject";
/// Pods on one node, whatever the sizes.
const ON_A_NODE: u32 = 8;
/// Most changes of one kind.
pub const CHANGES: u32 = 24;
/// Pods of one workload.
const WORKLOAD: u32 = 5;
/// Services that select the pods of the crowd.
const CROWDED: u32 = 50;
/// Services whose selectors have no positive requirement, so that they are filed under none.
const NEGATIVE: u32 = 2;

/// How much there is of what a change must not cost.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Services besides the one that changes are about, all in its namespace.
    pub services: u32,
    /// Pods, all in one namespace.
    pub pods: u32,
    /// How many of the pods are endpoints of the service.
    pub endpoints: u32,
}

pub const SMALL: Size = Size {
    services: 10,
    pods: 1_000,
    endpoints: 100,
};
pub const MANY_SERVICES: Size = Size {
    services: 10_000,
    ..SMALL
};
pub const MANY_PODS: Size = Size {
    pods: 100_000,
    ..SMALL
};
pub const MANY_ENDPOINTS: Size = Size {
    pods: 101_000,
    endpoints: 100_000,
    ..SMALL
};

/// One kind of change, made in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Zone of a node with eight endpoints.
    NodeZone,
    ReadinessFlip,
    /// From the service into another one.
    Relabel,
    Delete,
    Create,
    /// Session affinity, which endpoints do not depend on.
    ServiceField,
    /// Set by a selector that finds one pod by a label of its own.
    LabelPatch,
    /// Of a workload of five pods.
    ServiceCreate,
    ServiceDelete,
    /// From one workload of five pods to another.
    SelectorChange,
    /// Readiness of a pod that is in fifty services.
    FlipInFifty,
    /// Such a pod out of all fifty.
    LeaveFifty,
    /// A label is lost: the pod comes into services that select by its absence.
    JoinNegative,
    /// A hand-made endpoint of the service, which then has both.
    HandMade,
    /// Readiness of a computed endpoint of the service, which has hand-made ones too.
    FlipBesideHandMade,
    /// Out of the service and out of a live query that all of its pods are in.
    RelabelWatched,
}

impl ChangeKind {
    pub const ALL: [ChangeKind; 16] = [
        ChangeKind::NodeZone,
        ChangeKind::ReadinessFlip,
        ChangeKind::Relabel,
        ChangeKind::Delete,
        ChangeKind::Create,
        ChangeKind::ServiceField,
        ChangeKind::LabelPatch,
        ChangeKind::ServiceCreate,
        ChangeKind::ServiceDelete,
        ChangeKind::SelectorChange,
        ChangeKind::FlipInFifty,
        ChangeKind::LeaveFifty,
        ChangeKind::JoinNegative,
        ChangeKind::HandMade,
        ChangeKind::FlipBesideHandMade,
        ChangeKind::RelabelWatched,
    ];

    /// How many records it writes: one for each endpoint that differs, and for the service or node.
    pub fn records(self) -> u64 {
        match self {
            ChangeKind::NodeZone => u64::from(ON_A_NODE) + 1,
            ChangeKind::ServiceCreate => u64::from(WORKLOAD) + 1,
            ChangeKind::SelectorChange => u64::from(2 * WORKLOAD) + 1,
            ChangeKind::LabelPatch => 0,
            ChangeKind::Relabel | ChangeKind::RelabelWatched => 2,
            ChangeKind::FlipInFifty | ChangeKind::LeaveFifty => u64::from(CROWDED),
            ChangeKind::JoinNegative => u64::from(NEGATIVE),
            _ => 1,
        }
    }
}

/// A cluster, and a subscriber of its subject that has read everything.
pub struct Cluster {
    engine: Engine,
    size: Size,
    subscriber: Walk,
}

/// What a change is to be made of, prepared so that making it is not measured.
pub struct Prepared(Transaction);

impl Cluster {
    pub fn new(size: Size) -> Cluster {
        let mut engine = Engine::new(EngineOptions::default());
        let nodes = size.pods.div_ceil(ON_A_NODE);
        let nodes = (0..nodes).map(|n| Object::Node(Box::new(node(n, "zone-a"))));
        let services = (0..size.services).map(|n| service(&format!("svc-{n}"), &other(n)));
        let subject = service(SUBJECT, "app=subject");
        let crowded = (0..CROWDED).map(|n| service(&format!("crowded-{n}"), "crowd=yes"));
        let negative = (0..NEGATIVE).map(|n| Service {
            selector: ServiceSelector::Set(selector("env notin (prod)")),
            ..service(&format!("negative-{n}"), "")
        });
        let services = services
            .chain([subject, turning(size, 0)])
            .chain(crowded)
            .chain(negative)
            .map(|service| Object::Service(Box::new(service)));
        let crowd = (0..2 * CHANGES).map(|n| one_of_the_crowd(n, size));
        let pods = (0..size.pods).map(|n| pod(n, size)).chain(crowd);
        let pods = pods.map(|pod| Object::Pod(Box::new(pod)));
        let objects: Vec<Object> = nodes.chain(services).chain(pods).collect();
        for part in objects.chunks(1_000) {
            let changes = part.iter().cloned().map(Change::Put);
            let revision = engine.head() + 1;
            engine
                .apply(revision, ResolvedTransaction::new(changes, ""))
                .expect("a fresh revision");
        }
        let scope = ServiceScope {
            names: [name(SUBJECT)].into_iter().collect(),
            ..ServiceScope::default()
        };
        let mut cluster = Cluster {
            engine,
            size,
            subscriber: Walk::new(Scope::Services(scope), None),
        };
        cluster.catch_up(1);
        cluster
    }

    /// An endpoint that no other change of the same or another kind is about, except that what was
    /// deleted is created again. As far from each other as the size allows.
    fn endpoint(&self, kind: ChangeKind, number: u32) -> u32 {
        let part = match kind {
            ChangeKind::ReadinessFlip | ChangeKind::FlipBesideHandMade => 0,
            ChangeKind::Relabel => 1,
            ChangeKind::LabelPatch | ChangeKind::RelabelWatched => 2,
            _ => 3,
        };
        (part * CHANGES + number) * (self.size.endpoints / (4 * CHANGES))
    }

    /// To be called before the first change of a kind.
    pub fn begin(&mut self, kind: ChangeKind) {
        if kind == ChangeKind::RelabelWatched {
            let watched = selector("app=subject");
            self.engine.open_live_query(&watched, &Namespaces::all());
        }
    }

    /// The change of this kind to the endpoint, node or workload of this number.
    pub fn prepare(&self, kind: ChangeKind, number: u32) -> Prepared {
        let at = self.endpoint(kind, number);
        let operation = match kind {
            ChangeKind::ReadinessFlip => put(Object::Pod(Box::new(Pod {
                ready: ReadyCondition::False,
                ..pod(at, self.size)
            }))),
            // What was flipped is ready again.
            ChangeKind::FlipBesideHandMade => put(Object::Pod(Box::new(pod(at, self.size)))),
            ChangeKind::FlipInFifty => put(Object::Pod(Box::new(Pod {
                ready: ReadyCondition::False,
                ..one_of_the_crowd(number, self.size)
            }))),
            ChangeKind::LeaveFifty => {
                let mut pod = one_of_the_crowd(CHANGES + number, self.size);
                pod.labels.remove("crowd");
                put(Object::Pod(Box::new(pod)))
            }
            ChangeKind::JoinNegative => {
                let mut pod = one_of_the_crowd(CHANGES + number, self.size);
                pod.labels.remove("crowd");
                pod.labels.remove("env");
                put(Object::Pod(Box::new(pod)))
            }
            ChangeKind::HandMade => put(Object::Manual(Box::new(by_hand(number)))),
            ChangeKind::SelectorChange => {
                put(Object::Service(Box::new(turning(self.size, number + 1))))
            }
            ChangeKind::Relabel | ChangeKind::RelabelWatched => {
                let mut pod = pod(at, self.size);
                pod.labels = labels(at, &other_app(number % SMALL.services));
                put(Object::Pod(Box::new(pod)))
            }
            ChangeKind::Delete => Operation::Delete(reference(Kind::Pod, &pod_name(at))),
            ChangeKind::Create => {
                let mut pod = pod(at, self.size);
                pod.name.name = format!("{}-again", pod.name.name).into();
                put(Object::Pod(Box::new(pod)))
            }
            ChangeKind::ServiceField => {
                let mut service = service(SUBJECT, "app=subject");
                service.session_affinity_seconds = Some(number + 1);
                put(Object::Service(Box::new(service)))
            }
            ChangeKind::LabelPatch => Operation::PatchLabels(LabelPatch {
                target: PatchTarget::Selector {
                    kind: Kind::Pod,
                    namespaces: vec![NAMESPACE.into()],
                    selector: selector(&format!("pod-name={}", pod_name(at))),
                },
                set: vec![(
                    Key::new("active").expect("a key"),
                    Value::new("no").expect("a value"),
                )],
                remove: Vec::new(),
                overwrite: true,
            }),
            ChangeKind::NodeZone => {
                let nodes = self.size.endpoints / ON_A_NODE;
                let zone = format!("zone-{number}");
                put(Object::Node(Box::new(node(number * 7 % nodes, &zone))))
            }
            ChangeKind::ServiceCreate => {
                let workload = self.size.endpoints / WORKLOAD + number + 1;
                let selector = format!("app=app-{workload},env=prod");
                put(Object::Service(Box::new(service(
                    &format!("new-{number}"),
                    &selector,
                ))))
            }
            ChangeKind::ServiceDelete => {
                Operation::Delete(reference(Kind::Service, &format!("new-{number}")))
            }
        };
        Prepared(Transaction {
            operations: vec![operation],
            ..Transaction::default()
        })
    }

    /// Changes the selector of a service that selects nothing. What is remembered of label sets and the
    /// selectors that match them counts no more: the next change has to find out anew.
    pub fn forget_matches(&mut self, number: u32) {
        let object = service("nothing", &format!("app=nothing-{number}"));
        self.apply(Prepared(Transaction {
            operations: vec![put(Object::Service(Box::new(object)))],
            ..Transaction::default()
        }));
        self.catch_up(1);
    }

    /// Resolves a change and applies it.
    pub fn apply(&mut self, change: Prepared) -> Work {
        let resolution = self
            .engine
            .resolve(change.0, ResolveLimits::default())
            .expect("a valid transaction");
        let revision = self.engine.head() + 1;
        let Applied { work, .. } = self
            .engine
            .apply(revision, resolution.transaction)
            .expect("a fresh revision");
        work
    }

    /// Brings the subscriber to the head in pieces of so many records; answers how many pieces it took.
    pub fn catch_up(&mut self, piece: usize) -> u64 {
        let mut pieces = 0;
        loop {
            pieces += 1;
            let progress = self.engine.catch_up(&mut self.subscriber, piece, &mut |_| {
                ControlFlow::Continue(())
            });
            if matches!(progress, Progress::Head(_)) {
                return pieces;
            }
        }
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

fn put(object: Object) -> Operation {
    Operation::Put(object)
}

fn name(name: &str) -> ObjectName {
    ObjectName::new(NAMESPACE, name)
}

fn reference(kind: Kind, text: &str) -> ObjectRef {
    ObjectRef::new(kind, name(text))
}

fn pod_name(number: u32) -> String {
    format!("pod-{number:06}")
}

/// What another service selects: besides its own pair one that all the others name, too.
fn other(number: u32) -> String {
    format!("env=prod,app={}", other_app(number))
}

fn other_app(number: u32) -> String {
    format!("other-{number}")
}

fn node(number: u32, zone: &str) -> Node {
    Node {
        name: format!("node-{number}").into(),
        labels: label_set(&[(ZONE_LABEL, zone)]),
        ..Node::default()
    }
}

fn service(text: &str, selector: &str) -> Service {
    let pairs: Vec<(&str, &str)> = selector
        .split(',')
        .filter_map(|p| p.split_once('='))
        .collect();
    Service {
        name: name(text),
        selector: ServiceSelector::Map(label_set(&pairs)),
        ports: vec![ServicePort {
            name: "http".into(),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(8080),
            node_port: 0,
            app_protocol: "".into(),
        }],
        ..Service::default()
    }
}

/// A service that goes from workload to workload, of pods that are no endpoints of the subject.
fn turning(size: Size, number: u32) -> Service {
    let workload = size.endpoints / WORKLOAD + CHANGES + 1 + number;
    service("turning", &format!("app=app-{workload},env=prod"))
}

/// A pod besides those of the cluster, in all services that select the crowd.
fn one_of_the_crowd(number: u32, size: Size) -> Pod {
    let mut pod = pod(size.pods + number, size);
    let (key, value) = (Key::new("crowd"), Value::new("yes"));
    pod.labels
        .insert(key.expect("a key"), value.expect("a value"));
    pod
}

/// An object with one endpoint of the subject, of no pod.
fn by_hand(number: u32) -> ManualEndpoints {
    let [_, _, b, c] = number.to_be_bytes();
    let endpoint = ManualEndpoint {
        identity: EndpointIdentity {
            pod: None,
            addresses: [[192, 168, b, c].into()].into_iter().collect(),
            hostname: "".into(),
        },
        uid: "".into(),
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: "".into(),
        zone: "".into(),
        hints: Hints::default(),
    };
    ManualEndpoints {
        kind: ManualKind::EndpointSlice,
        name: name(&format!("by-hand-{number}")),
        uid: "".into(),
        labels: LabelSet::default(),
        service: SUBJECT.into(),
        subsets: vec![ManualSubset {
            ports: [].into(),
            endpoints: vec![endpoint],
        }],
    }
}

/// The first pods are the service's endpoints. All stand eight to a node.
fn pod(number: u32, size: Size) -> Pod {
    let app = if number < size.endpoints {
        SUBJECT.to_owned()
    } else {
        format!("app-{}", number / WORKLOAD)
    };
    let [_, a, b, c] = number.to_be_bytes();
    Pod {
        name: name(&pod_name(number)),
        uid: format!("uid-{number}").into(),
        labels: labels(number, &app),
        node_name: format!("node-{}", number / ON_A_NODE).into(),
        phase: Phase::Running,
        pod_ips: [[10, a, b, c].into()].into_iter().collect(),
        ready: ReadyCondition::True,
        ..Pod::default()
    }
}

/// Ten labels, one of them the pod's own: the hardest case, as no two pods share a label set.
fn labels(number: u32, app: &str) -> LabelSet {
    let own = pod_name(number);
    let of = |values: u32| (number / WORKLOAD % values).to_string();
    label_set(&[
        ("app", app),
        ("env", "prod"),
        ("tier", &of(5)),
        ("run", &of(16)),
        ("version", &of(50)),
        ("team", &of(30)),
        ("zone", &(number % 12).to_string()),
        ("active", "yes"),
        ("pod-template-hash", &format!("h{}", number / WORKLOAD)),
        ("pod-name", &own),
    ])
}

fn label_set(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::try_from_pairs(pairs.iter().copied()).expect("legal labels")
}
