use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{IpFamily, ObjectName};

use super::linux::{ElementsError, Netfilter, Nft, NftError};
use super::nft::{Item, Script, TABLE, parse};
use super::tables::FAMILIES;
use super::{
    Backend, Claims, KernelTables, Mode, PortRules, ProxyOptions, Report, SyncError, TableSize,
    Tables,
};

/// How many services one write gives up before it waits and tries again.
const MOST_GIVEN_UP: usize = 64;
/// How long empty chains are left alone: older kernels let go of them late.
const REST: Duration = Duration::from_secs(1);
/// How long those are left alone that the kernel did not let go of.
const LONG_REST: Duration = Duration::from_secs(30);

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
    /// Emptied chains and sets, and when they are to be taken away, the soonest first.
    retired: VecDeque<(Instant, Vec<(IpFamily, Item)>)>,
    /// Whether it is known which families the kernel has.
    has_probed: bool,
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
            retired: VecDeque::new(),
            has_probed: false,
        }
    }

    /// Removes our tables, and nothing else. Not to be there is no error.
    ///
    /// # Errors
    /// When nft cannot be run or refuses.
    pub fn cleanup(nft: &Nft) -> Result<(), NftError> {
        for family in FAMILIES {
            let mut script = Script::default();
            script.remove_table(family);
            if let Err(error) = nft.apply(script.text()) {
                let lacks = matches!(error, NftError::Refused { .. })
                    && family == IpFamily::V6
                    && nft.apply(Script::probe(family).text()).is_err();
                // Where there can be none, there is none.
                if !lacks {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Finds out whether the kernel has nftables for IPv6. Where it has none, services have no rules of
    /// that family; both families go into one transaction, which would be refused as a whole.
    fn probe(&mut self, report: &mut Report) -> Result<(), SyncError> {
        let began = Instant::now();
        let read = |error: NftError| SyncError::Read(error.into());
        let lacks = |family| match self.nft.apply(Script::probe(family).text()) {
            Ok(()) => Ok(None),
            Err(error @ NftError::Refused { .. }) => Ok(Some(error)),
            Err(error) => Err(read(error)),
        };
        // If IPv4 is lacking too, something else is wrong, and the first write says what.
        if lacks(IpFamily::V4)?.is_none()
            && let Some(error) = lacks(IpFamily::V6)?
        {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "services have no rules for IPv6");
            self.tables.leave_out(IpFamily::V6);
        }
        report.kernel_time += began.elapsed();
        Ok(())
    }

    fn read(&mut self, report: &mut Report) -> Result<KernelTables, SyncError> {
        let began = Instant::now();
        report.read = true;
        self.read_at = self.netfilter.generation().ok();
        let list = |family| {
            if !self.tables.families().contains(&family) {
                return Ok(None);
            }
            let text = match self.nft.list(family) {
                // Perhaps the kernel has no such family.
                Err(NftError::Refused { .. }) if !self.has_probed && family == IpFamily::V6 => {
                    return Ok(None);
                }
                text => text,
            };
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

    fn retire(&mut self, items: Vec<(IpFamily, Item)>, rest: Duration) {
        if !items.is_empty() {
            let at = Instant::now() + rest;
            let place = self.retired.partition_point(|(other, _)| *other <= at);
            self.retired.insert(place, (at, items));
        }
    }

    /// Items that are to be taken away, and that nobody wants again. Who has rested less than others goes
    /// with them, but for those that rest long.
    fn rested(&mut self) -> BTreeSet<(IpFamily, Item)> {
        let by = Instant::now() + REST;
        let mut rested = BTreeSet::new();
        while self.retired.front().is_some_and(|(at, _)| *at <= by) {
            let items = self.retired.pop_front().map(|(_, items)| items);
            let unwanted = |(family, item): &(IpFamily, Item)| !self.tables.wants(*family, item);
            rested.extend(items.into_iter().flatten().filter(unwanted));
        }
        rested
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
        if let Some(found) = &self.found
            && !self.has_probed
        {
            let is_there = found.v6.is_some();
            if !is_there {
                self.probe(report)?;
            }
            self.has_probed = true;
            if !is_there {
                self.found = Some(self.read(report)?);
            }
        }
        Ok(())
    }

    fn found_services(&self) -> bool {
        let found = self.found.iter();
        let items = found.flat_map(|found| found.v4.iter().chain(&found.v6));
        let mut items = items.flat_map(|listing| listing.items.keys());
        items.any(|item| matches!(item, Item::Element(..)))
    }

    fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) {
        self.tables.set(service, ports, self.found.as_ref());
    }

    fn write(&mut self, claims: &mut Claims, report: &mut Report) -> Result<(), SyncError> {
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
                self.retire(script.retired().to_vec(), REST);
                self.written = script.changed;
                break;
            };
            self.kernel = Knowledge::None;
            report.failures = report.failures.saturating_add(1);
            let service = offender(&script, &cause);
            let Some(found) = &kernel else {
                // The tables may not be what they were left as; nobody is to blame yet.
                kernel = Some(self.read(report)?);
                continue;
            };
            let may_give_up = report.refused.len() < MOST_GIVEN_UP;
            let to_blame = service.as_ref().filter(|_| may_give_up);
            if let Some(name) = to_blame
                && let is_again = report.has_refused(name)
                && self.tables.give_up(name, found, claims, is_again)
            {
                report.refuse(name, cause.to_string());
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
        if let Some(kernel) = &kernel {
            report.gone = self.tables.gone(kernel);
        }
        self.tables.settle();
        Ok(())
    }

    /// One message to the kernel: each transaction of anybody's, on whatever table, makes a generation.
    fn check(&mut self) -> bool {
        let as_left = match self.kernel {
            // They will be read anyway, and nobody is to blame.
            Knowledge::None => return false,
            Knowledge::Written(known) => {
                known.is_some() && known == self.netfilter.generation().ok()
            }
        };
        if !as_left {
            self.kernel = Knowledge::None;
        }
        !as_left
    }

    fn sweep_at(&self) -> Option<Instant> {
        self.retired.front().map(|(at, _)| *at)
    }

    fn sweep(&mut self) -> Result<(), SyncError> {
        let mut items: Vec<_> = self.rested().into_iter().collect();
        let (known, mut failure) = (self.kernel, None);
        for _ in 0..MOST_GIVEN_UP {
            let script = Script::sweep(items.iter());
            if script.is_empty() {
                break;
            }
            let Err(cause) = self.apply(&script, &mut Report::default()) else {
                items.clear();
                break;
            };
            // Who is in the way of the others is set aside.
            let Some(at) = named(&cause).filter(|at| *at < items.len()) else {
                failure = Some(cause);
                break;
            };
            let item = items.remove(at);
            if cause.is_busy() {
                self.retire(vec![item], LONG_REST);
            }
            if !cause.is_absent() {
                failure = Some(cause);
            }
        }
        self.retire(items, LONG_REST);
        if known == Knowledge::None {
            // What has to be read has to be read still.
            self.kernel = known;
        }
        match failure {
            Some(cause) => {
                let (service, cause) = (None, cause.into());
                Err(SyncError::Write { service, cause })
            }
            None => Ok(()),
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

/// Which line nft names, counted from 0.
fn named(cause: &NftError) -> Option<usize> {
    cause.line()?.checked_sub(1)
}

/// The service that wants the line that nft names.
fn offender(script: &Script, cause: &NftError) -> Option<ObjectName> {
    let port = script.owner(cause.line()?)?;
    Some(port.service.clone())
}
