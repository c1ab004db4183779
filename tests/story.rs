//! The story that selectord grew out of, told by the real binary over real sockets.
//!
//! Service rng selects `app=rng`: one pod of a ReplicaSet and two of a DaemonSet. The ReplicaSet's
//! pod is to be taken out of traffic without losing an endpoint on the way.

#![cfg(feature = "service")]

mod process;

use process::{Server, Told, Watch};

use selectord::client::Client;
use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{
    Kind, LabelPatch, Object, ObjectName, Operation, PatchTarget, ServiceSelector, Transaction,
};
use selectord::selector::Selector;

const REPLICA: &str = "rng-5d8f9c7b6-x2x4z";
const DAEMON_1: &str = "rng-h7k2p";
const DAEMON_2: &str = "rng-t9w5c";

/// The service with the narrower selector, as a user edits it.
const ACTIVE_ONLY: &str = "examples/rng-active";

fn start() -> (Server, Watch) {
    let server = Server::start(&["--manifests", "examples/rng"]);
    let mut watch = server.watch("rng");
    let told = watch.until(1);
    assert_eq!((told.came.len(), told.went.len()), (3, 0));
    (server, watch)
}

/// What the watcher is told of the steps since its last checkpoint.
fn told(server: &Server, watch: &mut Watch) -> Told {
    watch.until(server.revision())
}

fn ready(server: &Server) -> String {
    let table = server.ok(&["get", "endpoints", "rng", "--no-headers"]);
    table.trim_start_matches("rng").trim().to_owned()
}

#[test]
fn a_server_says_what_its_manifests_make() {
    let mut server = Server::start(&["--manifests", "examples/rng"]);
    assert_eq!(
        server.process.next().as_deref(),
        Some("default/hasher   1 ready   10.244.2.20:80")
    );
    assert_eq!(
        server.process.next().as_deref(),
        Some("default/rng      3 ready   10.244.1.10:80 10.244.1.11:80 10.244.2.11:80")
    );
}

#[test]
fn a_pod_leaves_by_label_and_no_other_endpoint_is_lost() {
    let (server, mut watch) = start();

    let labeled = server.ok(&["label", "pods", "-l", "app=rng", "active=yes"]);
    assert_eq!(
        labeled,
        format!("pod/{REPLICA} labeled\npod/{DAEMON_1} labeled\npod/{DAEMON_2} labeled\n")
    );
    // Step one has reached the watcher before step two is taken.
    let step = told(&server, &mut watch);
    assert_eq!((step.came.len(), step.went.len()), (0, 0), "{step:?}");

    let applied = server.ok(&["apply", "-f", ACTIVE_ONLY]);
    assert!(
        applied.starts_with("service/rng configured\n1 object in 1 transaction"),
        "{applied}"
    );
    let step = told(&server, &mut watch);
    assert_eq!(
        (step.came.len(), step.went.len()),
        (0, 0),
        "no endpoint is lost: {step:?}"
    );
    assert_eq!(
        ready(&server),
        "10.244.1.10:80,10.244.1.11:80,10.244.2.11:80"
    );

    let unlabeled = server.ok(&[
        "label",
        "pods",
        "-l",
        "app=rng,pod-template-hash",
        "active-",
    ]);
    assert_eq!(unlabeled, format!("pod/{REPLICA} unlabeled\n"));
    let step = told(&server, &mut watch);
    assert_eq!((step.came.len(), step.went), (0, vec![REPLICA.to_owned()]));
    assert_eq!(ready(&server), "10.244.1.11:80,10.244.2.11:80");

    let left_over = server.ok(&["get", "pods", "-l", "app=rng,active!=yes", "-o", "name"]);
    assert_eq!(left_over, format!("pod/{REPLICA}\n"));
    let why = server.ok(&["explain", &format!("pod/{REPLICA}"), "--service", "rng"]);
    assert!(
        why.starts_with(&format!(
            "default/{REPLICA} is not an endpoint of default/rng\n"
        )),
        "{why}"
    );
    assert!(why.contains("no    selector active=yes"), "{why}");
}

#[test]
fn the_wrong_order_empties_the_service_and_the_watcher_sees_it() {
    let (server, mut watch) = start();

    server.ok(&["apply", "-f", ACTIVE_ONLY]);
    let step = told(&server, &mut watch);
    assert_eq!((step.came.len(), step.went.len()), (0, 3), "{step:?}");
    assert_eq!(ready(&server), "<none>");

    server.ok(&["label", "pods", "-l", "app=rng", "active=yes"]);
    let step = told(&server, &mut watch);
    assert_eq!((step.came.len(), step.went.len()), (3, 0), "{step:?}");
}

#[tokio::test]
async fn both_changes_in_one_transaction_do_not_whatever_their_order() {
    let (server, mut watch) = start();
    let client = Client::connect(&server.address).await.unwrap();
    let mut service = client
        .service(&ObjectName::new("default", "rng"))
        .await
        .unwrap()
        .answer
        .service;
    let narrower = LabelSet::try_from_pairs([("app", "rng"), ("active", "yes")]).unwrap();
    service.selector = ServiceSelector::Map(narrower);
    let active = LabelPatch {
        target: PatchTarget::Selector {
            kind: Kind::Pod,
            namespaces: vec!["default".into()],
            selector: Selector::parse("app=rng").unwrap(),
        },
        set: vec![(Key::new("active").unwrap(), Value::new("yes").unwrap())],
        remove: vec![],
        overwrite: false,
    };
    let operations = vec![
        Operation::Put(Object::Service(Box::new(service))),
        Operation::PatchLabels(active),
    ];
    let committed = client
        .commit(
            Transaction {
                operations,
                ..Transaction::default()
            },
            "",
        )
        .await
        .unwrap();
    assert_eq!(committed.results.len(), 4);

    let step = watch.until(committed.revision);
    assert_eq!((step.came.len(), step.went.len()), (0, 0), "{step:?}");
    assert_eq!(
        ready(&server),
        "10.244.1.10:80,10.244.1.11:80,10.244.2.11:80"
    );
}

#[test]
fn an_unready_pod_leaves_the_ready_endpoints_and_a_pod_labeled_in_joins() {
    let (server, mut watch) = start();

    let pods = std::fs::read_to_string("examples/rng/pods.yaml").unwrap();
    let replica = pods.split("---").next().unwrap();
    assert!(replica.contains(REPLICA));
    server.apply(&replica.replace("status: \"True\"", "status: \"False\""));
    let step = told(&server, &mut watch);
    assert_eq!(
        (step.came, step.went.len()),
        (vec![format!("{REPLICA}!")], 0)
    );
    assert_eq!(ready(&server), "10.244.1.11:80,10.244.2.11:80");

    let labeled = server.ok(&[
        "label",
        "pod",
        "hasher-7f6d8c9b4-q8r5n",
        "app=rng",
        "--overwrite",
    ]);
    assert_eq!(labeled, "pod/hasher-7f6d8c9b4-q8r5n labeled\n");
    let step = told(&server, &mut watch);
    assert_eq!(
        (step.came, step.went.len()),
        (vec!["hasher-7f6d8c9b4-q8r5n".to_owned()], 0)
    );
    assert_eq!(
        ready(&server),
        "10.244.1.11:80,10.244.2.11:80,10.244.2.20:80"
    );
}
