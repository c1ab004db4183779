//! Which pods become endpoints, with what conditions and what fields: the rules of Kubernetes'
//! EndpointSlice controller, one case each.

mod support;

use selectord::engine::{Event, MissingNode};
use selectord::model::{IpFamily, Kind, Phase, Pod, ReadyCondition};

use support::build::*;
use support::facts::{facts, facts_with};

/// A pod of the service `ns/web`, ready at 10.0.0.1.
fn member(text: &str) -> Pod {
    pod(text).label("app", "x").ip("10.0.0.1").ready()
}

fn web() -> selectord::model::Service {
    service("ns/web").selects("app=x")
}

#[test]
fn only_a_terminal_phase_keeps_a_pod_out() {
    for (phase, endpoints) in [
        (Phase::Unset, 1),
        (Phase::Pending, 1),
        (Phase::Running, 1),
        (Phase::Unknown, 1),
        (Phase::Succeeded, 0),
        (Phase::Failed, 0),
    ] {
        for web in [web(), web().publish_not_ready()] {
            let facts = facts([put(web), put(member("ns/a").phase(phase))]);
            assert_eq!(facts.endpoints("ns/web").len(), endpoints, "{phase:?}");
        }
    }
}

#[test]
fn a_pod_without_an_address_is_no_endpoint() {
    for web in [web(), web().publish_not_ready()] {
        let facts = facts([put(web), put(pod("ns/a").label("app", "x").ready())]);
        assert!(facts.endpoints("ns/web").is_empty());
    }
}

#[test]
fn a_pod_is_selected_in_its_own_namespace_only() {
    let facts = facts([put(web()), put(member("other/a")), put(member("ns/b"))]);
    assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/b)"]);
}

#[test]
fn every_row_of_the_condition_table() {
    const ROWS: [(bool, bool, bool, [bool; 3]); 8] = [
        // published though not ready, ready, being deleted: ready, serving, terminating
        (false, true, false, [true, true, false]),
        (false, false, false, [false, false, false]),
        (false, true, true, [false, true, true]),
        (false, false, true, [false, false, true]),
        (true, true, false, [true, true, false]),
        (true, false, false, [true, false, false]),
        (true, true, true, [true, true, true]),
        (true, false, true, [true, false, true]),
    ];
    for (published, ready, deleted, expected) in ROWS {
        let web = if published {
            web().publish_not_ready()
        } else {
            web()
        };
        let a = member("ns/a").readiness(if ready {
            ReadyCondition::True
        } else {
            ReadyCondition::False
        });
        let a = if deleted { a.terminating() } else { a };
        let found = facts([put(web), put(a)]).endpoint("ns/web").conditions;
        assert_eq!(
            [found.ready, found.serving, found.terminating],
            expected,
            "published {published}, ready {ready}, deleted {deleted}"
        );
    }
}

#[test]
fn only_a_ready_condition_of_true_is_ready() {
    for (condition, ready) in [
        (ReadyCondition::True, true),
        (ReadyCondition::False, false),
        (ReadyCondition::Unknown, false),
        (ReadyCondition::Absent, false),
    ] {
        let facts = facts([put(web()), put(member("ns/a").readiness(condition))]);
        let found = facts.endpoint("ns/web").conditions;
        assert_eq!(
            (found.ready, found.serving),
            (ready, ready),
            "{condition:?}"
        );
    }
}

#[test]
fn a_pod_of_an_unknown_node_is_admitted_or_withheld() {
    use MissingNode::{Admit, Withhold};
    for (mode, publishes, on, endpoints) in [
        (Admit, false, "gone", 1),
        (Admit, false, "", 1),
        (Withhold, false, "gone", 0),
        (Withhold, false, "", 0),
        (Withhold, true, "gone", 1),
        (Withhold, true, "", 1),
        (Withhold, false, "here", 1),
    ] {
        let web = if publishes {
            web().publish_not_ready()
        } else {
            web()
        };
        let facts = facts_with(
            mode,
            [
                put(web),
                put(member("ns/a").on(on)),
                put(node("here").zone("za")),
            ],
        );
        let found = facts.endpoints("ns/web");
        assert_eq!(
            found.len(),
            endpoints,
            "{mode:?}, published {publishes}, on {on:?}"
        );
        for endpoint in found {
            assert_eq!(endpoint.node, on);
            assert_eq!(endpoint.zone, if on == "here" { "za" } else { "" });
        }
    }
}

