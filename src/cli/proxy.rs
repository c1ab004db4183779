use std::io::Write;
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use smol_str::SmolStr;
use tokio_util::sync::CancellationToken;

use crate::client::WatchOptions;
use crate::engine::Scope;
use crate::model::IpFamily;
use crate::proxy::iptables::Iptables;
use crate::proxy::linux::{IptablesPrograms, Nft, NftError};
use crate::proxy::{
    Backend, Cidr, Monitor, Nftables, PodTraffic, ProxyOptions, Syncer, once, run as keep,
    serve_pages,
};

use super::failure::{Done, Misused};
use super::listening::listen_http;
use super::log;
use super::signals::signals;
use super::target::{EarlyArgs, ServerArgs};

/// Write this node's service rules, and keep them true
///
/// Does the work of kube-proxy: follows every service with a virtual IP and its endpoints, and keeps the
/// node's rules what they say. In the mode nftables these are the tables 'ip selectord' and 'ip6
/// selectord', one transaction for each consistent step; in the mode iptables, chains 'SELD-…' in the
/// tables filter and nat of iptables and ip6tables, of the variant (legacy or nft) that the node uses.
/// Rules found at the start are taken over; at the end they stay: 'selectord proxy cleanup' removes
/// them. Needs root (CAP_NET_ADMIN), and nftables 1.0.6 or iptables 1.8 or newer.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  selectord proxy --node node1 --server 10.0.0.5:7400 --cluster-cidr 10.244.0.0/16
  selectord proxy --node node1 --mode iptables --cluster-cidr 10.244.0.0/16
  selectord proxy --node node1 --dry-run
  selectord proxy --node node1 --once
  selectord proxy cleanup"
)]
pub(super) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// The node whose rules these are, as its pods name it [env: NODE_NAME]
    #[arg(long, value_name = "NAME", env = "NODE_NAME", hide_env = true)]
    node: Option<String>,
    /// What kind of rules to write
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Mode::Nftables)]
    mode: Mode,
    /// Print the rules that would be written on an empty machine, and end
    ///
    /// In the mode nftables it is one text, for nft -f. In the mode iptables they are two, of IPv4 first, for
    /// iptables-restore and ip6tables-restore; each begins with a comment that says for which.
    #[arg(long)]
    dry_run: bool,
    /// Write the rules once, and end
    #[arg(long, conflicts_with = "dry_run")]
    once: bool,
    /// Milliseconds from the beginning of one write to the beginning of the next, at least
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100)]
    min_sync_period: u64,
    /// Milliseconds after which it is asked whether somebody else changed the rules, or the node's addresses
    #[arg(long, value_name = "MILLISECONDS", default_value_t = NonZeroU64::new(10_000).unwrap_or(NonZeroU64::MIN))]
    check_period: NonZeroU64,
    /// Milliseconds between two tries of a write that fails, at most
    ///
    /// So often are services tried again whose rules were refused. /livez and /healthz fail when an update has
    /// been received and not been written for longer than twice this (or twice --min-sync-period).
    #[arg(long, value_name = "MILLISECONDS", default_value_t = NonZeroU64::new(30_000).unwrap_or(NonZeroU64::MIN))]
    sync_period: NonZeroU64,
    /// Where to answer /healthz, /livez, /readyz and /metrics over HTTP: HOST:PORT, or 'off'
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7402")]
    http: String,
    /// Address ranges of pods: what comes from elsewhere to a virtual IP is masqueraded
    #[arg(long, value_name = "CIDR", value_delimiter = ',', group = "pods")]
    cluster_cidr: Vec<Cidr>,
    /// The bridge that this node's pods hang from, instead of --cluster-cidr
    #[arg(long, value_name = "NAME", group = "pods", value_parser = interface)]
    pod_bridge: Option<SmolStr>,
    /// How the names of this node's pods' interfaces begin, instead of --cluster-cidr
    #[arg(long, value_name = "PREFIX", group = "pods", value_parser = interface)]
    pod_interface_prefix: Option<SmolStr>,
    /// The node's addresses at which node ports and their health checks answer [default: all but loopback]
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    nodeport_addresses: Vec<Cidr>,
    /// Ranges of virtual IPs: what goes to one that no service has is dropped
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    service_cidr: Vec<Cidr>,
    /// Masquerade everything that goes to a virtual IP
    #[arg(long)]
    masquerade_all: bool,
    /// Which bit of a packet's mark is ours (kube-proxy's is 14)
    #[arg(long, value_name = "BIT", default_value_t = 13, value_parser = mark_bit)]
    masquerade_bit: u8,
    /// What to log: a level, or levels by module [env: RUST_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Remove the rules that this program wrote, and nothing else
    Cleanup {
        /// Only those of this kind [default: of every kind]
        #[arg(long, value_enum, value_name = "MODE")]
        mode: Option<Mode>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Tables of nftables
    Nftables,
    /// Chains of iptables and ip6tables
    Iptables,
}

