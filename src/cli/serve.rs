use std::ffi::OsString;
use std::io::Write;

use anyhow::Context as _;
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::engine::{EngineOptions, MissingNode, ResolveLimits};
use crate::model::{Kind, Object, ObjectName, Operation, Transaction};
use crate::runtime::{self, Readiness, Runtime, RuntimeOptions, SaveOptions};
use crate::server::{self, ListenAddress, ServeError, ServerOptions, WaitingOptions};
use crate::source::manifest::{Input, read};

use super::batch::{self, Most};
use super::failure::Done;
use super::files::tell;
use super::limits::LimitArgs;
use super::listening::Listening;
use super::log;
use super::signals::signals;
use super::sockets::sockets;
use super::store::{Opened, StoreArgs};
use super::table::Columns;

/// Whose objects those of the manifests are.
const SOURCE: &str = "manifests";
/// As many endpoints as a line names.
const MANY: usize = 8;

/// Run the service
///
/// Answers gRPC on --listen and health checks over HTTP on --http. With --data-dir, what was acknowledged
/// is on the disk, and a restart goes on where it was, with the same epoch: clients who come back are
/// told what changed. With --store etcd://…, any number of servers share what is in an etcd: what is written
/// at one is seen at all, and clients may come back to any of them. With neither, what is known is held in
/// memory and ends with the process. Manifests are for a beginning: a store in which something was written
/// keeps what it has, and the log says so. SIGINT or SIGTERM lets clients finish and tells streams to
/// reconnect; a second signal ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord serve
  selectord serve --manifests examples/rng
  selectord serve --data-dir /var/lib/selectord --manifests examples/rng
  selectord serve --store etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/selectord --etcd-ca ca.pem
  selectord serve --listen 127.0.0.1:0 --listen unix:/run/selectord.sock --http off
  selectord serve --listen 0.0.0.0:7400 --insecure --missing-node withhold")]
pub(super) struct Args {
    /// Where to answer gRPC: HOST:PORT (port 0: any that is free) or unix:PATH; may be repeated
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7400")]
    listen: Vec<ListenAddress>,
    /// Where to answer /livez, /healthz (the process answers) and /readyz (it should be given work) over
    /// HTTP: HOST:PORT, or 'off'
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7401")]
    http: String,
    /// Kubernetes YAML or JSON to begin with: a file, or a directory of them; may be repeated. Applied only
    /// where nothing was written yet: to a store that goes on, apply them with 'selectord apply -f'
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
    store: StoreArgs,
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

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    args.limits.check()?;
    args.store.check()?;
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
    let listening = Listening::begin(&args.listen, &args.http, args.insecure).await?;
    let process = Process {
        args,
        listening,
        signals: signals()?,
        objects,
    };
    let mut addresses = process.listening.addresses()?;
    loop {
        match process.life(&addresses, out).await? {
            Life::Over(done) => return Ok(done),
            // Who reads the output has been told where it serves.
            Life::Again => addresses.clear(),
        }
    }
}

/// What stays while one state after another is served.
struct Process<'a> {
    args: &'a Args,
    listening: Listening,
    /// For the first signal to end, and for the second.
    signals: (CancellationToken, CancellationToken),
    objects: Vec<Object>,
}

/// How serving one state ended.
enum Life {
    Over(Done),
    /// The store has another history now: what was served is true of nothing any more.
    Again,
}

