use serde_json::Value;

use selectord::client::Client;
use selectord::store::etcd::EtcdStore;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::etcd::{Etcd, eventually, patiently};
use crate::member::free_address;
use crate::process::{Lines, Server};
use crate::replicas::health;

/// What `status -o json` says, if it is answered.
fn status(address: &str) -> Option<Value> {
    let done = crate::process::run(address, &["status", "-o", "json"], "");
    (done.code == 0).then(|| serde_json::from_str(&done.out).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn before_there_is_a_state_it_says_what_it_waits_for() {
    let Some(mut etcd) = Etcd::prepare() else {
        return;
    };
    let (grpc, http) = (free_address().to_string(), free_address().to_string());
    let store = etcd.address();
    let args = [
        "serve", "--listen", &grpc, "--http", &http, "--store", &store, "--log", "error",
    ];
    let mut server = Lines::start("", &args);
    eventually("a status", async || status(&grpc).is_some()).await;
    let waiting = status(&grpc).unwrap();
    assert_eq!(waiting["store"], "etcd");
    let unready = waiting["unready"].as_str().unwrap();
    assert!(unready.contains("connecting to etcd"), "{unready}");
    assert_eq!(health(&grpc).await, ServingStatus::NotServing);
    let refused = crate::process::run(&grpc, &["count", "pods"], "");
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("connecting to etcd"),
        "{}",
        refused.err
    );
    let (code, said) = http_get(&http, "/readyz").await;
    assert_eq!(code, 503, "{said}");
    assert!(said.contains("connecting to etcd"), "{said}");
    for page in ["/healthz", "/livez"] {
        assert_eq!(http_get(&http, page).await.0, 200, "{page}");
    }

    etcd.begin();
    let line = tokio::task::spawn_blocking(move || (server.next(), server));
    let (line, _server) = patiently(line).await.unwrap();
    assert_eq!(line.as_deref(), Some(&*format!("serving gRPC on {grpc}")));
    // The line is of the port, and the state may become ready after it.
    eventually("readiness", async || {
        let is_healthy = health(&grpc).await == ServingStatus::Serving;
        is_healthy && http_get(&http, "/readyz").await.0 == 200
    })
    .await;
    assert_eq!(status(&grpc).unwrap()["unready"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_history_is_another_one_it_begins_anew_where_it_is() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let server = Server::start(&["--store", &etcd.address()]);
    let applied = server.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: one, labels: {app: rng}}\n\
         status: {phase: Running, podIP: 10.0.0.1}\n",
    );
    assert!(applied.contains("created"), "{applied}");
    let before = status(&server.address).unwrap();
    let client = Client::connect(&server.address).await.unwrap();
    let store = EtcdStore::connect(etcd.options()).await.unwrap();
    store.renew_history().await.unwrap();
    eventually("another epoch", async || {
        status(&server.address).is_some_and(|now| {
            now["unready"] == "" && now["epoch"] != before["epoch"] && now["epoch"] != ""
        })
    })
    .await;
    assert_eq!(server.ok(&["count", "pods", "-l", "app=rng"]).trim(), "1");
    server.ok(&["label", "pod", "one", "again=yes"]);
    // A connection of before is mended by itself.
    eventually("an answer", async || client.status().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_for_a_prefix_without_objects() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let store = etcd.address();
    let args = ["--store", &store, "--manifests", "examples/rng"];
    let first = Server::start(&args);
    assert_eq!(first.ok(&["count", "pods", "-l", "app=rng"]).trim(), "3");
    first.ok(&["delete", "pod", "rng-h7k2p"]);
    let second = Server::start(&args);
    assert_eq!(second.ok(&["count", "pods", "-l", "app=rng"]).trim(), "2");
}

/// The status code and the body of an answer.
async fn http_get(address: &str, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patiently(stream.read_to_string(&mut answer)).await.unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer)
}
