//! SCTP packets. The kernel tracks and translates the protocol whether or not it speaks it, so both ends
//! are spoken here, on raw sockets.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket};

use super::lab::{FAMILIES, Lab, pod_yaml, service_yaml};
use super::mode::{Mode, in_each_mode};
use super::namespace::Namespace;
use super::talk::PATIENCE;

const INIT: u8 = 1;
const INIT_ACK: u8 = 2;

/// A raw socket for SCTP at an address of the namespace's; none where none can be made.
///
/// A socket of the standard library's has all that is needed once it is there.
fn raw(at: &Namespace, own: IpAddr) -> Option<UdpSocket> {
    let family = match own {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    at.within(|| {
        let socket = socket(family, SocketType::RAW, Some(ipproto::SCTP)).ok()?;
        bind(&socket, &SocketAddr::new(own, 0)).unwrap();
        let socket = UdpSocket::from(socket);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Some(socket)
    })
}

/// A packet with one chunk that opens an association; each end names its tag.
fn packet(from: u16, to: u16, chunk: u8, tag: u32, own_tag: u32) -> Vec<u8> {
    let mut packet = Vec::new();
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend(tag.to_be_bytes());
    packet.extend([0; 4]);
    // The chunk: its kind, no flags, its length; then tag, window, streams out and in, first number.
    packet.extend([chunk, 0, 0, 20]);
    packet.extend(own_tag.to_be_bytes());
    packet.extend(65_536_u32.to_be_bytes());
    packet.extend([0, 1, 0, 1]);
    packet.extend(1_u32.to_be_bytes());
    let sum = crc32c(&packet).to_le_bytes();
    packet[8..12].copy_from_slice(&sum);
    packet
}

/// RFC 9260, appendix A: Castagnoli's polynomial, bits reversed.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0x82f6_3b78 * (sum & 1))
        })
    };
    !bytes.iter().fold(!0, step)
}

/// Ports and kind of the next packet, whose sum has to be right, and who sent it.
fn receive(socket: &UdpSocket) -> std::io::Result<(u16, u16, u8, IpAddr)> {
    let mut buffer = [0; 256];
    let (length, from) = socket.recv_from(&mut buffer)?;
    let whole = &buffer[..length];
    // Over IPv4, the header comes with it.
    let header = if from.is_ipv4() {
        usize::from(whole[0] & 15) * 4
    } else {
        0
    };
    let mut packet = whole[header..].to_vec();
    let sum = u32::from_le_bytes(packet[8..12].try_into().unwrap());
    packet[8..12].fill(0);
    assert_eq!(crc32c(&packet), sum, "the sum of {packet:?}");
    let port = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    Ok((port(0), port(2), packet[12], from.ip()))
}

#[test]
fn sctp_is_translated_there_and_back_and_refused() {
    let test = "sctp_is_translated_there_and_back_and_refused";
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    in_each_mode(test, |mode| translate(mode, test));
}

fn translate(mode: Mode, test: &str) {
    let lab = Lab::new(mode);
    let net = &lab.net;
    let service = |n: u8, app: &str| {
        let port = format!(", protocol: SCTP, nodePort: 3000{n}");
        service_yaml(n, app, "type: NodePort", &port)
    };
    lab.apply(&(pod_yaml("p1", "web") + &service(1, "web") + &service(2, "nobody")));
    for (at, family) in FAMILIES.iter().enumerate() {
        let client: IpAddr = family.client.parse().unwrap();
        let pod = (family.pod)("p1");
        let ways = [
            (1, family.at(1), family.at(2)),
            (2, family.at_node(30001), family.at_node(30002)),
        ];
        for (way, to, nobody) in ways {
            let (to, nobody): (SocketAddr, SocketAddr) =
                (to.parse().unwrap(), nobody.parse().unwrap());
            let context = format!("{mode:?}: {to}");
            let (Some(at_client), Some(at_pod)) = (raw(&net.client, client), raw(&net.p1, pod))
            else {
                eprintln!("SKIPPED {test}: it needs raw sockets");
                return;
            };
            let own_port = 4000 + 10 * at as u16 + way;
            let send = |to: SocketAddr| {
                let init = packet(own_port, to.port(), INIT, 0, 77);
                at_client.send_to(&init, (to.ip(), 0)).unwrap();
            };
            send(to);
            let (from_port, to_port, chunk, from) = receive(&at_pod).expect(&context);
            // The socket has the pod's address, so that is where it came.
            assert_eq!((to_port, chunk), (8080, INIT), "{context}");
            assert_ne!(from, client, "{context}: it is masqueraded");
            let answer = packet(8080, from_port, INIT_ACK, 77, 88);
            at_pod.send_to(&answer, (from, 0)).unwrap();
            let heard = receive(&at_client).expect(&context);
            assert_eq!(heard, (to.port(), own_port, INIT_ACK, to.ip()), "{context}");

            // Errors are told to whoever is connected.
            connect(&at_client, &SocketAddr::new(nobody.ip(), 0)).unwrap();
            let init = packet(own_port, nobody.port(), INIT, 0, 77);
            at_client.send(&init).unwrap();
            let refused = receive(&at_client).expect_err(&context);
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{context}");
        }
    }
}
