use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::IpFamily;

use super::super::PortName;
use super::super::ledger::Change;
use super::edit::{Edit, edit};
use super::layout::{TABLE, declaration, hook, word};
use super::{Item, Shared};

/// Most elements on one line.
const LINE: usize = 250;
/// Most elements that go to the kernel without nft: with more, it is not nft that takes the time.
const MOST_EDITS: usize = 1_000;

/// Changes as one transaction for `nft -f -`, and whose each line is.
///
/// Chains and sets that are to go are only emptied: older kernels let go of what a rule refers to some
/// time after the rule, and refuse until then. [`Script::sweep`] takes them away later.
#[derive(Debug, Default)]
pub struct Script {
    text: String,
    owners: Vec<Option<Arc<PortName>>>,
    retired: Vec<(IpFamily, Item)>,
    edits: Vec<Edit>,
    /// Whether it says something that `edits` do not.
    needs_nft: bool,
    /// Items that come, change or go, by family.
    pub changed: BTreeMap<IpFamily, usize>,
    /// Elements added or deleted.
    pub elements: usize,
    /// Rules added.
    pub rules: usize,
}

impl Script {
    /// Adds the changes of one family's table.
    pub fn change(&mut self, family: IpFamily, changes: &[Change<Item>]) {
        if changes.is_empty() {
            return;
        }
        self.changed.insert(family, changes.len());
        let table = format!("{} {TABLE}", word(family));
        self.line(None, format_args!("add table {table}"));
        self.declare(family, &table, changes);
        self.elements(family, changes, "delete", |change| {
            change.before.as_ref().map(|_| None)
        });
        for change in changes {
            let (Item::Chain(name), Some(rules)) = (&change.item, &change.after) else {
                continue;
            };
            for rule in rules.lines() {
                self.rules = self.rules.saturating_add(1);
                self.needs_nft = true;
                let owner = change.owner.clone();
                self.line(owner, format_args!("add rule {table} {name} {rule}"));
            }
        }
        self.elements(family, changes, "add", |change| {
            change.after.as_deref().map(Some)
        });
    }

    /// Removes a family's table, whether or not it is there.
    pub fn remove_table(&mut self, family: IpFamily) {
        self.needs_nft = true;
        let table = format!("{} {TABLE}", word(family));
        self.line(None, format_args!("add table {table}"));
        self.line(None, format_args!("delete table {table}"));
    }

