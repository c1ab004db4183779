//! From what a client asks for to each object's final state: preconditions, label patches by
//! kubectl's rules, and later transactions of a group that see the earlier ones.

mod support;

use selectord::engine::{Engine, EngineOptions, ObjectResult, Outcome, Resolution, ResolveError, ResolveLimits, Resolver};
use selectord::model::{
    Change, Expectation, Kind, LabelPatch, Object, Operation, PatchTarget, Precondition,
    ResolvedTransaction, Transaction,
};

use support::build::*;

const LIMITS: ResolveLimits = ResolveLimits { max_operations: 1_000 };

/// An engine with two pods, a service and a node, written at revision 1.
fn engine() -> Engine {
    let mut engine = Engine::new(EngineOptions::default());
    let objects = [
        put(pod("ns/a").label("app", "x").label("tier", "front")),
        put(pod("ns/b").label("app", "x")),
        put(service("ns/web").selects("app=x").label("team", "red")),
        put(node("n").label("disk", "fast")),
    ];
    engine.apply(1, resolved(objects)).expect("it is the first");
    engine
}

fn resolve(transaction: Transaction) -> Result<Resolution, ResolveError> {
    Resolver::new(&engine(), LIMITS).resolve(transaction)
}

fn outcomes(resolution: &Resolution) -> Vec<(String, Outcome, usize)> {
    let told = |result: &ObjectResult| (result.object.to_string(), result.outcome, result.operation);
    resolution.results.iter().map(told).collect()
}

fn of_pod(text: &str) -> PatchTarget {
    PatchTarget::Object(reference(Kind::Pod, text))
}

fn patched(target: PatchTarget, changes: &[&str]) -> Operation {
    Operation::PatchLabels(patch(target, changes))
}

fn overwriting(target: PatchTarget, changes: &[&str]) -> Operation {
    Operation::PatchLabels(LabelPatch { overwrite: true, ..patch(target, changes) })
}

/// The labels that the objects of a transaction are left with.
fn labels_of(transaction: &ResolvedTransaction) -> Vec<String> {
    let labels = transaction.changes().iter().map(|change| match change {
        Change::Put(object) => format!("{}: {}", object.object_ref(), object.labels()),
        Change::Delete(object) => format!("{object} is deleted"),
    });
    labels.collect()
}

#[test]
fn says_of_each_object_what_becomes_of_it() {
    let resolution = resolve(asked([
        put_op(pod("ns/c")),
        put_op(pod("ns/b").label("app", "y")),
        put_op(node("n").label("disk", "fast")),
        delete_op(Kind::Pod, "ns/a"),
        delete_op(Kind::Pod, "ns/nobody"),
    ]))
    .expect("nothing is wrong");
    let expected = [
        ("pod ns/c", Outcome::Created, 0),
        ("pod ns/b", Outcome::Configured, 1),
        ("node n", Outcome::Unchanged, 2),
        ("pod ns/a", Outcome::Deleted, 3),
        ("pod ns/nobody", Outcome::NotFound, 4),
    ];
    assert_eq!(outcomes(&resolution), expected.map(|(object, outcome, i)| (object.to_owned(), outcome, i)));
    assert_eq!(
        labels_of(&resolution.transaction),
        ["pod ns/a is deleted", "pod ns/b: app=y", "pod ns/c: "]
    );
}

#[test]
fn what_changes_nothing_is_no_transaction() {
    let resolution = resolve(asked([
        put_op(pod("ns/b").label("app", "x")),
        delete_op(Kind::Pod, "ns/nobody"),
        patched(of_pod("ns/a"), &["app=x", "absent-"]),
        patched(all_matching(Kind::Pod, "app=nobody"), &["app=y"]),
    ]))
    .expect("nothing is wrong");
    assert!(resolution.transaction.is_empty());
}

#[test]
fn preconditions_look_at_the_state_before() {
    let at = |object: &str, expect| Precondition { object: reference(Kind::Pod, object), expect };
    for (precondition, holds) in [
        (at("ns/a", Expectation::Exists), true),
        (at("ns/nobody", Expectation::Exists), false),
        (at("ns/nobody", Expectation::Absent), true),
        (at("ns/a", Expectation::Absent), false),
        (at("ns/a", Expectation::Revision(1)), true),
        (at("ns/a", Expectation::Revision(2)), false),
        (at("ns/nobody", Expectation::Revision(1)), false),
    ] {
        // The operation itself would change the answer.
        let operations = [delete_op(Kind::Pod, "ns/a"), put_op(pod("ns/nobody"))];
        let transaction = Transaction { preconditions: vec![precondition.clone()], ..asked(operations) };
        match resolve(transaction) {
            Ok(_) => assert!(holds, "{precondition:?}"),
            Err(ResolveError::PreconditionFailed { index: 0, object, .. }) => {
                assert!(!holds, "{precondition:?}");
                assert_eq!(object, precondition.object);
            }
            Err(other) => panic!("{precondition:?}: {other}"),
        }
    }
}

