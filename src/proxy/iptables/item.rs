use super::super::ledger::Entry;

/// The tables that rules are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// What is dropped, refused or accepted.
    Filter,
    /// Where packets are sent.
    Nat,
}

impl Table {
    /// Both.
    pub const ALL: [Table; 2] = [Table::Filter, Table::Nat];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Table::Filter => "filter",
            Table::Nat => "nat",
        }
    }
}

/// Something for each table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PerTable<T> {
    /// Of the table filter.
    pub filter: T,
    /// Of the table nat.
    pub nat: T,
}

impl<T> PerTable<T> {
    /// What a table has.
    pub fn of(&self, table: Table) -> &T {
        match table {
            Table::Filter => &self.filter,
            Table::Nat => &self.nat,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, table: Table) -> &mut T {
        match table {
            Table::Filter => &mut self.filter,
            Table::Nat => &mut self.nat,
        }
    }
}

/// One thing in a table that can come, change and go by itself. Rules are spelt as `iptables-save`
/// prints them, without the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A chain of ours whose rules are items of their own. Its value is empty.
    Shared(&'static str),
    /// A chain of ours that changes as a whole. Its value is its rules, one a line.
    Chain(String),
    /// A rule in a shared chain, by what it matches. Its value is the rule.
    Rule(&'static str, String),
    /// The rules that stand last in a shared chain, one a line.
    Last(&'static str),
    /// The rules in a chain that is not ours which jump to ours, one a line.
    Jumps(String),
}

impl Entry for Item {
    fn same(&self, one: &str, other: &str) -> bool {
        one == other
    }
}
