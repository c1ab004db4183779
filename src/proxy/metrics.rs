//! What Prometheus is told: under kube-proxy's names where the meaning is the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle, PrometheusRecorder};

use crate::client::Contact;
use crate::model::IpFamily;

use super::registry::{PROGRAMMING, Registry, recorder};
use super::{Mode, Report, Syncer};

/// The numbers of one proxy. Cheap to change; a page is written when somebody asks for it.
#[derive(Debug)]
pub(super) struct Metrics {
    recorder: PrometheusRecorder,
    page: PrometheusHandle,
    sync: Histogram,
    full: Histogram,
    partial: Histogram,
    programming: Histogram,
    reconciler: Histogram,
    queued: Gauge,
    synced: Gauge,
    service_changes: Changes,
    endpoint_changes: Changes,
    failures: Counter,
    sweep_failures: Option<Counter>,
    no_local_internal: Gauge,
    no_local_external: Gauge,
    flows: Counter,
    healthy: Answers,
    live: Answers,
    elements: Counter,
    rules: Counter,
    direct: Counter,
    refused: Gauge,
    conflicting: Gauge,
    held: Gauge,
    foreign: Counter,
    repairs: Counter,
    received: Gauge,
    applied: Gauge,
    age: Gauge,
    reconnects: Counter,
}

#[derive(Debug)]
struct Changes {
    pending: Gauge,
    total: Counter,
}

/// How often a page was answered, by status.
#[derive(Debug)]
pub(super) struct Answers {
    well: Counter,
    badly: Counter,
}

impl Answers {
    pub(super) fn count(&self, well: bool) {
        if well {
            self.well.increment(1);
        } else {
            self.badly.increment(1);
        }
    }
}

impl Metrics {
    /// Everything at zero, but for what is written by nobody in this mode.
    pub(super) fn new(mode: Mode) -> Result<Metrics, BuildError> {
        let recorder = recorder()?;
        let r = Registry::of(&recorder);
        let proxy = |name: &str| format!("kubeproxy_sync_proxy_rules_{name}");
        let changes = |what: &str| Changes {
            pending: r.gauge(
                proxy(&format!("{what}_changes_pending")),
                &[],
                "Changes that have come and are not written yet",
            ),
            total: r.counter(
                proxy(&format!("{what}_changes_total")),
                &[],
                "Changes that have come",
            ),
        };
        let answers = |page: &str| {
            let by = |code| {
                r.counter(
                    format!("kubeproxy_proxy_{page}_total"),
                    &[("code", code)],
                    "Answers of this page, by status",
                )
            };
            Answers {
                well: by("200"),
                badly: by("503"),
            }
        };
        let no_local = |policy| {
            r.gauge(
                proxy("no_local_endpoints_total"),
                &[("traffic_policy", policy)],
                "Service ports with this policy Local and endpoints, of which none is on this node",
            )
        };
        let (failures, sweep_failures) = match mode {
            Mode::Nftables => (
                "nftables_sync_failures_total",
                Some("nftables_cleanup_failures_total"),
            ),
            // There is nothing that is taken away later.
            Mode::Iptables => ("iptables_restore_failures_total", None),
        };
        Ok(Metrics {
            sync: r.histogram(proxy("duration_seconds"), "How long a sync took"),
            full: r.histogram(
                "kubeproxy_sync_full_proxy_rules_duration_seconds".into(),
                "How long a sync took that read and compared the kernel's rules",
            ),
            partial: r.histogram(
                "kubeproxy_sync_partial_proxy_rules_duration_seconds".into(),
                "How long a sync took that wrote what had changed",
            ),
            programming: r.histogram(
                PROGRAMMING.into(),
                "From the commit of a change, by the server's clock, to its rules being written",
            ),
            reconciler: r.histogram(
                "kubeproxy_conntrack_reconciler_sync_duration_seconds".into(),
                "How long it took to look through the UDP flows",
            ),
            queued: r.gauge(
                proxy("last_queued_timestamp_seconds"),
                &[],
                "When a sync was last asked for",
            ),
            synced: r.gauge(
                proxy("last_timestamp_seconds"),
                &[],
                "When a sync last succeeded",
            ),
            service_changes: changes("service"),
            endpoint_changes: changes("endpoint"),
            failures: r.counter(proxy(failures), &[], "Syncs and writes that failed"),
            sweep_failures: sweep_failures.map(|name| {
                r.counter(
                    proxy(name),
                    &[],
                    "Failures to take away what is not used any more",
                )
            }),
            no_local_internal: no_local("internal"),
            no_local_external: no_local("external"),
            flows: r.counter(
                "kubeproxy_conntrack_reconciler_deleted_entries_total".into(),
                &[],
                "UDP flows forgotten",
            ),
            healthy: answers("healthz"),
            live: answers("livez"),
            elements: r.counter(
                ours("elements_written_total"),
                &[],
                "Elements of sets and maps added and deleted",
            ),
            rules: r.counter(ours("rules_written_total"), &[], "Rules added"),
            direct: r.counter(
                ours("direct_writes_total"),
                &[],
                "Writes of elements alone, given to the kernel without nft between",
            ),
            refused: r.gauge(
                ours("refused_services"),
                &[],
                "Services whose rules the kernel refuses",
            ),
            conflicting: r.gauge(
                ours("conflicting_ports"),
                &[],
                "Service ports that lack an address and port, or a node port, because another has it",
            ),
            held: r.gauge(
                ours("rules_held"),
                &[],
                "1 while a server that has begun anew has no service: the rules stay as they are",
            ),
            foreign: r.counter(
                ours("foreign_changes_total"),
                &[],
                "How often somebody else was found to have changed rules, of whatever table",
            ),
            repairs: r.counter(
                ours("repairs_total"),
                &[],
                "How often our rules had to be written again after that",
            ),
            received: r.gauge(
                ours("received_revision"),
                &[],
                "The newest revision received",
            ),
            applied: r.gauge(
                ours("applied_revision"),
                &[],
                "The revision the rules are true of",
            ),
            age: r.gauge(
                ours("source_age_seconds"),
                &[],
                "How old what is known may be: since the server was heard of, and its source by it",
            ),
            reconnects: r.counter(
                ours("reconnects_total"),
                &[],
                "Connections to the server given up or lost",
            ),
            page: recorder.handle(),
            recorder,
        })
    }

