use std::fmt::Write as _;

use crate::etcd::Etcd;
use crate::process::{Server, run};

/// Pods as a manifest.
fn pods(number: usize) -> String {
    let mut text = String::new();
    for i in 0..number {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, labels: {{app: rng}}}}\n\
             status: {{phase: Running, podIP: 10.0.0.{i}}}\n"
        );
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_etcd_is_split_if_that_is_said() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let server = Server::start(&["--store", &etcd.address(), "--max-txn-ops", "8"]);
    let refused = run(&server.address, &["apply", "-f", "-"], &pods(20));
    assert_eq!(refused.code, 1);
    for word in ["max_txn_ops", "etcd takes 7", "--chunk", "not atomic"] {
        assert!(refused.err.contains(word), "{word}: {}", refused.err);
    }
    assert_eq!(server.ok(&["count", "pods"]).trim(), "0");

    let split = run(&server.address, &["apply", "-f", "-", "--chunk"], &pods(20));
    assert_eq!(split.code, 0, "{}", split.err);
    assert!(split.err.contains("3 transactions"), "{}", split.err);
    assert!(
        split.out.contains("20 objects in 3 transactions"),
        "{}",
        split.out
    );

    let all = ["label", "pods", "-l", "app=rng", "tier=web"];
    let refused = server.run(&all);
    assert!(refused.err.contains("--chunk"), "{}", refused.err);
    assert_eq!(server.ok(&["count", "pods", "-l", "tier"]).trim(), "0");
    let split = server.run(&[&all[..], &["--chunk"]].concat());
    assert_eq!(split.code, 0, "{}", split.err);
    assert!(split.err.contains("not atomic"), "{}", split.err);
    assert_eq!(split.out.lines().count(), 20);
    assert_eq!(server.ok(&["count", "pods", "-l", "tier=web"]).trim(), "20");

    let all = ["delete", "pods", "-l", "app=rng"];
    let refused = server.run(&all);
    assert!(refused.err.contains("--chunk"), "{}", refused.err);
    server.ok(&[&all[..], &["--chunk"]].concat());
    assert_eq!(server.ok(&["count", "pods"]).trim(), "0");
}
