use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, oneshot};

use super::command::Commit;
use super::line::{Collision, Line, Resolved, Stage};
use super::tests::{by, pod, put};
use crate::labels::{Key, Value};
use crate::model::{Kind, LabelPatch, Operation, PatchTarget, Transaction};
use crate::selector::Selector;
use crate::store::etcd::request_place;

fn commit(transaction: Transaction) -> Commit {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned();
    Commit {
        transaction,
        request_id: "".into(),
        digest: 0,
        sync: None,
        room: room.unwrap(),
        reply: oneshot::channel().0,
    }
}

fn everything() -> Transaction {
    let patch = LabelPatch {
        target: PatchTarget::Selector {
            kind: Kind::Pod,
            namespaces: Vec::new(),
            selector: Selector::everything(),
        },
        set: vec![(Key::new("a").unwrap(), Value::new("b").unwrap())],
        remove: Vec::new(),
        overwrite: true,
    };
    by("", [Operation::PatchLabels(patch)])
}

fn line(transactions: impl IntoIterator<Item = Transaction>) -> Line {
    let mut line = Line::default();
    for transaction in transactions {
        line.push(commit(transaction), Instant::now(), Stage::Waiting);
    }
    line
}

fn ready(line: &Line) -> Vec<u64> {
    line.ready(|_| true)
}

fn submit(line: &mut Line, number: u64) {
    line.get_mut(number).unwrap().stage = Stage::Submitted(Resolved {
        at: 0,
        changes: true,
        outcome: Ok([].into()),
    });
}

#[test]
fn one_object_is_written_in_the_order_in_which_it_was_asked() {
    let mut line = line([put("a"), put("b"), put("a"), by("", [pod("b"), pod("c")])]);
    assert_eq!(ready(&line), [1, 2]);
    submit(&mut line, 1);
    submit(&mut line, 2);
    assert_eq!(ready(&line), [0u64; 0]);
    line.remove(2).unwrap();
    assert_eq!(ready(&line), [4]);
    line.remove(1).unwrap();
    assert_eq!(ready(&line), [3, 4]);
}

#[test]
fn what_waits_holds_back_those_behind_it_too() {
    let mut line = line([put("a"), by("", [pod("a"), pod("b")]), put("b"), put("c")]);
    submit(&mut line, 1);
    assert_eq!(ready(&line), [4]);
}

#[test]
fn what_selects_goes_alone_and_is_not_overtaken() {
    let mut line = line([put("a"), everything(), put("b")]);
    assert_eq!(ready(&line), [1]);
    submit(&mut line, 1);
    assert_eq!(ready(&line), [0u64; 0]);
    line.remove(1).unwrap();
    assert_eq!(ready(&line), [2]);
    submit(&mut line, 2);
    assert_eq!(ready(&line), [3]);
}

#[test]
fn what_collided_keeps_its_place() {
    let mut line = line([put("a"), put("a")]);
    let collision = Collision {
        at: 7,
        place_taken: false,
    };
    line.get_mut(1).unwrap().stage = Stage::Collided(collision);
    assert_eq!(line.ready(|_| false), [0u64; 0]);
    assert_eq!(line.ready(|collision| collision.at == 7), [1]);
}

#[test]
fn request_ids_of_one_place_go_one_after_another() {
    let place = request_place("a");
    let ids = (0..).map(|i| format!("b{i}"));
    let same = ids.into_iter().find(|id| request_place(id) == place);
    let mut line = Line::default();
    for (name, request_id) in [("a", "a"), ("b", &same.unwrap()), ("c", "c"), ("d", "")] {
        let commit = Commit {
            request_id: request_id.into(),
            ..commit(put(name))
        };
        line.push(commit, Instant::now(), Stage::Waiting);
    }
    assert_eq!(ready(&line), [1, 3, 4]);
    submit(&mut line, 1);
    assert_eq!(ready(&line), [3, 4]);
    line.remove(1).unwrap();
    assert_eq!(ready(&line), [2, 3, 4]);
}
