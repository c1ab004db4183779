//! What a transaction comes to, done step by step on a copy of everything.

use std::collections::BTreeMap;

use selectord::engine::Outcome;
use selectord::model::{
    Change, Expectation, LabelPatch, Object, ObjectRef, Operation, PatchTarget, Revision,
    Transaction,
};
use smol_str::SmolStr;

/// An object, whose it is, and the revision that wrote it; none while its group is not applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub object: Object,
    pub source: SmolStr,
    pub written: Option<Revision>,
}

pub type State = BTreeMap<ObjectRef, Held>;

#[derive(Debug)]
pub struct Expected {
    pub results: Vec<(ObjectRef, Outcome, usize)>,
    /// Ordered by kind and name.
    pub changes: Vec<Change>,
}

/// Why the model refuses.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    Precondition(usize),
    NotFound(usize),
    Conflict(usize, ObjectRef),
    Contradiction(usize),
}

/// Does what the transaction says, unless something in it is wrong.
pub fn model(state: &mut State, transaction: &Transaction) -> Result<Expected, Refusal> {
    for (i, precondition) in transaction.preconditions.iter().enumerate() {
        let found = state.get(&precondition.object);
        let holds = match precondition.expect {
            Expectation::Exists => found.is_some(),
            Expectation::Absent => found.is_none(),
            Expectation::Revision(revision) => {
                found.is_some_and(|held| held.written == Some(revision))
            }
        };
        if !holds {
            return Err(Refusal::Precondition(i));
        }
    }
    let mut next = state.clone();
    let mut results = Vec::new();
    for (i, operation) in transaction.operations.iter().enumerate() {
        match operation {
            Operation::Put(object) => {
                let outcome = match next.get(&object.object_ref()) {
                    None => Outcome::Created,
                    Some(held) if held.object == *object => Outcome::Unchanged,
                    Some(_) => Outcome::Configured,
                };
                put(state, &mut next, object.clone(), &transaction.source);
                results.push((object.object_ref(), outcome, i));
            }
            Operation::Delete(name) => {
                let outcome = match next.remove(name) {
                    Some(_) => Outcome::Deleted,
                    None => Outcome::NotFound,
                };
                results.push((name.clone(), outcome, i));
            }
            Operation::PatchLabels(patch) => {
                if patch.set.iter().any(|(key, _)| patch.remove.contains(key)) {
                    return Err(Refusal::Contradiction(i));
                }
                for name in targets(&next, &patch.target).ok_or(Refusal::NotFound(i))? {
                    let before = &next[&name].object;
                    let mut object = before.clone();
                    if !relabel(&mut object, patch) {
                        return Err(Refusal::Conflict(i, name));
                    }
                    if object == *before {
                        results.push((name, Outcome::Unchanged, i));
                    } else {
                        put(state, &mut next, object, &transaction.source);
                        results.push((name, Outcome::Configured, i));
                    }
                }
            }
        }
    }
    // What is at last what it was, object and source, has not been written.
    for (name, held) in &mut next {
        if let Some(before) = state.get(name)
            && (&before.object, &before.source) == (&held.object, &held.source)
        {
            held.written = before.written;
        }
    }
    let gone = state.keys().filter(|name| !next.contains_key(name));
    let changed = next
        .iter()
        .filter(|(name, held)| state.get(name) != Some(held));
    let mut changes: Vec<Change> = gone
        .map(|name| Change::Delete(name.clone()))
        .chain(changed.map(|(_, held)| Change::Put(held.object.clone())))
        .collect();
    changes.sort_by_key(Change::object_ref);
    *state = next;
    Ok(Expected { results, changes })
}

/// A writer without a name leaves an object whose it was before the transaction.
fn put(before: &State, next: &mut State, object: Object, source: &SmolStr) {
    let name = object.object_ref();
    let source = match before.get(&name) {
        Some(held) if source.is_empty() => held.source.clone(),
        _ => source.clone(),
    };
    let held = Held {
        object,
        source,
        written: None,
    };
    next.insert(name, held);
}

/// What a patch is applied to, in order; `None` if it names an object that is not there.
fn targets(state: &State, target: &PatchTarget) -> Option<Vec<ObjectRef>> {
    match target {
        PatchTarget::Object(name) => state.contains_key(name).then(|| vec![name.clone()]),
        PatchTarget::Selector {
            kind,
            namespaces,
            selector,
        } => Some(
            state
                .iter()
                .filter(|(name, held)| {
                    name.kind == *kind
                        && (namespaces.is_empty() || namespaces.contains(&name.name.namespace))
                        && selector.matches(held.object.labels())
                })
                .map(|(name, _)| name.clone())
                .collect(),
        ),
    }
}

/// Sets and removes; false if a label has another value and may not be overwritten.
fn relabel(object: &mut Object, patch: &LabelPatch) -> bool {
    let labels = object.labels_mut();
    let wanted: BTreeMap<_, _> = patch.set.iter().cloned().collect();
    for (key, value) in wanted {
        if !patch.overwrite && labels.get(key.as_str()).is_some_and(|old| *old != value) {
            return false;
        }
        labels.insert(key, value);
    }
    for key in &patch.remove {
        labels.remove(key.as_str());
    }
    true
}
