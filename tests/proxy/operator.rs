//! What an operator sees of a proxy that runs: its pages, its numbers, and that they say what is so.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use serde_json::Value;

use super::mode::{Mode, in_each_mode};
use super::namespace::available;
use super::node::{Node, get, pod, service, try_get, until};
use super::process::Server;

/// Fields of a service that has chains of its own: elements alone go to the kernel without nft.
const FOR_THE_TOOL: &str = "sessionAffinity: ClientIP";

#[test]
fn numbers_say_what_was_done() {
    in_each_mode("numbers_say_what_was_done", count);
}

fn count(mode: Mode) {
    let node = Node::new(mode, &["--check-period", "50"]);
    until("the first sync", || node.status("/readyz") == 200);
    assert_eq!(
        node.metric("kubeproxy_network_programming_duration_seconds_count"),
        0.0
    );
    assert_eq!(node.status("/healthz"), 200);
    assert_eq!(node.status("/livez"), 200);
    assert_eq!(
        node.metric("kubeproxy_proxy_healthz_total{code=\"200\"}"),
        1.0
    );
    assert_eq!(
        node.metric("kubeproxy_proxy_healthz_total{code=\"503\"}"),
        0.0
    );

    let before = node.metrics();
    node.server()
        .apply(&(service(1, "internalTrafficPolicy: Local") + &pod(1, "n2") + &pod(2, "n2")));
    node.settled();
    let after = node.metrics();
    let grew = |name: &str| after[name] - before[name];
    let proxy = |name: &str| format!("kubeproxy_sync_proxy_rules_{name}");
    assert_eq!(grew(&proxy("service_changes_total")), 1.0);
    assert_eq!(grew(&proxy("endpoint_changes_total")), 2.0);
    assert_eq!(after[&proxy("service_changes_pending")], 0.0);
    assert_eq!(after[&proxy("endpoint_changes_pending")], 0.0);
    assert!(grew("kubeproxy_network_programming_duration_seconds_count") >= 1.0);
    assert!(grew(&proxy("duration_seconds_count")) >= 1.0);
    assert!(
        after[&proxy("last_timestamp_seconds")] >= after[&proxy("last_queued_timestamp_seconds")]
    );
    assert_eq!(
        after[&proxy("no_local_endpoints_total{traffic_policy=\"internal\"}")],
        1.0
    );
    assert_eq!(
        after[&proxy("no_local_endpoints_total{traffic_policy=\"external\"}")],
        0.0
    );
    assert!(
        grew("selectord_proxy_elements_written_total")
            + grew("selectord_proxy_rules_written_total")
            > 0.0
    );
    assert_eq!(after["selectord_proxy_refused_services"], 0.0);
    // Buckets are those that dashboards know.
    for name in [
        proxy("duration_seconds_bucket{le=\"16.384\"}"),
        "kubeproxy_network_programming_duration_seconds_bucket{le=\"300\"}".to_owned(),
    ] {
        assert!(after.contains_key(&name), "{name} is not among {after:#?}");
    }

    node.server().apply(&pod(3, "n1"));
    node.settled();
    assert_eq!(
        node.metric(&proxy(
            "no_local_endpoints_total{traffic_policy=\"internal\"}"
        )),
        0.0
    );

    // Of a service without endpoints it is not told how long it took.
    let programmed = "kubeproxy_network_programming_duration_seconds_count";
    let before = node.metric(programmed);
    node.server()
        .apply(&service(2, "").replace("web", "nobody"));
    node.settled();
    assert_eq!(node.metric(programmed), before);

    // What another does is found, undone, and counted.
    let before = node.metrics();
    node.namespace.sh(mode.flush());
    until("the repair", || {
        node.metric("selectord_proxy_repairs_total") > before["selectord_proxy_repairs_total"]
    });
    assert!(mode.has(&node.namespace, "10.96.0.1"));
    let after = node.metrics();
    assert!(
        after["selectord_proxy_foreign_changes_total"]
            > before["selectord_proxy_foreign_changes_total"]
    );
    let full = "kubeproxy_sync_full_proxy_rules_duration_seconds_count";
    assert!(after[full] > before[full]);
}

#[test]
fn a_server_that_is_away_leaves_the_rules_and_grows_old() {
    in_each_mode(
        "a_server_that_is_away_leaves_the_rules_and_grows_old",
        go_away,
    );
}

