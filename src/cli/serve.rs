use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::engine::{EngineOptions, MissingNode, ResolveLimits};
use crate::model::{Kind, Object, ObjectName, Operation, Transaction};
use crate::runtime::{self, Readiness, Runtime, RuntimeOptions, SaveOptions};
use crate::server::{self, Limits, ListenAddress, ServerOptions};
use crate::source::manifest::{Input, read};

use super::data_dir::DurabilityArgs;
use super::failure::{Done, Misused};
use super::files::tell;
use super::sockets::sockets;
use super::table::Columns;
use super::{batch, log};

/// Whose objects those of the manifests are.
const SOURCE: &str = "manifests";
/// As many endpoints as a line names.
const MANY: usize = 8;

/// Run the service
///
/// Answers gRPC on --listen and health checks over HTTP on --http. With --data-dir, what was acknowledged
/// is on the disk, and a restart goes on where it was, with the same epoch: clients who come back are
/// told what changed. Without it, what is known is held in memory, begins with the manifests, if any are
/// given, and ends with the process. SIGINT or SIGTERM lets clients finish and tells streams to
/// reconnect; a second signal ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord serve
  selectord serve --manifests examples/rng
  selectord serve --data-dir /var/lib/selectord
  selectord serve --listen 127.0.0.1:0 --listen unix:/run/selectord.sock --http off
  selectord serve --listen 0.0.0.0:7400 --insecure --missing-node withhold")]
pub(super) struct Args {
    /// Where to answer gRPC: HOST:PORT (port 0: any that is free) or unix:PATH; may be repeated
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7400")]
    listen: Vec<ListenAddress>,
    /// Where to answer health checks over HTTP: HOST:PORT, or 'off'
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7401")]
    http: String,
    /// Kubernetes YAML or JSON to begin with: a file, or a directory of them; may be repeated
    #[arg(long, value_name = "DIR")]
    manifests: Vec<OsString>,
    /// What to do with a selected pod whose node is not known: publish it without a zone, or not at
    /// all, as Kubernetes does
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Missing::Admit)]
    missing_node: Missing,
    /// Answer plain text beyond this machine: whoever reads the network reads everything
    #[arg(long)]
    insecure: bool,
    /// What to log: a level, or levels by module [env: RUST_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    durability: DurabilityArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Missing {
    Admit,
    Withhold,
}

impl From<Missing> for MissingNode {
    fn from(mode: Missing) -> Self {
        match mode {
            Missing::Admit => MissingNode::Admit,
            Missing::Withhold => MissingNode::Withhold,
        }
    }
}