#[test]
fn every_rule_of_kubectl_label() {
    // Pod ns/a is labelled app=x,tier=front.
    for (operation, expected) in [
        (patched(of_pod("ns/a"), &["new=1"]), Ok("app=x,new=1,tier=front")),
        (patched(of_pod("ns/a"), &["new="]), Ok("app=x,new=,tier=front")),
        (patched(of_pod("ns/a"), &["app=x", "new=1"]), Ok("app=x,new=1,tier=front")),
        (patched(of_pod("ns/a"), &["app=y"]), Err("conflict")),
        (overwriting(of_pod("ns/a"), &["app=y"]), Ok("app=y,tier=front")),
        (patched(of_pod("ns/a"), &["tier-"]), Ok("app=x")),
        (patched(of_pod("ns/a"), &["tier-", "absent-"]), Ok("app=x")),
        (patched(of_pod("ns/a"), &["new=1", "tier-"]), Ok("app=x,new=1")),
        (patched(of_pod("ns/a"), &["tier=back", "tier-"]), Err("contradiction")),
        (overwriting(of_pod("ns/a"), &["tier=back", "tier-"]), Err("contradiction")),
        (patched(of_pod("ns/a"), &["new=1", "new=2"]), Ok("app=x,new=2,tier=front")),
        (patched(of_pod("ns/nobody"), &["new=1"]), Err("not found")),
    ] {
        let found = match resolve(asked([operation.clone()])) {
            Ok(resolution) => Ok(labels_of(&resolution.transaction).join("; ")),
            Err(ResolveError::LabelConflict { key, have, want, .. }) => {
                assert_eq!((key.as_str(), have.as_str(), want.as_str()), ("app", "x", "y"));
                Err("conflict")
            }
            Err(ResolveError::PatchContradicts { key, .. }) => {
                assert_eq!(key.as_str(), "tier");
                Err("contradiction")
            }
            Err(ResolveError::NotFound { operation: 0, .. }) => Err("not found"),
            Err(other) => panic!("{operation:?}: {other}"),
        };
        assert_eq!(found, expected.map(|labels| format!("pod ns/a: {labels}")), "{operation:?}");
    }
}

#[test]
fn services_and_nodes_are_labelled_too() {
    for (kind, object, selector) in [(Kind::Service, "ns/web", "team=red"), (Kind::Node, "n", "disk")] {
        for target in [PatchTarget::Object(reference(kind, object)), all_matching(kind, selector)] {
            let resolution = resolve(asked([patched(target, &["new=1"])])).expect("it is there");
            assert_eq!(outcomes(&resolution), [(format!("{kind} {object}"), Outcome::Configured, 0)]);
        }
    }
}

#[test]
fn a_selector_is_answered_in_the_namespaces_given() {
    let target = |namespace: &str| PatchTarget::Selector {
        kind: Kind::Pod,
        namespaces: vec![namespace.into()],
        selector: selector("app=x"),
    };
    let resolution = resolve(asked([patched(target("ns"), &["on=1"])])).expect("nothing is wrong");
    assert_eq!(labels_of(&resolution.transaction), ["pod ns/a: app=x,on=1,tier=front", "pod ns/b: app=x,on=1"]);
    let resolution = resolve(asked([patched(target("other"), &["on=1"])])).expect("nothing is wrong");
    assert!(resolution.transaction.is_empty());
}

#[test]
fn operations_see_those_before_them() {
    let resolution = resolve(asked([
        put_op(pod("ns/c").label("app", "x")),
        delete_op(Kind::Pod, "ns/b"),
        patched(of_pod("ns/a"), &["app-"]),
        patched(all_matching(Kind::Pod, "app=x"), &["on=1"]),
        patched(all_matching(Kind::Pod, "!app"), &["off=1"]),
        patched(all_matching(Kind::Pod, "on"), &["again=1"]),
    ]))
    .expect("nothing is wrong");
    assert_eq!(
        labels_of(&resolution.transaction),
        ["pod ns/a: off=1,tier=front", "pod ns/b is deleted", "pod ns/c: again=1,app=x,on=1"]
    );
}

