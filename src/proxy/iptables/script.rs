use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::super::PortName;
use super::super::ledger::{Change, Changes};
use super::{Item, Listing, PerTable, Table};

/// How many rules are taken out of a shared chain one by one. The nft variant looks through the whole
/// chain for each of them, and needs for so many as long as to write the chain.
const MOST_TAKEN_OUT: usize = 48;

/// Changes of one family as one text for `iptables-restore --noflush`, and whose each line is.
///
/// A table is changed at once, the tables one after the other. What is refused or dropped in the table
/// filter is for packets that the table nat did not send on, so it is put in before and taken out after
/// the table nat changes: wherever the text is cut between tables, no packet goes astray.
#[derive(Debug, Default)]
pub struct Script {
    text: String,
    owners: Vec<Option<Arc<PortName>>>,
    /// Tables changed, counting one that is changed twice as two: so many transactions it is.
    pub transactions: u32,
    /// Rules put in.
    pub rules: usize,
    /// Items that come, change or go, by table.
    pub changed: PerTable<usize>,
}

impl Script {
    /// The text that takes away all that is listed: jumps, then chains with their rules.
    pub fn removal(listing: &Listing) -> Script {
        let gone = |table| {
            let items = listing.items.of(table).iter();
            let whole = items.filter(|(item, _)| !matches!(item, Item::Rule(..) | Item::Last(_)));
            let change = whole.map(|(item, value)| Change {
                item: item.clone(),
                before: Some(value.clone()),
                after: None,
                owner: None,
            });
            change.collect()
        };
        let gone = PerTable {
            filter: gone(Table::Filter),
            nat: gone(Table::Nat),
        };
        Script::of(&gone, |_, _| Changes::new())
    }

    /// A text that changes nothing, and that a kernel without the tables refuses.
    pub fn probe() -> Script {
        let mut script = Script::default();
        for table in Table::ALL {
            script.line(None, format_args!("*{}", table.as_str()));
            script.line(None, format_args!("COMMIT"));
        }
        script
    }

    /// A text that tries a rule of the table nat where no packet comes, and takes it out again.
    pub fn trial(rule: &str) -> Script {
        const CHAIN: &str = "SELD-TRIAL";
        let mut script = Script::default();
        let (tried, undone) = (format!("-A {CHAIN} {rule}"), format!("-X {CHAIN}"));
        for line in [tried, undone] {
            script.line(None, format_args!("*{}", Table::Nat.as_str()));
            // To declare it empties it.
            script.line(None, format_args!(":{CHAIN} - [0:0]"));
            script.line(None, format_args!("{line}"));
            script.line(None, format_args!("COMMIT"));
        }
        script
    }