/// What bounds clients. Whoever asks for more is refused with RESOURCE_EXHAUSTED or INVALID_ARGUMENT.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Operations that one transaction may resolve to
    #[arg(long, value_name = "NUMBER", default_value_t = ResolveLimits::default().max_operations)]
    max_operations: usize,
    /// Bytes of one request
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_message_bytes)]
    max_message_bytes: usize,
    /// Labels of one object
    #[arg(long, value_name = "NUMBER", default_value_t = ResolveLimits::default().max_labels)]
    max_labels: usize,
    /// Objects in one page of a listing
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_page_size)]
    max_page_size: u32,
    /// Distinct live queries (watched pod selectors)
    #[arg(long, value_name = "NUMBER", default_value_t = RuntimeOptions::default().max_live_queries)]
    max_live_queries: usize,
    /// Pods of all live queries together, each counted in each, at which another is opened
    #[arg(long, value_name = "NUMBER", default_value_t = RuntimeOptions::default().max_live_query_members)]
    max_live_query_members: u64,
    /// Open connections
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_connections)]
    max_connections: usize,
    /// Open watches
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_subscribers)]
    max_subscribers: usize,
    /// Calls at one time on one connection
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_streams_per_connection)]
    max_streams_per_connection: u32,
    /// Milliseconds for which changes are gathered before streams are told of them: what follows a calm
    /// is told at once, and then once in so long. 0: at once always
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 20)]
    watch_window: u64,
    /// Bytes that one snapshot may keep, while it is saved, of what is changed meanwhile
    #[arg(long, value_name = "BYTES", default_value_t = SaveOptions::default().max_kept_bytes)]
    max_save_bytes: usize,
    /// Seconds that clients have to finish once the server is asked to end
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain.as_secs())]
    drain: u64,
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        let defaults = Limits::default();
        Limits {
            max_message_bytes: self.max_message_bytes,
            max_page_size: self.max_page_size,
            page_size: defaults.page_size.min(self.max_page_size),
            max_subscribers: self.max_subscribers,
            max_connections: self.max_connections,
            max_streams_per_connection: self.max_streams_per_connection,
            watch_window: Duration::from_millis(self.watch_window),
            drain: Duration::from_secs(self.drain),
            ..defaults
        }
    }

    /// Refuses limits under which nothing could be done.
    fn check(&self) -> anyhow::Result<()> {
        let zero = [
            ("--max-operations", self.max_operations == 0),
            ("--max-message-bytes", self.max_message_bytes == 0),
            ("--max-page-size", self.max_page_size == 0),
            ("--max-connections", self.max_connections == 0),
            (
                "--max-streams-per-connection",
                self.max_streams_per_connection == 0,
            ),
        ];
        match zero.iter().find(|(_, zero)| *zero) {
            Some((flag, _)) => Err(Misused::of("serve", format!("{flag} must be at least 1"))),
            None => Ok(()),
        }
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    args.limits.check()?;
    log::for_server(args.log.as_deref())?;
    let objects = manifests(&args.manifests)?;
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = threads.block_on(serve(args, objects, out));
    // After a second signal, what still runs is left where it stands.
    threads.shutdown_background();
    done
}

fn manifests(paths: &[OsString]) -> anyhow::Result<Vec<Object>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let inputs: Vec<Input> = paths.iter().cloned().map(Input::from).collect();
    let manifests = read(&inputs, "default")?;
    tell(&manifests);
    Ok(manifests.objects)
}

async fn serve(args: &Args, objects: Vec<Object>, out: &mut dyn Write) -> anyhow::Result<Done> {
    let mut listeners = Vec::new();
    for address in &args.listen {
        listeners.push(address.bind(args.insecure).await?);
    }
    let http = match args.http.as_str() {
        "off" => None,
        address => Some(
            TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen at {address} (--http)"))?,
        ),
    };
    let mut addresses = Vec::new();
    for listener in &listeners {
        addresses.push(format!("gRPC on {}", listener.address()?));
    }
    if let Some(http) = &http {
        addresses.push(format!("HTTP on {}", http.local_addr()?));
    }

    let options = RuntimeOptions {
        engine: EngineOptions {
            missing_node: args.missing_node.into(),
            ..EngineOptions::default()
        },
        resolve: ResolveLimits {
            max_operations: args.limits.max_operations,
            max_labels: args.limits.max_labels,
        },
        max_live_queries: args.limits.max_live_queries,
        max_live_query_members: args.limits.max_live_query_members,
        gather: args.durability.gather(),
        saves: SaveOptions {
            max_kept_bytes: args.limits.max_save_bytes,
            ..SaveOptions::default()
        },
        ..RuntimeOptions::default()
    };
    let (store, engine) = args.durability.open(options.engine)?;
    let (runtime, thread) = runtime::start_with(store, engine, options)?;
    let readiness = Readiness::new();
    let mut loading = Some(readiness.guard("loading manifests"));
    let (shutdown, at_once) = signals()?;
    let options = ServerOptions {
        limits: args.limits.limits(),
        readiness,
    };
    let mut server = tokio::spawn(server::serve(
        listeners,
        http,
        runtime.clone(),
        options,
        shutdown.clone(),
    ));

    let begin = async {
        let services = load(&runtime, objects, args.limits.max_operations).await?;
        drop(loading.take());
        // A reader that has gone is no reason to stop serving.
        if let Err(error) = announce(&runtime, &addresses, services, out).await? {
            tracing::warn!(%error, "cannot write to standard output");
        }
        anyhow::Ok(())
    };
    tokio::select! {
        begun = begin => if let Err(failed) = begun {
            // Nobody is to see the half that was loaded.
            shutdown.cancel();
            return Err(failed);
        },
        () = shutdown.cancelled() => {}
        ended = &mut server => {
            ended.context("the server panicked")??;
            return Ok(Done::Partly);
        }
    }
    tokio::select! {
        ended = &mut server => ended.context("the server panicked")??,
        () = at_once.cancelled() => return Ok(Done::Partly),
    }
    thread.shutdown().await?;
    Ok(Done::Well)
}

