//! Real packets, through the real server, binary and kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::{Child, Command};

use super::mode::{MODES, Mode};
use super::namespace::available;
use super::process::{BINARY, Server};
use super::topology::{Answer, Topology, ask, connect, udp};
use super::world::PODS;

const PODS_OF: [(&str, &str, &str, &str); 3] = [
    ("p1", "n1", "10.244.1.2", "fd00:244:1::2"),
    ("p2", "n1", "10.244.1.3", "fd00:244:1::3"),
    ("p3", "n2", "10.244.2.2", "fd00:244:2::2"),
];

/// One family's addresses.
struct Family {
    service: fn(u8) -> String,
    balancer: fn(u8) -> String,
    node: &'static str,
    client: &'static str,
    pod: fn(&str) -> IpAddr,
}

const FAMILIES: [Family; 2] = [
    Family {
        service: |n| format!("10.96.0.{n}"),
        balancer: |n| format!("203.0.113.{n}"),
        node: "192.0.2.1",
        client: "192.0.2.10",
        pod: |name| pod_row(name).2.parse().unwrap(),
    },
    Family {
        service: |n| format!("[fd00:96::{n:x}]"),
        balancer: |n| format!("[2001:db8:113::{n:x}]"),
        node: "[2001:db8::1]",
        client: "2001:db8::a",
        pod: |name| pod_row(name).3.parse().unwrap(),
    },
];

fn pod_row(name: &str) -> &'static (&'static str, &'static str, &'static str, &'static str) {
    PODS_OF.iter().find(|row| row.0 == name).unwrap()
}

