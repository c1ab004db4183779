//! Everything to a new subscriber.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use anyhow::bail;
use prost::Message as _;
use selectord::engine::{Scope, ServiceEntry};
use selectord::wire::{encode_service, proto};

use crate::context::Context;
use crate::measure::{Process, Samples};
use crate::report::{Row, Section, Unit};
use crate::scenarios::fanout::Cluster;
use crate::subscribers::{Base, Fold};

use super::reader::read;

/// New subscribers at one time, when memory is looked at.
const AT_ONCE: usize = 8;
const RUNS: usize = 9;

/// Snapshots alone and several at once, beside copying the same bytes.
pub fn measure(context: &Context, section: &mut Section, cluster: &Cluster) -> anyhow::Result<()> {
    let address = &cluster.server.address;
    let all = Scope::all();
    let state = cluster.state()?;
    let revision = state.cursor.revision;
    let kept = (cluster.calls).block_on(read(address, &all, None, revision, true))?;
    let empty = Default::default();
    let base = Base::new(&empty, &state.view);
    let mut fold = Fold::new(&base, all.clone(), false);
    for body in &kept.bodies {
        fold.message(body)?;
    }
    fold.compare()?;
    let services = state.view.services();
    let endpoints: usize = services.values().map(|s| s.endpoints.len()).sum();
    let count = endpoints as f64;

    let bytes = kept.bodies.concat();
    let (mut rates, mut copies, mut sockets) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut copy = vec![0; bytes.len()];
    let before = cluster.server.process().and_then(Process::usage);
    for _ in 0..context.runs(RUNS) {
        let snapshot = (cluster.calls).block_on(read(address, &all, None, revision, false))?;
        rates.push(count / snapshot.elapsed.as_secs_f64());
        let start = Instant::now();
        black_box(&mut copy).copy_from_slice(black_box(&bytes));
        copies.push(count / start.elapsed().as_secs_f64());
        sockets.push(count / over_a_socket(&bytes)?);
    }
    let busy = before.zip(cluster.server.process().and_then(Process::usage));
    section.row(
        Row::new(
            format!("first snapshot of {endpoints} endpoints"),
            Unit::Rate("endpoints"),
            &rates,
        )
        .at_least(2e6)
        .beside(
            "the same bytes over a plain TCP socket",
            Unit::Rate("endpoints"),
            &sockets,
        ),
    );
    section.row(Row::new(
        "yardstick: the same bytes copied in memory",
        Unit::Rate("endpoints"),
        &copies,
    ));
    let of_services: usize = services.values().map(|s| entry_bytes(&s.entry)).sum();
    section.row(
        Row::one(
            "bytes on the wire an endpoint, but for the services' own fields",
            Unit::Bytes,
            (kept.bytes as f64 - of_services as f64) / count,
        )
        .at_most(64.0)
        .beside(
            "all bytes an endpoint",
            Unit::Bytes,
            &Samples::one(kept.bytes as f64 / count),
        ),
    );
    if let Some((before, after)) = busy {
        let busy = after.cpu.saturating_sub(before.cpu).as_nanos() as f64;
        let each = busy / count / context.runs(RUNS) as f64;
        section.row(Row::one(
            "server's processor time an endpoint",
            Unit::Time,
            each,
        ));
    }
    section.note(format!(
        "the first snapshot has {} services and {endpoints} endpoints; it folds to what selectord's own \
         client holds; timed is from connecting to the checkpoint, client and server on the same cores",
        services.len()
    ));

    let Some(process) = cluster.server.process() else {
        return Ok(());
    };
    process.reset_peak();
    let before = process.usage();
    let start = Instant::now();
    cluster.calls.block_on(async {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (address, all) = (address.clone(), all.clone());
            readers.spawn(async move { read(&address, &all, None, revision, false).await });
        }
        while let Some(read) = readers.join_next().await {
            if read??.bytes != kept.bytes {
                bail!("two snapshots of one revision have not the same length");
            }
        }
        Ok(())
    })?;
    let elapsed = start.elapsed().as_secs_f64();
    if let (Some(before), Some(after)) = (before, process.usage()) {
        section.row(
            Row::one(
                format!("server's memory while {AT_ONCE} first snapshots are sent: at most"),
                Unit::Bytes,
                after.peak as f64,
            )
            .beside(
                "before them",
                Unit::Bytes,
                &Samples::one(before.resident as f64),
            )
            .ratio_at_most(1.1),
        );
    }
    section.row(Row::one(
        "… all of them together",
        Unit::Rate("endpoints"),
        count * AT_ONCE as f64 / elapsed,
    ));
    Ok(())
}

/// Bytes of a service without endpoints.
fn entry_bytes(entry: &ServiceEntry) -> usize {
    let name = &entry.service.name;
    let event = proto::EndpointsEvent {
        r#type: proto::EventType::Replace.into(),
        namespace: name.namespace.to_string(),
        name: name.name.to_string(),
        service: Some(encode_service(&entry.service)),
        service_revision: entry.revision,
        ..Default::default()
    };
    let message = proto::WatchEndpointsResponse {
        events: vec![event],
        ..Default::default()
    };
    message.encoded_len()
}

/// Seconds for bytes to go through a plain socket of this machine.
fn over_a_socket(bytes: &[u8]) -> anyhow::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let start = Instant::now();
    let read = std::thread::spawn(move || -> std::io::Result<usize> {
        let mut socket = TcpStream::connect(address)?;
        let mut room = vec![0; 256 << 10];
        let mut all = 0;
        loop {
            match socket.read(&mut room)? {
                0 => return Ok(all),
                more => all += more,
            }
        }
    });
    let (mut socket, _) = listener.accept()?;
    for piece in bytes.chunks(64 << 10) {
        socket.write_all(piece)?;
    }
    drop(socket);
    if read.join().ok().transpose()? != Some(bytes.len()) {
        bail!("not all bytes came through a plain socket");
    }
    Ok(start.elapsed().as_secs_f64())
}
