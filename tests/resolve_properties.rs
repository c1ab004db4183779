//! Random transactions, in groups, against a model that does one thing after the other to a map.

mod support;

use std::collections::BTreeMap;

use selectord::engine::{Engine, EngineOptions, Outcome, ResolveError, ResolveLimits, Resolver};
use selectord::model::{
    Change, Expectation, Kind, LabelPatch, Object, ObjectName, ObjectRef, Operation, PatchTarget,
    Precondition, ResolvedTransaction, Revision, Transaction,
};

use smol_str::SmolStr;

use support::build::{key, value};
use support::generate::{self, Mix, World};
use support::oracle::Within;
use support::random::{Random, seeds};
use support::shrink::check_or_shrink;

/// Transactions that are resolved together, and applied only then.
type Group = Vec<Transaction>;

#[test]
fn resolves_as_the_model_does() {
    for seed in seeds(40_000, 8) {
        let mut random = Random::new(seed);
        let mut world = World::new(
            seed,
            Mix {
                pods: 60,
                services: 20,
                nodes: 15,
                manuals: 5,
                changes: 3,
                turnover: 30,
            },
        );
        let groups: Vec<Group> = (0..300)
            .map(|_| {
                (0..random.between(1, 4))
                    .map(|_| transaction(&mut random, &mut world))
                    .collect()
            })
            .collect();
        check_or_shrink(seed, groups, agrees);
    }
}

fn transaction(random: &mut Random, world: &mut World) -> Transaction {
    let mut operations = Vec::new();
    for _ in 0..random.between(1, 3) {
        if random.chance(45) {
            operations.push(Operation::PatchLabels(label_patch(random)));
        } else if random.chance(25) && !world.objects().is_empty() {
            // As it was put before, which it may still be.
            let objects: Vec<&Object> = world.objects().values().collect();
            operations.push(Operation::Put(random.pick(&objects).clone()));
        } else {
            let (changes, _) = world.transaction().into_parts();
            operations.extend(changes.into_iter().map(|change| match change {
                Change::Put(object) => Operation::Put(object),
                Change::Delete(object) => Operation::Delete(object),
            }));
        }
    }
    let preconditions = if random.chance(25) {
        vec![precondition(random)]
    } else {
        Vec::new()
    };
    Transaction {
        preconditions,
        operations,
        source: random.pick(&["", "east", "west"]).into(),
    }
}

fn some_object(random: &mut Random) -> ObjectRef {
    match random.below(4) {
        0 => ObjectRef::new(Kind::Service, generate::service_name(random)),
        1 => ObjectRef::new(Kind::Node, ObjectName::cluster(random.pick(&["n0", "n1"]))),
        _ => ObjectRef::new(Kind::Pod, generate::pod_name(random)),
    }
}

/// Preconditions on revisions are written as 0, the present one or the next to come, and others, an
/// earlier one; this says which revision it is.
fn dated(mut transaction: Transaction, state: &State, head: Revision) -> Transaction {
    for precondition in &mut transaction.preconditions {
        if let Expectation::Revision(earlier) = precondition.expect {
            let written = state
                .get(&precondition.object)
                .and_then(|held| held.written);
            let present = written.unwrap_or(head + 1);
            precondition.expect = Expectation::Revision(present.saturating_sub(earlier));
        }
    }
    transaction
}

fn precondition(random: &mut Random) -> Precondition {
    let expect = match random.below(4) {
        0 => Expectation::Exists,
        1 => Expectation::Absent,
        _ => Expectation::Revision(random.below(3) as Revision),
    };
    Precondition {
        object: some_object(random),
        expect,
    }
}

fn label_patch(random: &mut Random) -> LabelPatch {
    let target = if random.chance(30) {
        PatchTarget::Object(some_object(random))
    } else {
        let namespaces = match generate::within(random) {
            Within::All => Vec::new(),
            Within::Only(namespaces) => namespaces,
        };
        let kind = random.weighted(&[(5, Kind::Pod), (1, Kind::Service), (1, Kind::Node)]);
        let namespaces = if kind == Kind::Node {
            Vec::new()
        } else {
            namespaces
        };
        PatchTarget::Selector {
            kind,
            namespaces,
            selector: generate::selector(random),
        }
    };
    let mut set = Vec::new();
    let mut remove = Vec::new();
    for label in ["app", "tier", "x.io/on"] {
        match random.below(6) {
            0 => set.push((key(label), value(random.pick(&["web", "front", ""])))),
            1 => remove.push(key(label)),
            _ => {}
        }
    }
    if random.chance(5) {
        set.push((key("app"), value("api")));
    }
    LabelPatch {
        target,
        set,
        remove,
        overwrite: random.chance(60),
    }
}

