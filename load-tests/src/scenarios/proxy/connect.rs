//! What a connection takes through the first service and through the last.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::measure::Samples;

use super::cluster::{Cluster, PORT, Service, TARGET_PORT, endpoint_ip};
use super::namespace::Namespace;
use super::program::run;

/// Rounds, and connections of one round through each of them.
const ROUNDS: usize = 7;
const CONNECTIONS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(2);

/// Medians of rounds, in nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct Connects {
    /// To the endpoint itself.
    pub straight: Samples,
    pub first: Samples,
    pub last: Samples,
}

/// Has each of two namespaces serve the endpoints of both services itself, and connects to them in
/// turn, from the node itself.
pub fn measure(namespaces: [&Namespace; 2], cluster: &Cluster) -> anyhow::Result<[Connects; 2]> {
    let (_, first) = cluster.services.first_key_value().context("no service")?;
    let (_, last) = cluster.services.last_key_value().context("no service")?;
    for namespace in namespaces {
        namespace.within(|| run(&["sh", "-es"], &script(&[first, last])))?;
    }
    let mut found: [Connects; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (namespace, found) in namespaces.into_iter().zip(&mut found) {
            namespace.within(|| served(|| round(first, last, found)))?;
        }
    }
    Ok(found)
}

fn served(run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, TARGET_PORT))?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(listener.accept());
            }
        });
        let result = run();
        done.store(true, Ordering::Relaxed);
        // It has one more to accept before it looks.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, TARGET_PORT));
        result
    })
}

/// The endpoints' addresses, and a way for packets to services' until they are translated.
fn script(services: &[&Service]) -> String {
    let mut lines = vec![
        "ip link set lo up".to_owned(),
        "ip link add out type veth peer name other".to_owned(),
        "ip addr add 192.0.2.1/24 dev out".to_owned(),
        "ip link set other up".to_owned(),
        "ip link set out up".to_owned(),
        "ip route add 10.96.0.0/12 dev out".to_owned(),
    ];
    for end in services.iter().flat_map(|service| &service.endpoints) {
        lines.push(format!("ip addr add {}/32 dev lo", endpoint_ip(*end)));
    }
    lines.join("\n")
}

fn round(first: &Service, last: &Service, found: &mut Connects) -> anyhow::Result<()> {
    let straight = endpoint_ip(*first.endpoints.first().context("no endpoint")?);
    found.straight.push(median((straight, TARGET_PORT).into())?);
    found.first.push(median((first.ip(), PORT).into())?);
    found.last.push(median((last.ip(), PORT).into())?);
    Ok(())
}

fn median(to: SocketAddr) -> anyhow::Result<f64> {
    let connect = || -> io::Result<f64> {
        let began = Instant::now();
        TcpStream::connect_timeout(&to, PATIENCE)?;
        Ok(began.elapsed().as_nanos() as f64)
    };
    let times = (0..CONNECTIONS).map(|_| connect());
    let times: Samples = times
        .collect::<io::Result<Vec<f64>>>()
        .with_context(|| format!("cannot connect to {to}"))?
        .into_iter()
        .collect();
    Ok(times.median())
}
