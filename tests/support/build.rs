//! Short builders: `pod("ns/a").label("app", "x").ready().ip("10.0.0.1")`.

use std::sync::Arc;

use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{
    Change, ClusterIp, Conditions, ContainerPort, EndpointIdentity, EndpointPort, Hints, IpFamily,
    Kind, LabelPatch, ManualEndpoint, ManualEndpoints, ManualKind, ManualSubset, Node, Object,
    ObjectName, ObjectRef, Operation, PatchTarget, Phase, Pod, Protocol, ReadyCondition,
    ResolvedTransaction, Service, ServicePort, ServiceSelector, ServiceType, TargetPort,
    Transaction, ZONE_LABEL, parse_ip,
};
use selectord::selector::Selector;
use smallvec::smallvec;
use smol_str::SmolStr;

/// `ns/name`, or the name of a cluster-scoped object.
pub fn name(text: &str) -> ObjectName {
    match text.split_once('/') {
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => ObjectName::cluster(text),
    }
}

pub fn reference(kind: Kind, text: &str) -> ObjectRef {
    ObjectRef::new(kind, name(text))
}

pub fn key(text: &str) -> Key {
    Key::new(text).expect(text)
}

pub fn value(text: &str) -> Value {
    Value::new(text).expect(text)
}

/// `app=x,tier=y`, or nothing.
pub fn labels(text: &str) -> LabelSet {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    LabelSet::try_from_pairs(pairs.map(|pair| pair.split_once('=').expect(pair))).expect(text)
}

pub fn selector(text: &str) -> Selector {
    Selector::parse(text).expect(text)
}

/// A pod that nothing keeps out of endpoints but its missing address.
pub fn pod(text: &str) -> Pod {
    Pod { name: name(text), phase: Phase::Running, ..Pod::default() }
}

/// A service of one port, 80 to 8080, that selects nothing yet.
pub fn service(text: &str) -> Service {
    let port = port("http", 80, TargetPort::Number(8080));
    Service { name: name(text), ports: vec![port], ..Service::default() }
}

pub fn node(name: &str) -> Node {
    Node { name: name.into(), ..Node::default() }
}

pub fn port(name: &str, port: u16, target_port: TargetPort) -> ServicePort {
    ServicePort {
        name: name.into(),
        protocol: Protocol::Tcp,
        port,
        target_port,
        node_port: 0,
        app_protocol: SmolStr::default(),
    }
}

/// What every kind of object has.
pub trait Labelled: Sized {
    fn own_labels(&mut self) -> &mut LabelSet;

    fn label(mut self, key: &str, value: &str) -> Self {
        self.own_labels().insert(self::key(key), self::value(value));
        self
    }

    /// These labels and no others: `app=x,tier=y`.
    fn labelled(mut self, text: &str) -> Self {
        *self.own_labels() = labels(text);
        self
    }
}

impl Labelled for Pod {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}

impl Labelled for Service {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}

impl Labelled for Node {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}

pub trait BuildPod: Sized {
    fn ip(self, text: &str) -> Self;
    fn ready(self) -> Self;
    fn readiness(self, ready: ReadyCondition) -> Self;
    fn terminating(self) -> Self;
    fn phase(self, phase: Phase) -> Self;
    fn on(self, node: &str) -> Self;
    fn uid(self, uid: &str) -> Self;
    fn host(self, hostname: &str, subdomain: &str) -> Self;
    fn port(self, name: &str, number: u16, protocol: Protocol) -> Self;
    fn sidecar_port(self, name: &str, number: u16, protocol: Protocol) -> Self;
}

impl BuildPod for Pod {
    fn ip(mut self, text: &str) -> Pod {
        self.pod_ips.push(parse_ip(text).expect(text));
        self
    }

    fn ready(self) -> Pod {
        self.readiness(ReadyCondition::True)
    }

    fn readiness(mut self, ready: ReadyCondition) -> Pod {
        self.ready = ready;
        self
    }

    fn terminating(mut self) -> Pod {
        self.deletion_timestamp = Some("2026-11-20T10:00:00Z".into());
        self
    }

    fn phase(mut self, phase: Phase) -> Pod {
        self.phase = phase;
        self
    }

    fn on(mut self, node: &str) -> Pod {
        self.node_name = node.into();
        self
    }

    fn uid(mut self, uid: &str) -> Pod {
        self.uid = uid.into();
        self
    }

    fn host(mut self, hostname: &str, subdomain: &str) -> Pod {
        self.hostname = hostname.into();
        self.subdomain = subdomain.into();
        self
    }

    fn port(self, name: &str, number: u16, protocol: Protocol) -> Pod {
        with_port(self, ContainerPort { name: name.into(), number, protocol, sidecar: false })
    }

    fn sidecar_port(self, name: &str, number: u16, protocol: Protocol) -> Pod {
        with_port(self, ContainerPort { name: name.into(), number, protocol, sidecar: true })
    }
}

fn with_port(mut pod: Pod, port: ContainerPort) -> Pod {
    pod.ports = pod.ports.iter().cloned().chain([port]).collect();
    pod
}

pub trait BuildService: Sized {
    /// The map form: `app=x,tier=y`.
    fn selects(self, pairs: &str) -> Self;
    /// The set form.
    fn selects_by(self, selector: &str) -> Self;
    fn headless(self) -> Self;
    fn cluster_ip(self, text: &str) -> Self;
    fn families(self, families: &[IpFamily]) -> Self;
    fn of_type(self, service_type: ServiceType) -> Self;
    fn publish_not_ready(self) -> Self;
    fn traffic_distribution(self, text: &str) -> Self;
    fn ports(self, ports: Vec<ServicePort>) -> Self;
}

