//! A server on a free port, its clients, and short ways to say what tests say often.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use prost::Message as _;
use selectord::labels::LabelSet;
use selectord::model::{
    ContainerPort, Object, ObjectName, Operation, Phase, Pod, Protocol, ReadyCondition, Service,
    ServicePort, ServiceSelector, TargetPort, Transaction,
};
use selectord::runtime::{Runtime, RuntimeOptions, RuntimeThread, start, start_with};
use selectord::server::{Limits, ListenAddress, ServeError, ServerOptions, serve};
use selectord::store::{EmbeddedOptions, EmbeddedStore, MemoryStore};
use selectord::wire::proto::admin_client::AdminClient;
use selectord::wire::proto::cluster_client::ClusterClient;
use selectord::wire::proto::operation::Operation as Step;
use selectord::wire::proto::query_client::QueryClient;
use selectord::wire::proto::watch_client::WatchClient;
use selectord::wire::{WriteRequest, encode_transaction, proto};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(120);
/// What one stream may hold unread at a client, as small as is usual; the connection's window has
/// room for all of them.
pub const STREAM_WINDOW: u32 = 16 << 10;

pub struct Server {
    pub address: String,
    pub runtime: Runtime,
    pub channel: Channel,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
    thread: RuntimeThread,
}

/// Options that tests change some of.
#[derive(Default)]
pub struct Setup {
    pub runtime: RuntimeOptions,
    pub server: ServerOptions,
    /// Where it keeps what it knows; none: in memory.
    pub directory: Option<PathBuf>,
}

impl Setup {
    pub fn limits(change: impl FnOnce(&mut Limits)) -> Setup {
        let mut setup = Setup::default();
        change(&mut setup.server.limits);
        setup
    }

    pub async fn start(self) -> Server {
        let (runtime, thread) = match &self.directory {
            None => start(Box::new(MemoryStore::new().unwrap()), self.runtime),
            Some(directory) => {
                let options = EmbeddedOptions {
                    reserve_bytes: 0,
                    ..EmbeddedOptions::default()
                };
                let rules = self.runtime.engine;
                let (store, engine) =
                    EmbeddedStore::open(directory, rules, options, &mut |_| ()).unwrap();
                start_with(Box::new(store), engine, self.runtime)
            }
        }
        .unwrap();
        let listener = "127.0.0.1:0"
            .parse::<ListenAddress>()
            .unwrap()
            .bind(false)
            .await
            .unwrap();
        let address = format!("http://{}", listener.address().unwrap());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve(
            vec![listener],
            None,
            runtime.clone(),
            self.server,
            shutdown.clone(),
        ));
        let channel = connect(&address).await;
        Server {
            address,
            runtime,
            channel,
            shutdown,
            serving,
            thread,
        }
    }
}

pub async fn connect(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned())
        .unwrap()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 200)
        .connect()
        .await
        .unwrap()
}

impl Server {
    pub fn cluster(&self) -> ClusterClient<Channel> {
        ClusterClient::new(self.channel.clone())
    }

    pub fn query(&self) -> QueryClient<Channel> {
        QueryClient::new(self.channel.clone())
    }

    pub fn watch(&self) -> WatchClient<Channel> {
        WatchClient::new(self.channel.clone())
    }

    pub fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
    }

    /// Writes, and answers the revision.
    pub async fn commit(&self, operations: impl IntoIterator<Item = Operation>) -> u64 {
        self.try_commit(write(operations)).await.unwrap().revision
    }

    pub async fn try_commit(
        &self,
        transaction: proto::Transaction,
    ) -> Result<proto::CommitResponse, Status> {
        let request = proto::CommitRequest {
            transaction: Some(transaction),
        };
        Ok(patiently(self.cluster().commit(request))
            .await?
            .into_inner())
    }

    /// Asks it to drain; the end is awaited by [`Server::stop`].
    pub fn drain(&self) {
        self.shutdown.cancel();
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        patiently(self.serving).await.unwrap().unwrap();
        self.thread.shutdown().await.unwrap();
    }
}

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("no answer")
}

pub fn write(operations: impl IntoIterator<Item = Operation>) -> proto::Transaction {
    let operations = operations.into_iter().collect();
    encode_transaction(&WriteRequest {
        transaction: Transaction {
            operations,
            ..Transaction::default()
        },
        request_id: "".into(),
    })
}

/// A ready pod; its number gives its address.
pub fn pod(name: &str, number: u32, labels: &[(&str, &str)]) -> Operation {
    let [_, a, b, c] = number.to_be_bytes();
    Operation::Put(Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", name),
        labels: LabelSet::try_from_pairs(labels.iter().copied()).unwrap(),
        node_name: "node-1".into(),
        ports: [ContainerPort {
            name: "http".into(),
            number: 8080,
            protocol: Protocol::Tcp,
            sidecar: false,
        }]
        .into(),
        phase: Phase::Running,
        pod_ips: [[10, a, b, c].into()].into_iter().collect(),
        ready: ReadyCondition::True,
        ..Pod::default()
    })))
}

/// Changes the message of a pod that an operation puts.
pub fn change_pod(operation: &mut proto::Operation, change: impl FnOnce(&mut proto::Pod)) {
    let Some(Step::PutPod(bytes)) = &mut operation.operation else {
        panic!("{operation:?} puts no pod");
    };
    let mut pod = proto::Pod::decode(&**bytes).unwrap();
    change(&mut pod);
    *bytes = pod.encode_to_vec().into();
}

/// What is no message stands where a pod should.
pub fn break_pod(operation: &mut proto::Operation) {
    operation.operation = Some(Step::PutPod(vec![0xff].into()));
}

pub fn service(name: &str, selector: &[(&str, &str)]) -> Operation {
    Operation::Put(Object::Service(Box::new(Service {
        name: ObjectName::new("default", name),
        labels: LabelSet::try_from_pairs([("service", name)]).unwrap(),
        selector: ServiceSelector::Map(LabelSet::try_from_pairs(selector.iter().copied()).unwrap()),
        ports: vec![ServicePort {
            name: "http".into(),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Name("http".into()),
            node_port: 0,
            app_protocol: "".into(),
        }],
        ..Service::default()
    })))
}

pub fn delete_pod(name: &str) -> Operation {
    use selectord::model::{Kind, ObjectRef};
    Operation::Delete(ObjectRef::new(Kind::Pod, ObjectName::new("default", name)))
}

pub fn text_selector(text: &str) -> Option<proto::Selector> {
    Some(proto::Selector {
        form: Some(proto::selector::Form::Text(text.to_owned())),
    })
}
