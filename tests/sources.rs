//! Whose an object is, with more sources than a pod's record has numbers for.

mod support;

use selectord::engine::{Engine, EngineOptions};
use selectord::model::{Pod, ResolvedTransaction};

use support::build::*;

/// More than the 65,535 that a record numbers.
const SOURCES: u64 = 66_000;

fn pod_name(i: u64) -> String {
    format!("ns/pod-{i}")
}

fn put_by(engine: &mut Engine, pod: Pod, source: &str) {
    let revision = engine.head() + 1;
    engine
        .apply(revision, ResolvedTransaction::new([put(pod)], source))
        .expect("a fresh revision");
}

fn source(engine: &Engine, i: u64) -> String {
    let name = name(&pod_name(i));
    engine.pod(&name).expect("it was put").source.to_string()
}

#[test]
fn every_object_keeps_its_own() {
    let mut engine = Engine::new(EngineOptions::default());
    for i in 0..SOURCES {
        put_by(&mut engine, pod(&pod_name(i)), &format!("source-{i}"));
    }
    for i in (0..SOURCES).step_by(97).chain(SOURCES - 600..SOURCES) {
        assert_eq!(source(&engine, i), format!("source-{i}"));
    }
    // Behind the last number, and before it; with no source they stay whose they were.
    for i in [SOURCES - 1, 5] {
        put_by(&mut engine, pod(&pod_name(i)).label("app", "x"), "");
        assert_eq!(source(&engine, i), format!("source-{i}"));
        put_by(&mut engine, pod(&pod_name(i)).label("app", "x"), "another");
        assert_eq!(source(&engine, i), "another");
    }
    assert_eq!(engine.verify(), []);
}