impl BuildService for Service {
    fn selects(mut self, pairs: &str) -> Service {
        self.selector = ServiceSelector::Map(labels(pairs));
        self
    }

    fn selects_by(mut self, text: &str) -> Service {
        self.selector = ServiceSelector::Set(selector(text));
        self
    }

    fn headless(mut self) -> Service {
        self.cluster_ip = ClusterIp::Headless;
        self
    }

    fn cluster_ip(mut self, text: &str) -> Service {
        self.cluster_ip = ClusterIp::Ips(smallvec![parse_ip(text).expect(text)]);
        self
    }

    fn families(mut self, families: &[IpFamily]) -> Service {
        self.ip_families = families.iter().copied().collect();
        self
    }

    fn of_type(mut self, service_type: ServiceType) -> Service {
        self.service_type = service_type;
        self
    }

    fn publish_not_ready(mut self) -> Service {
        self.publish_not_ready_addresses = true;
        self
    }

    fn traffic_distribution(mut self, text: &str) -> Service {
        self.traffic_distribution = text.into();
        self
    }

    fn ports(mut self, ports: Vec<ServicePort>) -> Service {
        self.ports = ports;
        self
    }
}

pub trait BuildNode {
    fn zone(self, zone: &str) -> Self;
}

impl BuildNode for Node {
    fn zone(self, zone: &str) -> Node {
        self.label(ZONE_LABEL, zone)
    }
}

/// A hand-made EndpointSlice for a service of its namespace, with one port and no endpoint yet.
pub fn slice(text: &str, service: &str) -> ManualEndpoints {
    manual(ManualKind::EndpointSlice, text, service)
}

/// A hand-made Endpoints object, which belongs to the service of its own name.
pub fn endpoints(text: &str) -> ManualEndpoints {
    manual(ManualKind::Endpoints, text, &name(text).name)
}

fn manual(kind: ManualKind, text: &str, service: &str) -> ManualEndpoints {
    let ports: Arc<[EndpointPort]> =
        [EndpointPort { name: "http".into(), number: Some(9000), ..EndpointPort::default() }].into();
    ManualEndpoints {
        kind,
        name: name(text),
        uid: SmolStr::default(),
        labels: LabelSet::new(),
        service: service.into(),
        subsets: vec![ManualSubset { ports, endpoints: Vec::new() }],
    }
}

pub trait BuildManual {
    /// One more endpoint, ready, with a pod behind it (`ns/name`) or none (empty).
    fn with(self, ip: &str, pod: &str) -> Self;
}

impl BuildManual for ManualEndpoints {
    fn with(mut self, ip: &str, pod: &str) -> ManualEndpoints {
        let endpoint = ManualEndpoint {
            identity: identity(ip, "", pod),
            uid: SmolStr::default(),
            conditions: Conditions { ready: true, serving: true, terminating: false },
            node: SmolStr::default(),
            zone: SmolStr::default(),
            hints: Hints::default(),
        };
        self.subsets[0].endpoints.push(endpoint);
        self
    }
}

pub fn identity(ip: &str, hostname: &str, pod: &str) -> EndpointIdentity {
    EndpointIdentity {
        addresses: smallvec![parse_ip(ip).expect(ip)],
        hostname: hostname.into(),
        pod: (!pod.is_empty()).then(|| name(pod)),
    }
}

/// Anything that can be put.
pub trait IntoObject {
    fn into_object(self) -> Object;
}

impl IntoObject for Object {
    fn into_object(self) -> Object {
        self
    }
}

impl IntoObject for Pod {
    fn into_object(self) -> Object {
        Object::Pod(Box::new(self))
    }
}

impl IntoObject for Service {
    fn into_object(self) -> Object {
        Object::Service(Box::new(self))
    }
}

impl IntoObject for Node {
    fn into_object(self) -> Object {
        Object::Node(Box::new(self))
    }
}

impl IntoObject for ManualEndpoints {
    fn into_object(self) -> Object {
        Object::Manual(Box::new(self))
    }
}

pub fn put(object: impl IntoObject) -> Change {
    Change::Put(object.into_object())
}

pub fn delete(kind: Kind, text: &str) -> Change {
    Change::Delete(reference(kind, text))
}

pub fn resolved(changes: impl IntoIterator<Item = Change>) -> ResolvedTransaction {
    ResolvedTransaction::new(changes, "")
}

pub fn put_op(object: impl IntoObject) -> Operation {
    Operation::Put(object.into_object())
}

pub fn delete_op(kind: Kind, text: &str) -> Operation {
    Operation::Delete(reference(kind, text))
}

/// A patch written as kubectl writes it: `k=v` sets, `k-` removes; no overwriting.
pub fn patch(target: PatchTarget, changes: &[&str]) -> LabelPatch {
    let mut patch = LabelPatch { target, set: Vec::new(), remove: Vec::new(), overwrite: false };
    for change in changes {
        match change.split_once('=') {
            Some((k, v)) => patch.set.push((key(k), value(v))),
            None => patch.remove.push(key(change.strip_suffix('-').expect(change))),
        }
    }
    patch
}

/// All objects of a kind, in all namespaces, that a selector matches.
pub fn all_matching(kind: Kind, text: &str) -> PatchTarget {
    PatchTarget::Selector { kind, namespaces: Vec::new(), selector: selector(text) }
}

pub fn asked(operations: impl IntoIterator<Item = Operation>) -> Transaction {
    Transaction { operations: operations.into_iter().collect(), ..Transaction::default() }
}
