//! What is written, so that a loss, a half or a doubling of it is seen.
//!
//! The state of a group of objects is a function of one number: three pods that carry it, a fourth that
//! is there for odd numbers, and a service that is there for most. Each group has one writer, which
//! gives each transaction a greater number than any before, and names the revision that it replaces: a
//! transaction whose answer was lost takes effect before the next one or never.

use std::collections::BTreeSet;

use selectord::engine::{Scope, ServiceScope, View};
use selectord::model::{
    Expectation, Kind, ObjectName, Operation, Precondition, Revision, Transaction,
};

use crate::support::build::{
    BuildPod as _, BuildService as _, Labelled as _, all_matching, asked, delete_op, key, name,
    node, patch, pod, put_op, reference, selector, service, value,
};

/// Groups of one writer.
pub const GROUPS: usize = 30;
/// Pods that several writers label, all at once.
pub const SHARED: usize = 12;

/// A group: whose it is, and which of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub writer: usize,
    pub index: usize,
}

impl Group {
    fn named(self, suffix: &str) -> String {
        format!("w{}/g{}{suffix}", self.writer, self.index)
    }

    /// The service, and the pod that carries the revision of the group.
    pub fn service(self) -> ObjectName {
        name(&self.named(""))
    }

    pub fn first_pod(self) -> ObjectName {
        name(&self.named("-a"))
    }

    /// Of all its writers.
    pub fn all(writers: usize) -> impl Iterator<Item = Group> {
        (0..writers).flat_map(Group::of)
    }

    /// Of one writer.
    pub fn of(writer: usize) -> impl Iterator<Item = Group> {
        (0..GROUPS).map(move |index| Group { writer, index })
    }

    /// Brings it to a number. Expects what it was last written at; none: that there is nothing.
    pub fn write(self, number: u64, last: Option<Revision>) -> Transaction {
        let mut operations: Vec<Operation> = members(number)
            .map(|(suffix, address)| {
                put_op(
                    pod(&self.named(suffix))
                        .label("group", &self.index.to_string())
                        .label("number", &number.to_string())
                        .uid(&number.to_string())
                        .ip(&format!("10.{}.{}.{address}", self.writer, self.index))
                        .on("n0")
                        .ready(),
                )
            })
            .collect();
        if number.is_multiple_of(2) {
            operations.push(delete_op(Kind::Pod, &self.named("-d")));
        }
        operations.push(if has_service(number) {
            let selects = format!("group={}", self.index);
            put_op(service(&self.named("")).selects(&selects))
        } else {
            delete_op(Kind::Service, &self.named(""))
        });
        let expect = last.map_or(Expectation::Absent, Expectation::Revision);
        Transaction {
            preconditions: vec![Precondition {
                object: reference(Kind::Pod, &self.named("-a")),
                expect,
            }],
            ..asked(operations)
        }
    }
}

/// Ends of the names and of the addresses of a group's pods.
pub fn members(number: u64) -> impl Iterator<Item = (&'static str, u8)> {
    let all = [("-a", 1), ("-b", 2), ("-c", 3), ("-d", 4)];
    let count = if number.is_multiple_of(2) { 3 } else { 4 };
    all.into_iter().take(count)
}

/// Whether a group of this number has its service.
pub fn has_service(number: u64) -> bool {
    number % 17 != 5
}

/// The node that all pods are on, and the pods that all writers label.
pub fn common() -> Vec<Transaction> {
    let shared = |number| pod(&format!("shared/p{number}")).label("shared", "yes");
    vec![
        asked([put_op(node("n0"))]),
        asked((0..SHARED).map(|number| put_op(shared(number)))),
    ]
}

/// Marks all shared pods at once, whatever another has marked them with.
pub fn mark(mark: &str) -> Transaction {
    let mut patch = patch(all_matching(Kind::Pod, "shared=yes"), &[]);
    patch.set.push((key("mark"), value(mark)));
    patch.overwrite = true;
    asked([Operation::PatchLabels(patch)])
}

/// What is known of a group without asking.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The newest number that was acknowledged.
    pub acknowledged: u64,
    /// Those sent after it whose fate nobody told.
    pub unknown: BTreeSet<u64>,
    /// What the next one replaces; none: it has to be looked for.
    pub last: Option<Option<Revision>>,
}

impl Account {
    /// The number that is there has to be one of those that may be.
    pub fn must_allow(&self, group: Group, number: u64) {
        assert!(
            number == self.acknowledged || self.unknown.contains(&number),
            "{group:?} is at {number}: {} was acknowledged, and after it the fate is unknown of {:?}",
            self.acknowledged,
            self.unknown
        );
    }
}

/// Fails if a view shows a part of a transaction: of each group it shows endpoints of one number, and all
/// of them.
pub fn must_be_whole(view: &View, whose: &str) {
    for (name, held) in view.services() {
        let numbers: BTreeSet<&str> = held.endpoints.values().map(|e| e.uid.as_str()).collect();
        let whole = match numbers.iter().next().map(|number| number.parse::<u64>()) {
            // The group was not written yet.
            None => true,
            Some(Ok(number)) => {
                numbers.len() == 1 && held.endpoints.len() == members(number).count()
            }
            Some(Err(_)) => false,
        };
        assert!(
            whole,
            "{whose} holds part of a transaction of {name}: {:?}",
            held.endpoints.values().collect::<Vec<_>>()
        );
    }
}

/// The scope of a subscriber of this number: one group for most, more for every tenth.
pub fn scope(number: usize, writers: usize) -> Scope {
    let of = |scope| Scope::Services(scope);
    let all: Vec<Group> = Group::all(writers).collect();
    match number % 40 {
        0 => Scope::all(),
        10 => Scope::Node("n0".into()),
        20 => of(ServiceScope {
            namespaces: [format!("w{}", number / 40 % writers).into()].into(),
            ..ServiceScope::default()
        }),
        30 => of(ServiceScope {
            selector: selector("!nobody-has-this"),
            ..ServiceScope::default()
        }),
        _ => of(ServiceScope {
            names: [all[number % all.len()].service()].into(),
            ..ServiceScope::default()
        }),
    }
}