fn go_away(mode: Mode) {
    let mut node = Node::new(mode, &["--check-period", "50"]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    let rules = mode.lines(&node.namespace);
    drop(node.server.take());
    until("the loss", || {
        node.metric("selectord_proxy_reconnects_total") > 0.0
    });
    let age = node.metric("selectord_proxy_source_age_seconds");
    until("age", || {
        node.metric("selectord_proxy_source_age_seconds") > age + 0.05
    });
    assert_eq!(
        (
            node.status("/healthz"),
            node.status("/livez"),
            node.status("/readyz")
        ),
        (200, 200, 200)
    );
    let body: Value = serde_json::from_str(&node.get("/healthz").1).unwrap();
    assert!(body["sourceAgeSeconds"].as_f64().unwrap() > age, "{body}");
    assert_eq!(body["waitingSeconds"], Value::Null);
    assert_eq!(mode.lines(&node.namespace), rules);

    // What comes back has another history and other services.
    let server = Server::start_at(&node.socket, &[]);
    server.apply(&(service(2, "") + &pod(1, "n1")));
    node.server = Some(server);
    until("the new rules", || {
        mode.has(&node.namespace, "10.96.0.2") && !mode.has(&node.namespace, "10.96.0.1")
    });
    until("youth", || {
        node.metric("selectord_proxy_source_age_seconds") < age + 30.0
    });
}

#[test]
fn a_write_that_keeps_failing_is_told_and_tried_again() {
    in_each_mode(
        "a_write_that_keeps_failing_is_told_and_tried_again",
        keep_failing,
    );
}

fn keep_failing(mode: Mode) {
    let failures = match mode {
        Mode::Nftables => "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
        Mode::Iptables(_) => "kubeproxy_sync_proxy_rules_iptables_restore_failures_total",
    };
    let node = Node::new(mode, &["--sync-period", "100"]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    let rules = mode.lines(&node.namespace);
    let failed = node.metric(failures);

    std::fs::write(node.broken(), "").unwrap();
    node.server().apply(&service(2, FOR_THE_TOOL));
    until("ill health", || node.status("/healthz") == 503);
    until("more tries", || node.metric(failures) >= failed + 3.0);
    assert_eq!((node.status("/livez"), node.status("/readyz")), (503, 200));
    let body: Value = serde_json::from_str(&node.get("/healthz").1).unwrap();
    assert!(body["waitingSeconds"].as_f64().unwrap() > 0.2, "{body}");
    assert_eq!(
        node.metric("kubeproxy_sync_proxy_rules_service_changes_pending"),
        1.0
    );
    assert_eq!(mode.lines(&node.namespace), rules);

    std::fs::remove_file(node.broken()).unwrap();
    until("health", || node.status("/healthz") == 200);
    assert!(mode.has(&node.namespace, "10.96.0.2"));
    assert_eq!(
        node.metric("kubeproxy_sync_proxy_rules_service_changes_pending"),
        0.0
    );
}

#[test]
fn a_write_that_takes_for_ever_holds_up_neither_pages_nor_an_end() {
    in_each_mode(
        "a_write_that_takes_for_ever_holds_up_neither_pages_nor_an_end",
        take_for_ever,
    );
}

fn take_for_ever(mode: Mode) {
    let mut node = Node::new(mode, &["--sync-period", "100"]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    std::fs::write(node.slow(), "").unwrap();
    node.server().apply(&service(2, FOR_THE_TOOL));
    until("ill health", || node.status("/livez") == 503);
    std::fs::remove_file(node.slow()).unwrap();
    until("health", || node.status("/livez") == 200);
    assert!(mode.has(&node.namespace, "10.96.0.2"));

    std::fs::write(node.slow(), "").unwrap();
    node.server().apply(&service(3, FOR_THE_TOOL));
    until("ill health", || node.status("/livez") == 503);
    // The first time, it is let to write to the end.
    terminate(&node);
    until("the last page", || node.refuses());
    terminate(&node);
    assert_eq!(node.proxy.as_mut().unwrap().wait().unwrap().code(), Some(1));
}

#[test]
fn what_somebody_else_does_is_seen_while_changes_wait() {
    in_each_mode(
        "what_somebody_else_does_is_seen_while_changes_wait",
        see_while_waiting,
    );
}

fn see_while_waiting(mode: Mode) {
    let node = Node::new(
        mode,
        &["--check-period", "50", "--min-sync-period", "3600000"],
    );
    until("the first sync", || node.status("/readyz") == 200);
    let foreign = "selectord_proxy_foreign_changes_total";
    let before = node.metric(foreign);
    node.server().apply(&service(1, ""));
    until("a change that waits", || {
        node.metric("kubeproxy_sync_proxy_rules_service_changes_pending") > 0.0
    });
    node.namespace.sh(mode.flush());
    until("the discovery", || node.metric(foreign) > before);
}

#[test]
fn a_repair_that_takes_for_ever_is_ill_health_too() {
    in_each_mode(
        "a_repair_that_takes_for_ever_is_ill_health_too",
        repair_for_ever,
    );
}

fn repair_for_ever(mode: Mode) {
    let node = Node::new(mode, &["--check-period", "50", "--sync-period", "100"]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    std::fs::write(node.slow(), "").unwrap();
    node.namespace.sh(mode.flush());
    until("ill health", || node.status("/livez") == 503);
    std::fs::remove_file(node.slow()).unwrap();
    until("health", || node.status("/livez") == 200);
    until("the repair", || mode.has(&node.namespace, "10.96.0.1"));
}

fn terminate(node: &Node) {
    let id = node.proxy.as_ref().unwrap().id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status();
    assert!(asked.unwrap().success());
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    in_each_mode(
        "a_server_that_is_not_there_yet_is_waited_for",
        wait_for_a_server,
    );
}

fn wait_for_a_server(mode: Mode) {
    let mut node = Node::new(mode, &[]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    let rules = mode.lines(&node.namespace);
    terminate(&node);
    node.proxy.as_mut().unwrap().wait().unwrap();
    drop(node.server.take());

    node.start(&[]);
    until("a try", || {
        node.metric("selectord_proxy_reconnects_total") > 0.0
    });
    assert_eq!((node.status("/livez"), node.status("/readyz")), (200, 503));
    assert!(node.metric("selectord_proxy_source_age_seconds").is_nan());
    assert_eq!(mode.lines(&node.namespace), rules);

    let server = Server::start_at(&node.socket, &[]);
    server.apply(&(service(1, "") + &pod(1, "n1")));
    node.server = Some(server);
    node.settled();
    assert_eq!(node.status("/readyz"), 200);
    assert_eq!(mode.lines(&node.namespace), rules);
}

#[test]
fn who_is_asked_to_end_leaves_the_rules() {
    in_each_mode("who_is_asked_to_end_leaves_the_rules", end);
}

fn end(mode: Mode) {
    let mut node = Node::new(mode, &[]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    let rules = mode.lines(&node.namespace);
    terminate(&node);
    assert!(node.proxy.as_mut().unwrap().wait().unwrap().success());
    assert_eq!(mode.lines(&node.namespace), rules);
}

#[test]
fn load_balancers_are_answered_where_node_ports_are() {
    in_each_mode("load_balancers_are_answered_where_node_ports_are", balance);
}

fn balance(mode: Mode) {
    let args = [
        "--sync-period",
        "100",
        "--nodeport-addresses",
        "192.0.2.0/24,2001:db8::/64",
    ];
    let node = Node::new(mode, &args);
    let local = "type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 32000";
    node.server()
        .apply(&(service(1, local) + &pod(1, "n1") + &pod(2, "n2")));
    node.settled();
    let here: SocketAddr = "192.0.2.1:32000".parse().unwrap();
    let answers = |status| try_get(&node.namespace, here, "/").is_ok_and(|(is, _)| is == status);
    // The port is opened once the rules are written.
    until("the health check", || answers(200));
    let (_, body) = get(&node.namespace, here, "/");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["localEndpoints"], 1);
    let elsewhere = node
        .namespace
        .within(|| TcpStream::connect("127.0.0.1:32000"));
    assert!(elsewhere.is_err());

    // Nobody is sent to a node whose rules are not kept true.
    std::fs::write(node.broken(), "").unwrap();
    node.server().apply(&service(2, FOR_THE_TOOL));
    until("ill health", || answers(503));
    std::fs::remove_file(node.broken()).unwrap();
    until("health", || answers(200));
}

#[test]
fn a_health_check_port_that_another_has_is_opened_once_it_is_free() {
    if !available("a_health_check_port_that_another_has_is_opened_once_it_is_free") {
        return;
    }
    let node = Node::new(Mode::Nftables, &["--check-period", "50"]);
    let here: SocketAddr = "192.0.2.1:32000".parse().unwrap();
    let other = node.namespace.within(|| TcpListener::bind(here).unwrap());
    let local = "type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 32000";
    node.server().apply(&(service(1, local) + &pod(1, "n1")));
    node.settled();
    drop(other);
    // Nothing changes, and nothing is written. What listened before may still accept for a moment, in a
    // process that another test is starting.
    until("the health check", || {
        try_get(&node.namespace, here, "/").is_ok_and(|(status, _)| status == 200)
    });
}
