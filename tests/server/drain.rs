use std::time::Duration;

use selectord::engine::Scope;
use selectord::runtime::Readiness;
use selectord::server::{ListenAddress, ServerOptions, serve};
use selectord::store::MemoryStore;
use selectord::wire::proto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::harness::{Setup, connect, patiently, pod, service, text_selector};
use crate::subscriber::Subscriber;

#[tokio::test]
async fn streams_end_with_a_word_to_reconnect() {
    let server = Setup::default().start().await;
    let last = server
        .commit([
            service("rng", &[("app", "rng")]),
            pod("rng-1", 1, &[("app", "rng")]),
        ])
        .await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    subscriber.until(last).await;
    let request = proto::WatchPodsRequest {
        selector: text_selector("app"),
        ..Default::default()
    };
    let mut pods = server
        .watch()
        .watch_pods(request)
        .await
        .unwrap()
        .into_inner();
    patiently(pods.message()).await.unwrap();

    server.drain();
    let ends = [
        subscriber.next().await.map(|_| ()).unwrap_err(),
        patiently(pods.message()).await.map(|_| ()).unwrap_err(),
    ];
    for end in ends {
        assert_eq!(
            (end.code(), end.message()),
            (Code::Unavailable, "draining; reconnect with your cursor")
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_up_the_end() {
    let setup = Setup::limits(|limits| limits.drain = Duration::from_millis(50));
    let server = setup.start().await;
    server.commit([service("rng", &[("app", "rng")])]).await;
    server
        .commit((0..4_000).map(|i| pod(&format!("rng-{i}"), i, &[("app", "rng")])))
        .await;
    let _stalled = Subscriber::new(&server, &Scope::all(), None).await;
    server.stop().await;
}

#[tokio::test]
async fn health_follows_readiness_and_drain() {
    let readiness = Readiness::new();
    let loading = readiness.guard("manifests");
    let options = ServerOptions {
        readiness,
        ..ServerOptions::default()
    };
    let server = Setup {
        server: options,
        ..Setup::default()
    }
    .start()
    .await;
    let mut health = HealthClient::new(connect(&server.address).await);
    let asked = HealthCheckRequest {
        service: "selectord.v1.Watch".to_owned(),
    };
    let mut statuses = health.watch(asked).await.unwrap().into_inner();
    let mut next = async || {
        patiently(statuses.message())
            .await
            .unwrap()
            .map(|answer| answer.status)
    };
    assert_eq!(next().await, Some(ServingStatus::NotServing as i32));
    drop(loading);
    assert_eq!(next().await, Some(ServingStatus::Serving as i32));
    server.drain();
    assert_eq!(next().await, Some(ServingStatus::NotServing as i32));
}

#[tokio::test]
async fn the_api_can_be_reflected() {
    let server = Setup::default().start().await;
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(tokio_stream::once(ask))
        .await
        .unwrap()
        .into_inner();
    let answer = patiently(answers.message())
        .await
        .unwrap()
        .and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(listed)) = answer else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = listed
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for name in ["Cluster", "Query", "Watch", "Admin"] {
        assert!(names.contains(&format!("selectord.v1.{name}")), "{names:?}");
    }
}

#[tokio::test]
async fn unix_sockets_and_http_health_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("selectord.sock");
    let address: ListenAddress = format!("unix:{}", path.display()).parse().unwrap();
    let listener = address.bind(false).await.unwrap();
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http_address = http.local_addr().unwrap();
    let (runtime, _thread) =
        selectord::runtime::start(Box::new(MemoryStore::new().unwrap()), Default::default())
            .unwrap();
    let readiness = Readiness::new();
    let loading = readiness.guard("manifests");
    let shutdown = CancellationToken::new();
    let options = ServerOptions {
        readiness,
        ..ServerOptions::default()
    };
    let serving = tokio::spawn(serve(
        vec![listener],
        Some(http),
        runtime,
        options,
        shutdown.clone(),
    ));

    let channel = connect(&format!("unix://{}", path.display())).await;
    let mut admin = proto::admin_client::AdminClient::new(channel);
    let status = patiently(admin.get_status(proto::GetStatusRequest {}))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.revision, status.store.as_str()), (0, "memory"));

    let get = async |path: &str| {
        let mut stream = TcpStream::connect(http_address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        patiently(stream.read_to_string(&mut answer)).await.unwrap();
        answer
    };
    for page in ["/healthz", "/livez"] {
        assert!(get(page).await.starts_with("HTTP/1.1 200"), "{page}");
    }
    let answer = get("/readyz").await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.ends_with("not ready: manifests\n"),
        "{answer}"
    );
    drop(loading);
    assert!(get("/readyz").await.starts_with("HTTP/1.1 200"));

    shutdown.cancel();
    patiently(serving).await.unwrap().unwrap();
    assert!(!path.exists());
}