/// An object, whose it is, and the revision that wrote it; none while its group is not applied.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    object: Object,
    source: SmolStr,
    written: Option<Revision>,
}

type State = BTreeMap<ObjectRef, Held>;

fn agrees(groups: &[Group]) -> Result<(), String> {
    let mut engine = Engine::new(EngineOptions::default());
    let mut state = State::new();
    for (g, group) in groups.iter().enumerate() {
        let mut resolver = Resolver::new(
            &engine,
            ResolveLimits {
                max_operations: 10_000,
                max_labels: 256,
            },
        );
        let mut accepted = Vec::new();
        for (t, transaction) in group.iter().enumerate() {
            let at = format!("group {g}, transaction {t}");
            let transaction = dated(transaction.clone(), &state, engine.head());
            let found = resolver.resolve(transaction.clone());
            match (found, model(&mut state, &transaction)) {
                (Ok(found), Ok(expected)) => {
                    let results: Vec<_> = found
                        .results
                        .into_iter()
                        .map(|result| (result.object, result.outcome, result.operation))
                        .collect();
                    if results != expected.results {
                        return Err(format!(
                            "{at}: results\n  engine: {results:?}\n  model: {:?}",
                            expected.results
                        ));
                    }
                    if found.transaction.changes() != expected.changes {
                        return Err(format!(
                            "{at}: changes\n  engine: {:?}\n  model: {:?}",
                            found.transaction.changes(),
                            expected.changes
                        ));
                    }
                    if !found.transaction.is_empty() {
                        accepted.push(found.transaction);
                    }
                }
                (Err(found), Err(expected)) if is(&found, &expected) => {}
                (found, expected) => {
                    return Err(format!("{at}: engine: {found:?}\n  model: {expected:?}"));
                }
            }
        }
        apply(&mut engine, &mut state, accepted)?;
    }
    Ok(())
}

/// Applies a group, and learns its revisions.
fn apply(
    engine: &mut Engine,
    state: &mut State,
    group: Vec<ResolvedTransaction>,
) -> Result<(), String> {
    for transaction in group {
        let revision = engine.head() + 1;
        for change in transaction.changes() {
            if let Some(held) = state.get_mut(&change.object_ref()) {
                held.written = Some(revision);
            }
        }
        engine
            .apply(revision, transaction)
            .map_err(|e| e.to_string())?;
    }
    for (object, expected) in state {
        let found = engine.get(object).map(|stored| Held {
            object: stored.object,
            source: stored.source,
            written: Some(stored.revision),
        });
        if found.as_ref() != Some(expected) {
            return Err(format!(
                "{object}\n  engine: {found:?}\n  model: {expected:?}"
            ));
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Expected {
    results: Vec<(ObjectRef, Outcome, usize)>,
    /// Ordered by kind and name.
    changes: Vec<Change>,
}

/// Why the model refuses.
#[derive(Debug, PartialEq)]
enum Refusal {
    Precondition(usize),
    NotFound(usize),
    Conflict(usize, ObjectRef),
    Contradiction(usize),
}

fn is(found: &ResolveError, expected: &Refusal) -> bool {
    let found = match found {
        ResolveError::PreconditionFailed { index, .. } => Refusal::Precondition(*index),
        ResolveError::NotFound { operation, .. } => Refusal::NotFound(*operation),
        ResolveError::LabelConflict {
            operation, object, ..
        } => Refusal::Conflict(*operation, object.clone()),
        ResolveError::PatchContradicts { operation, .. } => Refusal::Contradiction(*operation),
        _ => return false,
    };
    found == *expected
}

/// Does what the transaction says, unless something in it is wrong.
fn model(state: &mut State, transaction: &Transaction) -> Result<Expected, Refusal> {
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
