//! Who answers, whom he sees, and what those get whom nobody answers.

use std::collections::BTreeMap;
use std::net::{IpAddr, TcpListener, TcpStream};

use super::lab::{FAMILIES, Lab, named, pod_yaml, pods, saw, service_yaml};
use super::mode::{Mode, in_each_mode};
use super::talk::{
    Answer, PATIENCE, SILENCE, TCP, ask, connect, connect_as, connect_together, connect_within, udp,
};
use super::topology::other_client;

#[test]
fn packets_go_where_they_should() {
    in_each_mode("packets_go_where_they_should", send_packets);
}

fn send_packets(mode: Mode) {
    let lab = Lab::new(mode);
    let all: String = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    lab.apply(&[
        all,
        service_yaml(1, "web", "type: NodePort", ", nodePort: 30001"),
        service_yaml(2, "web", "type: NodePort\n  externalTrafficPolicy: Local", ", nodePort: 30002"),
        service_yaml(3, "nobody", "type: NodePort", ", nodePort: 30003"),
        service_yaml(5, "web", "internalTrafficPolicy: Local", ""),
        service_yaml(
            6,
            "web",
            "type: LoadBalancer\n  loadBalancerSourceRanges: [192.0.2.0/28, \"2001:db8::/120\"]",
            "",
        ) + "status: {loadBalancer: {ingress: [{ip: 203.0.113.6}, {ip: \"2001:db8:113::6\"}]}}\n",
        service_yaml(
            7,
            "web",
            "type: LoadBalancer\n  loadBalancerSourceRanges: [192.0.2.128/25, \"2001:db8:1::/64\"]",
            "",
        ) + "status: {loadBalancer: {ingress: [{ip: 203.0.113.7}, {ip: \"2001:db8:113::7\"}]}}\n",
        service_yaml(8, "web", "externalIPs: [203.0.113.8, \"2001:db8:113::8\"]", ""),
        service_yaml(9, "nobody", "type: NodePort", ", protocol: UDP, nodePort: 30009"),
    ]
    .concat());
    let net = &lab.net;
    for family in &FAMILIES {
        let service = |n: u8| family.at(n);
        let node = |port: u16| family.at_node(port);
        let client: IpAddr = family.client.parse().unwrap();

        // A virtual IP: from a pod with its own address, unless it is sent to itself.
        let answers = connect(&net.p2, &service(1), 90);
        assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]));
        for answer in &answers {
            let Answer::By { pod, saw } = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(*saw == (family.pod)("p2"), pod != "p2", "{answer:?}");
        }
        // From outside and from the node: masqueraded.
        let answers = connect(&net.client, &service(1), 90);
        assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]));
        assert!(!saw(&answers).contains(&client));
        assert_eq!(
            pods(&connect(&net.n1, &service(1), 90)),
            named(&["p1", "p2", "p3"])
        );

        // A node port, from outside and from the node itself.
        let answers = connect(&net.client, &node(30001), 90);
        assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]));
        assert!(!saw(&answers).contains(&client));
        assert_eq!(
            pods(&connect(&net.n1, &node(30001), 90)),
            named(&["p1", "p2", "p3"])
        );

        // The external policy Local: outsiders keep their address and stay here; insiders go anywhere.
        let answers = connect(&net.client, &node(30002), 60);
        assert_eq!(pods(&answers), named(&["p1", "p2"]));
        assert_eq!(saw(&answers), [client].into());
        let answers = connect(&net.p1, &node(30002), 90);
        assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]));
        assert!(saw(&answers).contains(&(family.pod)("p1")));
        assert_eq!(
            pods(&connect(&net.n1, &node(30002), 90)),
            named(&["p1", "p2", "p3"])
        );

        // Nobody there, or not at this port: refused at once, where the mode can.
        let everywhere = [&net.p1, &net.client, &net.n1];
        let nobody = [service(3), node(30003)];
        for answer in connect_together(PATIENCE, &everywhere, &nobody) {
            assert_eq!(answer, Answer::Refused, "{mode:?}");
        }
        let patience = match mode.refuses_unknown_ports() {
            true => PATIENCE,
            false => SILENCE,
        };
        let wrong_port = format!("{}:81", (family.service)(1));
        for answer in connect_together(patience, &everywhere, &[wrong_port]) {
            assert!(!matches!(answer, Answer::By { .. }), "{mode:?}: {answer:?}");
            let refused = answer == Answer::Refused;
            assert_eq!(refused, mode.refuses_unknown_ports(), "{mode:?}");
        }
        // A port of TCP is none of UDP.
        let wrong = udp(&net.p1, &service(3));
        wrong.set_read_timeout(Some(patience)).unwrap();
        let wrong = ask(&wrong);
        assert_eq!(wrong == Answer::Refused, mode.refuses_unknown_ports());
        assert_eq!(ask(&udp(&net.p1, &service(9))), Answer::Refused);
        assert_eq!(ask(&udp(&net.client, &node(30009))), Answer::Refused);

        // The internal policy Local.
        assert_eq!(
            pods(&connect(&net.p1, &service(5), 60)),
            named(&["p1", "p2"])
        );

        // Source ranges; an external IP.
        let balancer = |n: u8| format!("{}:80", (family.balancer)(n));
        assert_eq!(
            pods(&connect(&net.client, &balancer(6), 60)),
            named(&["p1", "p2", "p3"])
        );
        let answer = connect_within(SILENCE, &net.client, &balancer(7));
        assert_eq!(answer, Answer::TimedOut);
        // The same machine at another address is outside; at a service without ranges it is not.
        let other = other_client(family.v4, 0);
        let answer = connect_as(SILENCE, &net.client, other, &balancer(6));
        assert_eq!(answer, Answer::TimedOut);
        let answer = connect_as(PATIENCE, &net.client, other, &balancer(8));
        assert!(matches!(answer, Answer::By { .. }), "{answer:?}");
        let answers = connect(&net.client, &balancer(8), 60);
        assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]));
        assert!(!saw(&answers).contains(&client));
    }

    // Nobody is left here: outsiders hear nothing, and insiders are sent on.
    lab.apply(&["p1", "p2"].map(|pod| pod_yaml(pod, "other")).concat());
    let outside = FAMILIES.each_ref().map(|family| family.at_node(30002));
    let inside = FAMILIES.each_ref().map(|family| family.at(5));
    let mut unheard = connect_together(SILENCE, &[&net.client], &outside);
    unheard.extend(connect_together(
        SILENCE,
        &[&net.p1, &net.client, &net.n1],
        &inside,
    ));
    assert_eq!(unheard, vec![Answer::TimedOut; 8], "{mode:?}");
    for from in [&net.p1, &net.n1] {
        for to in &outside {
            assert_eq!(pods(&connect(from, to, 5)), named(&["p3"]), "{mode:?}");
        }
    }
    // A pod of another node is an insider, and is sent to itself: it sees somebody else.
    for (family, to) in FAMILIES.iter().zip(&outside) {
        let answers = connect(&net.p3, to, 3);
        assert_eq!(pods(&answers), named(&["p3"]), "{mode:?}");
        assert!(!saw(&answers).contains(&(family.pod)("p3")), "{mode:?}");
    }
}

