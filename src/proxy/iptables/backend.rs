use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::model::{IpFamily, ObjectName};

use super::super::linux::{
    IptablesError, IptablesPrograms, IptablesTool, Netfilter, conntrack_is_liberal,
};
use super::super::tables::FAMILIES;
use super::super::{Backend, Mode, PortRules, ProxyOptions, Report, SyncError, TableSize};
use super::{Listing, PerTable, Rules, Script, Table, Variant, parse};

/// How many services one write gives up before it waits and tries again.
const MOST_GIVEN_UP: usize = 64;

/// Rules in the tables filter and nat of both families, in one of the two variants.
#[derive(Debug)]
pub struct Iptables {
    programs: IptablesPrograms,
    rules: Rules,
    /// What was read last for the sync that has begun.
    found: BTreeMap<IpFamily, Listing>,
    /// The families that have programs; empty: it has not been looked yet.
    families: Vec<Family>,
    /// Tools of the other variant, in which no rules of ours may stay.
    others: Vec<IptablesTool>,
    /// Whether the kernel's rules are what was last written, as far as is known.
    known: bool,
    /// With nftables below: the generation of the whole ruleset of which that is known; none: somebody
    /// else wrote in between.
    generation: Option<u32>,
    netfilter: Netfilter,
}

#[derive(Debug)]
struct Family {
    tool: IptablesTool,
    /// Whether what was read for the sync that has begun has to be compared yet.
    compares: bool,
    /// Items that the last write put in or took out.
    changed: PerTable<usize>,
}

impl Iptables {
    /// Rules without services, and nothing known of the kernel's.
    pub fn new(options: ProxyOptions, programs: IptablesPrograms) -> Iptables {
        Iptables {
            programs,
            rules: Rules::new(options, conntrack_is_liberal()),
            found: BTreeMap::new(),
            families: Vec::new(),
            others: Vec::new(),
            known: false,
            generation: None,
            netfilter: Netfilter::default(),
        }
    }

