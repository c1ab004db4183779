//! Two nodes with pods, and a client, on one LAN. Only the first node has rules.
//!
//! ```text
//!  client 192.0.2.10 ─┐            ┌─ p1 10.244.1.2
//!                     ├─ lan ─ n1 ─┴─ p2 10.244.1.3
//!                     └─────── n2 ─── p3 10.244.2.2
//! ```

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use super::namespace::Namespace;

pub const TCP: u16 = 8080;
pub const UDP: u16 = 5353;

pub struct Topology {
    pub n1: Namespace,
    _n2: Namespace,
    _lan: Namespace,
    pub client: Namespace,
    pub p1: Namespace,
    pub p2: Namespace,
    _p3: Namespace,
}

/// Who answered, and whom it saw; or why nobody did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    By { pod: String, saw: IpAddr },
    Refused,
    TimedOut,
}

impl Topology {
    pub fn new() -> Topology {
        let all = ["lan", "n1", "n2", "client", "p1", "p2", "p3"].map(Namespace::new);
        for namespace in &all {
            // Nobody else has these addresses: they need not be asked for first.
            namespace
                .sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
        }
        let [lan, n1, n2, client, p1, p2, p3] = all;
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
        for (pod, node, net, end) in [(&p1, &n1, 1, 2), (&p2, &n1, 1, 3), (&p3, &n2, 2, 2)] {
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
        for (name, pod) in [("p1", &p1), ("p2", &p2), ("p3", &p3)] {
            serve(name, pod);
        }
        let pods = ["10.244.1.2", "10.244.1.3", "10.244.2.2"];
        let pods6 = ["[fd00:244:1::2]", "[fd00:244:1::3]", "[fd00:244:2::2]"];
        for from in [&client, &n1, &p1, &p2] {
            for pod in pods.iter().chain(&pods6) {
                // Neighbours get to know each other.
                let known = (0..20).any(|_| {
                    let answers = connect(from, &format!("{pod}:{TCP}"), 1);
                    matches!(answers.as_slice(), [Answer::By { .. }])
                });
                assert!(known, "{pod} is not reached from {}", from.name);
            }
        }
        Topology {
            n1,
            _n2: n2,
            _lan: lan,
            client,
            p1,
            p2,
            _p3: p3,
        }
    }
}

/// Answers with the pod's name and the address it sees, over TCP and UDP, as long as the test runs.
fn serve(name: &'static str, pod: &Namespace) {
    let sockets = pod.spawn(|| {
        let any = |port| SocketAddr::new("::".parse().unwrap(), port);
        (
            TcpListener::bind(any(TCP)).unwrap(),
            UdpSocket::bind(any(UDP)).unwrap(),
        )
    });
    let (tcp, udp) = sockets.join().unwrap();
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let Ok(mut stream) = stream else { continue };
            if let Ok(peer) = stream.peer_addr() {
                let _ = writeln!(stream, "{name} {}", peer.ip().to_canonical());
            }
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, peer)) = udp.recv_from(&mut buffer) {
            let _ = udp.send_to(
                format!("{name} {}", peer.ip().to_canonical()).as_bytes(),
                peer,
            );
        }
    });
}

fn read_answer(text: &str) -> Answer {
    let (pod, saw) = text.trim().split_once(' ').unwrap();
    Answer::By {
        pod: pod.to_owned(),
        saw: saw.parse().unwrap(),
    }
}

fn no_answer(error: &std::io::Error) -> Answer {
    match error.kind() {
        ErrorKind::ConnectionRefused => Answer::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Answer::TimedOut,
        _ => panic!("{error}"),
    }
}

/// Connects from a namespace, so many times.
pub fn connect(from: &Namespace, to: &str, times: usize) -> Vec<Answer> {
    // A second is what a lost first packet costs; nothing here is that far away.
    const PATIENCE: Duration = Duration::from_millis(700);
    let to: SocketAddr = to.parse().unwrap();
    let once = || {
        let mut stream = match TcpStream::connect_timeout(&to, PATIENCE) {
            Ok(stream) => stream,
            Err(error) => return no_answer(&error),
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        match stream.read_to_string(&mut text) {
            Ok(_) => read_answer(&text),
            Err(error) => no_answer(&error),
        }
    };
    from.within(|| (0..times).map(|_| once()).collect())
}

/// A socket that keeps its port, connected.
pub fn udp(from: &Namespace, to: &str) -> UdpSocket {
    let to: SocketAddr = to.parse().unwrap();
    from.within(|| {
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        socket.connect(to).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(700)))
            .unwrap();
        socket
    })
}

/// Asks once over UDP.
pub fn ask(socket: &UdpSocket) -> Answer {
    let mut buffer = [0; 64];
    let asked = socket.send(b"?").and_then(|_| socket.recv(&mut buffer));
    match asked {
        Ok(length) => read_answer(std::str::from_utf8(&buffer[..length]).unwrap()),
        Err(error) => no_answer(&error),
    }
}
