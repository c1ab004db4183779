//! Replicas in this process, and short ways to say what tests say often.

use selectord::engine::{Engine, EngineOptions, Namespaces};
use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{
    Kind, LabelPatch, Object, ObjectName, ObjectRef, Operation, PatchTarget, Phase, Pod,
    ReadyCondition, Service, ServicePort, ServiceSelector, TargetPort, Transaction,
};
use selectord::runtime::{Committed, Listed, Runtime, RuntimeOptions, RuntimeThread, start_shared};
use selectord::selector::Selector;
use selectord::server::{ListenAddress, ServerOptions, serve};
use selectord::store::etcd::{EtcdOptions, EtcdStore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::etcd::patiently;

/// One of several that share a store.
pub struct Replica {
    pub runtime: Runtime,
    pub thread: RuntimeThread,
}

impl Replica {
    pub async fn start(options: EtcdOptions) -> Replica {
        let store = EtcdStore::connect(options).await.unwrap();
        let mut listing = store.list(&mut |_| ()).await.unwrap();
        let listed = Listed::of(&mut listing);
        let mut engine = Engine::new(EngineOptions::default());
        listing.apply_to(&mut engine).unwrap();
        let options = RuntimeOptions::default();
        let (runtime, thread) = start_shared(store, engine, listed, options).unwrap();
        Replica { runtime, thread }
    }

    /// Writes, and answers what became of it.
    pub async fn commit(&self, operations: impl IntoIterator<Item = Operation>) -> Committed {
        let committed = self.runtime.commit(transaction(operations), "".into());
        patiently(committed).await.unwrap()
    }

    pub async fn reach(&self, revision: u64) {
        patiently(self.runtime.read_at(revision)).await.unwrap();
    }

    pub async fn dump(&self) -> String {
        let looked = self
            .runtime
            .query(|engine| (engine.verify(), engine.dump()));
        let (found, dump) = looked.await.unwrap();
        assert!(found.is_empty(), "{found:?}");
        dump
    }

    pub async fn count(&self, selector: &str) -> u64 {
        let selector = Selector::parse(selector).unwrap();
        let counted = (self.runtime).query(move |it| it.count(&selector, &Namespaces::all()));
        counted.await.unwrap()
    }

    pub async fn labels(&self, pod: &str) -> LabelSet {
        let name = ObjectName::new("default", pod);
        let found = self.runtime.query(move |engine| engine.pod(&name));
        found.await.unwrap().unwrap().object.labels
    }

    /// Answers gRPC, at an address that it gives.
    pub async fn serve(&self, options: ServerOptions) -> Served {
        let listener = "127.0.0.1:0".parse::<ListenAddress>().unwrap();
        let listener = listener.bind(false).await.unwrap();
        let address = listener.address().unwrap().to_string();
        let shutdown = CancellationToken::new();
        let serving = serve(
            vec![listener],
            None,
            self.runtime.clone(),
            options,
            shutdown.clone(),
        );
        tokio::spawn(serving);
        Served {
            address,
            _shutdown: shutdown.drop_guard(),
        }
    }
}

/// A replica that answers, until this is dropped.
pub struct Served {
    pub address: String,
    _shutdown: DropGuard,
}

/// What a server says of its health.
pub async fn health(address: &str) -> ServingStatus {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest::default();
    let answer = patiently(client.check(request)).await.unwrap();
    answer.into_inner().status()
}

pub fn transaction(operations: impl IntoIterator<Item = Operation>) -> Transaction {
    Transaction {
        operations: operations.into_iter().collect(),
        ..Transaction::default()
    }
}

/// A ready pod; its number gives its address.
pub fn pod(name: &str, number: u32, labels: &[(&str, &str)]) -> Operation {
    let [_, a, b, c] = number.to_be_bytes();
    Operation::Put(Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", name),
        labels: LabelSet::try_from_pairs(labels.iter().copied()).unwrap(),
        node_name: "node-1".into(),
        phase: Phase::Running,
        pod_ips: [[10, a, b, c].into()].into_iter().collect(),
        ready: ReadyCondition::True,
        ..Pod::default()
    })))
}

pub fn service(name: &str, selector: &[(&str, &str)]) -> Operation {
    let port = ServicePort {
        name: "".into(),
        protocol: selectord::model::Protocol::Tcp,
        port: 80,
        target_port: TargetPort::Number(8080),
        node_port: 0,
        app_protocol: "".into(),
    };
    Operation::Put(Object::Service(Box::new(Service {
        name: ObjectName::new("default", name),
        selector: ServiceSelector::Map(LabelSet::try_from_pairs(selector.iter().copied()).unwrap()),
        ports: vec![port],
        ..Service::default()
    })))
}

pub fn pod_ref(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::Pod, ObjectName::new("default", name))
}

/// Sets a label of one pod.
pub fn label(pod: &str, key: &str, value: &str) -> Operation {
    patch(PatchTarget::Object(pod_ref(pod)), key, value)
}

/// Sets a label of every pod that matches.
pub fn label_all(selector: &str, key: &str, value: &str) -> Operation {
    let target = PatchTarget::Selector {
        kind: Kind::Pod,
        namespaces: Vec::new(),
        selector: Selector::parse(selector).unwrap(),
    };
    patch(target, key, value)
}

fn patch(target: PatchTarget, key: &str, value: &str) -> Operation {
    Operation::PatchLabels(LabelPatch {
        target,
        set: vec![(Key::new(key).unwrap(), Value::new(value).unwrap())],
        remove: Vec::new(),
        overwrite: true,
    })
}
