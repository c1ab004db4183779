use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::super::PortName;
use super::Item;

/// Whose an item is; none: the layout's.
type Owner = Option<Arc<PortName>>;

/// Everything one family's table is to hold, with who asks for it.
///
/// Many may ask for the same; an item is there as long as somebody does. When two ask for one element
/// with different values, the first by name has it, and the other has it once the first is gone.
#[derive(Debug, Default)]
pub struct Ledger {
    items: BTreeMap<Item, SmallVec<[Claim; 1]>>,
    /// What changed since the last write, with its value then.
    touched: BTreeMap<Item, Option<String>>,
}

#[derive(Debug)]
struct Claim {
    owner: Owner,
    value: String,
}

/// What is to become of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The item.
    pub item: Item,
    /// Its value in the kernel; none: it is not there.
    pub before: Option<String>,
    /// Its value to be; none: it is to go.
    pub after: Option<String>,
    /// The service port that wants it so; none: nobody, or the layout.
    pub owner: Owner,
}

/// Changes in order of items.
pub type Changes = Vec<Change>;

/// Two service ports want the same address and port, or the same node port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What both want.
    pub item: Item,
    /// Who has it.
    pub has: Arc<PortName>,
    /// Who does not.
    pub wants: Arc<PortName>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}'s, and {} wants it too",
            self.item, self.has, self.wants
        )
    }
}

impl Ledger {
    /// A ledger that holds the layout.
    pub fn new(fixed: Vec<(Item, String)>) -> Ledger {
        let mut ledger = Ledger::default();
        for (item, value) in fixed {
            ledger.claim(item, &None, value);
        }
        ledger
    }

    /// Makes an owner's items `after` instead of `before`. Answers who is in whose way. The work is
    /// that of the items that differ, times the logarithm of all.
    pub fn replace(
        &mut self,
        owner: &Arc<PortName>,
        before: Vec<(Item, String)>,
        after: Vec<(Item, String)>,
    ) -> Vec<Conflict> {
        let before: BTreeMap<Item, String> = before.into_iter().collect();
        let after: BTreeMap<Item, String> = after.into_iter().collect();
        let whose = Some(owner.clone());
        for item in before.keys().filter(|item| !after.contains_key(item)) {
            self.release(item, &whose);
        }
        let mut conflicts = Vec::new();
        for (item, value) in after {
            if before.get(&item) != Some(&value) {
                self.claim(item.clone(), &whose, value);
                conflicts.extend(self.conflict(&item, owner));
            }
        }
        conflicts
    }

    fn claim(&mut self, item: Item, owner: &Owner, value: String) {
        self.touch(&item);
        let claims = self.items.entry(item).or_default();
        match claims.binary_search_by(|claim| claim.owner.cmp(owner)) {
            Ok(at) => {
                if let Some(claim) = claims.get_mut(at) {
                    claim.value = value;
                }
            }
            Err(at) => claims.insert(
                at,
                Claim {
                    owner: owner.clone(),
                    value,
                },
            ),
        }
    }

    fn release(&mut self, item: &Item, owner: &Owner) {
        self.touch(item);
        let Some(claims) = self.items.get_mut(item) else {
            return;
        };
        if let Ok(at) = claims.binary_search_by(|claim| claim.owner.cmp(owner)) {
            claims.remove(at);
        }
        if claims.is_empty() {
            self.items.remove(item);
        }
    }

    fn touch(&mut self, item: &Item) {
        if !self.touched.contains_key(item) {
            let value = self.wanted(item).map(|claim| claim.value.clone());
            self.touched.insert(item.clone(), value);
        }
    }

    fn wanted(&self, item: &Item) -> Option<&Claim> {
        self.items.get(item)?.first()
    }

    fn conflict(&self, item: &Item, owner: &Arc<PortName>) -> Option<Conflict> {
        let claims = self.items.get(item)?;
        let (first, last) = (claims.first()?, claims.last()?);
        let differs = |claim: &&Claim| claim.value != first.value;
        // What the layout wants, nobody else does.
        let has = first.owner.clone()?;
        let wants = match claims.iter().find(differs) {
            Some(_) if has != *owner => owner.clone(),
            Some(_) => last.owner.clone()?,
            None => return None,
        };
        Some(Conflict {
            item: item.clone(),
            has,
            wants,
        })
    }

    /// What differs from what was last written.
    pub fn changes(&self) -> Changes {
        let change = |(item, before): (&Item, &Option<String>)| {
            let after = self.wanted(item);
            (after.map(|claim| &claim.value) != before.as_ref()).then(|| Change {
                item: item.clone(),
                before: before.clone(),
                after: after.map(|claim| claim.value.clone()),
                owner: after.and_then(|claim| claim.owner.clone()),
            })
        };
        self.touched.iter().filter_map(change).collect()
    }

    /// What differs from what the kernel has. Rules count as equal that nft spells differently.
    pub fn against(&self, kernel: &BTreeMap<Item, String>) -> Changes {
        let mut changes = Vec::new();
        for (item, claims) in &self.items {
            let Some(claim) = claims.first() else {
                continue;
            };
            let before = kernel.get(item);
            if before.map(|value| canonical(item, value)) != Some(canonical(item, &claim.value)) {
                changes.push(Change {
                    item: item.clone(),
                    before: before.cloned(),
                    after: Some(claim.value.clone()),
                    owner: claim.owner.clone(),
                });
            }
        }
        let gone = kernel
            .iter()
            .filter(|(item, _)| !self.items.contains_key(item));
        changes.extend(gone.map(|(item, value)| Change {
            item: item.clone(),
            before: Some(value.clone()),
            after: None,
            owner: None,
        }));
        changes
    }

    /// All that it holds, as changes of an empty table.
    pub fn whole(&self) -> Changes {
        self.against(&BTreeMap::new())
    }

    /// What changed so far has been written.
    pub fn settle(&mut self) {
        self.touched.clear();
    }

    /// Whether an item is to be there.
    pub fn contains(&self, item: &Item) -> bool {
        self.items.contains_key(item)
    }

    /// Items that are to be there.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is to be there.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Rules as one spelling: nft lists `dnat ip addr . port to` without the words between.
fn canonical(item: &Item, value: &str) -> String {
    match item {
        Item::Chain(_) => value.replace(" addr . port to ", " to "),
        _ => value.to_owned(),
    }
}
