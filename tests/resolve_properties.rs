//! Random transactions, in groups, against a model that does one thing after the other to a map.

mod support;

use selectord::engine::{Engine, EngineOptions, ResolveError, ResolveLimits, Resolver};
use selectord::model::{
    Change, Expectation, Kind, LabelPatch, Object, ObjectName, ObjectRef, Operation, PatchTarget,
    Pod, Precondition, ResolvedTransaction, Revision, Transaction,
};

use support::build::{key, value};
use support::generate::{self, Mix, World};
use support::oracle::Within;
use support::random::{Random, seeds};
use support::resolve_model::{Held, Refusal, State, model};
use support::shrink::check_or_shrink;

/// Transactions that are resolved together, and applied only then.
type Group = Vec<Transaction>;

const MIX: Mix = Mix {
    pods: 60,
    services: 20,
    nodes: 15,
    manuals: 5,
    changes: 3,
    turnover: 30,
};

#[test]
fn resolves_as_the_model_does() {
    for seed in seeds(40_000, 8) {
        let mut random = Random::new(seed);
        let mut world = World::new(seed, MIX);
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

/// As many operations at once as are looked up in several goes.
#[test]
fn many_operations_resolve_as_the_model_does() {
    for seed in seeds(50_000, 4) {
        let mut random = Random::new(seed);
        let mut world = World::new(seed, MIX);
        let mut large = || {
            let mut operations: Vec<_> = (0..100).map(|i| one_of_many(&mut random, i)).collect();
            while operations.len() < 250 {
                let few = transaction(&mut random, &mut world).operations;
                operations.extend(few.into_iter().filter(is_never_refused));
            }
            Transaction {
                operations,
                ..Transaction::default()
            }
        };
        let groups: Vec<Group> = (0..4).map(|_| vec![large()]).collect();
        let mut state = State::new();
        for transaction in groups.iter().flatten() {
            assert!(model(&mut state, transaction).is_ok(), "seed {seed}");
        }
        check_or_shrink(seed, groups, agrees);
    }
}

/// What is done to a pod that nothing else names.
fn one_of_many(random: &mut Random, number: usize) -> Operation {
    let name = ObjectName::new("default", format!("many-{number}"));
    if random.chance(30) {
        return Operation::Delete(ObjectRef::new(Kind::Pod, name));
    }
    Operation::Put(Object::Pod(Box::new(Pod {
        name,
        ..Pod::default()
    })))
}

fn is_never_refused(operation: &Operation) -> bool {
    match operation {
        Operation::PatchLabels(patch) => {
            let contradicts = patch.set.iter().any(|(key, _)| patch.remove.contains(key));
            let matching = matches!(patch.target, PatchTarget::Selector { .. });
            matching && patch.overwrite && !contradicts
        }
        _ => true,
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
        for (t, transaction) in group.iter().enumerate() {
            let at = format!("group {g}, transaction {t}");
            let transaction = dated(transaction.clone(), &state, engine.head());
            let before = resolver.transactions().len();
            let found = resolver.resolve(transaction.clone());
            match (found, model(&mut state, &transaction)) {
                (Ok(found), Ok(expected)) => {
                    let results: Vec<_> = found
                        .into_iter()
                        .map(|result| (result.object, result.outcome, result.operation))
                        .collect();
                    if results != expected.results {
                        return Err(format!(
                            "{at}: results\n  engine: {results:?}\n  model: {:?}",
                            expected.results
                        ));
                    }
                    let changes = resolver
                        .transactions()
                        .get(before)
                        .map(|transaction| transaction.changes())
                        .unwrap_or_default();
                    if changes != expected.changes {
                        return Err(format!(
                            "{at}: changes\n  engine: {changes:?}\n  model: {:?}",
                            expected.changes
                        ));
                    }
                }
                (Err(found), Err(expected)) if is(&found, &expected) => {}
                (found, expected) => {
                    return Err(format!("{at}: engine: {found:?}\n  model: {expected:?}"));
                }
            }
        }
        let accepted = resolver.into_transactions();
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
