//! Each mode of ours beside each of kube-proxy's.

use std::process::Command;

use super::recorded::KubeProxy;
use crate::lab::{FAMILIES, Lab, named, pod_yaml, pods, saw, service_yaml};
use crate::mode::{Mode, modes};
use crate::node::until;
use crate::process::BINARY;
use crate::talk::{Answer, SILENCE, ask, connect, connect_as, connect_together, udp};
use crate::topology::other_client;

/// What kube-proxy is told at first, as our server is told it.
fn first() -> String {
    let pods: String = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    [
        pods,
        service_yaml(1, "web", "", ""),
        service_yaml(2, "web", "type: NodePort", ", nodePort: 30002"),
        service_yaml(
            3,
            "web",
            "type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 30033\n  \
             loadBalancerSourceRanges: [192.0.2.8/29, \"2001:db8::8/125\"]",
            ", nodePort: 30003",
        ) + "status: {loadBalancer: {ingress: [{ip: 203.0.113.3}, {ip: \"2001:db8:113::3\"}]}}\n",
        service_yaml(4, "nobody", "", ""),
        service_yaml(5, "web", "sessionAffinity: ClientIP", ""),
        service_yaml(6, "web", "", ", protocol: UDP").replace("8080", "5353"),
    ]
    .concat()
}

#[test]
fn beside_kube_proxy_in_nftables_mode() {
    beside(Mode::Nftables, "beside_kube_proxy_in_nftables_mode");
}

#[test]
fn beside_kube_proxy_in_iptables_mode_of_the_nft_variant() {
    let test = "beside_kube_proxy_in_iptables_mode_of_the_nft_variant";
    beside(Mode::Iptables("nft"), test);
}

#[test]
fn beside_kube_proxy_in_iptables_mode_of_the_legacy_variant() {
    let test = "beside_kube_proxy_in_iptables_mode_of_the_legacy_variant";
    beside(Mode::Iptables("legacy"), test);
}

fn beside(theirs: Mode, test: &str) {
    let ours = modes(test);
    if ours.contains(&theirs) {
        ours.into_iter().for_each(|ours| stand_beside(ours, theirs));
    }
}

fn stand_beside(ours: Mode, theirs: Mode) {
    let context = |what: &str| format!("{ours:?} beside kube-proxy's {theirs:?}: {what}");
    let lab = Lab::new(ours);
    let node = &lab.net.n1;
    let kube_proxy = KubeProxy { mode: theirs, node };
    kube_proxy.first_sync();
    let their_lines = kube_proxy.lines();
    assert!(their_lines.len() > 100, "{their_lines:#?}");
    let unchanged = |what: &str| assert_eq!(kube_proxy.lines(), their_lines, "{}", context(what));
    answers(&lab, &context("alone"));

    // Nobody's marks are anybody else's.
    let ours_mark = |line: &String| line.contains("0x2000") || line.contains("0x00002000");
    assert!(!their_lines.iter().any(ours_mark));

    lab.server.apply(&first());
    let proxy = lab.proxy(&["--check-period", "20", "--sync-period", "100"]);
    lab.settled();
    unchanged("our start");
    let theirs_mark = |line: &String| line.contains("0x4000") || line.contains("0x00004000");
    assert!(!ours.lines(node).iter().any(theirs_mark));
    answers(&lab, &context("both"));

    let good = ours.lines(node);
    lab.change(&service_yaml(8, "web", "", ""));
    unchanged("a service of ours");
    lab.server.ok(&["delete", "service", "s8"]);
    lab.settled();
    unchanged("a service of ours that goes");
    for damage in damages(ours) {
        node.sh(&damage);
        until(&context(&format!("the repair of {damage}")), || {
            ours.lines(node) == good
        });
        unchanged(&damage);
    }

    // It hears of a change before we do.
    kube_proxy.syncs_of_the_change();
    assert_eq!(ours.lines(node), good, "{}", context("its syncs"));
    let before = their_lines;
    let their_lines = kube_proxy.lines();
    assert_ne!(their_lines, before);
    let unchanged = |what: &str| assert_eq!(kube_proxy.lines(), their_lines, "{}", context(what));
    lab.server.ok(&["delete", "service", "s2"]);
    lab.change(&(pod_yaml("p2", "other") + &service_yaml(7, "web", "", "")));
    unchanged("the same change of ours");
    answers_after(&lab, &context("both, after the change"));
    lab.is_as_fresh(&context("at last"));
    proxy.end();
    unchanged("our end");

    let output = Command::new("ip")
        .args(["netns", "exec", &node.name, BINARY, "proxy", "cleanup"])
        .output();
    assert!(output.unwrap().status.success());
    unchanged("our cleanup");
    assert_eq!(
        ours.lines(node),
        Vec::<String>::new(),
        "{}",
        context("cleanup")
    );
    answers_after(&lab, &context("alone, after the change"));
}

