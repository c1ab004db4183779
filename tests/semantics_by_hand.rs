//! Hand-made endpoints: beside computed ones, hidden by them, and on their own.

mod support;

use selectord::model::{EndpointPorts, Kind, ManualEndpoints, Pod, Service, ServiceType};

use support::build::*;
use support::facts::facts;

fn member(text: &str) -> Pod {
    pod(text).label("app", "x").ip("10.0.0.1").ready()
}

fn web() -> Service {
    service("ns/web").selects("app=x")
}

/// Ours: endpoints are a function of present facts, so those of a former selector go.
#[test]
fn computed_endpoints_go_with_the_selector_and_hand_made_ones_stay() {
    let by_hand = || slice("ns/by-hand", "web").with("10.9.9.9", "");
    let mut alias = web().of_type(ServiceType::ExternalName);
    alias.external_name = "example.com".into();
    for without in [service("ns/web"), alias] {
        let mut facts = facts([put(web()), put(member("ns/a")), put(by_hand())]);
        assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/a)", "10.9.9.9"]);
        facts.then([put(without)]);
        assert_eq!(facts.identities("ns/web"), ["10.9.9.9"]);
        facts.then([put(web())]);
        assert_eq!(facts.identities("ns/web"), ["10.0.0.1 (ns/a)", "10.9.9.9"]);
    }
}

#[test]
fn of_two_endpoints_of_one_identity_the_computed_one_wins() {
    let by_hand = slice("ns/by-hand", "web").with("10.0.0.1", "ns/a");
    let mut facts = facts([put(web()), put(by_hand), put(member("ns/a"))]);
    assert_eq!(facts.endpoint("ns/web").ports, EndpointPorts::OfService);
    facts.then([delete(Kind::Pod, "ns/a")]);
    assert!(matches!(
        facts.endpoint("ns/web").ports,
        EndpointPorts::Own(_)
    ));
    facts.then([put(member("ns/a"))]);
    assert_eq!(facts.endpoint("ns/web").ports, EndpointPorts::OfService);
}

/// In one transaction the pod leaves, moves to the address, and somebody writes it there by hand.
#[test]
fn a_pod_that_leaves_hides_nothing() {
    let mut facts = facts([put(web()), put(member("ns/a"))]);
    facts.then([
        put(pod("ns/a").label("app", "y").ip("10.9.9.9").ready()),
        put(slice("ns/by-hand", "web").with("10.9.9.9", "ns/a")),
    ]);
    assert_eq!(facts.identities("ns/web"), ["10.9.9.9 (ns/a)"]);
    assert!(matches!(
        facts.endpoint("ns/web").ports,
        EndpointPorts::Own(_)
    ));
}

#[test]
fn of_hand_made_endpoints_of_one_identity_the_first_object_wins() {
    let by_hand = |object: ManualEndpoints, uid: &str| {
        let mut object = object.with("10.9.9.9", "");
        object.subsets[0].endpoints[0].uid = uid.into();
        put(object)
    };
    let mut facts = facts([
        put(service("ns/web")),
        by_hand(slice("ns/b", "web"), "slice b"),
        by_hand(slice("ns/a", "web"), "slice a"),
        by_hand(endpoints("ns/web"), "endpoints"),
    ]);
    assert_eq!(facts.endpoint("ns/web").uid, "endpoints");
    facts.then([delete(Kind::Endpoints, "ns/web")]);
    assert_eq!(facts.endpoint("ns/web").uid, "slice a");
    facts.then([delete(Kind::EndpointSlice, "ns/a")]);
    assert_eq!(facts.endpoint("ns/web").uid, "slice b");
}

#[test]
fn hand_made_endpoints_wait_for_their_service() {
    let mut facts = facts([put(slice("ns/by-hand", "web").with("10.9.9.9", ""))]);
    assert_eq!(facts.engine.endpoints(&name("ns/web")), None);
    facts.then([put(service("ns/web"))]);
    assert_eq!(facts.identities("ns/web"), ["10.9.9.9"]);
    facts.then([put(slice("ns/by-hand", "api").with("10.9.9.9", ""))]);
    assert!(facts.endpoints("ns/web").is_empty());
}

#[test]
fn hand_made_endpoints_are_published_as_written() {
    let mut object = slice("ns/by-hand", "web").with("10.9.9.9", "");
    let written = &mut object.subsets[0].endpoints[0];
    written.conditions.ready = false;
    written.zone = "elsewhere".into();
    written.node = "n".into();
    let facts = facts([
        put(node("n").zone("za")),
        put(service("ns/web")
            .publish_not_ready()
            .traffic_distribution("PreferClose")),
        put(object),
    ]);
    let found = facts.endpoint("ns/web");
    assert!(!found.conditions.ready);
    assert_eq!(found.zone, "elsewhere");
    assert!(found.hints.is_empty());
}
