//! What a service makes of its pods: ports, types and selectors, and traffic
//! distribution.

mod support;

use selectord::engine::Event;
use selectord::model::{
    EndpointPorts, IpFamily, Kind, Pod, Protocol, Service, ServicePort, ServiceType, TargetPort,
};

use support::build::*;
use support::facts::facts;

fn member(text: &str) -> Pod {
    pod(text).label("app", "x").ip("10.0.0.1").ready()
}

fn web() -> Service {
    service("ns/web").selects("app=x")
}

fn named(port_name: &str, target: &str) -> ServicePort {
    port(port_name, 80, TargetPort::Name(target.into()))
}

#[test]
fn a_numeric_target_port_needs_no_container_port() {
    let facts = facts([
        put(web()),
        put(member("ns/a").port("http", 1, Protocol::Tcp)),
    ]);
    assert_eq!(facts.endpoint("ns/web").ports, EndpointPorts::OfService);
    assert_eq!(facts.ports("ns/web"), ["http:8080/TCP"]);
}

#[test]
fn a_named_target_port_is_the_first_container_port_of_that_name_and_protocol() {
    use Protocol::{Tcp, Udp};
    let web = || web().ports(vec![named("http", "main")]);
    for (what, pod, expected) in [
        (
            "one",
            member("ns/a").port("main", 81, Tcp),
            vec!["http:81/TCP"],
        ),
        (
            "another name",
            member("ns/a").port("other", 81, Tcp),
            vec![],
        ),
        (
            "another protocol",
            member("ns/a").port("main", 81, Udp),
            vec![],
        ),
        (
            "the first",
            member("ns/a").port("main", 81, Tcp).port("main", 82, Tcp),
            vec!["http:81/TCP"],
        ),
        (
            "the first that fits",
            member("ns/a").port("main", 81, Udp).port("main", 82, Tcp),
            vec!["http:82/TCP"],
        ),
        (
            "a sidecar",
            member("ns/a").sidecar_port("main", 83, Tcp),
            vec!["http:83/TCP"],
        ),
        (
            "a container before a sidecar",
            member("ns/a")
                .port("main", 81, Tcp)
                .sidecar_port("main", 83, Tcp),
            vec!["http:81/TCP"],
        ),
        ("none", member("ns/a"), vec![]),
    ] {
        let facts = facts([put(web()), put(pod)]);
        assert_eq!(facts.ports("ns/web"), expected, "{what}");
    }
}

#[test]
fn an_unresolved_port_is_dropped_for_that_pod_alone() {
    let web = web().ports(vec![
        port("plain", 80, TargetPort::Number(8080)),
        named("named", "main"),
    ]);
    let mut facts = facts([put(web), put(member("ns/a"))]);
    assert_eq!(facts.ports("ns/web"), ["plain:8080/TCP"]);
    facts.then([put(member("ns/a").port("main", 81, Protocol::Tcp))]);
    assert_eq!(facts.ports("ns/web"), ["plain:8080/TCP", "named:81/TCP"]);
}

#[test]
fn a_pod_that_resolves_no_port_is_still_an_endpoint() {
    let facts = facts([
        put(web().ports(vec![named("http", "main")])),
        put(member("ns/a")),
    ]);
    assert!(facts.ports("ns/web").is_empty());
    assert!(facts.endpoint("ns/web").conditions.ready);
}

#[test]
fn a_headless_service_may_have_no_ports() {
    let facts = facts([put(web().headless().ports(Vec::new())), put(member("ns/a"))]);
    assert!(facts.ports("ns/web").is_empty());
}

#[test]
fn an_unnamed_port_has_the_empty_name_and_keeps_its_app_protocol() {
    let mut plain = port("", 80, TargetPort::Number(8080));
    plain.app_protocol = "h2c".into();
    let facts = facts([put(web().ports(vec![plain])), put(member("ns/a"))]);
    let service = facts
        .engine
        .service(&name("ns/web"))
        .expect("it was put")
        .object;
    let ports = service.endpoint_ports(&facts.endpoint("ns/web").ports);
    assert_eq!(
        (ports[0].name.as_str(), ports[0].app_protocol.as_str()),
        ("", "h2c")
    );
}

#[test]
fn the_services_own_port_number_is_in_no_endpoint() {
    let mut facts = facts([put(web()), put(member("ns/a"))]);
    let events = facts.told_of([put(web().ports(vec![port(
        "http",
        81,
        TargetPort::Number(8080),
    )]))]);
    assert!(matches!(events.as_slice(), [Event::Entry(_)]), "{events:?}");
}

#[test]
fn a_target_port_that_becomes_a_name_changes_every_endpoint() {
    let mut facts = facts([
        put(web()),
        put(member("ns/a").port("main", 81, Protocol::Tcp)),
    ]);
    facts.then([put(web().ports(vec![named("http", "main")]))]);
    assert_eq!(facts.ports("ns/web"), ["http:81/TCP"]);
    facts.then([put(web())]);
    assert_eq!(facts.endpoint("ns/web").ports, EndpointPorts::OfService);
}

#[test]
fn types_that_have_endpoints_have_the_same() {
    use ServiceType::{ClusterIp, LoadBalancer, NodePort};
    for service_type in [ClusterIp, NodePort, LoadBalancer] {
        let facts = facts([put(web().of_type(service_type)), put(member("ns/a"))]);
        assert_eq!(
            facts.identities("ns/web"),
            ["10.0.0.1 (ns/a)"],
            "{service_type:?}"
        );
    }
}

