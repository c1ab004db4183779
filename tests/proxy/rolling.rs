//! Every endpoint of a service is replaced, one after the other, under load.

use super::lab::{FAMILIES, Is, Lab, named, pod_is, pod_yaml, pods, service_yaml};
use super::load::Load;
use super::mode::{Mode, in_each_mode};
use super::talk::connect;

/// How often one endpoint is replaced by another, unless SELECTORD_TEST_REPLACED says how often.
const REPLACED: usize = 6;

fn replaced() -> usize {
    let asked = std::env::var("SELECTORD_TEST_REPLACED");
    asked.map_or(REPLACED, |asked| asked.parse().unwrap())
}

/// From outside and from a pod, to a virtual IP and a node port, over IPv4 and IPv6.
fn load(lab: &Lab) -> [Load; 2] {
    let of = |family: &super::lab::Family| [family.at(1), family.at_node(30001)];
    let to: Vec<String> = FAMILIES.iter().flat_map(of).collect();
    [&lab.net.client, &lab.net.p4].map(|from| Load::start(from, &to))
}

fn two_endpoints(mode: Mode) -> Lab {
    let lab = Lab::new(mode);
    lab.net.end("p3");
    lab.server.apply(
        &(service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")
            + &pod_yaml("p1", "web")
            + &pod_yaml("p2", "web")),
    );
    lab
}

#[test]
fn no_connection_fails_while_endpoints_are_replaced() {
    in_each_mode("no_connection_fails_while_endpoints_are_replaced", replace);
}

fn replace(mode: Mode) {
    let lab = two_endpoints(mode);
    let _proxy = lab.proxy(&[]);
    lab.settled();
    let loads = load(&lab);
    // Two of three serve; the third one is next.
    let ring = ["p3", "p1", "p2"];
    for step in 0..replaced() {
        let (new, old) = (ring[step % 3], ring[(step + 1) % 3]);
        // It is told that it is ready when it is; the old one ends when it is told to, when no rule
        // leads to it, and whoever came before has been answered.
        lab.net.start(new);
        lab.change(&pod_yaml(new, "web"));
        loads.iter().for_each(|load| load.go_on(4));
        lab.change(&pod_is(old, "web", Is::Leaving));
        loads.iter().for_each(|load| load.go_on(4));
        lab.net.end(old);
        lab.change(&pod_is(old, "web", Is::Gone));
        lab.change(&pod_yaml(old, "other"));
    }
    let last = ring[(replaced() - 1) % 3];
    let other = ring[(replaced() + 1) % 3];
    for family in &FAMILIES {
        let answers = connect(&lab.net.client, &family.at(1), 30);
        assert_eq!(pods(&answers), named(&[last, other]), "{mode:?}");
    }
    for load in loads {
        let (connections, failed) = load.end();
        assert_eq!(failed, [], "{mode:?}: of {connections}");
        assert!(connections >= replaced() * 8, "{mode:?}: {connections}");
    }
}

#[test]
fn connections_fail_where_a_process_ends_before_its_rules() {
    in_each_mode(
        "connections_fail_where_a_process_ends_before_its_rules",
        replace_in_the_wrong_order,
    );
}

fn replace_in_the_wrong_order(mode: Mode) {
    let lab = two_endpoints(mode);
    let _proxy = lab.proxy(&[]);
    lab.settled();
    let loads = load(&lab);
    lab.net.start("p3");
    lab.change(&pod_yaml("p3", "web"));
    lab.net.end("p1");
    // A third of all go to it.
    loads.iter().for_each(|load| load.go_on(50));
    lab.change(&pod_yaml("p1", "other"));
    for load in loads {
        let (connections, failed) = load.end();
        assert!(!failed.is_empty(), "{mode:?}: none of {connections}");
    }
}
