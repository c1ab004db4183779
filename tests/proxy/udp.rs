//! UDP clients that keep their port, and the flows that the kernel remembers of them.

use super::lab::{FAMILIES, Lab, pod_yaml, service_yaml};
use super::mode::{Mode, in_each_mode};
use super::talk::{Answer, PATIENCE, SILENCE, ask, udp};

#[test]
fn a_udp_client_that_keeps_its_port_leaves_an_endpoint_that_is_gone() {
    in_each_mode(
        "a_udp_client_that_keeps_its_port_leaves_an_endpoint_that_is_gone",
        leave_a_gone_endpoint,
    );
}

fn leave_a_gone_endpoint(mode: Mode) {
    let lab = Lab::new(mode);
    let service = service_yaml(
        1,
        "web",
        "type: NodePort",
        ", nodePort: 30001, protocol: UDP",
    )
    .replace("8080", "5353");
    lab.apply(&(pod_yaml("p1", "web") + &pod_yaml("p2", "other") + &service));
    let by = |answer: Answer| answer.pod().to_owned();
    for family in &FAMILIES {
        let at_address = udp(&lab.net.client, &family.at(1));
        let at_node = udp(&lab.net.client, &family.at_node(30001));
        lab.apply(&(pod_yaml("p1", "web") + &pod_yaml("p2", "other")));
        assert_eq!(
            (by(ask(&at_address)), by(ask(&at_node))),
            ("p1".into(), "p1".into())
        );
        // A process that starts now has not seen the endpoint go.
        lab.apply(&(pod_yaml("p1", "other") + &pod_yaml("p2", "web")));
        assert_eq!(
            (by(ask(&at_address)), by(ask(&at_node))),
            ("p2".into(), "p2".into())
        );
        lab.apply(&pod_yaml("p2", "other"));
        assert_eq!(
            (ask(&at_address), ask(&at_node)),
            (Answer::Refused, Answer::Refused)
        );
        lab.apply(&pod_yaml("p1", "web"));
        assert_eq!(by(ask(&at_address)), "p1");
    }
}

#[test]
fn a_udp_client_that_asked_before_there_was_a_rule_is_answered() {
    in_each_mode(
        "a_udp_client_that_asked_before_there_was_a_rule_is_answered",
        answer_who_came_early,
    );
}

fn answer_who_came_early(mode: Mode) {
    let lab = Lab::new(mode);
    let udp_service = |n: u8| service_yaml(n, "web", "", ", protocol: UDP").replace("8080", "5353");
    // The kernel remembers flows once some rule wants it to.
    lab.apply(&(pod_yaml("p1", "web") + &udp_service(1)));
    let clients: Vec<_> = FAMILIES
        .iter()
        .map(|family| udp(&lab.net.client, &family.at(2)))
        .collect();
    for client in &clients {
        client.set_read_timeout(Some(SILENCE)).unwrap();
        assert!(!matches!(ask(client), Answer::By { .. }));
        client.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    lab.apply(&udp_service(2));
    for client in &clients {
        // What the network said of the first packet may come now.
        let answer = (0..3)
            .map(|_| ask(client))
            .find(|answer| matches!(answer, Answer::By { .. }));
        assert_eq!(answer.as_ref().map(Answer::pod), Some("p1"));
    }
}