#[test]
fn a_set_based_selector_selects_by_any_operator() {
    let pods = || {
        [
            put(pod("ns/a")
                .label("app", "x")
                .label("active", "yes")
                .ip("10.0.0.1")),
            put(pod("ns/b").label("app", "x").ip("10.0.0.2")),
            put(pod("ns/c").label("ver", "12").ip("10.0.0.3")),
        ]
    };
    for (selector, expected) in [
        ("app=x,active!=yes", vec!["10.0.0.2 (ns/b)"]),
        ("!app", vec!["10.0.0.3 (ns/c)"]),
        ("ver>9", vec!["10.0.0.3 (ns/c)"]),
        ("app in (x,y),active", vec!["10.0.0.1 (ns/a)"]),
        (
            "",
            vec!["10.0.0.1 (ns/a)", "10.0.0.2 (ns/b)", "10.0.0.3 (ns/c)"],
        ),
    ] {
        // The service may come before its pods, or after them.
        let web = service("ns/web").selects_by(selector);
        let mut before = facts([put(web.clone())]);
        before.then(pods());
        let mut after = facts(pods());
        after.then([put(web)]);
        assert_eq!(before.identities("ns/web"), expected, "{selector}");
        assert_eq!(after.identities("ns/web"), expected, "{selector}");
    }
}

#[test]
fn a_deleted_service_has_no_endpoints_and_a_new_one_of_its_name_has_them_again() {
    let mut facts = facts([
        put(web()),
        put(member("ns/a")),
        put(endpoints("ns/web").with("10.9.9.9", "")),
    ]);
    facts.then([delete(Kind::Service, "ns/web")]);
    assert_eq!(facts.engine.endpoints(&name("ns/web")), None);
    facts.then([put(web())]);
    assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/a)", "10.9.9.9"]);
}

#[test]
fn traffic_distribution_hints_ready_endpoints_to_where_they_are() {
    for (asked, zones, nodes) in [
        ("", vec![], vec![]),
        ("PreferClose", vec!["za"], vec![]),
        ("PreferSameZone", vec!["za"], vec![]),
        ("PreferSameNode", vec!["za"], vec!["n"]),
        ("preferclose", vec![], vec![]),
    ] {
        let mut facts = facts([
            put(node("n").zone("za")),
            put(web().traffic_distribution(asked)),
            put(member("ns/a").on("n")),
        ]);
        let found = facts.endpoint("ns/web").hints;
        assert_eq!(
            (found.zones.to_vec(), found.nodes.to_vec()),
            (texts(&zones), texts(&nodes)),
            "{asked:?}"
        );
        facts.then([put(pod("ns/a").label("app", "x").ip("10.0.0.1").on("n"))]);
        assert!(
            facts.endpoint("ns/web").hints.is_empty(),
            "{asked:?}: not ready"
        );
    }
}

fn texts(texts: &[&str]) -> Vec<smol_str::SmolStr> {
    texts.iter().copied().map(smol_str::SmolStr::new).collect()
}

#[test]
fn hints_leave_out_a_zone_that_is_unknown() {
    let facts = facts([
        put(web().traffic_distribution("PreferSameNode")),
        put(member("ns/a").on("n")),
    ]);
    let found = facts.endpoint("ns/web").hints;
    assert!(found.zones.is_empty());
    assert_eq!(found.nodes.to_vec(), ["n"]);
}

#[test]
fn traffic_distribution_is_ignored_while_topology_hints_are_asked_for() {
    for (mode, hinted) in [
        ("Auto", false),
        ("auto", false),
        ("Disabled", true),
        ("", true),
    ] {
        let mut web = web().traffic_distribution("PreferClose");
        web.topology_mode = mode.into();
        let facts = facts([
            put(node("n").zone("za")),
            put(web),
            put(member("ns/a").on("n")),
        ]);
        assert_eq!(
            !facts.endpoint("ns/web").hints.is_empty(),
            hinted,
            "{mode:?}"
        );
    }
}

/// One field of the service changes: the endpoints it decides are told anew, and no others.
#[test]
fn a_field_that_decides_endpoints_takes_effect_at_once() {
    type Change = fn(&mut Service);
    let changes: [(&str, Change, bool); 10] = [
        (
            "trafficDistribution",
            |s| s.traffic_distribution = "PreferSameNode".into(),
            true,
        ),
        (
            "the same by its old name",
            |s| s.traffic_distribution = "PreferSameZone".into(),
            false,
        ),
        ("topology mode", |s| s.topology_mode = "Auto".into(), true),
        (
            "publishNotReadyAddresses",
            |s| s.publish_not_ready_addresses = true,
            true,
        ),
        (
            "ipFamilies",
            |s| s.ip_families = [IpFamily::V6].into_iter().collect(),
            true,
        ),
        (
            "a named target port",
            |s| s.ports = vec![named("http", "main")],
            true,
        ),
        (
            "a target port number",
            |s| s.ports[0].target_port = TargetPort::Number(9),
            false,
        ),
        ("labels", |s| s.labels = labels("a=b"), false),
        ("type", |s| s.service_type = ServiceType::NodePort, false),
        (
            "session affinity",
            |s| s.session_affinity_seconds = Some(60),
            false,
        ),
    ];
    for (field, change, decides) in changes {
        let before = web().traffic_distribution("PreferClose");
        let mut after = before.clone();
        change(&mut after);
        let mut facts = facts([
            put(node("n").zone("za")),
            put(before),
            put(member("ns/a").ip("fd00::1").on("n")),
            put(pod("ns/b").label("app", "x").ip("10.0.0.2").on("n")),
        ]);
        let held = facts.endpoints("ns/web");
        let events = facts.told_of([put(after)]);
        let told = events.iter().any(|event| !matches!(event, Event::Entry(_)));
        assert_eq!(told, decides, "{field}: {events:?}");
        assert_eq!(facts.endpoints("ns/web") != held, decides, "{field}");
    }
}
