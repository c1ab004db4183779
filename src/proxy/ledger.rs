use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::PortName;

/// Whose an item is; none: the layout's.
type Owner = Option<Arc<PortName>>;

/// What a ledger can hold: something that can come, change and go by itself, beside its value.
pub trait Entry: Clone + Ord + fmt::Display {
    /// Whether two values mean the same: the kernel's tools may spell them differently.
    fn same(&self, one: &str, other: &str) -> bool;
}

/// Everything one table is to hold, with who asks for it.
///
/// Many may ask for the same; an item is there as long as somebody does. When two ask for one element
/// with different values, the first by name has it, and the other has it once the first is gone.
#[derive(Debug)]
pub struct Ledger<I> {
    items: BTreeMap<I, SmallVec<[Claim; 1]>>,
    /// What changed since the last write, with its value then.
    touched: BTreeMap<I, Option<String>>,
}

#[derive(Debug)]
struct Claim {
    owner: Owner,
    value: String,
}

/// What is to become of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<I> {
    /// The item.
    pub item: I,
    /// Its value in the kernel; none: it is not there.
    pub before: Option<String>,
    /// Its value to be; none: it is to go.
    pub after: Option<String>,
    /// The service port that wants it so; none: nobody, or the layout.
    pub owner: Owner,
}

/// Changes in order of items.
pub type Changes<I> = Vec<Change<I>>;

/// Two service ports want the same address and port, or the same node port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<I> {
    /// What both want.
    pub item: I,
    /// Who has it.
    pub has: Arc<PortName>,
    /// Who does not.
    pub wants: Arc<PortName>,
}

impl<I: fmt::Display> fmt::Display for Conflict<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}'s, and {} wants it too",
            self.item, self.has, self.wants
        )
    }
}

impl<I: Entry> Ledger<I> {
    /// A ledger that holds the layout.
    pub fn new(fixed: Vec<(I, String)>) -> Ledger<I> {
        let mut ledger = Ledger {
            items: BTreeMap::new(),
            touched: BTreeMap::new(),
        };
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
        before: Vec<(I, String)>,
        after: Vec<(I, String)>,
    ) -> Vec<Conflict<I>> {
        let before: BTreeMap<I, String> = before.into_iter().collect();
        let after: BTreeMap<I, String> = after.into_iter().collect();
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

    fn claim(&mut self, item: I, owner: &Owner, value: String) {
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

    fn release(&mut self, item: &I, owner: &Owner) {
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

    fn touch(&mut self, item: &I) {
        if !self.touched.contains_key(item) {
            let value = self.wanted(item).map(|claim| claim.value.clone());
            self.touched.insert(item.clone(), value);
        }
    }

    fn wanted(&self, item: &I) -> Option<&Claim> {
        self.items.get(item)?.first()
    }

    fn conflict(&self, item: &I, owner: &Arc<PortName>) -> Option<Conflict<I>> {
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
    pub fn changes(&self) -> Changes<I> {
        let change = |(item, before): (&I, &Option<String>)| {
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

    /// What differs from what the kernel has.
    pub fn against(&self, kernel: &BTreeMap<I, String>) -> Changes<I> {
        let mut changes = Vec::new();
        for (item, claims) in &self.items {
            let Some(claim) = claims.first() else {
                continue;
            };
            let before = kernel.get(item);
            if !before.is_some_and(|value| item.same(value, &claim.value)) {
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

    /// Whether nothing differs from what the kernel has.
    pub fn agrees(&self, kernel: &BTreeMap<I, String>) -> bool {
        let same = |(item, claims): (&I, &SmallVec<[Claim; 1]>)| {
            let (claim, value) = (claims.first(), kernel.get(item));
            claim
                .zip(value)
                .is_some_and(|(claim, value)| item.same(value, &claim.value))
        };
        self.items.len() == kernel.len() && self.items.iter().all(same)
    }

    /// All that it holds, as changes of an empty table.
    pub fn whole(&self) -> Changes<I> {
        self.against(&BTreeMap::new())
    }

    /// What changed so far has been written.
    pub fn settle(&mut self) {
        self.touched.clear();
    }

    /// Whether an item is to be there.
    pub fn contains(&self, item: &I) -> bool {
        self.items.contains_key(item)
    }

    /// Is that are to be there.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is to be there.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
