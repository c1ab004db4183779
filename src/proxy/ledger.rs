use std::collections::btree_map::{self, BTreeMap};
use std::sync::Arc;

use super::PortName;
use super::askers::Askers;

/// Whose an item is; none: the layout's.
pub(super) type Owner = Option<Arc<PortName>>;

/// What a ledger can hold: something that can come, change and go by itself, beside its value.
pub trait Entry: Clone + Ord {
    /// Whether two values mean the same: the kernel's tools may spell them differently.
    fn same(&self, one: &str, other: &str) -> bool;
}

/// Everything one table is to hold, with who asks for it.
///
/// Many may ask for the same; an item is there as long as somebody does. Should they ask for different
/// values, it has that of the first by name.
#[derive(Debug)]
pub struct Ledger<I> {
    items: BTreeMap<I, Askers>,
    /// What changed since the last write, with its value then; none: nothing has been written yet, and all
    /// of it is new.
    touched: Option<BTreeMap<I, Option<String>>>,
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

impl<I: Entry> Ledger<I> {
    /// A ledger that holds the layout.
    pub fn new(fixed: Vec<(I, String)>) -> Ledger<I> {
        let mut ledger = Ledger {
            items: BTreeMap::new(),
            touched: None,
        };
        for (item, value) in fixed {
            ledger.ask(item, &None, value);
        }
        ledger
    }

    /// Makes an owner's items `after` instead of `before`. The work is that of the items that differ,
    /// times the logarithm of all.
    pub fn replace(
        &mut self,
        owner: &Arc<PortName>,
        before: Vec<(I, String)>,
        after: Vec<(I, String)>,
    ) {
        let whose = Some(owner.clone());
        if before.is_empty() {
            for (item, value) in after {
                self.ask(item, &whose, value);
            }
            return;
        }
        let before: BTreeMap<I, String> = before.into_iter().collect();
        let after: BTreeMap<I, String> = after.into_iter().collect();
        for item in before.keys().filter(|item| !after.contains_key(item)) {
            self.release(item, &whose);
        }
        for (item, value) in after {
            if before.get(&item) != Some(&value) {
                self.ask(item, &whose, value);
            }
        }
    }

    fn ask(&mut self, item: I, owner: &Owner, value: String) {
        match self.items.entry(item) {
            btree_map::Entry::Vacant(place) => {
                touch(&mut self.touched, place.key(), None);
                place.insert(Askers::of(owner.clone(), value));
            }
            btree_map::Entry::Occupied(mut place) => {
                touch(&mut self.touched, place.key(), Some(place.get()));
                place.get_mut().put(owner, value);
            }
        }
    }

    fn release(&mut self, item: &I, owner: &Owner) {
        let Some(askers) = self.items.get_mut(item) else {
            return;
        };
        touch(&mut self.touched, item, Some(askers));
        if !askers.remove(owner) {
            self.items.remove(item);
        }
    }

    fn wanted(&self, item: &I) -> Option<(&Owner, &str)> {
        self.items.get(item)?.first()
    }

    /// What differs from what was last written.
    pub fn changes(&self) -> Changes<I> {
        let Some(touched) = &self.touched else {
            return self.whole();
        };
        let change = |(item, before): (&I, &Option<String>)| {
            let after = self.wanted(item);
            (after.map(|(_, value)| value) != before.as_deref()).then(|| Change {
                item: item.clone(),
                before: before.clone(),
                after: after.map(|(_, value)| value.to_owned()),
                owner: after.and_then(|(owner, _)| owner.clone()),
            })
        };
        touched.iter().filter_map(change).collect()
    }

    /// What differs from what the kernel has.
    pub fn against(&self, kernel: &BTreeMap<I, String>) -> Changes<I> {
        let (mut changes, mut gone) = (Vec::new(), Vec::new());
        // Both are in order, and there are many: they are walked side by side.
        let mut there = kernel.iter().peekable();
        for (item, askers) in &self.items {
            let Some((owner, wanted)) = askers.first() else {
                continue;
            };
            while let Some(other) = there.next_if(|(other, _)| *other < item) {
                gone.push(other);
            }
            let before = there.next_if(|(other, _)| *other == item);
            let before = before.map(|(_, value)| value);
            if !before.is_some_and(|value| item.same(value, wanted)) {
                changes.push(Change {
                    item: item.clone(),
                    before: before.cloned(),
                    after: Some(wanted.to_owned()),
                    owner: owner.clone(),
                });
            }
        }
        let gone = gone.into_iter().chain(there);
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
        let same = |(item, askers): (&I, &Askers)| {
            let (first, value) = (askers.first(), kernel.get(item));
            first
                .zip(value)
                .is_some_and(|((_, wanted), value)| item.same(value, wanted))
        };
        self.items.len() == kernel.len() && self.items.iter().all(same)
    }

    /// All that it holds, as changes of an empty table.
    pub fn whole(&self) -> Changes<I> {
        self.against(&BTreeMap::new())
    }

    /// What it holds from an item on, in their order, as changes of an empty table.
    pub fn starting_at(&self, first: I) -> impl Iterator<Item = Change<I>> {
        self.items.range(first..).filter_map(|(item, askers)| {
            let (owner, wanted) = askers.first()?;
            Some(Change {
                item: item.clone(),
                before: None,
                after: Some(wanted.to_owned()),
                owner: owner.clone(),
            })
        })
    }

    /// What changed so far has been written.
    pub fn settle(&mut self) {
        self.touched = Some(BTreeMap::new());
    }

    /// Whether an item is to be there.
    pub fn contains(&self, item: &I) -> bool {
        self.items.contains_key(item)
    }

    /// Whether an item is the layout's.
    pub fn is_fixed(&self, item: &I) -> bool {
        self.wanted(item).is_some_and(|(owner, _)| owner.is_none())
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

/// Notes what an item was when it was last written, unless that is known.
fn touch<I: Entry>(
    touched: &mut Option<BTreeMap<I, Option<String>>>,
    item: &I,
    askers: Option<&Askers>,
) {
    if let Some(touched) = touched
        && !touched.contains_key(item)
    {
        let value = askers.and_then(Askers::first);
        let value = value.map(|(_, value)| value.to_owned());
        touched.insert(item.clone(), value);
    }
}