fn pod_yaml(name: &str, app: &str) -> String {
    let (_, node, v4, v6) = pod_row(name);
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {app}}}}}\nspec: {{nodeName: {node}}}\n\
         status: {{phase: Running, podIP: {v4}, podIPs: [{{ip: {v4}}}, {{ip: \"{v6}\"}}], conditions: [{{type: Ready, status: \"True\"}}]}}\n"
    )
}

/// A service of both families by its number, with more fields, and with the end of its port.
fn service_yaml(n: u8, app: &str, fields: &str, port: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec:\n  selector: {{app: {app}}}\n  \
         clusterIPs: [10.96.0.{n}, \"fd00:96::{n:x}\"]\n  clusterIP: 10.96.0.{n}\n  ipFamilies: [IPv4, IPv6]\n  {fields}\n  \
         ports: [{{name: main, port: 80, targetPort: 8080{port}}}]\n"
    )
}

struct Lab {
    mode: Mode,
    net: Topology,
    server: Server,
    _folder: tempfile::TempDir,
}

impl Lab {
    fn new(mode: Mode) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let listen = format!("unix:{}", folder.path().join("socket").display());
        let net = Topology::new();
        mode.prepare(&net.n1);
        Lab {
            mode,
            net,
            server: Server::start_at(&listen, &[]),
            _folder: folder,
        }
    }

    /// Applies manifests, and has the node's rules written once.
    fn apply(&self, manifests: &str) {
        self.server.apply(manifests);
        self.sync();
    }

    fn sync(&self) -> String {
        let output = Command::new("ip")
            .args([
                "netns",
                "exec",
                &self.net.n1.name,
                BINARY,
                "proxy",
                "--mode",
                self.mode.flag(),
                "--once",
                "--log",
                "error",
            ])
            .args([
                "--node",
                "n1",
                "--cluster-cidr",
                PODS,
                "--server",
                &self.server.address,
            ])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

fn pods(answers: &[Answer]) -> BTreeSet<String> {
    let pod = |answer: &Answer| match answer {
        Answer::By { pod, .. } => pod.clone(),
        other => panic!("{other:?} among {answers:?}"),
    };
    answers.iter().map(pod).collect()
}

fn saw(answers: &[Answer]) -> BTreeSet<IpAddr> {
    let saw = |answer: &Answer| match answer {
        Answer::By { saw, .. } => *saw,
        other => panic!("{other:?} among {answers:?}"),
    };
    answers.iter().map(saw).collect()
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn packets_go_where_they_should() {
    if !available("packets_go_where_they_should") {
        return;
    }
    MODES.into_iter().for_each(send_packets);
}

fn send_packets(mode: Mode) {
    let lab = Lab::new(mode);
    let all: String = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    lab.apply(&[
        all,
        service_yaml(1, "web", "type: NodePort", ", nodePort: 30001"),
        service_yaml(2, "web", "type: NodePort\n  externalTrafficPolicy: Local", ", nodePort: 30002"),
        service_yaml(3, "nobody", "type: NodePort", ", nodePort: 30003"),
        service_yaml(4, "web", "sessionAffinity: ClientIP", ""),
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
    ]
    .concat());
    let net = &lab.net;
    for family in &FAMILIES {
        let service = |n: u8| format!("{}:80", (family.service)(n));
        let node = |port: u16| format!("{}:{port}", family.node);
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
        let unknown = match mode.refuses_unknown_ports() {
            true => Answer::Refused,
            false => Answer::TimedOut,
        };
        for from in [&net.p1, &net.client, &net.n1] {
            assert_eq!(connect(from, &service(3), 1), [Answer::Refused]);
            let port = format!("{}:81", (family.service)(1));
            assert_eq!(connect(from, &port, 1), std::slice::from_ref(&unknown));
        }
        assert_eq!(connect(&net.client, &node(30003), 1), [Answer::Refused]);
        // A port of TCP is none of UDP.
        assert_eq!(ask(&udp(&net.p1, &service(3))), unknown);

        // A client stays with its endpoint.
        for from in [&net.p1, &net.client, &net.n1] {
            assert_eq!(pods(&connect(from, &service(4), 20)).len(), 1);
        }

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
        assert_eq!(connect(&net.client, &balancer(7), 1), [Answer::TimedOut]);
        assert_eq!(
            pods(&connect(&net.client, &balancer(8), 60)),
            named(&["p1", "p2", "p3"])
        );
    }

    // Nobody is left here: outsiders hear nothing, and insiders are sent on.
    lab.apply(&["p1", "p2"].map(|pod| pod_yaml(pod, "other")).concat());
    for family in &FAMILIES {
        let node = format!("{}:30002", family.node);
        assert_eq!(connect(&net.client, &node, 1), [Answer::TimedOut]);
        assert_eq!(pods(&connect(&net.p1, &node, 5)), named(&["p3"]));
        assert_eq!(
            connect(&net.p1, &format!("{}:80", (family.service)(5)), 1),
            [Answer::TimedOut]
        );
    }
}

#[test]
fn shares_are_even() {
    if !available("shares_are_even") {
        return;
    }
    MODES.into_iter().for_each(count_shares);
}

fn count_shares(mode: Mode) {
    const CONNECTIONS: usize = 3_000;
    let lab = Lab::new(mode);
    let all: String = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    lab.apply(&(all + &service_yaml(1, "web", "", "")));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for answer in connect(&lab.net.client, "10.96.0.1:80", CONNECTIONS) {
        let Answer::By { pod, .. } = answer else {
            panic!("{answer:?}")
        };
        *counts.entry(pod).or_default() += 1;
    }
    let expected = CONNECTIONS as f64 / 3.0;
    let deviation = |count: &usize| (*count as f64 - expected).powi(2) / expected;
    let chi_square: f64 = counts.values().map(deviation).sum();
    // With two degrees of freedom it is beyond this once in a million.
    assert!(counts.len() == 3 && chi_square < 27.6, "{counts:?}");
}

#[test]
fn a_pod_reaches_itself_only_by_the_hairpin_rule() {
    if !available("a_pod_reaches_itself_only_by_the_hairpin_rule") {
        return;
    }
    MODES.into_iter().for_each(reach_itself);
}

fn reach_itself(mode: Mode) {
    let lab = Lab::new(mode);
    lab.apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
    let net = &lab.net;
    for family in &FAMILIES {
        let answers = connect(&net.p1, &format!("{}:80", (family.service)(1)), 3);
        assert_eq!(pods(&answers), named(&["p1"]));
        assert!(!saw(&answers).contains(&(family.pod)("p1")));
    }
    net.n1.sh(mode.no_hairpin());
    assert_eq!(connect(&net.p1, "10.96.0.1:80", 1), [Answer::TimedOut]);
    // The next process finds what is missing.
    lab.sync();
    assert_eq!(pods(&connect(&net.p1, "10.96.0.1:80", 1)), named(&["p1"]));
}

#[test]
fn a_udp_client_that_keeps_its_port_leaves_an_endpoint_that_is_gone() {
    if !available("a_udp_client_that_keeps_its_port_leaves_an_endpoint_that_is_gone") {
        return;
    }
    MODES.into_iter().for_each(leave_a_gone_endpoint);
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
    let by = |answer: Answer| pods(&[answer]).into_iter().next().unwrap();
    for family in &FAMILIES {
        let at_address = udp(&lab.net.client, &format!("{}:80", (family.service)(1)));
        let at_node = udp(&lab.net.client, &format!("{}:30001", family.node));
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

/// A process that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_proxy_that_runs_follows_repairs_and_leaves_its_rules_behind() {
    if !available("a_proxy_that_runs_follows_repairs_and_leaves_its_rules_behind") {
        return;
    }
    MODES.into_iter().for_each(follow_and_repair);
}

fn follow_and_repair(mode: Mode) {
    let lab = Lab::new(mode);
    lab.server
        .apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
    let net = &lab.net;
    let proxy = Command::new("ip")
        .args([
            "netns",
            "exec",
            &net.n1.name,
            BINARY,
            "proxy",
            "--mode",
            mode.flag(),
            "--http",
            "off",
            "--log",
            "error",
        ])
        .args([
            "--node",
            "n1",
            "--cluster-cidr",
            PODS,
            "--server",
            &lab.server.address,
        ])
        .args(["--check-period", "50", "--min-sync-period", "10"])
        .spawn()
        .unwrap();
    let proxy = Killed(proxy);
    // Its own report of what it has applied is the sign to go on by.
    let applied = || {
        let status: serde_json::Value =
            serde_json::from_str(&lab.server.ok(&["status", "-o", "json"])).unwrap();
        let head = status["revision"].as_u64().unwrap();
        let subscribers = status["subscribers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        subscribers
            .iter()
            .any(|s| s["name"] == "proxy n1" && s["appliedRevision"].as_u64() == Some(head))
    };
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !done() {
            assert!(began.elapsed().as_secs() < 30, "{what}");
            std::thread::yield_now();
        }
    };
    until("the first cut", &applied);
    assert_eq!(
        pods(&connect(&net.client, "10.96.0.1:80", 3)),
        named(&["p1"])
    );
    lab.server
        .apply(&(pod_yaml("p1", "other") + &pod_yaml("p3", "web")));
    until("the second cut", &applied);
    assert_eq!(
        pods(&connect(&net.client, "10.96.0.1:80", 3)),
        named(&["p3"])
    );

    let there = || mode.has(&net.n1, "10.96.0.1");
    net.n1.sh(mode.flush());
    until("the repair", &there);
    assert_eq!(
        pods(&connect(&net.client, "10.96.0.1:80", 3)),
        named(&["p3"])
    );

    // Killed, it leaves its rules, and the next one has nothing to write.
    drop(proxy);
    assert_eq!(
        pods(&connect(&net.client, "10.96.0.1:80", 3)),
        named(&["p3"])
    );
    assert_eq!(lab.sync(), "0 elements and 0 rules written\n");
    let mut cleanup = Command::new("ip");
    cleanup.args([
        "netns",
        "exec",
        &net.n1.name,
        BINARY,
        "proxy",
        "cleanup",
        "--mode",
        mode.flag(),
    ]);
    assert!(cleanup.status().unwrap().success());
    assert!(!mode.has(&net.n1, "10.96.0.1"));
}