#[test]
fn a_group_sees_its_earlier_transactions() {
    let engine = engine();
    let mut group = Resolver::new(&engine, LIMITS);
    let mut next = |operation: Operation| {
        let resolution = group.resolve(asked([operation])).expect("nothing is wrong");
        labels_of(&resolution.transaction)
    };
    assert_eq!(next(put_op(pod("ns/c").label("app", "x"))), ["pod ns/c: app=x"]);
    assert_eq!(next(delete_op(Kind::Pod, "ns/b")), ["pod ns/b is deleted"]);
    assert_eq!(
        next(patched(all_matching(Kind::Pod, "app=x"), &["on=1"])),
        ["pod ns/a: app=x,on=1,tier=front", "pod ns/c: app=x,on=1"]
    );
    assert!(next(patched(all_matching(Kind::Pod, "app=x"), &["on=1"])).is_empty());
    assert!(next(delete_op(Kind::Pod, "ns/b")).is_empty());
}

#[test]
fn preconditions_of_a_group_look_at_its_earlier_transactions() {
    let engine = engine();
    let mut group = Resolver::new(&engine, LIMITS);
    group.resolve(asked([put_op(pod("ns/a").label("app", "y"))])).expect("nothing is wrong");
    group.resolve(asked([delete_op(Kind::Pod, "ns/b")])).expect("nothing is wrong");
    let mut holds = |object: &str, expect| {
        let preconditions = vec![Precondition { object: reference(Kind::Pod, object), expect }];
        group.resolve(Transaction { preconditions, ..Transaction::default() }).is_ok()
    };
    assert!(holds("ns/a", Expectation::Exists));
    assert!(!holds("ns/a", Expectation::Revision(1)), "an earlier transaction of the group wrote it");
    assert!(holds("ns/b", Expectation::Absent));
    assert!(!holds("ns/b", Expectation::Exists));
}

#[test]
fn a_refused_transaction_leaves_no_trace() {
    let engine = engine();
    let mut group = Resolver::new(&engine, LIMITS);
    let refused = group.resolve(asked([
        put_op(pod("ns/c").label("app", "x")),
        delete_op(Kind::Pod, "ns/b"),
        patched(all_matching(Kind::Pod, "app=x"), &["on=1"]),
        patched(of_pod("ns/nobody"), &["on=1"]),
    ]));
    assert!(matches!(refused, Err(ResolveError::NotFound { operation: 3, .. })), "{refused:?}");
    let resolution = group
        .resolve(asked([patched(all_matching(Kind::Pod, "app=x"), &["seen=1"])]))
        .expect("nothing is wrong");
    assert_eq!(
        labels_of(&resolution.transaction),
        ["pod ns/a: app=x,seen=1,tier=front", "pod ns/b: app=x,seen=1"]
    );
}

#[test]
fn one_conflict_refuses_a_patch_of_many() {
    let refused = resolve(asked([patched(all_matching(Kind::Pod, "app=x"), &["tier=back"])]));
    let Err(ResolveError::LabelConflict { operation: 0, object, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(object, reference(Kind::Pod, "ns/a"));
}

#[test]
fn the_limit_counts_resolved_operations() {
    let engine = engine();
    let resolve = |max_operations: usize| {
        let transaction = asked([
            put_op(pod("ns/c").label("app", "x")),
            patched(all_matching(Kind::Pod, "app=x"), &["on=1"]),
        ]);
        Resolver::new(&engine, ResolveLimits { max_operations }).resolve(transaction)
    };
    assert!(resolve(4).is_ok(), "one pod put, three patched");
    assert!(matches!(resolve(3), Err(ResolveError::TooManyOperations { limit: 3 })));
}

#[test]
fn an_invalid_object_is_refused_with_every_reason() {
    let bad = service("ns/Web").ports(vec![port("UP", 0, selectord::model::TargetPort::Number(0))]);
    let refused = resolve(asked([put_op(pod("ns/c")), put_op(bad.clone())]));
    let Err(ResolveError::Invalid { operation: 1, object, errors }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(object, Object::Service(Box::new(bad)).object_ref());
    let mut paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        ["metadata.name", "spec.ports[0].name", "spec.ports[0].port", "spec.ports[0].targetPort"]
    );
}

#[test]
fn the_source_of_a_transaction_goes_with_it() {
    let transaction = Transaction { source: "east".into(), ..asked([put_op(pod("ns/c"))]) };
    let resolution = resolve(transaction).expect("nothing is wrong");
    assert_eq!(resolution.transaction.source(), "east");
}