#[test]
fn a_node_takes_effect_at_once() {
    let mut facts = facts_with(
        MissingNode::Withhold,
        [put(web()), put(member("ns/a").on("n"))],
    );
    assert!(facts.endpoints("ns/web").is_empty());
    facts.then([put(node("n"))]);
    assert_eq!(facts.endpoint("ns/web").zone, "");
    facts.then([put(node("n").zone("za"))]);
    assert_eq!(facts.endpoint("ns/web").zone, "za");
    facts.then([put(node("n").zone(""))]);
    assert_eq!(facts.endpoint("ns/web").zone, "");
    facts.then([delete(Kind::Node, "n")]);
    assert!(facts.endpoints("ns/web").is_empty());
}

#[test]
fn an_endpoint_names_its_pod() {
    let facts = facts([put(web()), put(member("ns/a").uid("42").on("n"))]);
    let found = facts.endpoint("ns/web");
    assert_eq!(found.identity, identity("10.0.0.1", "", "ns/a"));
    assert_eq!((found.uid.as_str(), found.node.as_str()), ("42", "n"));
}

#[test]
fn a_hostname_needs_the_subdomain_of_the_service() {
    for (hostname, subdomain, expected) in [
        ("h", "web", "h"),
        ("h", "", ""),
        ("h", "other", ""),
        ("", "web", ""),
    ] {
        let facts = facts([put(web()), put(member("ns/a").host(hostname, subdomain))]);
        assert_eq!(
            facts.endpoint("ns/web").identity.hostname,
            expected,
            "{hostname:?} {subdomain:?}"
        );
    }
}

#[test]
fn families_are_those_listed_else_the_cluster_ips_else_both() {
    use IpFamily::{V4, V6};
    let (four, six) = ("10.0.0.1 (ns/a)", "fd00::1 (ns/a)");
    for (web, expected) in [
        (web().families(&[V4]), vec![four]),
        (web().families(&[V6]), vec![six]),
        (web().families(&[V6, V4]), vec![four, six]),
        (web().cluster_ip("fd00::9").families(&[V4]), vec![four]),
        (web().cluster_ip("10.96.0.1"), vec![four]),
        (web().cluster_ip("fd00::9"), vec![six]),
        (web().headless(), vec![four, six]),
    ] {
        let facts = facts([put(web.clone()), put(member("ns/a").ip("fd00::1"))]);
        assert_eq!(
            facts.identities("ns/web"),
            expected,
            "{:?} {:?}",
            web.cluster_ip,
            web.ip_families
        );
    }
}

#[test]
fn a_pod_without_an_address_of_the_family_is_not_in_it() {
    let facts = facts([put(web().families(&[IpFamily::V6])), put(member("ns/a"))]);
    assert!(facts.endpoints("ns/web").is_empty());
}

#[test]
fn pods_that_share_an_address_are_separate_endpoints() {
    let mut facts = facts([put(web()), put(member("ns/a")), put(member("ns/b"))]);
    assert_eq!(
        facts.identities("ns/web"),
        ["10.0.0.1 (ns/a)", "10.0.0.1 (ns/b)"]
    );
    facts.then([delete(Kind::Pod, "ns/a")]);
    assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/b)"]);
}

#[test]
fn a_new_uid_is_an_update_in_place() {
    let mut facts = facts([put(web()), put(member("ns/a").uid("1"))]);
    let events = facts.told_of([put(member("ns/a").uid("2"))]);
    assert!(
        matches!(events.as_slice(), [Event::Endpoint { endpoint, .. }] if endpoint.uid == "2"),
        "{events:?}"
    );
}

#[test]
fn a_new_address_is_another_endpoint() {
    let mut facts = facts([put(web()), put(member("ns/a"))]);
    let events = facts.told_of([put(pod("ns/a").label("app", "x").ip("10.0.0.2").ready())]);
    let removed = Event::Removed {
        service: name("ns/web"),
        identity: identity("10.0.0.1", "", "ns/a"),
    };
    assert!(events.contains(&removed), "{events:?}");
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(facts.identities("ns/web"), ["10.0.0.2 (ns/a)"]);
}

#[test]
fn what_no_endpoint_shows_is_no_difference() {
    let mut facts = facts([put(web()), put(member("ns/a").phase(Phase::Pending))]);
    let events = facts.told_of([put(member("ns/a")
        .label("noise", "1")
        .phase(Phase::Running)
        .host("h", "other"))]);
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn a_pod_leaves_with_its_label_and_comes_back_with_it() {
    let mut facts = facts([put(web()), put(member("ns/a"))]);
    facts.then([put(member("ns/a").label("app", "y"))]);
    assert!(facts.endpoints("ns/web").is_empty());
    facts.then([put(member("ns/a"))]);
    assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/a)"]);
}