/// Scripts that take some of our rules away, and nobody else's.
fn damages(ours: Mode) -> Vec<String> {
    match ours {
        Mode::Nftables => vec![
            "nft delete table ip6 selectord".to_owned(),
            "nft flush chain ip selectord services".to_owned(),
            "nft delete element ip selectord cluster-ips { 10.96.0.1 }".to_owned(),
        ],
        Mode::Iptables(variant) => vec![
            format!("iptables-{variant} -t nat -F SELD-MARK-MASQ"),
            format!("ip6tables-{variant} -t nat -D SELD-SERVICES 1"),
            format!(
                "rule=$(iptables-{variant} -t nat -S PREROUTING | sed -n '/SELD-/s/^-A/-D/p')
                 eval iptables-{variant} -t nat $rule"
            ),
        ],
    }
}

/// Who answers at first, whoever of both has the rules.
fn answers(lab: &Lab, context: &str) {
    let net = &lab.net;
    let everywhere = [&net.client, &net.n1, &net.p1];
    for family in &FAMILIES {
        let client = family.client.parse().unwrap();
        // kube-proxy sends an ICMP error, which TCP does not end for over IPv6: it comes to nothing either way.
        for answer in connect_together(SILENCE, &everywhere, &[family.at(4)]) {
            assert!(
                !matches!(answer, Answer::By { .. }),
                "{context}: {answer:?}"
            );
        }
        let all = named(&["p1", "p2", "p3"]);
        for from in everywhere {
            let context = &format!("{context}: from {} to {}", from.name, family.at(1));
            let answers = connect(from, &family.at(1), 60);
            assert_eq!(pods(&answers), all, "{context}");
            for answer in &answers {
                let Answer::By { pod, saw } = answer else {
                    panic!("{context}: {answer:?}")
                };
                // From outside and to oneself: masqueraded.
                assert_ne!(*saw, client, "{context}");
                assert_ne!(*saw, (family.pod)(pod), "{context}");
            }
            assert_eq!(
                pods(&connect(from, &family.at(5), 10)).len(),
                1,
                "{context}"
            );
            assert!(
                all.contains(ask(&udp(from, &family.at(6))).pod()),
                "{context}"
            );
        }
        let answers = connect(&net.client, &family.at_node(30002), 60);
        assert_eq!(pods(&answers), all, "{context}");
        assert!(!saw(&answers).contains(&client), "{context}");
        // The policy Local, and source ranges: whoever marks or drops too much is seen here.
        let balancer = format!("{}:80", (family.balancer)(3));
        let answers = connect(&net.client, &balancer, 60);
        assert_eq!(pods(&answers), named(&["p1", "p2"]), "{context}");
        assert_eq!(saw(&answers), [client].into(), "{context}");
        let other = connect_as(SILENCE, &net.client, other_client(family.v4, 0), &balancer);
        assert_eq!(other, Answer::TimedOut, "{context}");
    }
}

/// The same after the change.
fn answers_after(lab: &Lab, context: &str) {
    let net = &lab.net;
    let everywhere = [&net.client, &net.n1, &net.p1];
    let left = named(&["p1", "p3"]);
    for family in &FAMILIES {
        for from in everywhere {
            for n in [1, 7] {
                assert_eq!(pods(&connect(from, &family.at(n), 60)), left, "{context}");
            }
            assert!(
                left.contains(ask(&udp(from, &family.at(6))).pod()),
                "{context}"
            );
        }
        let gone = [family.at(2), family.at_node(30002)];
        for answer in connect_together(SILENCE, &everywhere, &gone) {
            assert!(
                !matches!(answer, Answer::By { .. }),
                "{context}: {answer:?}"
            );
        }
        let balancer = format!("{}:80", (family.balancer)(3));
        let answers = connect(&net.client, &balancer, 20);
        assert_eq!(pods(&answers), named(&["p1"]), "{context}");
        assert_eq!(
            saw(&answers),
            [family.client.parse().unwrap()].into(),
            "{context}"
        );
    }
}
