use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::engine::{Event, View};
use crate::model::{IpFamily, ObjectName};

use super::linux::{Nft, NftError, delete_flow, generation, local_addresses, udp_flows};
use super::nft::{Item, Script, parse};
use super::stale::UdpServices;
use super::tables::FAMILIES;
use super::{HealthCheck, KernelTables, PortRules, ProxyOptions, Tables};

/// How many services one write gives up before it waits and tries again.
const MOST_GIVEN_UP: usize = 64;
/// How long empty chains are left alone: older kernels let go of them late.
const REST: Duration = Duration::from_secs(1);

/// Keeps the kernel's tables what a view says.
///
/// Synchronous: it waits for the kernel. It works in the network namespace of the thread it runs on.
#[derive(Debug)]
pub struct Syncer {
    nft: Nft,
    tables: Tables,
    /// Services to be looked at.
    dirty: BTreeSet<ObjectName>,
    kernel: Knowledge,
    /// The generation of rules at which the tables were last read; none: it is not known.
    read_at: Option<u32>,
    /// Services whose rules were refused, and why.
    refused: BTreeMap<ObjectName, String>,
    /// Emptied chains and sets that are to be taken away.
    retired: BTreeSet<(IpFamily, Item)>,
    retired_at: Instant,
    /// UDP ports as they were before changes, of which flows have not been looked through.
    udp_changed: Vec<PortRules>,
    /// Whether flows of before this process may be stale.
    udp_unseen: bool,
}

/// What is known of the kernel's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// Nothing: they have to be read.
    None,
    /// They were as written, at this generation of the whole ruleset; none: somebody else wrote in
    /// between.
    Written(Option<u32>),
}

/// What one sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines given to nft; 0: nothing had to be written.
    pub lines: usize,
    /// Elements added and deleted.
    pub elements: usize,
    /// Rules added.
    pub rules: usize,
    /// Whether the kernel's tables were read and compared.
    pub read: bool,
    /// Services whose rules were refused now.
    pub refused: Vec<(ObjectName, String)>,
    /// Who is in whose way.
    pub conflicts: Vec<String>,
    /// UDP flows forgotten.
    pub flows: usize,
    /// How long nft and the kernel took.
    pub kernel_time: Duration,
}

/// Why the kernel's tables could not be made what they are to be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The tables could not be read.
    #[error("cannot read the rules")]
    Read(#[source] NftError),
    /// The tables could not be written. They are as they were.
    #[error("cannot write the rules{}", of(.service.as_ref()))]
    Write {
        /// The service that the line in question is of, where it is known.
        service: Option<ObjectName>,
        /// What nft said.
        #[source]
        cause: NftError,
    },
}

fn of(service: Option<&ObjectName>) -> String {
    service.map_or_else(String::new, |service| format!(" of service {service}"))
}

impl Syncer {
    /// A syncer that knows of no service yet, and nothing of the kernel.
    pub fn new(options: ProxyOptions, nft: Nft) -> Syncer {
        Syncer {
            nft,
            tables: Tables::new(options),
            dirty: BTreeSet::new(),
            kernel: Knowledge::None,
            read_at: None,
            refused: BTreeMap::new(),
            retired: BTreeSet::new(),
            retired_at: Instant::now(),
            udp_changed: Vec::new(),
            udp_unseen: true,
        }
    }

    /// Notes what a cut changed. Nothing is written.
    pub fn note(&mut self, view: &View, events: &[Event], dropped: &[ObjectName]) {
        self.dirty.extend(dropped.iter().cloned());
        for event in events {
            match event {
                Event::Replace(entry) | Event::Entry(entry) => {
                    self.dirty.insert(entry.service.name.clone());
                }
                Event::Endpoint { service, .. } | Event::Removed { service, .. } => {
                    if !self.dirty.contains(service) {
                        self.dirty.insert(service.clone());
                    }
                }
                Event::Remove(name) => {
                    self.dirty.insert(name.clone());
                }
                // Rules say nothing of revisions; of what a reset drops, the names are given.
                Event::Reset | Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => {
                }
            }
        }
        if self.tables.see_node(view) {
            self.dirty.extend(view.services().keys().cloned());
        }
    }

