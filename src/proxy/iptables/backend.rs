use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::model::{IpFamily, ObjectName};

use super::super::linux::{IptablesError, IptablesPrograms, IptablesTool, Netfilter};
use super::super::tables::FAMILIES;
use super::super::{Backend, Claims, Mode, PortRules, ProxyOptions, Report, SyncError, TableSize};
use super::quiet::Quiet;
use super::tools::{Around, Others, list, look_around, read, remove, unreadable};
use super::{Item, Kernel, Listing, PerTable, Rules, Script, Table, Variant};

/// How many services one write gives up before it waits and tries again.
const MOST_GIVEN_UP: usize = 64;

/// Rules in the tables filter and nat of both families, in one of the two variants.
#[derive(Debug)]
pub struct Iptables {
    programs: IptablesPrograms,
    options: ProxyOptions,
    rules: Rules,
    /// What was read last for the sync that has begun.
    found: BTreeMap<IpFamily, Listing>,
    /// The families that have programs; empty: it has not been looked yet.
    families: Vec<Family>,
    others: Others,
    /// Whether the kernel's rules are what was last written, as far as is known.
    known: bool,
    /// With nftables below: the generation of the whole ruleset of which that is known; none: somebody
    /// else wrote in between.
    generation: Option<u32>,
    netfilter: Netfilter,
    quiet: Quiet,
}

#[derive(Debug)]
struct Family {
    tool: IptablesTool,
    /// Whether what was read for the sync that has begun has to be compared yet.
    compares: bool,
    /// Why it could not be read for the sync that has begun.
    failure: Option<SyncError>,
    /// Whether it has been said that a table cannot be read.
    is_warned: bool,
    /// Items that the last write put in or took out.
    changed: PerTable<usize>,
}

impl Family {
    fn new(tool: IptablesTool) -> Family {
        Family {
            tool,
            compares: false,
            failure: None,
            is_warned: false,
            changed: PerTable::default(),
        }
    }
}

impl Iptables {
    /// Rules without services, and nothing known of the kernel's.
    pub fn new(options: ProxyOptions, programs: IptablesPrograms) -> Iptables {
        Iptables {
            programs,
            rules: Rules::new(options.clone(), Kernel::without_tables()),
            options,
            found: BTreeMap::new(),
            families: Vec::new(),
            others: Others::default(),
            known: false,
            generation: None,
            netfilter: Netfilter::default(),
            quiet: Quiet::default(),
        }
    }