impl Mode {
    fn backend(self, options: &ProxyOptions) -> Box<dyn Backend> {
        match self {
            Mode::Nftables => Box::new(Nftables::new(options.clone(), Nft::default())),
            Mode::Iptables => Box::new(Iptables::new(options.clone(), IptablesPrograms::default())),
        }
    }

    /// Removes everything that this mode writes, and says what that was.
    fn cleanup(self) -> anyhow::Result<&'static str> {
        match self {
            Mode::Nftables => match cleanup_tables(&Nft::default()) {
                Err(error) if error.is_missing() => {
                    Ok("nftables: nothing to remove, as nft is not installed")
                }
                done => Ok(match done.context("cannot remove the tables")? {
                    true => "nftables: removed the tables ip selectord and ip6 selectord",
                    false => "nftables: nothing to remove",
                }),
            },
            Mode::Iptables => {
                let found = Iptables::cleanup(&IptablesPrograms::default());
                Ok(match found.context("cannot remove the chains")? {
                    0 => "iptables: nothing to remove",
                    _ => {
                        "iptables: removed the chains SELD-… of iptables and ip6tables, and the jumps to them"
                    }
                })
            }
        }
    }
}

/// Removes the tables, and answers whether there was one.
fn cleanup_tables(nft: &Nft) -> Result<bool, NftError> {
    let mut there = false;
    for family in [IpFamily::V4, IpFamily::V6] {
        there |= nft.list(family)?.is_some();
    }
    if there {
        Nftables::cleanup(nft)?;
    }
    Ok(there)
}

/// A bit of a packet's mark.
fn mark_bit(text: &str) -> Result<u8, String> {
    let bit = text.parse().ok().filter(|bit| *bit < 32);
    bit.ok_or_else(|| "write a number from 0 to 31".to_owned())
}

/// The name of an interface, or its beginning, as the kernel allows it.
fn interface(text: &str) -> Result<SmolStr, String> {
    const LONGEST: usize = 15;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@');
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(fits) {
        return Err(format!(
            "write 1 to {LONGEST} letters, digits, dots, dashes or underscores"
        ));
    }
    Ok(text.into())
}

impl Args {
    fn options(&self) -> anyhow::Result<ProxyOptions> {
        let Some(node) = self.node.as_deref().filter(|node| !node.is_empty()) else {
            return Err(Misused::of(
                "proxy",
                "which node is this? Say --node NAME, or set NODE_NAME",
            ));
        };
        let pod_traffic = match (&self.pod_bridge, &self.pod_interface_prefix) {
            (Some(bridge), _) => PodTraffic::Interface(bridge.clone()),
            (None, Some(prefix)) => PodTraffic::InterfacePrefix(prefix.clone()),
            (None, None) if self.cluster_cidr.is_empty() => PodTraffic::Unknown,
            (None, None) => PodTraffic::Cidrs(self.cluster_cidr.clone()),
        };
        Ok(ProxyOptions {
            pod_traffic,
            node_port_addresses: self.nodeport_addresses.clone(),
            service_cidrs: self.service_cidr.clone(),
            masquerade_all: self.masquerade_all,
            masquerade_bit: self.masquerade_bit,
            min_sync_period: Duration::from_millis(self.min_sync_period),
            check_period: Duration::from_millis(self.check_period.get()),
            sync_period: Duration::from_millis(self.sync_period.get()),
            ..ProxyOptions::of_node(node)
        })
    }
}