    /// A sync is asked for.
    pub(super) fn queued(&self) {
        self.queued.set(now());
    }

    /// A cut has come.
    pub(super) fn noted(&self, services: u64, endpoints: u64, revision: u64) {
        self.queued();
        self.received.set(as_f64(revision));
        for (changes, count) in [
            (&self.service_changes, services),
            (&self.endpoint_changes, endpoints),
        ] {
            changes.total.increment(count);
            changes.pending.increment(as_f64(count));
        }
    }

    /// The rules are what they are to be.
    pub(super) fn synced(&self, report: &Report, took: Duration) {
        self.sync.record(took);
        if report.read {
            &self.full
        } else {
            &self.partial
        }
        .record(took);
        self.synced.set(now());
        self.service_changes.pending.set(0.0);
        self.endpoint_changes.pending.set(0.0);
        self.failures.increment(count(report.failures));
        self.elements.increment(count(report.elements));
        self.rules.increment(count(report.rules));
        self.direct.increment(u64::from(report.direct));
    }

    /// The rules are true of this revision.
    pub(super) fn applied(&self, revision: u64) {
        self.applied.set(as_f64(revision));
    }

    /// UDP flows have been looked through, and so many forgotten.
    pub(super) fn forgotten(&self, flows: usize, took: Duration) {
        self.flows.increment(count(flows));
        self.reconciler.record(took);
    }

    /// A change is in the kernel that was committed then.
    pub(super) fn programmed(&self, committed: SystemTime) {
        // Clocks differ.
        let took = SystemTime::now().duration_since(committed);
        self.programming.record(took.unwrap_or_default());
    }

    /// A sync failed.
    pub(super) fn failed(&self, took: Duration) {
        self.sync.record(took);
        self.failures.increment(1);
    }

    /// What is not used any more could not be taken away.
    pub(super) fn sweep_failed(&self) {
        if let Some(failures) = &self.sweep_failures {
            failures.increment(1);
        }
    }

    /// Somebody else wrote.
    pub(super) fn meddled(&self) {
        self.foreign.increment(1);
    }

    /// Whether the rules stay as they are, because a server that has begun anew has no service.
    pub(super) fn held(&self, held: bool) {
        self.held.set(f64::from(u8::from(held)));
    }

    /// What somebody else wrote has been undone.
    pub(super) fn repaired(&self) {
        self.repairs.increment(1);
    }

    /// How things stand after a sync: services refused, ports without what they want, ports without an
    /// endpoint here by policy, and how much there is.
    pub(super) fn standing(&self, syncer: &mut Syncer) {
        self.refused.set(as_f64(count(syncer.refused().len())));
        let losers = syncer.claims().losers();
        self.conflicting.set(as_f64(count(losers)));
        let [internal, external] = syncer.no_local();
        self.no_local_internal.set(as_f64(count(internal)));
        self.no_local_external.set(as_f64(count(external)));
        let r = Registry::of(&self.recorder);
        for size in syncer.backend().sizes() {
            let family = match size.family {
                IpFamily::V4 => "IPv4",
                IpFamily::V6 => "IPv6",
            };
            let labels = [("ip_family", family), ("table", size.table)];
            let [held, written] = [ours("table_items"), ours("table_items_last")];
            r.gauge(held, &labels, "What the table is to hold")
                .set(as_f64(count(size.held)));
            r.gauge(written, &labels, "How much of it the last sync wrote")
                .set(as_f64(count(size.written)));
        }
    }

    pub(super) fn healthz(&self) -> &Answers {
        &self.healthy
    }

    pub(super) fn livez(&self) -> &Answers {
        &self.live
    }

    /// The page.
    pub(super) fn render(&self, contact: &Contact) -> String {
        // Before there is anything to be old, it is no number.
        let age = contact.age().map_or(f64::NAN, |age| age.as_secs_f64());
        self.age.set(age);
        self.reconnects.absolute(contact.reconnects);
        self.page.render()
    }

    /// Gathers what was recorded since: nobody may ever ask for the page.
    pub(super) fn gather(&self) {
        self.page.run_upkeep();
    }
}

fn ours(name: &str) -> String {
    format!("selectord_proxy_{name}")
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Exact up to 2^53.
fn as_f64(number: u64) -> f64 {
    number as f64
}