    /// The text of changes. `whole` says what is to be in a shared chain, in order.
    pub fn of(
        changes: &PerTable<Changes<Item>>,
        whole: impl Fn(Table, &'static str) -> Changes<Item>,
    ) -> Script {
        let mut script = Script::default();
        let goes = |change: &&Change<Item>| change.after.is_none();
        let (last, first): (Vec<_>, Vec<_>) = changes.filter.iter().partition(goes);
        // What goes last is there until then.
        let until_then = |chain| {
            let mut all = whole(Table::Filter, chain);
            let stays = last.iter().filter(|c| shared_of(&c.item) == Some(chain));
            all.extend(stays.map(|change| Change {
                item: change.item.clone(),
                before: None,
                after: change.before.clone(),
                owner: None,
            }));
            all.sort_by(|one, other| one.item.cmp(&other.item));
            all
        };
        let nat: Vec<_> = changes.nat.iter().collect();
        script.pass(Table::Filter, &first, until_then);
        script.pass(Table::Nat, &nat, |chain| whole(Table::Nat, chain));
        script.pass(Table::Filter, &last, |chain| whole(Table::Filter, chain));
        for table in Table::ALL {
            *script.changed.of_mut(table) = changes.of(table).len();
        }
        script
    }

    /// Changes of one table, those of a shared chain that loses many rules as the whole chain: `whole`
    /// says what is to be in it.
    fn pass(
        &mut self,
        table: Table,
        changes: &[&Change<Item>],
        whole: impl Fn(&'static str) -> Changes<Item>,
    ) {
        let mut losses: BTreeMap<&'static str, usize> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.before.is_some()) {
            if let Some(chain) = shared_of(&change.item) {
                let rules = losses.entry(chain).or_default();
                *rules = rules.saturating_add(1);
            }
        }
        losses.retain(|_, rules| *rules > MOST_TAKEN_OUT);
        let mut written: Changes<Item> = Changes::new();
        for chain in losses.keys() {
            // As if it were not there: to declare it empties it.
            written.push(Change {
                item: Item::Shared(chain),
                before: None,
                after: Some(String::new()),
                owner: None,
            });
            written.extend(whole(chain));
        }
        let is_written = |change: &Change<Item>| {
            shared_of(&change.item).is_some_and(|chain| losses.contains_key(chain))
        };
        let others = changes.iter().copied().filter(|c| !is_written(c));
        self.table(table, &others.chain(&written).collect::<Vec<_>>());
    }

    fn table(&mut self, table: Table, changes: &[&Change<Item>]) {
        if changes.is_empty() {
            return;
        }
        self.transactions = self.transactions.saturating_add(1);
        self.line(None, format_args!("*{}", table.as_str()));
        for change in changes {
            // To declare a chain makes or empties it.
            match (&change.item, &change.before, &change.after) {
                (Item::Chain(name), ..) => {
                    self.line(change.owner.clone(), format_args!(":{name} - [0:0]"));
                }
                (Item::Shared(name), None, Some(_)) | (Item::Shared(name), Some(_), None) => {
                    self.line(None, format_args!(":{name} - [0:0]"));
                }
                _ => {}
            }
        }
        for change in changes {
            self.take_out(change);
        }
        let made = |change: &&Change<Item>| match change.item {
            Item::Shared(name) if change.before.is_none() => Some(name),
            _ => None,
        };
        let made: Vec<&str> = changes.iter().filter_map(made).collect();
        for change in changes {
            self.put_in(change, &made);
        }
        for change in changes {
            if let (Some(name), None) = (chain(&change.item), &change.after) {
                self.line(None, format_args!("-X {name}"));
            }
        }
        self.line(None, format_args!("COMMIT"));
    }

    fn take_out(&mut self, change: &Change<Item>) {
        let Some(chain) = beside(&change.item) else {
            return;
        };
        for rule in change.before.iter().flat_map(|rules| rules.lines()) {
            self.line(None, format_args!("-D {chain} {rule}"));
        }
    }

    fn put_in(&mut self, change: &Change<Item>, made: &[&str]) {
        let Some(rules) = &change.after else {
            return;
        };
        match &change.item {
            Item::Shared(_) => {}
            Item::Chain(name) => self.rules("-A", name, rules.lines(), change),
            // In a chain that is made here, nothing stands last yet.
            Item::Rule(name, _) if made.contains(name) => {
                self.rules("-A", name, rules.lines(), change);
            }
            Item::Rule(name, _) => self.rules("-I", name, rules.lines(), change),
            Item::Last(name) => self.rules("-A", name, rules.lines(), change),
            // Each is put at the head, so the first one comes last.
            Item::Jumps(name) => self.rules("-I", name, rules.lines().rev(), change),
        }
    }

    fn rules<'a>(
        &mut self,
        verb: &str,
        chain: &str,
        rules: impl Iterator<Item = &'a str>,
        change: &Change<Item>,
    ) {
        for rule in rules {
            self.rules = self.rules.saturating_add(1);
            self.line(change.owner.clone(), format_args!("{verb} {chain} {rule}"));
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
}

/// The shared chain that a rule is in; none: it is in another chain, or is none.
fn shared_of(item: &Item) -> Option<&'static str> {
    match item {
        Item::Rule(name, _) | Item::Last(name) => Some(name),
        Item::Shared(_) | Item::Chain(_) | Item::Jumps(_) => None,
    }
}

/// The chain that an item is; none: it is rules in a chain.
fn chain(item: &Item) -> Option<&str> {
    match item {
        Item::Shared(name) => Some(name),
        Item::Chain(name) => Some(name),
        Item::Rule(..) | Item::Last(_) | Item::Jumps(_) => None,
    }
}

/// The chain that an item's rules are in beside others'.
fn beside(item: &Item) -> Option<&str> {
    match item {
        Item::Rule(name, _) | Item::Last(name) => Some(name),
        Item::Jumps(name) => Some(name),
        Item::Shared(_) | Item::Chain(_) => None,
    }
}