    /// Makes the kernel's tables what the view says, in one transaction for both families. Whatever
    /// was noted and not written yet is written together.
    ///
    /// The tables are read and compared the first time, after a failure, and when [`Syncer::check`]
    /// found that somebody else wrote. A service whose rules are refused keeps those it had.
    ///
    /// # Errors
    /// When nothing could be written. What was noted is kept for the next time.
    pub fn sync(&mut self, view: &View) -> Result<Report, SyncError> {
        let mut report = Report::default();
        let mut kernel = match self.kernel {
            Knowledge::None => Some(self.read(&mut report)?),
            Knowledge::Written(_) => None,
        };
        for name in std::mem::take(&mut self.dirty) {
            self.refused.remove(&name);
            let service = view.services().get(&name);
            let conflicts = self.tables.set(&name, service, kernel.as_ref());
            let conflicts = conflicts.iter().map(ToString::to_string);
            report.conflicts.extend(conflicts);
        }
        let mut anew = false;
        loop {
            let script = self.tables.script(kernel.as_ref(), anew);
            if script.is_empty() {
                break;
            }
            let Err(cause) = self.write(&script, &mut report) else {
                report.lines = script.lines();
                report.elements = script.elements;
                report.rules = script.rules;
                self.retire(script.retired());
                break;
            };
            self.kernel = Knowledge::None;
            let service = offender(&script, &cause);
            if kernel.is_none() {
                // The tables may not be what they were left as; nobody is to blame yet.
                kernel = Some(self.read(&mut report)?);
            } else if let Some(name) = service.clone().filter(|name| self.give_up(name, &report)) {
                report.refused.push((name.clone(), cause.to_string()));
                self.refused.insert(name, cause.to_string());
            } else if !anew && matches!(cause, NftError::Refused { .. }) {
                anew = true;
            } else {
                return Err(SyncError::Write { service, cause });
            }
        }
        if self.kernel == Knowledge::None {
            // Nothing had to be written.
            let now = generation().ok();
            self.kernel = Knowledge::Written(now.filter(|_| now == self.read_at));
        }
        self.udp_changed.extend(self.tables.udp_before());
        self.tables.settle();
        self.forget_flows(&mut report);
        Ok(report)
    }

    fn give_up(&mut self, name: &ObjectName, report: &Report) -> bool {
        report.refused.len() < MOST_GIVEN_UP && self.tables.give_up(name)
    }

    fn read(&mut self, report: &mut Report) -> Result<KernelTables, SyncError> {
        let began = Instant::now();
        report.read = true;
        self.read_at = generation().ok();
        let list = |family| {
            let text = self.nft.list(family).map_err(SyncError::Read)?;
            Ok(text.map(|text| parse(&text)))
        };
        let tables = KernelTables {
            v4: list(IpFamily::V4)?,
            v6: list(IpFamily::V6)?,
        };
        report.kernel_time += began.elapsed();
        Ok(tables)
    }

    fn write(&mut self, script: &Script, report: &mut Report) -> Result<(), NftError> {
        let before = generation().ok();
        let began = Instant::now();
        let done = self.nft.apply(script.text());
        report.kernel_time += began.elapsed();
        done?;
        let after = generation().ok();
        // If another one wrote meanwhile, the tables have to be read before they are believed.
        // What changes nothing makes no generation.
        let alone = after == before || before.map(|before| before.wrapping_add(1)) == after;
        let known = match self.kernel {
            Knowledge::Written(known) => known == before,
            Knowledge::None => self.read_at == before,
        };
        self.kernel = Knowledge::Written(after.filter(|_| alone && known));
        Ok(())
    }

    /// Whether somebody else wrote rules, of whatever table, since the last write. If so, the next
    /// sync reads and compares. One message to the kernel.
    pub fn check(&mut self) -> bool {
        match (self.kernel, generation()) {
            (Knowledge::Written(Some(known)), Ok(now)) if known == now => false,
            _ => {
                self.kernel = Knowledge::None;
                true
            }
        }
    }