/// Whoever has the kernel drop what it forwards: what goes through a node port is let through.
#[test]
fn a_node_port_answers_where_forwarding_is_dropped() {
    in_each_mode(
        "a_node_port_answers_where_forwarding_is_dropped",
        drop_what_is_forwarded,
    );
}

fn drop_what_is_forwarded(mode: Mode) {
    // What another table drops, no table of nftables lets through.
    let Mode::Iptables(variant) = mode else {
        return;
    };
    let lab = Lab::new(mode);
    let pods_of_web = ["p1", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    lab.apply(&(pods_of_web + &service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")));
    let net = &lab.net;
    net.n1.sh(&format!(
        "iptables-{variant} -P FORWARD DROP; ip6tables-{variant} -P FORWARD DROP"
    ));
    for family in &FAMILIES {
        let answers = connect(&net.client, &family.at_node(30001), 20);
        assert_eq!(pods(&answers), named(&["p1", "p3"]), "{mode:?}");
        // It is no other rule that lets it through.
        let direct = family.at_pod("p1", TCP);
        assert_eq!(
            connect_within(SILENCE, &net.client, &direct),
            Answer::TimedOut,
            "{mode:?}"
        );
    }
}

#[test]
fn shares_are_even() {
    in_each_mode("shares_are_even", count_shares);
}

fn count_shares(mode: Mode) {
    const CONNECTIONS: usize = 3_000;
    let lab = Lab::new(mode);
    let all: String = ["p1", "p2", "p3", "p4"]
        .map(|pod| pod_yaml(pod, "web"))
        .concat();
    lab.apply(&(all + &service_yaml(1, "web", "", "")));
    for family in &FAMILIES {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for answer in connect(&lab.net.client, &family.at(1), CONNECTIONS) {
            *counts.entry(answer.pod().to_owned()).or_default() += 1;
        }
        let expected = CONNECTIONS as f64 / 4.0;
        let deviation = |count: &usize| (*count as f64 - expected).powi(2) / expected;
        let chi_square: f64 = counts.values().map(deviation).sum();
        // With three degrees of freedom it is beyond this once in a million.
        assert!(counts.len() == 4 && chi_square < 30.7, "{counts:?}");
    }
}

#[test]
fn a_pod_reaches_itself_only_by_the_hairpin_rule() {
    in_each_mode(
        "a_pod_reaches_itself_only_by_the_hairpin_rule",
        reach_itself,
    );
}

fn reach_itself(mode: Mode) {
    let lab = Lab::new(mode);
    lab.apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
    let net = &lab.net;
    for family in &FAMILIES {
        let answers = connect(&net.p1, &family.at(1), 3);
        assert_eq!(pods(&answers), named(&["p1"]));
        assert!(!saw(&answers).contains(&(family.pod)("p1")));
    }
    if let Mode::Iptables(variant) = mode {
        // Even if nothing is let through but what we let.
        let policy = |word| {
            for program in ["iptables", "ip6tables"] {
                net.n1
                    .sh(&format!("{program}-{variant} -w -P FORWARD {word}"));
            }
        };
        policy("DROP");
        for family in &FAMILIES {
            assert_eq!(pods(&connect(&net.p1, &family.at(1), 1)), named(&["p1"]));
        }
        policy("ACCEPT");
        // What others send to the node itself leaves as it came.
        let redirect = format!(
            "iptables-{variant} -w -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport 81 -j REDIRECT --to-ports 8088"
        );
        net.n1.sh(&redirect);
        let seen = net.n1.within(|| {
            let there = TcpListener::bind("127.0.0.1:8088").unwrap();
            let _here = TcpStream::connect_timeout(&([127, 0, 0, 1], 81).into(), PATIENCE).unwrap();
            there.accept().unwrap().1.ip()
        });
        assert_eq!(seen, IpAddr::from([127, 0, 0, 1]));
    }
    net.n1.sh(mode.no_hairpin());
    let answer = connect_within(SILENCE, &net.p1, "10.96.0.1:80");
    assert_eq!(answer, Answer::TimedOut);
    // The next process finds what is missing.
    lab.sync();
    assert_eq!(pods(&connect(&net.p1, "10.96.0.1:80", 1)), named(&["p1"]));
}
