use std::collections::BTreeMap;

use super::layout::{is_last, is_of_layout, shared};
use super::names::{PREFIX, is_of_service};
use super::{Item, PerTable, Table};

/// What one family's tables hold of ours, as `iptables-save` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Our chains, and our rules in other chains.
    pub items: PerTable<BTreeMap<Item, String>>,
    /// Tables whose rules cannot be read.
    pub unreadable: Vec<Table>,
}

impl Listing {
    /// Whether there is nothing of ours.
    pub fn is_empty(&self) -> bool {
        self.items.filter.is_empty() && self.items.nat.is_empty()
    }
}

/// Reads what `iptables-save` prints. Of what is not ours nothing is kept. Linear in the text.
pub fn parse(text: &str) -> Listing {
    let mut listing = Listing::default();
    let mut table = None;
    for line in text.lines() {
        let Some(first) = line.bytes().next() else {
            continue;
        };
        match (first, table) {
            (b'*', _) => {
                table = Table::ALL
                    .into_iter()
                    .find(|t| line.get(1..) == Some(t.as_str()))
            }
            (b'#', _) => listing.unreadable.extend(unreadable(line)),
            (b':', Some(table)) => declared(listing.items.of_mut(table), table, line),
            (b'-', Some(table)) => rule(listing.items.of_mut(table), table, line),
            _ => {}
        }
    }
    listing
}

/// ``# Table `nat' is incompatible, use 'nft' tool.``
fn unreadable(line: &str) -> Option<Table> {
    let rest = line.strip_prefix("# Table `")?;
    let named = |table: &Table| {
        rest.strip_prefix(table.as_str())
            .is_some_and(|r| r.starts_with("' is incompatible"))
    };
    Table::ALL.into_iter().find(named)
}

/// `:SELD-SERVICES - [0:0]`
fn declared(items: &mut BTreeMap<Item, String>, table: Table, line: &str) {
    let name = line.get(1..).and_then(|rest| rest.split(' ').next());
    if let Some(name) = name.filter(|name| name.starts_with(PREFIX)) {
        let item = match shared_chain(table, name) {
            Some(shared) => Item::Shared(shared),
            None => Item::Chain(name.to_owned()),
        };
        items.entry(item).or_default();
    }
}

/// `-A SELD-SERVICES -d 10.96.0.1/32 …`
fn rule(items: &mut BTreeMap<Item, String>, table: Table, line: &str) {
    let parts = line
        .strip_prefix("-A ")
        .and_then(|rest| rest.split_once(' '));
    // A rule without matches and target is nobody's.
    let (chain, rule) = parts.unwrap_or((line.get(3..).unwrap_or_default(), ""));
    if !chain.starts_with(PREFIX) {
        if target(rule).is_some_and(|target| is_jump(rule, target)) {
            push(items, Item::Jumps(chain.to_owned()), rule);
        }
        return;
    }
    let Some(shared) = shared_chain(table, chain) else {
        return push(items, Item::Chain(chain.to_owned()), rule);
    };
    if is_last(rule) {
        return push(items, Item::Last(shared), rule);
    }
    // What was thought to be last is not: it is in the wrong place.
    if let Some(early) = items.remove(&Item::Last(shared)) {
        for rule in early.lines() {
            put_rule(items, shared, rule);
        }
    }
    put_rule(items, shared, rule);
}

/// Whether a rule in a chain that is not ours is ours: it jumps from where the layout does, or to where
/// only we do. Others may well jump to `SELD-MARK-MASQ`.
fn is_jump(rule: &str, target: &str) -> bool {
    target.starts_with(PREFIX) && (is_of_layout(rule) || is_of_service(target))
}

fn put_rule(items: &mut BTreeMap<Item, String>, chain: &'static str, rule: &str) {
    let item = Item::Rule(chain, matches(rule));
    // Of several that match the same, the first is the one that counts.
    let item = match items.contains_key(&item) {
        false => item,
        true => Item::Rule(chain, format!("{} again, {}", matches(rule), items.len())),
    };
    items.insert(item, rule.to_owned());
}

fn push(items: &mut BTreeMap<Item, String>, item: Item, rule: &str) {
    let rules = items.entry(item).or_default();
    if !rules.is_empty() {
        rules.push('\n');
    }
    rules.push_str(rule);
}

