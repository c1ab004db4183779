//! Transactions that are resolved together: each sees those before it, none sees one that was refused.

mod support;

use selectord::engine::{ResolveError, Resolver};
use selectord::model::{Expectation, Kind, Operation, Precondition, Transaction};

use support::build::*;
use support::resolving::*;

#[test]
fn a_group_sees_its_earlier_transactions() {
    let engine = engine();
    let mut group = Resolver::new(&engine, LIMITS);
    let mut next = |operation: Operation| {
        let before = group.transactions().len();
        group.resolve(asked([operation])).expect("nothing is wrong");
        let new = group.transactions().get(before);
        new.map(labels_of).unwrap_or_default()
    };
    assert_eq!(
        next(put_op(pod("ns/c").label("app", "x"))),
        ["pod ns/c: app=x"]
    );
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
    group
        .resolve(asked([put_op(pod("ns/a").label("app", "y"))]))
        .expect("nothing is wrong");
    group
        .resolve(asked([delete_op(Kind::Pod, "ns/b")]))
        .expect("nothing is wrong");
    let mut holds = |object: &str, expect| {
        let preconditions = vec![Precondition {
            object: reference(Kind::Pod, object),
            expect,
        }];
        group
            .resolve(Transaction {
                preconditions,
                ..Transaction::default()
            })
            .is_ok()
    };
    assert!(holds("ns/a", Expectation::Exists));
    assert!(
        !holds("ns/a", Expectation::Revision(1)),
        "an earlier transaction of the group wrote it"
    );
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
    assert!(
        matches!(refused, Err(ResolveError::NotFound { operation: 3, .. })),
        "{refused:?}"
    );
    group
        .resolve(asked([patched(
            all_matching(Kind::Pod, "app=x"),
            &["seen=1"],
        )]))
        .expect("nothing is wrong");
    assert_eq!(
        group
            .transactions()
            .iter()
            .flat_map(labels_of)
            .collect::<Vec<_>>(),
        [
            "pod ns/a: app=x,seen=1,tier=front",
            "pod ns/b: app=x,seen=1"
        ]
    );
}

/// What an earlier transaction of the group mentioned and left as it was has still its revision.
#[test]
fn an_unchanged_object_keeps_its_revision_within_a_group() {
    let engine = engine();
    let mut group = Resolver::new(&engine, LIMITS);
    group
        .resolve(asked([put_op(pod("ns/b").label("app", "x"))]))
        .expect("nothing is wrong");
    let preconditions = vec![Precondition {
        object: reference(Kind::Pod, "ns/b"),
        expect: Expectation::Revision(1),
    }];
    let found = group.resolve(Transaction {
        preconditions,
        ..Transaction::default()
    });
    assert!(found.is_ok(), "{found:?}");
}
