//! Endpoints that go, and connections that stay.

use std::net::SocketAddr;

use serde_json::Value;

use super::lab::{FAMILIES, Is, Lab, named, pod_is, pod_yaml, pods, saw, service_yaml};
use super::mode::{Mode, in_each_mode};
use super::node::{try_get, until};
use super::talk::{Answer, Line, connect};

#[test]
fn endpoints_that_all_go_still_answer_as_long_as_they_serve() {
    in_each_mode(
        "endpoints_that_all_go_still_answer_as_long_as_they_serve",
        go,
    );
}

fn go(mode: Mode) {
    let lab = Lab::new(mode);
    let net = &lab.net;
    lab.apply(
        &(pod_is("p1", "web", Is::Leaving)
            + &pod_yaml("p3", "web")
            + &service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")),
    );
    let everybody = [&net.client, &net.p2, &net.n1];
    let answered_by = |wanted: &[&str]| {
        for family in &FAMILIES {
            for to in [family.at(1), family.at_node(30001)] {
                for from in everybody {
                    let answers = connect(from, &to, 24);
                    assert_eq!(pods(&answers), named(wanted), "{mode:?}: {to}");
                }
            }
        }
    };
    // Who is ready comes first.
    answered_by(&["p3"]);
    lab.apply(&pod_is("p3", "web", Is::Leaving));
    answered_by(&["p1", "p3"]);
    lab.apply(&pod_is("p1", "web", Is::Gone));
    answered_by(&["p3"]);
    lab.apply(&pod_is("p3", "web", Is::Gone));
    for family in &FAMILIES {
        for to in [family.at(1), family.at_node(30001)] {
            for from in everybody {
                assert_eq!(connect(from, &to, 1), [Answer::Refused], "{mode:?}: {to}");
            }
        }
    }
}

#[test]
fn load_balancers_leave_a_node_whose_last_endpoint_goes_while_it_still_answers() {
    in_each_mode(
        "load_balancers_leave_a_node_whose_last_endpoint_goes_while_it_still_answers",
        drain,
    );
}

fn drain(mode: Mode) {
    let lab = Lab::new(mode);
    let net = &lab.net;
    let local = "type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 32000";
    lab.server.apply(
        &(pod_yaml("p1", "web")
            + &pod_yaml("p3", "web")
            + &service_yaml(1, "web", local, ", nodePort: 30001")
            + "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}, {ip: \"2001:db8:113::1\"}]}}\n"),
    );
    let _proxy = lab.proxy(&[]);
    lab.settled();
    // The port is opened once the rules are written.
    let health = |node: &str| {
        let at: SocketAddr = format!("{node}:32000").parse().unwrap();
        let (status, body) = try_get(&net.client, at, "/").ok()?;
        let body: Value = serde_json::from_str(&body).unwrap();
        Some((status, body["localEndpoints"].as_u64().unwrap()))
    };
    let forwarded = || {
        for family in &FAMILIES {
            let balancer = format!("{}:80", (family.balancer)(1));
            for to in [balancer, family.at_node(30001)] {
                let answers = connect(&net.client, &to, 6);
                assert_eq!(pods(&answers), named(&["p1"]), "{mode:?}: {to}");
                assert_eq!(saw(&answers), [family.client.parse().unwrap()].into());
            }
        }
    };
    for family in &FAMILIES {
        until("good health", || health(family.node) == Some((200, 1)));
    }
    forwarded();
    lab.change(&pod_is("p1", "web", Is::Leaving));
    for family in &FAMILIES {
        until("ill health", || health(family.node) == Some((503, 0)));
    }
    forwarded();
    // Another one comes: the node is back.
    lab.change(&pod_yaml("p2", "web"));
    for family in &FAMILIES {
        until("good health", || health(family.node) == Some((200, 1)));
        let answers = connect(&net.client, &family.at_node(30001), 6);
        assert_eq!(pods(&answers), named(&["p2"]), "{mode:?}");
    }
}

#[test]
fn open_connections_stay_with_an_endpoint_that_has_gone() {
    in_each_mode(
        "open_connections_stay_with_an_endpoint_that_has_gone",
        stay_open,
    );
}

fn stay_open(mode: Mode) {
    let lab = Lab::new(mode);
    let net = &lab.net;
    let service = service_yaml(1, "web", "type: NodePort", ", nodePort: 30001");
    lab.apply(&(pod_yaml("p1", "web") + &service.replace("8080", "9000")));
    let from_where = [&net.client, &net.p4, &net.n1];
    let ways: Vec<_> = FAMILIES
        .iter()
        .flat_map(|family| [family.at(1), family.at_node(30001)])
        .flat_map(|to| from_where.map(|from| (from, to.clone())))
        .collect();
    let mut old: Vec<Line> = ways.iter().map(|(from, to)| Line::open(from, to)).collect();
    let mut still = |context: &str| {
        for (line, (_, to)) in old.iter_mut().zip(&ways) {
            assert_eq!(line.pod(), "p1", "{mode:?}: {context}: {to}");
        }
    };
    still("as it was");
    lab.apply(&(pod_yaml("p2", "web") + &pod_yaml("p1", "other")));
    still("replaced");
    for (from, to) in &ways {
        assert_eq!(Line::open(from, to).pod(), "p2", "{mode:?}: {to}");
    }
    lab.apply(&pod_yaml("p2", "other"));
    still("nobody is left");
    for (from, to) in &ways {
        assert_eq!(connect(from, to, 1), [Answer::Refused], "{mode:?}: {to}");
    }
    still("somebody was refused");
    let done = lab.server.run(&["delete", "service", "s1"]);
    assert_eq!(done.code, 0, "{}", done.err);
    lab.sync();
    still("the service has gone");
}