    /// Removes our rules and chains from both variants and both families, and nothing else. Answers in
    /// how many of those four there were any.
    ///
    /// # Errors
    /// When a program refuses.
    pub fn cleanup(programs: &IptablesPrograms) -> Result<usize, IptablesError> {
        let mut found = 0usize;
        for family in FAMILIES {
            for tool in programs.tools(family)? {
                match remove(&tool) {
                    Ok(true) => found = found.saturating_add(1),
                    Ok(false) | Err(IptablesError::NoTable { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// Finds the programs, and the variant that this node uses.
    fn look_around(&mut self) -> Result<(), IptablesError> {
        let (mut tools, mut saved) = (Vec::new(), Vec::new());
        let mut lacking = None;
        for family in FAMILIES {
            for tool in self.programs.tools(family)? {
                match tool.save() {
                    Ok(text) => {
                        saved.push((tool.variant, text));
                        tools.push(tool);
                    }
                    Err(error @ IptablesError::NoTable { .. }) => lacking = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        let Some(first) = tools.first() else {
            return Err(lacking.unwrap_or(IptablesError::Missing));
        };
        let variant = Variant::choose(&saved, first.variant);
        let (ours, others): (Vec<_>, Vec<_>) =
            tools.into_iter().partition(|tool| tool.variant == variant);
        for family in FAMILIES {
            if ours.iter().all(|tool| tool.family != family) {
                tracing::warn!(
                    family = family.as_str(),
                    variant = variant.as_str(),
                    "no iptables program for this family: its services have no rules"
                );
            }
        }
        tracing::info!(variant = variant.as_str(), "iptables' variant");
        self.others = others;
        self.families = ours
            .into_iter()
            .map(|tool| Family {
                tool,
                compares: false,
                changed: PerTable::default(),
            })
            .collect();
        Ok(())
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
        report: &mut Report,
    ) -> Result<bool, SyncError> {
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
                } else if let Some(name) = service.clone().filter(|name| self.give_up(name, report))
                {
                    report.refused.push((name, cause.to_string()));
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
        let done = tool.restore(script.text());
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
        let listing = read(&family.tool, report).map_err(cannot_read)?;
        self.found.insert(family.tool.family, listing);
        family.compares = true;
        Ok(())
    }

    fn give_up(&mut self, name: &ObjectName, report: &Report) -> bool {
        report.refused.len() < MOST_GIVEN_UP && self.rules.give_up(name, &self.found)
    }

    /// Takes what an earlier run left in the other variant away, once the rules are in this one.
    fn clear_others(&mut self) {
        self.others.retain(|tool| match remove(tool) {
            Ok(found) => {
                if found {
                    tracing::info!(
                        variant = tool.variant.as_str(),
                        "rules in the other variant removed"
                    );
                }
                false
            }
            Err(IptablesError::NoTable { .. }) => false,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "cannot remove rules from the other variant");
                true
            }
        });
    }
}

impl Backend for Iptables {
    fn mode(&self) -> Mode {
        Mode::Iptables
    }

    fn begin(&mut self, report: &mut Report) -> Result<(), SyncError> {
        if self.families.is_empty() {
            self.look_around().map_err(cannot_read)?;
        }
        if self.known {
            return Ok(());
        }
        self.generation = self.netfilter.generation().ok();
        let mut families = std::mem::take(&mut self.families);
        let mut all = families.iter_mut();
        let done = all.try_for_each(|family| self.read(family, report));
        self.families = families;
        done
    }

    fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) -> Vec<String> {
        let conflicts = self.rules.set(service, ports);
        conflicts.iter().map(ToString::to_string).collect()
    }

    fn write(&mut self, report: &mut Report) -> Result<(), SyncError> {
        let mut families = std::mem::take(&mut self.families);
        let mut failure = None;
        self.known = true;
        loop {
            let mut again = false;
            families.retain_mut(|family| match self.write_family(family, report) {
                Ok(gave_up) => {
                    again |= gave_up;
                    true
                }
                Err(error) => {
                    let lacks = family.tool.family == IpFamily::V6 && is_lacking(&error);
                    if lacks {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "services have no rules for IPv6");
                    } else {
                        failure = Some(error);
                    }
                    !lacks
                }
            });
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
        self.clear_others();
        Ok(())
    }

    /// With nftables below one message to the kernel, else the rules are read and compared.
    fn check(&mut self) -> bool {
        // If it is not known what there is, it will be read anyway, and nobody is to blame.
        let was_known = self.known;
        if was_known {
            self.known = match self.uses_nftables() {
                true => {
                    self.generation.is_some() && self.generation == self.netfilter.generation().ok()
                }
                false => self.families.iter().all(|family| {
                    let listing = read(&family.tool, &mut Report::default());
                    listing.is_ok_and(|listing| self.rules.agrees(family.tool.family, &listing))
                }),
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

fn read(tool: &IptablesTool, report: &mut Report) -> Result<Listing, IptablesError> {
    report.read = true;
    let began = Instant::now();
    let listing = parse(&tool.save()?);
    report.kernel_time += began.elapsed();
    match listing.unreadable.first() {
        Some(table) => Err(IptablesError::Unreadable {
            table: table.as_str(),
        }),
        None => Ok(listing),
    }
}

/// Removes what is ours. Answers whether there was anything.
fn remove(tool: &IptablesTool) -> Result<bool, IptablesError> {
    let listing = read(tool, &mut Report::default())?;
    let found = !listing.is_empty();
    if found {
        tool.restore(Script::removal(&listing).text())?;
    }
    Ok(found)
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

fn is_lacking(error: &SyncError) -> bool {
    let (SyncError::Read(cause) | SyncError::Write { cause, .. }) = error;
    matches!(cause.downcast_ref(), Some(IptablesError::NoTable { .. }))
}