    /// Takes away chains and sets that are empty and that nothing refers to, each on a line.
    pub fn sweep<'a>(retired: impl Iterator<Item = &'a (IpFamily, Item)>) -> Script {
        let mut script = Script {
            needs_nft: true,
            ..Script::default()
        };
        for (family, item) in retired {
            let table = format!("{} {TABLE}", word(*family));
            match item {
                // One that somebody else took away is made again first: it is no fault.
                Item::Chain(name) => script.line(
                    None,
                    format_args!("add chain {table} {name} ; delete chain {table} {name}"),
                ),
                // One of somebody else's may be of any type.
                Item::AffinitySet(name) => {
                    script.line(None, format_args!("delete set {table} {name}"));
                }
                Item::Set(_) | Item::Element(..) => {}
            }
        }
        script
    }

    /// Adds everything that a family's table needs of the kernel, and takes it away again.
    pub fn probe(family: IpFamily) -> Script {
        let mut script = Script::default();
        let ip = word(family);
        let table = format!("{ip} {TABLE}-probe");
        let hook = hook("nat-prerouting").unwrap_or_default();
        script.line(None, format_args!("add table {table}"));
        script.line(None, format_args!("add chain {table} probe {{ {hook} }}"));
        script.line(
            None,
            format_args!("add rule {table} probe fib daddr type local ct state new accept"),
        );
        script.line(None, format_args!("delete table {table}"));
        script
    }

    fn declare(&mut self, family: IpFamily, table: &str, changes: &[Change<Item>]) {
        for change in changes {
            self.needs_nft |= !matches!(change.item, Item::Element(..));
            let owner = || change.owner.clone();
            match (&change.item, &change.before, &change.after) {
                (Item::AffinitySet(name), None, Some(_)) => {
                    let kind = affinity(family);
                    self.line(owner(), format_args!("add set {table} {name} {{ {kind} }}"));
                }
                (Item::Set(set), None, Some(_)) => {
                    let word = if set.is_map() { "map" } else { "set" };
                    let kind = declaration(*set, family);
                    let name = set.as_str();
                    self.line(None, format_args!("add {word} {table} {name} {{ {kind} }}"));
                }
                (Item::Chain(name), before, Some(_)) => {
                    match (before, hook(name)) {
                        (Some(_), _) => {}
                        (None, Some(hook)) => {
                            self.line(None, format_args!("add chain {table} {name} {{ {hook} }}"));
                        }
                        (None, None) => {
                            self.line(owner(), format_args!("add chain {table} {name}"));
                        }
                    }
                    // One that was only emptied is there still, as is one of somebody else's.
                    self.line(owner(), format_args!("flush chain {table} {name}"));
                }
                (Item::Chain(name), Some(_), None) => {
                    self.line(None, format_args!("flush chain {table} {name}"));
                    self.retired.push((family, change.item.clone()));
                }
                (Item::AffinitySet(_), Some(_), None) => {
                    self.retired.push((family, change.item.clone()));
                }
                _ => {}
            }
        }
    }

    /// Elements taken out, or put in with what they map to.
    fn elements<'c>(
        &mut self,
        family: IpFamily,
        changes: &'c [Change<Item>],
        verb: &str,
        after: impl Fn(&'c Change<Item>) -> Option<Option<&'c str>>,
    ) {
        let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let elements = changes.iter().filter_map(|change| match &change.item {
            Item::Element(set, key) => Some((*set, &change.owner, (key.as_str(), after(change)?))),
            _ => None,
        });
        let elements: Vec<_> = elements.collect();
        // One after the other they are nearly always of the same.
        for run in elements.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            if let Some((set, owner, _)) = run.first() {
                let line = lines.entry((*set, *owner)).or_default();
                line.extend(run.iter().map(|(.., element)| *element));
            }
        }
        let table = format!("{} {TABLE}", word(family));
        for ((set, owner), elements) in lines {
            for some in elements.chunks(LINE) {
                self.elements = self.elements.saturating_add(some.len());
                self.begin(format_args!("{verb} element {table} {} {{ ", set.as_str()));
                for (at, (key, after)) in some.iter().enumerate() {
                    self.text.push_str(if at == 0 { "" } else { ", " });
                    self.text.push_str(key);
                    if let Some(value) = after.filter(|value| !value.is_empty()) {
                        self.text.push_str(" : ");
                        self.text.push_str(value);
                    }
                }
                self.line(owner.clone(), format_args!(" }}"));
                self.edit(family, set, some);
            }
        }
    }

    /// The same once more for the kernel, as long as it may go there without nft.
    fn edit(&mut self, family: IpFamily, set: Shared, elements: &[(&str, Option<&str>)]) {
        let line = self.lines();
        for (key, after) in elements {
            if self.needs_nft {
                return;
            }
            match edit(line, family, set, key, *after) {
                Some(edit) if self.edits.len() < MOST_EDITS => self.edits.push(edit),
                _ => self.needs_nft = true,
            }
        }
    }

    /// The beginning of a line.
    fn begin(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(text);
    }

    /// A line, or its end.
    fn line(&mut self, owner: Option<Arc<PortName>>, text: std::fmt::Arguments<'_>) {
        self.begin(text);
        self.text.push('\n');
        self.owners.push(owner);
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All that it does, if that is to put in and take out a number of elements of which the kernel's
    /// bytes are known.
    pub fn edits(&self) -> Option<&[Edit]> {
        (!self.needs_nft).then_some(self.edits.as_slice())
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Its lines.
    pub fn lines(&self) -> usize {
        self.owners.len()
    }

    /// The service port that wants a line, counted from 1.
    pub fn owner(&self, line: usize) -> Option<&Arc<PortName>> {
        self.owners.get(line.checked_sub(1)?)?.as_ref()
    }

    /// What it leaves empty and unreferred to.
    pub fn retired(&self) -> &[(IpFamily, Item)] {
        &self.retired
    }
}

fn affinity(family: IpFamily) -> &'static str {
    match family {
        IpFamily::V4 => "type ipv4_addr ; flags dynamic,timeout ;",
        IpFamily::V6 => "type ipv6_addr ; flags dynamic,timeout ;",
    }
}