    /// Removes our rules and chains from both variants and both families, and nothing else. Answers in
    /// how many of those four there were any.
    ///
    /// # Errors
    /// When a program refuses; the others' are removed none the less.
    pub fn cleanup(programs: &IptablesPrograms) -> Result<usize, IptablesError> {
        let (mut found, mut failure) = (0usize, None);
        for family in FAMILIES {
            for tool in programs.tools(family)? {
                match remove(&tool) {
                    Ok(true) => found = found.saturating_add(1),
                    Ok(false) | Err(IptablesError::NoTable { .. }) => {}
                    // The others are removed none the less.
                    Err(error) => {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
        failure.map_or(Ok(found), Err)
    }

    fn uses_nftables(&self) -> bool {
        let variant = self.families.first().map(|family| family.tool.variant);
        variant == Some(Variant::NfTables)
    }

    /// Writes one family. Answers whether a service was given up, so that the other family has to be
    /// written too.
    fn write_family(
        &mut self,
        family: &mut Family,
        claims: &mut Claims,
        report: &mut Report,
    ) -> Result<bool, SyncError> {
        if let Some(error) = family.failure.take() {
            return Err(error);
        }
        let (mut anew, mut gave_up) = (false, false);
        loop {
            let of = family.tool.family;
            let found = self.found.get(&of).filter(|_| family.compares);
            let script = self.rules.script(of, found, anew);
            if !script.is_empty()
                && let Err(cause) = self.apply(&family.tool, &script, report)
            {
                self.known = false;
                report.failures = report.failures.saturating_add(1);
                let service = offender(&script, &cause);
                if !matches!(cause, IptablesError::Refused { .. }) {
                    return Err(cannot_write(service, cause));
                }
                let nobody_to_blame = !family.compares;
                // A part may have been written.
                self.read(family, report)?;
                if nobody_to_blame {
                    // The tables may not have been what they were left as.
                } else if let Some(name) = &service
                    && self.give_up(name, claims, report)
                {
                    report.refuse(name, cause.to_string());
                    gave_up = true;
                } else if !anew {
                    anew = true;
                } else {
                    return Err(cannot_write(service, cause));
                }
                continue;
            }
            report.lines = report.lines.saturating_add(script.lines());
            report.rules = report.rules.saturating_add(script.rules);
            family.changed = script.changed;
            family.compares = false;
            self.rules.written(of);
            return Ok(gave_up);
        }
    }

    fn apply(
        &mut self,
        tool: &IptablesTool,
        script: &Script,
        report: &mut Report,
    ) -> Result<(), IptablesError> {
        let before = self.netfilter.generation().ok();
        let began = Instant::now();
        let done = self.quiet.but_for(|| tool.restore(script.text()));
        report.kernel_time += began.elapsed();
        done?;
        let after = self.netfilter.generation().ok();
        // If another one wrote meanwhile, the tables have to be read before they are believed.
        let alone = before.map(|before| before.wrapping_add(script.transactions)) == after;
        let known = self.generation == before;
        self.generation = after.filter(|_| alone && known);
        Ok(())
    }

    fn read(&mut self, family: &mut Family, report: &mut Report) -> Result<(), SyncError> {
        let listing = list(&family.tool, report).map_err(cannot_read)?;
        let unreadable = unreadable(&listing).err();
        if let Some(error) = &unreadable {
            report.failures = report.failures.saturating_add(1);
            if !family.is_warned {
                let (of, error) = (family.tool.family.as_str(), error as &dyn std::error::Error);
                tracing::warn!(
                    family = of,
                    error,
                    "what others do to our rules there is not seen until then"
                );
            }
        }
        family.is_warned = unreadable.is_some();
        self.found.insert(family.tool.family, listing);
        family.compares = true;
        Ok(())
    }

    fn give_up(&mut self, name: &ObjectName, claims: &mut Claims, report: &Report) -> bool {
        let is_again = report.has_refused(name);
        report.refused.len() < MOST_GIVEN_UP
            && self.rules.give_up(name, &self.found, claims, is_again)
    }
}

impl Backend for Iptables {
    fn mode(&self) -> Mode {
        Mode::Iptables
    }

    fn begin(&mut self, report: &mut Report) -> Result<(), SyncError> {
        if self.families.is_empty() {
            let around = look_around(&self.programs).map_err(cannot_read)?;
            let Around {
                tools,
                others,
                kernel,
            } = around;
            self.families = tools.into_iter().map(Family::new).collect();
            self.others = others;
            // No service has rules before the first sync has begun.
            self.rules = Rules::new(self.options.clone(), kernel);
        }
        if self.known {
            return Ok(());
        }
        self.generation = self.netfilter.generation().ok();
        let mut families = std::mem::take(&mut self.families);
        for family in &mut families {
            family.failure = self.read(family, report).err();
        }
        // One that can be read is not held up by the other.
        let none = families.iter().all(|family| family.failure.is_some());
        let first = families.iter_mut().find_map(|family| match none {
            true => family.failure.take(),
            false => None,
        });
        self.families = families;
        first.map_or(Ok(()), Err)
    }

    fn found_services(&self) -> bool {
        let tables = self.found.values().flat_map(|listing| {
            let items = &listing.items;
            items.filter.keys().chain(items.nat.keys())
        });
        tables
            .into_iter()
            .any(|item| matches!(item, Item::Rule(..)))
    }

    fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) {
        self.rules.set(service, ports);
    }

    fn write(&mut self, claims: &mut Claims, report: &mut Report) -> Result<(), SyncError> {
        let mut families = std::mem::take(&mut self.families);
        let mut failure = None;
        self.known = true;
        loop {
            let mut again = false;
            for family in &mut families {
                match self.write_family(family, claims, report) {
                    Ok(gave_up) => again |= gave_up,
                    Err(error) => failure = Some(error),
                }
            }
            if !again || failure.is_some() {
                break;
            }
        }
        self.families = families;
        self.known = failure.is_none();
        let found = std::mem::take(&mut self.found);
        if let Some(error) = failure {
            return Err(error);
        }
        for (family, listing) in found {
            report.gone.extend(self.rules.gone(family, &listing));
        }
        self.rules.settle();
        self.others.clear(self.options.sync_period);
        Ok(())
    }

    /// With nftables below one message to the kernel, else a look at the lock, or the rules are read and
    /// compared.
    fn check(&mut self) -> bool {
        // If it is not known what there is, it will be read anyway, and nobody is to blame.
        let was_known = self.known;
        if was_known {
            self.known = match self.uses_nftables() {
                true => {
                    self.generation.is_some() && self.generation == self.netfilter.generation().ok()
                }
                false => {
                    let agrees = |family: &Family| {
                        let listing = read(&family.tool);
                        listing.is_ok_and(|l| self.rules.agrees(family.tool.family, &l))
                    };
                    let all_agree = || self.families.iter().all(agrees);
                    self.quiet.lasts() || self.quiet.after(all_agree)
                }
            };
        }
        was_known && !self.known
    }

    fn sweep_at(&self) -> Option<Instant> {
        None
    }

    fn sweep(&mut self) -> Result<(), SyncError> {
        Ok(())
    }

    fn print(&self) -> String {
        let nothing = Listing::default();
        let mut text = String::new();
        for (family, program) in [(IpFamily::V4, "iptables"), (IpFamily::V6, "ip6tables")] {
            let script = self.rules.script(family, Some(&nothing), false);
            text.extend(["# ", program, "-restore --noflush\n", script.text()]);
        }
        text
    }

    fn sizes(&self) -> Vec<TableSize> {
        let of_family = |family: &Family| {
            let of = family.tool.family;
            Table::ALL.map(|table| TableSize {
                family: of,
                table: table.as_str(),
                held: self.rules.len(of, table),
                written: *family.changed.of(table),
            })
        };
        self.families.iter().flat_map(of_family).collect()
    }
}

/// The service that wants the line that is named.
fn offender(script: &Script, cause: &IptablesError) -> Option<ObjectName> {
    match cause {
        IptablesError::Refused {
            line: Some(line), ..
        } => script.owner(*line).map(|port| port.service.clone()),
        _ => None,
    }
}

fn cannot_read(error: IptablesError) -> SyncError {
    SyncError::Read(error.into())
}

fn cannot_write(service: Option<ObjectName>, error: IptablesError) -> SyncError {
    let cause = error.into();
    SyncError::Write { service, cause }
}
