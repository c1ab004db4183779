//! Objects of the corpus, as the engine takes them.

use selectord::engine::{Engine, EngineOptions};
use selectord::labels::LabelSet;
use selectord::model::{
    Change, ClusterIp, ContainerPort, Kind, Node, Object, ObjectName, ObjectRef, Operation, Phase,
    Pod, Protocol, ReadyCondition, ResolvedTransaction, Service, ServicePort, ServiceSelector,
    TargetPort, Transaction, ZONE_LABEL,
};
use selectord::selector::Selector;
use selectord_corpus::{self as corpus, Corpus};

/// Objects in one transaction of a bulk load.
pub const LOADED_AT_ONCE: usize = 1_000;

pub fn node(node: corpus::Node) -> Node {
    Node {
        name: node.name.into(),
        labels: labels([(ZONE_LABEL, node.zone)]),
        ..Node::default()
    }
}

pub fn pod(pod: corpus::Pod) -> Pod {
    let ports = pod.ports.iter().map(|port| ContainerPort {
        name: port.name.into(),
        number: port.number,
        protocol: Protocol::Tcp,
        sidecar: false,
    });
    Pod {
        name: ObjectName::new(&*pod.namespace, pod.name),
        uid: pod.uid.into(),
        labels: labels(pod.labels),
        node_name: pod.node.into(),
        ports: ports.collect(),
        phase: Phase::Running,
        pod_ips: [pod.ip.into()].into_iter().collect(),
        ready: if pod.ready {
            ReadyCondition::True
        } else {
            ReadyCondition::False
        },
        ..Pod::default()
    }
}

pub fn service(service: corpus::Service) -> Service {
    let ports = service.ports.iter().map(|port| ServicePort {
        name: port.name.into(),
        protocol: Protocol::Tcp,
        port: port.port,
        target_port: match port.target {
            Ok(name) => TargetPort::Name(name.into()),
            Err(number) => TargetPort::Number(number),
        },
        node_port: 0,
        app_protocol: "".into(),
    });
    Service {
        name: ObjectName::new(&*service.namespace, service.name),
        uid: service.uid.into(),
        ports: ports.collect(),
        cluster_ip: ClusterIp::Ips([service.cluster_ip.into()].into_iter().collect()),
        selector: match service.selector {
            corpus::Selector::Pairs(pairs) => ServiceSelector::Map(labels(pairs)),
            set => ServiceSelector::Set(selector(&set.to_string())),
        },
        ..Service::default()
    }
}

pub fn labels<V: AsRef<str>>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> LabelSet {
    LabelSet::try_from_pairs(pairs).expect("the corpus has legal labels")
}

pub fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

pub fn put_pod(pod: Pod) -> Change {
    Change::Put(Object::Pod(Box::new(pod)))
}

pub fn put_service(service: Service) -> Change {
    Change::Put(Object::Service(Box::new(service)))
}

pub fn delete_pod(namespace: &str, name: &str) -> Change {
    let name = ObjectName::new(namespace, name);
    Change::Delete(ObjectRef::new(Kind::Pod, name))
}

/// A corpus' change, as changes of objects.
pub fn changes(change: corpus::Change) -> Vec<Change> {
    match change {
        corpus::Change::Readiness(now) | corpus::Change::Relabel(now) => vec![put_pod(pod(now))],
        corpus::Change::Replace {
            namespace,
            deleted,
            created,
        } => vec![delete_pod(&namespace, &deleted), put_pod(pod(created))],
    }
}

/// Changes as a writer asks for them.
pub fn unresolved(changes: impl IntoIterator<Item = Change>) -> Transaction {
    let operation = |change| match change {
        Change::Put(object) => Operation::Put(object),
        Change::Delete(object) => Operation::Delete(object),
    };
    Transaction {
        operations: changes.into_iter().map(operation).collect(),
        ..Transaction::default()
    }
}

pub fn transaction(changes: impl IntoIterator<Item = Change>) -> ResolvedTransaction {
    ResolvedTransaction::new(changes, "")
}

/// Nodes, services and pods, in this order.
pub fn objects(corpus: &Corpus) -> impl Iterator<Item = Change> {
    let nodes = corpus
        .nodes()
        .map(|n| Change::Put(Object::Node(Box::new(node(n)))));
    let services = corpus.services().map(|s| put_service(service(s)));
    let pods = corpus.pods().map(|p| put_pod(pod(p)));
    nodes.chain(services).chain(pods)
}

pub fn apply(engine: &mut Engine, transaction: ResolvedTransaction) {
    let revision = engine.head() + 1;
    engine
        .apply(revision, transaction)
        .expect("a fresh revision");
}

/// An engine that knows the whole corpus.
pub fn loaded(corpus: &Corpus) -> Engine {
    let mut engine = Engine::new(EngineOptions::default());
    let mut objects = objects(corpus).peekable();
    while objects.peek().is_some() {
        let part = objects.by_ref().take(LOADED_AT_ONCE);
        apply(&mut engine, transaction(part));
    }
    engine
}
