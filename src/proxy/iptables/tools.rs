//! What a node has of iptables, and what is read and removed with it.

use std::time::{Duration, Instant};

use super::super::Report;
use super::super::linux::{IptablesError, IptablesPrograms, IptablesTool};
use super::super::tables::FAMILIES;
use super::{Kernel, Listing, Script, Variant, hairpin, parse};

/// What a node has of iptables.
#[derive(Debug)]
pub(super) struct Around {
    /// The tools of the variant that it uses.
    pub tools: Vec<IptablesTool>,
    /// Those of the other one.
    pub others: Others,
    pub kernel: Kernel,
}

/// Finds the programs, the variant that this node uses, and what can be done in it.
///
/// # Errors
/// When there is none that can be used, or one cannot be asked.
pub(super) fn look_around(programs: &IptablesPrograms) -> Result<Around, IptablesError> {
    let (mut tools, mut saved) = (Vec::new(), Vec::new());
    let mut lacking = None;
    for family in FAMILIES {
        for tool in programs.tools(family)? {
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
    let texts = saved.into_iter().map(|(_, text)| text);
    let (mut ours, others): (Vec<_>, Vec<_>) = tools
        .into_iter()
        .zip(texts)
        .partition(|(tool, _)| tool.variant == variant);
    // To read rules, the legacy variant needs no tables. Whatever else is wrong, a write will say.
    ours.retain(|(tool, _)| match tool.restore(Script::probe().text()) {
        Err(error @ IptablesError::NoTable { .. }) => {
            lacking = Some(error);
            false
        }
        _ => true,
    });
    if ours.is_empty() {
        return Err(lacking.unwrap_or(IptablesError::Missing));
    }
    for family in FAMILIES {
        if ours.iter().all(|(tool, _)| tool.family != family) {
            let error = lacking
                .as_ref()
                .map(|error| error as &dyn std::error::Error);
            tracing::warn!(
                family = family.as_str(),
                variant = variant.as_str(),
                error,
                "no iptables for this family: its services have no rules"
            );
        }
    }
    let mut kernel = Kernel::without_tables();
    for (tool, saved) in &ours {
        kernel.compares &= hairpin::compares(tool, saved)?;
    }
    if !kernel.compares {
        tracing::warn!(
            "no match bpf (xt_bpf) here: each endpoint has a chain of its own, which takes longer to write"
        );
    }
    tracing::info!(variant = variant.as_str(), "iptables' variant");
    Ok(Around {
        tools: ours.into_iter().map(|(tool, _)| tool).collect(),
        others: Others {
            tools: others.into_iter().map(|(tool, _)| tool).collect(),
            next: None,
        },
        kernel,
    })
}

/// Tools of the other variant, in which no rules of ours may stay.
#[derive(Debug, Default)]
pub(super) struct Others {
    tools: Vec<IptablesTool>,
    /// When what has failed is tried again; none: nothing has been tried yet.
    next: Option<Instant>,
}

impl Others {
    /// Takes what an earlier run left there away, once the rules are in this variant. Who fails is tried
    /// again after `patience`.
    pub(super) fn clear(&mut self, patience: Duration) {
        let now = Instant::now();
        if self.next.is_some_and(|at| now < at) {
            return;
        }
        let is_first = self.next.is_none();
        self.next = Some(now + patience);
        self.tools.retain(|tool| match remove(tool) {
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
                if is_first {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "cannot remove rules from the other variant yet");
                }
                true
            }
        });
    }
}

/// What the tables hold, but for those that cannot be read.
pub(super) fn list(tool: &IptablesTool, report: &mut Report) -> Result<Listing, IptablesError> {
    report.read = true;
    let began = Instant::now();
    let listing = parse(&tool.save()?);
    report.kernel_time += began.elapsed();
    Ok(listing)
}

pub(super) fn read(tool: &IptablesTool) -> Result<Listing, IptablesError> {
    let listing = list(tool, &mut Report::default())?;
    unreadable(&listing)?;
    Ok(listing)
}

pub(super) fn unreadable(listing: &Listing) -> Result<(), IptablesError> {
    match listing.unreadable.first() {
        Some(table) => Err(IptablesError::Unreadable {
            table: table.as_str(),
        }),
        None => Ok(()),
    }
}

/// Removes what is ours. Answers whether there was anything.
pub(super) fn remove(tool: &IptablesTool) -> Result<bool, IptablesError> {
    let listing = read(tool)?;
    let found = !listing.is_empty();
    if found {
        tool.restore(Script::removal(&listing).text())?;
    }
    Ok(found)
}
