//! Two nodes with pods, and a client, on one LAN. Only the first node has rules.
//!
//! ```text
//!  client 192.0.2.10 ─┐            ┌─ p1 10.244.1.2
//!   and 60 others     ├─ lan ─ n1 ─┼─ p2 10.244.1.3
//!                     │            └─ p4 10.244.1.4
//!                     └─────── n2 ─── p3 10.244.2.2
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use super::namespace::Namespace;
use super::talk::{Answer, Serving, TCP, connect, serve_always};

/// A pod, where it is, and its addresses.
pub struct Pod {
    pub name: &'static str,
    pub node: &'static str,
    pub v4: &'static str,
    pub v6: &'static str,
}

const fn pod(name: &'static str, node: &'static str, v4: &'static str, v6: &'static str) -> Pod {
    Pod { name, node, v4, v6 }
}

pub const ALL_PODS: [Pod; 4] = [
    pod("p1", "n1", "10.244.1.2", "fd00:244:1::2"),
    pod("p2", "n1", "10.244.1.3", "fd00:244:1::3"),
    pod("p3", "n2", "10.244.2.2", "fd00:244:2::2"),
    pod("p4", "n1", "10.244.1.4", "fd00:244:1::4"),
];

impl Pod {
    pub fn named(name: &str) -> &'static Pod {
        ALL_PODS.iter().find(|pod| pod.name == name).unwrap()
    }
}

/// Addresses that the client has beside its own.
pub const OTHER_CLIENTS: u16 = 60;

/// One of the client's other addresses, counted from 0.
pub fn other_client(v4: bool, number: u16) -> IpAddr {
    let text = match v4 {
        true => format!("192.0.2.{}", 100 + number),
        false => format!("2001:db8::{:x}", 0x100 + number),
    };
    text.parse().unwrap()
}

pub struct Topology {
    /// They end before their namespaces do.
    serving: Mutex<BTreeMap<&'static str, Serving>>,
    pub n1: Namespace,
    _n2: Namespace,
    _lan: Namespace,
    pub client: Namespace,
    pub p1: Namespace,
    pub p2: Namespace,
    pub p3: Namespace,
    pub p4: Namespace,
}

impl Topology {
    pub fn new() -> Topology {
        let all = ["lan", "n1", "n2", "client", "p1", "p2", "p3", "p4"].map(Namespace::apart);
        for namespace in &all {
            // Nobody else has these addresses: they need not be asked for first.
            namespace
                .sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
        }
        let [lan, n1, n2, client, p1, p2, p3, p4] = all;
        lan.sh("ip link add bridge0 type bridge; ip link set bridge0 up; ip link set lo up");
        for (namespace, end) in [(&n1, 1), (&n2, 2), (&client, 10)] {
            let lan_end = format!("to{end}");
            let lan = &lan.name;
            namespace.sh(&format!(
                "ip link set lo up; ip link add eth0 type veth peer name {lan_end} netns {lan}
                 ip -n {lan} link set {lan_end} master bridge0; ip -n {lan} link set {lan_end} up
                 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
                   net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
                 ip addr add 192.0.2.{end}/24 dev eth0; ip addr add 2001:db8::{end:x}/64 dev eth0 nodad; ip link set eth0 up
                 "
            ));
        }
        for (pod, node, net, end) in [
            (&p1, &n1, 1, 2),
            (&p2, &n1, 1, 3),
            (&p4, &n1, 1, 4),
            (&p3, &n2, 2, 2),
        ] {
            let at_node = format!("pod{end}");
            let node_name = &node.name;
            pod.sh(&format!(
                "ip link set lo up; ip link add eth0 type veth peer name {at_node} netns {node_name}
                 ip addr add 10.244.{net}.{end}/32 dev eth0; ip addr add fd00:244:{net}::{end}/128 dev eth0 nodad; ip link set eth0 up
                 ip -n {node_name} addr add 10.244.{net}.254/32 dev {at_node}
                 ip -n {node_name} addr add fd00:244:{net}::fe/128 dev {at_node} nodad
                 ip -n {node_name} link set {at_node} up
                 ip -n {node_name} route add 10.244.{net}.{end} dev {at_node} src 10.244.{net}.254
                 ip -n {node_name} route add fd00:244:{net}::{end} dev {at_node} src fd00:244:{net}::fe
                 ip route add 10.244.{net}.254 dev eth0; ip route add default via 10.244.{net}.254
                 ip route add fd00:244:{net}::fe dev eth0; ip route add default via fd00:244:{net}::fe"
            ));
        }
        // A kernel sends few ICMP errors a second to one receiver; here each of them counts.
        n1.sh("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
               ip route add 10.244.2.0/24 via 192.0.2.2; ip route add fd00:244:2::/64 via 2001:db8::2
               ip route add 10.96.0.0/16 dev eth0; ip route add fd00:96::/32 dev eth0; ip route add 203.0.113.0/24 dev eth0
               ip route add 2001:db8:113::/64 dev eth0");
        n2.sh("ip route add 10.244.1.0/24 via 192.0.2.1; ip route add fd00:244:1::/64 via 2001:db8::1");
        client.sh("for r in 10.96.0.0/16 10.244.0.0/16 203.0.113.0/24; do ip route add $r via 192.0.2.1; done
                   for r in fd00:96::/32 fd00:244::/32 2001:db8:113::/64; do ip route add $r via 2001:db8::1; done");
        let others: String = (0..OTHER_CLIENTS)
            .flat_map(|number| [other_client(true, number), other_client(false, number)])
            .map(|ip| match ip.is_ipv4() {
                true => format!("addr add {ip}/24 dev eth0\n"),
                false => format!("addr add {ip}/64 dev eth0 nodad preferred_lft 0\n"),
            })
            .collect();
        client.sh(&format!("ip -batch - <<'.'\n{others}.\n"));
        let pods = [("p1", &p1), ("p2", &p2), ("p3", &p3), ("p4", &p4)];
        let mut serving = BTreeMap::new();
        for (name, pod) in pods {
            serving.insert(name, Serving::start(name, pod));
            serve_always(name, pod);
        }
        for from in [&client, &n1, &p1, &p2, &p4] {
            for pod in &ALL_PODS {
                for address in [pod.v4.to_owned(), format!("[{}]", pod.v6)] {
                    // Neighbours get to know each other.
                    let known = (0..20).any(|_| {
                        let answers = connect(from, &format!("{address}:{TCP}"), 1);
                        matches!(answers.as_slice(), [Answer::By { .. }])
                    });
                    assert!(known, "{address} is not reached from {}", from.name);
                }
            }
        }
        Topology {
            n1,
            _n2: n2,
            _lan: lan,
            client,
            p1,
            p2,
            p3,
            p4,
            serving: Mutex::new(serving),
        }
    }

    pub fn pod(&self, name: &str) -> &Namespace {
        match name {
            "p1" => &self.p1,
            "p2" => &self.p2,
            "p3" => &self.p3,
            "p4" => &self.p4,
            _ => panic!("there is no pod {name}"),
        }
    }

    /// Ends a pod's process: it refuses connections then.
    pub fn end(&self, name: &str) {
        assert!(self.serving.lock().unwrap().remove(name).is_some());
    }

    /// Starts a pod's process, unless it runs.
    pub fn start(&self, name: &'static str) {
        let mut serving = self.serving.lock().unwrap();
        serving
            .entry(name)
            .or_insert_with(|| Serving::start(name, self.pod(name)));
    }
}
