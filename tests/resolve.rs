//! From what a client asks for to each object's final state: preconditions, and label patches by
//! kubectl's rules.

mod support;

use selectord::engine::{Outcome, Resolution, ResolveError, ResolveLimits};
use selectord::model::{Expectation, Kind, PatchTarget, Precondition, Transaction};

use support::build::*;
use support::resolving::*;

#[allow(clippy::result_large_err, reason = "as the engine has it")]
fn resolve(transaction: Transaction) -> Result<Resolution, ResolveError> {
    engine().resolve(transaction, LIMITS)
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
    assert_eq!(
        outcomes(&resolution),
        expected.map(|(object, outcome, i)| (object.to_owned(), outcome, i))
    );
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
    let at = |object: &str, expect| Precondition {
        object: reference(Kind::Pod, object),
        expect,
    };
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
        let transaction = Transaction {
            preconditions: vec![precondition.clone()],
            ..asked(operations)
        };
        match resolve(transaction) {
            Ok(_) => assert!(holds, "{precondition:?}"),
            Err(ResolveError::PreconditionFailed {
                index: 0, object, ..
            }) => {
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
        (
            patched(of_pod("ns/a"), &["new=1"]),
            Ok("app=x,new=1,tier=front"),
        ),
        (
            patched(of_pod("ns/a"), &["new="]),
            Ok("app=x,new=,tier=front"),
        ),
        (
            patched(of_pod("ns/a"), &["app=x", "new=1"]),
            Ok("app=x,new=1,tier=front"),
        ),
        (patched(of_pod("ns/a"), &["app=y"]), Err("conflict")),
        (
            overwriting(of_pod("ns/a"), &["app=y"]),
            Ok("app=y,tier=front"),
        ),
        (patched(of_pod("ns/a"), &["tier-"]), Ok("app=x")),
        (patched(of_pod("ns/a"), &["tier-", "absent-"]), Ok("app=x")),
        (
            patched(of_pod("ns/a"), &["new=1", "tier-"]),
            Ok("app=x,new=1"),
        ),
        (
            patched(of_pod("ns/a"), &["tier=back", "tier-"]),
            Err("contradiction"),
        ),
        (
            overwriting(of_pod("ns/a"), &["tier=back", "tier-"]),
            Err("contradiction"),
        ),
        (
            patched(of_pod("ns/a"), &["new=1", "new=2"]),
            Ok("app=x,new=2,tier=front"),
        ),
        (patched(of_pod("ns/nobody"), &["new=1"]), Err("not found")),
    ] {
        let found = match resolve(asked([operation.clone()])) {
            Ok(resolution) => Ok(labels_of(&resolution.transaction).join("; ")),
            Err(ResolveError::LabelConflict {
                key, have, want, ..
            }) => {
                assert_eq!(
                    (key.as_str(), have.as_str(), want.as_str()),
                    ("app", "x", "y")
                );
                Err("conflict")
            }
            Err(ResolveError::PatchContradicts { key, .. }) => {
                assert_eq!(key.as_str(), "tier");
                Err("contradiction")
            }
            Err(ResolveError::NotFound { operation: 0, .. }) => Err("not found"),
            Err(other) => panic!("{operation:?}: {other}"),
        };
        assert_eq!(
            found,
            expected.map(|labels| format!("pod ns/a: {labels}")),
            "{operation:?}"
        );
    }
}

#[test]
fn services_and_nodes_are_labelled_too() {
    for (kind, object, selector) in [
        (Kind::Service, "ns/web", "team=red"),
        (Kind::Node, "n", "disk"),
    ] {
        for target in [
            PatchTarget::Object(reference(kind, object)),
            all_matching(kind, selector),
        ] {
            let resolution = resolve(asked([patched(target, &["new=1"])])).expect("it is there");
            assert_eq!(
                outcomes(&resolution),
                [(format!("{kind} {object}"), Outcome::Configured, 0)]
            );
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
    assert_eq!(
        labels_of(&resolution.transaction),
        ["pod ns/a: app=x,on=1,tier=front", "pod ns/b: app=x,on=1"]
    );
    let resolution =
        resolve(asked([patched(target("other"), &["on=1"])])).expect("nothing is wrong");
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
        [
            "pod ns/a: off=1,tier=front",
            "pod ns/b is deleted",
            "pod ns/c: again=1,app=x,on=1"
        ]
    );
}

#[test]
fn one_conflict_refuses_a_patch_of_many() {
    let refused = resolve(asked([patched(
        all_matching(Kind::Pod, "app=x"),
        &["tier=back"],
    )]));
    let Err(ResolveError::LabelConflict {
        operation: 0,
        object,
        ..
    }) = refused
    else {
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
        let limits = ResolveLimits {
            max_operations,
            max_labels: 3,
        };
        engine.resolve(transaction, limits)
    };
    assert!(resolve(4).is_ok(), "one pod put, three patched");
    assert!(matches!(
        resolve(3),
        Err(ResolveError::TooManyOperations { limit: 3 })
    ));
}

#[test]
fn the_limit_of_labels_counts_what_an_object_ends_with() {
    let engine = engine();
    let resolve = |max_labels: usize| {
        let limits = ResolveLimits {
            max_labels,
            ..LIMITS
        };
        let patch = patched(of_pod("ns/a"), &["one=1", "two=2"]);
        engine.resolve(asked([patch]), limits)
    };
    assert!(resolve(4).is_ok(), "two it had, two more");
    assert!(matches!(
        resolve(3),
        Err(ResolveError::TooManyLabels {
            labels: 4,
            limit: 3,
            ..
        })
    ));
}

#[test]
fn the_source_of_a_transaction_goes_with_it() {
    let transaction = Transaction {
        source: "east".into(),
        ..asked([put_op(pod("ns/c"))])
    };
    let resolution = resolve(transaction).expect("nothing is wrong");
    assert_eq!(resolution.transaction.source(), "east");
}

/// Whose an object is: whoever put it last under a name.
#[test]
fn an_object_put_again_by_another_source_is_written() {
    let engine = engine();
    let put_by = |source: &str| {
        let transaction = Transaction {
            source: source.into(),
            ..asked([put_op(pod("ns/b").label("app", "x"))])
        };
        engine
            .resolve(transaction, LIMITS)
            .expect("nothing is wrong")
    };
    assert!(put_by("").transaction.is_empty());
    let by_east = put_by("east");
    assert_eq!(
        outcomes(&by_east),
        [("pod ns/b".to_owned(), Outcome::Unchanged, 0)]
    );
    assert_eq!(labels_of(&by_east.transaction), ["pod ns/b: app=x"]);
}

#[test]
fn labels_of_hand_made_endpoints_are_not_patched() {
    for target in [
        all_matching(Kind::Endpoints, ""),
        PatchTarget::Object(reference(Kind::EndpointSlice, "ns/by-hand")),
    ] {
        let refused = resolve(asked([patched(target, &["on=1"])]));
        assert!(
            matches!(
                refused,
                Err(ResolveError::KindNotPatchable { operation: 0, .. })
            ),
            "{refused:?}"
        );
    }
}
