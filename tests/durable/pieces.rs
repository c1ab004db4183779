//! What changed while nobody took it is taken bit by bit, however much that is and of whatever kind: the
//! engine is not held up for all of it at once, and it comes to its end while writes go on.

use selectord::engine::{Engine, EngineOptions, RecordChange};
use selectord::model::Change;
use selectord::store::{EmbeddedOptions, EmbeddedStore, Store as _};

use crate::support::build::*;

const PODS: usize = 400;
/// Each pod is an endpoint of so many services.
const SERVICES: usize = 6;
const LEAST: usize = 10;
/// Records that a change of a pod's address concerns in each service, at most: two of its endpoints, that of the
/// removal, and two where the oldest removal is forgotten.
const RECORDS: usize = 5;

fn member(i: usize, number: usize) -> Change {
    let pod = pod(&format!("d/p{i:04}")).label("app", "rng").ready();
    let pod = pod.label("number", &number.to_string());
    // Another address each time: every endpoint moves in the log.
    put(pod.ip(&format!("10.{number}.{}.{}", i >> 8, i & 255)))
}

/// An engine that was read back from a directory: of such a one it is noted what changes.
fn restored() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let (rules, options) = (EngineOptions::default(), EmbeddedOptions::default());
        EmbeddedStore::open(folder.path(), rules, options, &mut |_| ()).unwrap()
    };
    let (mut store, mut engine) = open();
    let services = (0..SERVICES).map(|i| put(service(&format!("d/s{i}")).selects("app=rng")));
    let pods = (0..PODS).map(|i| member(i, 0));
    let group = [resolved(services.chain(pods))];
    store.append(&group).unwrap();
    store.sync().unwrap();
    let [transaction] = group;
    engine.apply(1, transaction).unwrap();
    store.applied(&mut engine);
    drop((store, engine));
    let mut engine = open().1;
    while !engine.changed_records(usize::MAX, &mut |_| ()) {}
    engine
}

fn apply(engine: &mut Engine, changes: impl IntoIterator<Item = Change>) {
    let revision = engine.head() + 1;
    engine.apply(revision, resolved(changes)).unwrap();
}

/// How many of each are told next: dropped and written; and whether that is all.
fn told(engine: &mut Engine) -> (usize, usize, bool) {
    let (mut dropped, mut written) = (0, 0);
    let is_all = engine.changed_records(LEAST, &mut |change| match change {
        RecordChange::Dropped(_) => dropped += 1,
        RecordChange::Written(_) => written += 1,
    });
    (dropped, written, is_all)
}

#[test]
fn what_was_dropped_and_what_was_written_comes_bit_by_bit() {
    for deletes in [true, false] {
        let mut engine = restored();
        let all = 0..PODS;
        if deletes {
            let pods = all.map(|i| delete(selectord::model::Kind::Pod, &format!("d/p{i:04}")));
            apply(&mut engine, pods);
        } else {
            apply(&mut engine, all.map(|i| member(i, 1)));
        }
        engine.defer_changed_records();
        let mut sum = 0;
        loop {
            let (dropped, written, is_all) = told(&mut engine);
            assert!(
                dropped + written <= LEAST,
                "{dropped} and {written} at once"
            );
            sum += dropped;
            if is_all {
                break;
            }
        }
        assert!(sum >= PODS * SERVICES, "{sum} were dropped");
        assert_eq!(told(&mut engine), (0, 0, true));
    }
}

#[test]
fn it_comes_to_its_end_while_writes_go_on() {
    let mut engine = restored();
    apply(&mut engine, (0..PODS).map(|i| member(i, 1)));
    engine.defer_changed_records();
    for round in 0.. {
        // Each change moves a record of each service.
        apply(&mut engine, [member(round % PODS, 2 + round / PODS % 200)]);
        let (dropped, written, is_all) = told(&mut engine);
        let all = dropped + written;
        assert!(all <= LEAST.max(2 * RECORDS * SERVICES), "{all} at once");
        if is_all {
            return;
        }
        assert!(round < 2 * PODS * SERVICES, "it does not come to its end");
    }
}