impl Process<'_> {
    /// Opens the store and serves what is in it, for as long as it goes.
    async fn life(&self, addresses: &[String], out: &mut dyn Write) -> anyhow::Result<Life> {
        let (asked_to_end, at_once) = &self.signals;
        let options = self.runtime_options();
        let readiness = Readiness::new();
        let mut loading = Some(readiness.guard("loading manifests"));
        let opened = tokio::select! {
            opened = self.open(&options, &readiness) => opened?,
            () = asked_to_end.cancelled() => return Ok(Life::Over(Done::Well)),
        };
        let is_new = opened.is_new();
        let (runtime, thread) = match opened {
            Opened::Alone(store, engine) => runtime::start_with(store, engine, options)?,
            Opened::Shared(store, engine, listed) => {
                runtime::start_shared(store, engine, listed, options)?
            }
        };
        let (listeners, http) = self.listening.share()?;
        let options = ServerOptions {
            limits: self.args.limits.limits(),
            readiness,
            max_lag: self.args.store.max_lag(),
        };
        // Cancelled too when this ends in any other way.
        let shutdown = asked_to_end.child_token();
        let _at_end = shutdown.clone().drop_guard();
        let server = server::serve(listeners, http, runtime.clone(), options, shutdown.clone());
        let mut server = tokio::spawn(server);

        let begin = async {
            let services = self.load(&runtime, is_new).await?;
            drop(loading.take());
            // A reader that has gone is no reason to stop serving.
            if let Err(error) = announce(&runtime, addresses, services, out).await? {
                tracing::warn!(%error, "cannot write to standard output");
            }
            anyhow::Ok(())
        };
        let ended = tokio::select! {
            begun = begin => match begun {
                Ok(()) => None,
                // Where the store was replaced meanwhile, what follows says so.
                Err(_) if is_replaced(&runtime) => None,
                // Nobody is to see the half that was loaded.
                Err(failed) => return Err(failed),
            },
            () = shutdown.cancelled() => None,
            ended = &mut server => Some(ended),
        };
        let ended = match ended {
            Some(ended) => ended,
            None => tokio::select! {
                ended = &mut server => ended,
                () = at_once.cancelled() => return Ok(Life::Over(Done::Partly)),
            },
        };
        match ended.context("the server panicked")? {
            Err(ServeError::EngineStopped) if is_replaced(&runtime) => {
                if let Some(why) = runtime.source_ended() {
                    tracing::warn!(
                        "{why}: everybody was told to come back, and is served what is there now"
                    );
                }
                // Its end is what was waited for.
                let _ = thread.shutdown().await;
                return Ok(Life::Again);
            }
            ended => ended?,
        }
        thread.shutdown().await?;
        Ok(Life::Over(Done::Well))
    }

    /// Opens the store. Whoever looks after the server is answered meanwhile.
    async fn open(
        &self,
        options: &RuntimeOptions,
        readiness: &Readiness,
    ) -> anyhow::Result<Opened> {
        let store = &self.args.store;
        let (listeners, http) = self.listening.share()?;
        let waiting = WaitingOptions {
            limits: self.args.limits.limits(),
            readiness: readiness.clone(),
            store: store.kind(),
        };
        let state = store.open(options.engine, readiness);
        server::serve_waiting(listeners, http, waiting, state).await?
    }

    fn runtime_options(&self) -> RuntimeOptions {
        let args = self.args;
        RuntimeOptions {
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
            gather: args.store.gather(),
            saves: SaveOptions {
                max_kept_bytes: args.limits.max_save_bytes,
                ..SaveOptions::default()
            },
            ..RuntimeOptions::default()
        }
    }

    /// Puts the manifests into a store that is new, and answers the names of the services among them. In
    /// any other, what was acknowledged since is newer than they are.
    async fn load(&self, runtime: &Runtime, is_new: bool) -> anyhow::Result<Vec<ObjectName>> {
        if is_new {
            let most = Most::within(self.args.limits.max_operations, runtime.bounds());
            load(runtime, self.objects.clone(), most).await?;
        } else if !self.objects.is_empty() {
            tracing::warn!(
                revision = runtime.head().revision,
                "the manifests were not applied, as the store holds what was written before: to put them over it, 'selectord apply -f' them"
            );
        }
        let objects = self.objects.iter().map(Object::object_ref);
        let services = objects.filter(|object| object.kind == Kind::Service);
        Ok(services.map(|object| object.name).collect())
    }
}

/// Whether the store is another one than that of which the state is.
fn is_replaced(runtime: &Runtime) -> bool {
    let ended = runtime.source_ended();
    ended.is_some_and(|why| why.is_other_history())
}

/// Puts the objects in.
async fn load(runtime: &Runtime, mut objects: Vec<Object>, most: Most) -> anyhow::Result<()> {
    objects.sort_by_cached_key(|object| batch::order(object.object_ref().kind));
    let bar = batch::bar(objects.len());
    let operations: Vec<Operation> = objects.into_iter().map(Operation::Put).collect();
    for operations in batch::batches(operations, most) {
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
    Ok(())
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
