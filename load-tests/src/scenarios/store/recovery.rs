//! A load, a killed server, and its successor.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Instant;

use selectord::client::Client;
use selectord::engine::Scope;
use tokio::runtime::Builder;

use crate::cluster::changes;
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::scenarios::fanout::Cluster;
use crate::scenarios::resume::read;
use crate::server::Server;

use super::etcd::Etcd;

/// Of so many pods one changes while a subscriber is away.
const CHANGED: usize = 1_000;
/// Changes in one transaction.
const AT_ONCE: usize = 16;

/// In memory for the rate of the load alone; then in a directory, then in etcd.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let (memory, cluster) = load(context, &[])?;
    drop(cluster);
    in_directory(context, section, &memory)?;
    in_etcd(context, section, &memory)
}

/// Starts a server and loads the corpus; answers the rate of pods acknowledged.
fn load(context: &Context, flags: &[&str]) -> anyhow::Result<(Samples, Cluster)> {
    let server = Server::start(context, flags)?;
    let calls = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (channel, client, loaded) = calls.block_on(async {
        let channel = rpc::connect(&server.address).await?;
        let loaded = rpc::load(context, &channel, |_| ()).await?;
        anyhow::Ok((channel, Client::connect(&server.address).await?, loaded))
    })?;
    let rate = loaded.operations as f64 / loaded.elapsed.as_secs_f64();
    let cluster = Cluster {
        server,
        calls,
        channel,
        client,
    };
    Ok((Samples::one(rate), cluster))
}

/// Writes some changes, and answers the revision of the last.
fn change(context: &Context, cluster: &Cluster) -> anyhow::Result<u64> {
    let mut churn = context.corpus.churn(context.args.seed);
    let mut batch = Batch::default();
    for _ in 0..(context.pods() as usize / CHANGED).div_ceil(AT_ONCE) {
        batch.push(churn.by_ref().take(AT_ONCE).flat_map(changes));
    }
    let ingested = rpc::ingest(&cluster.channel, batch);
    Ok(cluster.calls.block_on(ingested)?.revision)
}

fn in_directory(context: &Context, section: &mut Section, memory: &Samples) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(&context.out)?;
    let directory = folder.path().join("data");
    let directory = directory.display().to_string();
    let flags = ["--data-dir", &directory];
    let pods = f64::from(context.pods());
    let (rate, cluster) = load(context, &flags)?;
    section.row(
        Row::new(
            "bulk load acknowledged, --data-dir",
            Unit::Rate("pods"),
            &rate,
        )
        .at_least(100_000.0)
        .beside("the same in memory", Unit::Rate("pods"), memory),
    );
    let all = Scope::all();
    let first = cluster.state()?;
    let snapshot = read(
        &cluster.server.address,
        &all,
        None,
        first.cursor.revision,
        false,
    );
    let snapshot = cluster.calls.block_on(snapshot)?.bytes as f64;
    let last = change(context, &cluster)?;
    let calls = cluster.calls;
    // SIGKILL: nothing is tidied up.
    drop(cluster.server);
    section.row(Row::one(
        "disk a pod, --data-dir",
        Unit::Bytes,
        disk(folder.path()) / pods,
    ));
    let mut recovery = Samples::default();
    let mut recovered = None;
    for _ in 0..context.runs(3) {
        drop(recovered.take());
        let began = Instant::now();
        recovered = Some(Server::start(context, &flags)?);
        recovery.push(began.elapsed().as_nanos() as f64);
    }
    section.row(
        Row::new(
            "killed, and serving again, --data-dir",
            Unit::Time,
            &recovery,
        )
        .at_most(5e9 * pods / 1e6),
    );
    if let Some(server) = recovered {
        let resumed = read(&server.address, &all, Some(&first.cursor), last, false);
        let resumed = calls.block_on(resumed)?.bytes as f64;
        section.row(told("after the restart", resumed, snapshot));
    }
    Ok(())
}

fn told(when: &str, resumed: f64, snapshot: f64) -> Row {
    Row::one(
        format!("resume {when}, 0.1 % of the pods changed: bytes sent"),
        Unit::Bytes,
        resumed,
    )
    .beside("a first snapshot", Unit::Bytes, &Samples::one(snapshot))
    .ratio_at_most(0.01)
}

fn in_etcd(context: &Context, section: &mut Section, memory: &Samples) -> anyhow::Result<()> {
    // One of its own: what the rates left behind is not counted.
    let Some(etcd) = Etcd::start(context)? else {
        return Ok(());
    };
    let flags = etcd.flags("recovery");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let pods = f64::from(context.pods());
    let (rate, cluster) = load(context, &flags)?;
    section.row(
        Row::new(
            "bulk load acknowledged, --store etcd://",
            Unit::Rate("pods"),
            &rate,
        )
        .beside("the same in memory", Unit::Rate("pods"), memory),
    );
    section.row(Row::one(
        "disk a pod, etcd",
        Unit::Bytes,
        disk(etcd.directory()) / pods,
    ));
    let mut listing = Samples::default();
    let mut other = None;
    for _ in 0..context.runs(3) {
        drop(other.take());
        let began = Instant::now();
        other = Some(Server::start(context, &flags)?);
        listing.push(began.elapsed().as_nanos() as f64);
    }
    section.row(Row::new(
        "a new replica lists etcd, and serves",
        Unit::Time,
        &listing,
    ));
    if let Some(other) = other {
        let all = Scope::all();
        let first = cluster.state()?;
        let snapshot = read(
            &cluster.server.address,
            &all,
            None,
            first.cursor.revision,
            false,
        );
        let snapshot = cluster.calls.block_on(snapshot)?.bytes as f64;
        let last = change(context, &cluster)?;
        let resumed = read(&other.address, &all, Some(&first.cursor), last, false);
        let resumed = cluster.calls.block_on(resumed)?.bytes as f64;
        section.row(told("at another replica", resumed, snapshot));
    }
    Ok(())
}

/// Bytes that everything under a path takes on the disk.
fn disk(path: &Path) -> f64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| disk(&entry.path())).sum(),
        Err(_) => path
            .metadata()
            .map_or(0.0, |file| (file.blocks() * 512) as f64),
    }
}