fn shared_chain(table: Table, name: &str) -> Option<&'static str> {
    shared(table)
        .iter()
        .find(|shared| **shared == name)
        .copied()
}

/// What a rule jumps to.
fn target(rule: &str) -> Option<&str> {
    let at = rule.rfind("-j ").max(rule.rfind("-g "))?;
    rule.get(at.saturating_add(3)..)?.split(' ').next()
}

/// What a rule matches: the rule without its comment and its target.
pub(super) fn matches(rule: &str) -> String {
    const COMMENT: &str = "-m comment --comment \"";
    let rule = rule
        .rfind("-j ")
        .map_or(rule, |at| rule.get(..at).unwrap_or(rule));
    let parts = || {
        let (before, rest) = rule.split_once(COMMENT)?;
        Some((before, rest.split_once("\" ")?.1))
    };
    match parts() {
        Some((before, after)) => [before, after].concat().trim_end().to_owned(),
        None => rule.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = "\
# Generated by iptables-nft-save v1.8.9 (nf_tables) on Mon Nov 30 16:11:25 2026
*mangle
:SELD-NOT-OURS - [0:0]
-A PREROUTING -j SELD-NOT-OURS
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:SELD-SERVICES - [0:0]
:SELD-SVC-A - [0:0]
-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
-A PREROUTING -m comment --comment \"kubernetes service portals\" -j SELD-SERVICES
-A PREROUTING -g SELD-SVC-A
-A THEIRS -j SELD-MARK-MASQ
-A OUTPUT -m comment --comment \"not to -j SELD-SERVICES\" -j ACCEPT
-A SELD-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment \"a/b:c cluster IP\" -m tcp --dport 80 -j SELD-SVC-A
-A SELD-SERVICES -m comment --comment \"NOTE: this must be the last rule in this chain\" -j SELD-NODEPORTS
-A SELD-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT
-A SELD-SERVICES -m comment --comment \"NOTE: this must be the last rule in this chain\" -j SELD-NODEPORTS
-A SELD-SVC-A -s 10.0.0.1/32 -j SELD-MARK-MASQ
-A SELD-SVC-A
COMMIT
# Table `filter' is incompatible, use 'nft' tool.
";

    #[test]
    fn what_is_ours_is_read_and_nothing_else() {
        let listing = parse(SAVED);
        assert_eq!(listing.unreadable, [Table::Filter]);
        assert!(listing.items.filter.is_empty());
        let note = "-m comment --comment \"NOTE: this must be the last rule in this chain\" -j SELD-NODEPORTS";
        let match_of_it = "-d 10.96.0.1/32 -p tcp -m tcp --dport 80";
        let nat: Vec<(Item, &str)> = vec![
            (Item::Shared("SELD-SERVICES"), ""),
            (
                Item::Chain("SELD-SVC-A".to_owned()),
                "-s 10.0.0.1/32 -j SELD-MARK-MASQ\n",
            ),
            (Item::Rule("SELD-SERVICES", String::new()), note),
            (
                Item::Rule("SELD-SERVICES", match_of_it.to_owned()),
                "-d 10.96.0.1/32 -p tcp -m comment --comment \"a/b:c cluster IP\" -m tcp --dport 80 -j SELD-SVC-A",
            ),
            (
                Item::Rule("SELD-SERVICES", format!("{match_of_it} again, 5")),
                "-d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT",
            ),
            (Item::Last("SELD-SERVICES"), note),
            (
                Item::Jumps("PREROUTING".to_owned()),
                "-m comment --comment \"kubernetes service portals\" -j SELD-SERVICES\n-g SELD-SVC-A",
            ),
        ];
        let nat: BTreeMap<Item, String> = nat
            .into_iter()
            .map(|(item, value)| (item, value.to_owned()))
            .collect();
        assert_eq!(listing.items.nat, nat);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for text in [
            "",
            "*",
            "*nat",
            ":",
            "*nat\n:\n-\n-A\n-A ",
            "# Table `",
            "*nat\n-A é",
        ] {
            assert!(parse(text).is_empty(), "{text:?}");
        }
    }
}
