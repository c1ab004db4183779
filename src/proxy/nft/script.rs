use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::IpFamily;

use super::super::PortName;
use super::super::ledger::Change;
use super::layout::{TABLE, declaration, hook, word};
use super::{Item, Shared};

/// Most elements on one line.
const LINE: usize = 250;

/// Changes as one transaction for `nft -f -`, and whose each line is.
///
/// Chains and sets that are to go are only emptied: older kernels let go of what a rule refers to some
/// time after the rule, and refuse until then. [`Script::sweep`] takes them away later.
#[derive(Debug, Default)]
pub struct Script {
    text: String,
    owners: Vec<Option<Arc<PortName>>>,
    retired: Vec<(IpFamily, Item)>,
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
        self.elements(&table, changes, "delete", |change| {
            change.before.as_ref().map(|_| String::new())
        });
        for change in changes {
            let (Item::Chain(name), Some(rules)) = (&change.item, &change.after) else {
                continue;
            };
            for rule in rules.lines() {
                self.rules = self.rules.saturating_add(1);
                let owner = change.owner.clone();
                self.line(owner, format_args!("add rule {table} {name} {rule}"));
            }
        }
        self.elements(&table, changes, "add", |change| {
            let value = change.after.as_deref()?;
            Some(match value {
                "" => String::new(),
                value => format!(" : {value}"),
            })
        });
    }

    /// Removes a family's table, whether or not it is there.
    pub fn remove_table(&mut self, family: IpFamily) {
        let table = format!("{} {TABLE}", word(family));
        self.line(None, format_args!("add table {table}"));
        self.line(None, format_args!("delete table {table}"));
    }

    /// Takes away chains and sets that are empty and that nothing refers to, each on a line.
    pub fn sweep<'a>(retired: impl Iterator<Item = &'a (IpFamily, Item)>) -> Script {
        let mut script = Script::default();
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

    fn elements(
        &mut self,
        table: &str,
        changes: &[Change<Item>],
        verb: &str,
        value: impl Fn(&Change<Item>) -> Option<String>,
    ) {
        let mut lines: BTreeMap<(Shared, &Option<Arc<PortName>>), Vec<String>> = BTreeMap::new();
        for change in changes {
            if let (Item::Element(set, key), Some(value)) = (&change.item, value(change)) {
                let line = lines.entry((*set, &change.owner)).or_default();
                line.push(format!("{key}{value}"));
            }
        }
        for ((set, owner), elements) in lines {
            for some in elements.chunks(LINE) {
                self.elements = self.elements.saturating_add(some.len());
                let (set, some) = (set.as_str(), some.join(", "));
                self.line(
                    owner.clone(),
                    format_args!("{verb} element {table} {set} {{ {some} }}"),
                );
            }
        }
    }

    fn line(&mut self, owner: Option<Arc<PortName>>, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{text}");
        self.owners.push(owner);
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
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
