//! Transactions acknowledged a second.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use selectord::engine::EngineOptions;
use selectord::store::{EmbeddedOptions, EmbeddedStore, Store as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Channel;

use crate::cluster::transaction;
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc;
use crate::server::Server;

use super::clients::{Flips, commit_flat_out, submit_flat_out};
use super::etcd::Etcd;

/// Clients that write at one time, each a transaction of one pod.
const CLIENTS: [usize; 3] = [1, 16, 256];
const CONNECTIONS: usize = 8;

/// A server with one of the stores.
struct Contender {
    name: &'static str,
    /// It ends with this.
    _server: Server,
    channels: Vec<Channel>,
    /// Rates, by how many clients there are.
    rates: [Samples; 3],
}

impl Contender {
    fn start(
        context: &Context,
        calls: &Runtime,
        name: &'static str,
        flags: &[&str],
    ) -> anyhow::Result<Contender> {
        let server = Server::start(context, flags).with_context(|| name.to_owned())?;
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(calls.block_on(rpc::connect(&server.address))?);
        }
        Ok(Contender {
            name,
            _server: server,
            channels,
            rates: Default::default(),
        })
    }
}

/// Each store, and what it stands on alone, in turn.
pub fn measure(
    context: &Context,
    section: &mut Section,
    etcd: Option<&Etcd>,
) -> anyhow::Result<()> {
    let calls = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir_in(&context.out)?;
    let mut contenders = contenders(context, &calls, &folder, etcd)?;
    let alone = match etcd {
        Some(etcd) => Some(calls.block_on(etcd.store("alone"))?),
        None => None,
    };
    let mut journal: [Samples; 3] = Default::default();
    let mut of_etcd: [Samples; 3] = Default::default();
    let time = context.duration() / 2;
    let runs = context.runs(5);
    let all = (runs * CLIENTS.len() * (contenders.len() + 2)) as u64;
    let progress = context.progress("transactions acknowledged", all);
    for run in 0..runs {
        for (at, clients) in CLIENTS.into_iter().enumerate() {
            let flips = Flips::of(context, clients);
            for contender in &mut contenders {
                let made = commit_flat_out(&contender.channels, &flips, time);
                let made = calls
                    .block_on(made)
                    .with_context(|| contender.name.to_owned())?;
                contender.rates[at].push(made);
                progress.inc(1);
            }
            let directory = folder.path().join(format!("journal-{run}-{clients}"));
            journal[at].push(append_and_sync(&directory, &flips, time)?);
            progress.inc(1);
            if let Some(alone) = &alone {
                of_etcd[at].push(calls.block_on(submit_flat_out(alone, &flips, time))?);
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    rows(section, &contenders, &journal, &of_etcd);
    section.note(format!(
        "a transaction puts one pod, ready or not, and is acknowledged when it is as durable as the store \
         makes it and every later read sees it; each client waits for the answer before it writes again, \
         on {CONNECTIONS} connections, on the same cores as the server; the journal alone is append and \
         sync in this process, as many transactions at once as there are clients; etcd alone is the same \
         puts through the same client code, as many at once, without a replica that applies them",
    ));
    Ok(())
}

fn contenders(
    context: &Context,
    calls: &Runtime,
    folder: &TempDir,
    etcd: Option<&Etcd>,
) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = vec![Contender::start(context, calls, "memory", &[])?];
    for (name, fsync) in [
        ("--data-dir, --fsync always", "always"),
        ("--data-dir, --fsync group:2", "group:2"),
    ] {
        let directory = folder.path().join(fsync.replace(':', "-"));
        let directory = directory.display().to_string();
        let flags = ["--data-dir", &directory, "--fsync", fsync];
        contenders.push(Contender::start(context, calls, name, &flags)?);
    }
    if let Some(etcd) = etcd {
        let flags = etcd.flags("rates");
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        contenders.push(Contender::start(context, calls, "--store etcd://", &flags)?);
    }
    Ok(contenders)
}

fn rows(
    section: &mut Section,
    contenders: &[Contender],
    journal: &[Samples; 3],
    of_etcd: &[Samples; 3],
) {
    let unit = Unit::Rate("transactions");
    let mut curve = Curve::new(
        "acknowledged",
        "Transactions acknowledged a second, by clients that wait for each",
        Axis::log("clients", Unit::Number("")),
        Axis::log("transactions a second", unit),
    );
    for contender in contenders {
        for (at, clients) in CLIENTS.into_iter().enumerate() {
            let what = format!("acknowledged, {clients} clients: {}", contender.name);
            let row = Row::new(what, unit, &contender.rates[at]);
            section.row(match contender.name {
                "memory" => row,
                "--store etcd://" => row.beside("the same puts on etcd alone", unit, &of_etcd[at]),
                _ => row.beside("the journal alone, as many at once", unit, &journal[at]),
            });
        }
        let points = CLIENTS.iter().zip(&contender.rates);
        let points = points.map(|(clients, rates)| (*clients as f64, rates.median()));
        curve = curve.line(contender.name, points.collect());
    }
    section.curve(curve);
}

/// What the embedded store itself does a second: groups of as many transactions as there are clients,
/// each appended and synced.
fn append_and_sync(
    directory: &std::path::Path,
    flips: &Flips,
    time: Duration,
) -> anyhow::Result<f64> {
    let (rules, options) = (EngineOptions::default(), EmbeddedOptions::default());
    let (mut store, _) = EmbeddedStore::open(directory, rules, options, &mut |_| ())?;
    let groups: Vec<Vec<_>> = flips
        .rounds()
        .map(|round| round.map(|change| transaction([change])).collect())
        .collect();
    let (began, mut done) = (Instant::now(), 0);
    for group in groups.iter().cycle() {
        store.append(group)?;
        store.sync()?;
        done += group.len();
        if began.elapsed() >= time {
            break;
        }
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    drop(store);
    std::fs::remove_dir_all(directory)?;
    Ok(rate)
}