pub(super) fn run(args: &Args, early: &EarlyArgs, out: &mut dyn Write) -> anyhow::Result<Done> {
    if let Some(Other::Cleanup { mode }) = args.other {
        log::for_command()?;
        for every in Mode::value_variants() {
            if mode.is_none_or(|mode| mode == *every) {
                writeln!(out, "{}", every.cleanup()?)?;
            }
        }
        return Ok(Done::Well);
    }
    let options = args.options()?;
    log::for_server(args.log.as_deref())?;
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = threads.block_on(proxy(args, early, options, out));
    threads.shutdown_background();
    done
}

async fn proxy(
    args: &Args,
    early: &EarlyArgs,
    options: ProxyOptions,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let watch = WatchOptions {
        name: format!("proxy {}", options.node),
        ..WatchOptions::default()
    };
    let scope = Scope::Node(options.node.clone());
    let mut syncer = Syncer::new(&options, args.mode.backend(&options));
    if args.dry_run {
        let mut watcher = args.server.connect(early).await?.watch(scope, watch);
        let cut = watcher.next().await?;
        syncer.note(watcher.view(), &cut.events, &cut.dropped);
        out.write_all(syncer.print(watcher.view()).as_bytes())?;
        return Ok(Done::Well);
    }
    if args.once {
        let mut watcher = args.server.connect(early).await?.watch(scope, watch);
        let report = once(&mut watcher, &mut syncer).await?;
        for (service, why) in &report.refused {
            writeln!(out, "service {service} was refused: {why}")?;
        }
        writeln!(
            out,
            "{} elements and {} rules written",
            report.elements, report.rules
        )?;
        return Ok(match report.refused.is_empty() {
            true => Done::Well,
            false => Done::Partly,
        });
    }
    let watcher = args.server.connect_later(early)?.watch(scope, watch);
    let (shutdown, at_once) = signals()?;
    let monitor = Monitor::new(&options, &mut syncer, watcher.contact())?;
    let pages = pages(&args.http, monitor.clone(), shutdown.clone(), out).await?;
    // Apart from this: while it waits for the kernel, it hears nothing.
    let keeper =
        tokio::spawn(async move { keep(watcher, syncer, &options, monitor, shutdown).await });
    tokio::select! {
        kept = keeper => kept.context("the proxy panicked")??,
        ended = pages => ended.context("the HTTP listener failed")?,
        () = at_once.cancelled() => return Ok(Done::Partly),
    }
    Ok(Done::Well)
}

/// Answers over HTTP, if that is wanted; ends only when it cannot.
async fn pages(
    address: &str,
    monitor: Monitor,
    shutdown: CancellationToken,
    out: &mut dyn Write,
) -> anyhow::Result<impl Future<Output = std::io::Result<()>>> {
    let listener = listen_http(address).await?;
    if let Some(listener) = &listener {
        // Whoever reads the output has asked for any port.
        let at = listener.local_addr().context("cannot listen (--http)")?;
        let said = writeln!(out, "serving HTTP on {at}").and_then(|()| out.flush());
        // A reader that has gone is no reason to stop.
        if let Err(error) = said {
            tracing::warn!(%error, "cannot write to standard output");
        }
    }
    Ok(async move {
        if let Some(listener) = listener {
            serve_pages(listener, monitor, shutdown).await?;
        }
        std::future::pending().await
    })
}