    /// Has the services whose rules were refused tried again. Answers whether there are any.
    pub fn retry_refused(&mut self) -> bool {
        self.dirty.extend(self.refused.keys().cloned());
        !self.refused.is_empty()
    }

    /// Services whose rules were refused, and why.
    pub fn refused(&self) -> &BTreeMap<ObjectName, String> {
        &self.refused
    }

    fn retire(&mut self, items: &[(IpFamily, Item)]) {
        if !items.is_empty() {
            self.retired.extend(items.iter().cloned());
            self.retired_at = Instant::now();
        }
    }

    /// When [`Syncer::sweep`] has something to do; none: never yet.
    pub fn sweep_at(&self) -> Option<Instant> {
        (!self.retired.is_empty()).then(|| self.retired_at + REST)
    }

    /// Takes away the chains and sets that earlier writes emptied. What the kernel does not let go of
    /// is tried again the next time.
    pub fn sweep(&mut self) {
        let tables = &self.tables;
        self.retired
            .retain(|(family, item)| !tables.wants(*family, item));
        let script = Script::sweep(self.retired.iter());
        if script.is_empty() {
            return;
        }
        match self.write(&script, &mut Report::default()) {
            Ok(()) => self.retired.clear(),
            Err(error) => {
                self.retired_at = Instant::now();
                tracing::warn!(%error, "cannot take away chains that are not used any more");
            }
        }
    }

    /// What load balancers ask this node.
    pub fn health_checks(&self) -> Vec<HealthCheck> {
        self.tables.health_checks().cloned().collect()
    }

    /// The whole tables as text, as if nothing were there.
    pub fn print(&mut self, view: &View) -> String {
        for name in std::mem::take(&mut self.dirty) {
            self.tables.set(&name, view.services().get(&name), None);
        }
        let nothing = KernelTables::default();
        self.tables.script(Some(&nothing), false).text().to_owned()
    }

    /// Has the kernel forget UDP flows to endpoints that serve no more. What fails is tried again
    /// after the next sync.
    fn forget_flows(&mut self, report: &mut Report) {
        if self.udp_changed.is_empty() && !self.udp_unseen {
            return;
        }
        match forget_stale(&self.tables, &self.udp_changed, self.udp_unseen) {
            Ok(flows) => {
                report.flows = flows;
                self.udp_changed.clear();
                self.udp_unseen = false;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot forget UDP flows to endpoints that are gone");
            }
        }
    }
}

fn forget_stale(tables: &Tables, changed: &[PortRules], all: bool) -> io::Result<usize> {
    let mut services = tables.udp_services();
    let mut asked = UdpServices::default();
    for port in changed {
        services.add_gone(port);
        asked.add_gone(port);
    }
    if services.is_empty() {
        return Ok(0);
    }
    let node = match services.has_node_ports() {
        true => local_addresses()?,
        false => BTreeSet::new(),
    };
    let stale = udp_flows(|flow| {
        let (to, from) = (flow.destination, flow.answers_from);
        // Of ports that did not change, only flows of before this process can be stale.
        (all || asked.is_stale(to, from, &node)) && services.is_stale(to, from, &node)
    })?;
    for flow in &stale {
        delete_flow(flow)?;
    }
    Ok(stale.len())
}

/// The service that wants the line that nft names.
fn offender(script: &Script, cause: &NftError) -> Option<ObjectName> {
    match cause {
        NftError::Refused {
            line: Some(line), ..
        } => script.owner(*line).map(|port| port.service.clone()),
        _ => None,
    }
}

/// Removes our tables, and nothing else. Not to be there is no error.
///
/// # Errors
/// When nft cannot be run or refuses.
pub fn cleanup(nft: &Nft) -> Result<(), NftError> {
    let mut script = Script::default();
    for family in FAMILIES {
        script.remove_table(family);
    }
    nft.apply(script.text())
}
