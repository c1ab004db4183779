use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{IpFamily, ObjectName};

use super::linux::{ElementsError, Netfilter, Nft, NftError};
use super::nft::{Item, Script, TABLE, parse};
use super::tables::FAMILIES;
use super::{
    Backend, KernelTables, Mode, PortRules, ProxyOptions, Report, SyncError, TableSize, Tables,
};

/// How many services one write gives up before it waits and tries again.
const MOST_GIVEN_UP: usize = 64;
/// How long empty chains are left alone: older kernels let go of them late.
const REST: Duration = Duration::from_secs(1);

/// Rules in the tables `ip selectord` and `ip6 selectord`, each write one transaction for both.
#[derive(Debug)]
pub struct Nftables {
    nft: Nft,
    netfilter: Netfilter,
    tables: Tables,
    kernel: Knowledge,
    /// What was read for the sync that has begun.
    found: Option<KernelTables>,
    /// The generation of rules at which the tables were last read; none: it is not known.
    read_at: Option<u32>,
    /// Items that the last write put in or took out, by family.
    written: BTreeMap<IpFamily, usize>,
    /// Emptied chains and sets that are to be taken away.
    retired: BTreeSet<(IpFamily, Item)>,
    retired_at: Instant,
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

impl Nftables {
    /// Tables without services, and nothing known of the kernel's.
    pub fn new(options: ProxyOptions, nft: Nft) -> Nftables {
        Nftables {
            nft,
            netfilter: Netfilter::default(),
            tables: Tables::new(options),
            kernel: Knowledge::None,
            found: None,
            read_at: None,
            written: BTreeMap::new(),
            retired: BTreeSet::new(),
            retired_at: Instant::now(),
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

    fn read(&mut self, report: &mut Report) -> Result<KernelTables, SyncError> {
        let began = Instant::now();
        report.read = true;
        self.read_at = self.netfilter.generation().ok();
        let list = |family| {
            let text = self.nft.list(family);
            let text = text.map_err(|error| SyncError::Read(error.into()))?;
            Ok(text.map(|text| parse(&text)))
        };
        let tables = KernelTables {
            v4: list(IpFamily::V4)?,
            v6: list(IpFamily::V6)?,
        };
        report.kernel_time += began.elapsed();
        Ok(tables)
    }

    fn apply(&mut self, script: &Script, report: &mut Report) -> Result<(), NftError> {
        let before = self.netfilter.generation().ok();
        let began = Instant::now();
        let done = self.give(script, report);
        report.kernel_time += began.elapsed();
        done?;
        let after = self.netfilter.generation().ok();
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

    /// Elements alone go to the kernel as they are; everything else, and what cannot be sent, through nft.
    fn give(&mut self, script: &Script, report: &mut Report) -> Result<(), NftError> {
        if let Some(edits) = script.edits() {
            match self.netfilter.write(edits) {
                Ok(()) => {
                    report.direct = true;
                    return Ok(());
                }
                Err(ElementsError::NotSent(error)) => {
                    tracing::debug!(%error, "elements go to the kernel through nft");
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.nft.apply(script.text())
    }

    fn give_up(&mut self, name: &ObjectName, report: &Report) -> bool {
        report.refused.len() < MOST_GIVEN_UP && self.tables.give_up(name)
    }

    fn retire(&mut self, items: &[(IpFamily, Item)]) {
        if !items.is_empty() {
            self.retired.extend(items.iter().cloned());
            self.retired_at = Instant::now();
        }
    }
}

impl Backend for Nftables {
    fn mode(&self) -> Mode {
        Mode::Nftables
    }

    fn begin(&mut self, report: &mut Report) -> Result<(), SyncError> {
        self.found = match self.kernel {
            Knowledge::None => Some(self.read(report)?),
            Knowledge::Written(_) => None,
        };
        Ok(())
    }

    fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) -> Vec<String> {
        let conflicts = self.tables.set(service, ports, self.found.as_ref());
        conflicts.iter().map(ToString::to_string).collect()
    }

    fn write(&mut self, report: &mut Report) -> Result<(), SyncError> {
        let mut kernel = self.found.take();
        let mut anew = false;
        self.written.clear();
        loop {
            let script = self.tables.script(kernel.as_ref(), anew);
            if script.is_empty() {
                break;
            }
            let Err(cause) = self.apply(&script, report) else {
                report.lines = script.lines();
                report.elements = script.elements;
                report.rules = script.rules;
                self.retire(script.retired());
                self.written = script.changed;
                break;
            };
            self.kernel = Knowledge::None;
            report.failures = report.failures.saturating_add(1);
            let service = offender(&script, &cause);
            if kernel.is_none() {
                // The tables may not be what they were left as; nobody is to blame yet.
                kernel = Some(self.read(report)?);
            } else if let Some(name) = service.clone().filter(|name| self.give_up(name, report)) {
                report.refused.push((name, cause.to_string()));
            } else if !anew && cause.is_refusal() {
                anew = true;
            } else {
                let cause = cause.into();
                return Err(SyncError::Write { service, cause });
            }
        }
        if self.kernel == Knowledge::None {
            // Nothing had to be written.
            let now = self.netfilter.generation().ok();
            self.kernel = Knowledge::Written(now.filter(|_| now == self.read_at));
        }
        self.tables.settle();
        Ok(())
    }

    /// One message to the kernel: each transaction of anybody's, on whatever table, makes a generation.
    fn check(&mut self) -> bool {
        match (self.kernel, self.netfilter.generation()) {
            (Knowledge::Written(Some(known)), Ok(now)) if known == now => false,
            _ => {
                self.kernel = Knowledge::None;
                true
            }
        }
    }

    fn sweep_at(&self) -> Option<Instant> {
        (!self.retired.is_empty()).then(|| self.retired_at + REST)
    }

    fn sweep(&mut self) -> Result<(), SyncError> {
        let tables = &self.tables;
        self.retired
            .retain(|(family, item)| !tables.wants(*family, item));
        let script = Script::sweep(self.retired.iter());
        if script.is_empty() {
            return Ok(());
        }
        match self.apply(&script, &mut Report::default()) {
            Ok(()) => {
                self.retired.clear();
                Ok(())
            }
            Err(cause) => {
                self.retired_at = Instant::now();
                let (service, cause) = (None, cause.into());
                Err(SyncError::Write { service, cause })
            }
        }
    }

    fn print(&self) -> String {
        let nothing = KernelTables::default();
        self.tables.script(Some(&nothing), false).text().to_owned()
    }

    fn sizes(&self) -> Vec<TableSize> {
        let size = |family| TableSize {
            family,
            table: TABLE,
            held: self.tables.len(family),
            written: self.written.get(&family).copied().unwrap_or(0),
        };
        FAMILIES.map(size).to_vec()
    }
}

/// The service that wants the line that nft names.
fn offender(script: &Script, cause: &NftError) -> Option<ObjectName> {
    let port = script.owner(cause.line()?)?;
    Some(port.service.clone())
}