/// One token for the first signal to end, one for the second.
fn signals() -> anyhow::Result<(CancellationToken, CancellationToken)> {
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let (end, end_now) = (first.clone(), second.clone());
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to signals")?;
    tokio::spawn(async move {
        for token in [end, end_now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("asked to end; a second signal ends at once");
            token.cancel();
        }
    });
    Ok((first, second))
}

/// Puts the objects in, and answers the names of the services among them.
async fn load(
    runtime: &Runtime,
    mut objects: Vec<Object>,
    max_operations: usize,
) -> anyhow::Result<Vec<ObjectName>> {
    objects.sort_by_cached_key(|object| batch::order(object.object_ref().kind));
    let services = objects
        .iter()
        .map(Object::object_ref)
        .filter(|object| object.kind == Kind::Service);
    let services = services.map(|object| object.name).collect();
    let bar = batch::bar(objects.len());
    let operations: Vec<Operation> = objects.into_iter().map(Operation::Put).collect();
    for operations in batch::of_at_most(operations, max_operations) {
        bar.inc(u64::try_from(operations.len()).unwrap_or(u64::MAX));
        let transaction = Transaction {
            operations,
            source: SOURCE.into(),
            ..Transaction::default()
        };
        runtime
            .commit(transaction, "".into())
            .await
            .context("cannot load the manifests")?;
    }
    bar.finish_and_clear();
    Ok(services)
}

/// Says where it serves, and what endpoints the services of the manifests have.
async fn announce(
    runtime: &Runtime,
    addresses: &[String],
    services: Vec<ObjectName>,
    out: &mut dyn Write,
) -> anyhow::Result<std::io::Result<()>> {
    let rows = runtime
        .query(move |engine| {
            let row = |name: &ObjectName| {
                let service = engine.service(name)?.object;
                let endpoints = engine.endpoints(name)?;
                let ready: Vec<_> = endpoints
                    .iter()
                    .filter(|endpoint| endpoint.conditions.ready)
                    .collect();
                let waiting = endpoints.len().saturating_sub(ready.len());
                let count = match waiting {
                    0 => format!("{} ready", ready.len()),
                    _ => format!("{} ready, {waiting} not", ready.len()),
                };
                let mut listed = ready
                    .iter()
                    .flat_map(|endpoint| sockets(&service, endpoint));
                let mut list = listed.by_ref().take(MANY).collect::<Vec<_>>().join(" ");
                let more = listed.count();
                if more > 0 {
                    list.push_str(&format!(" + {more} more"));
                }
                Some(vec![name.to_string(), count, list])
            };
            let mut services = services;
            services.sort();
            services.iter().filter_map(row).collect::<Vec<_>>()
        })
        .await?;
    let print = || {
        for address in addresses {
            writeln!(out, "serving {address}")?;
        }
        Columns::new(vec!["", "", ""])
            .without_header()
            .print(out, rows)?;
        out.flush()
    };
    Ok(print())
}
