//! Asking for transactions, and reading what becomes of them.

use selectord::engine::{Engine, EngineOptions, ObjectResult, Outcome, Resolution, ResolveLimits};
use selectord::model::{Change, Kind, LabelPatch, Operation, PatchTarget, ResolvedTransaction};

use super::build::*;

pub const LIMITS: ResolveLimits = ResolveLimits {
    max_operations: 1_000,
    max_labels: 256,
};

/// An engine with two pods, a service and a node, written at revision 1.
pub fn engine() -> Engine {
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

pub fn outcomes(resolution: &Resolution) -> Vec<(String, Outcome, usize)> {
    let told =
        |result: &ObjectResult| (result.object.to_string(), result.outcome, result.operation);
    resolution.results.iter().map(told).collect()
}

pub fn of_pod(text: &str) -> PatchTarget {
    PatchTarget::Object(reference(Kind::Pod, text))
}

pub fn patched(target: PatchTarget, changes: &[&str]) -> Operation {
    Operation::PatchLabels(patch(target, changes))
}

pub fn overwriting(target: PatchTarget, changes: &[&str]) -> Operation {
    Operation::PatchLabels(LabelPatch {
        overwrite: true,
        ..patch(target, changes)
    })
}

/// The labels that the objects of a transaction are left with.
pub fn labels_of(transaction: &ResolvedTransaction) -> Vec<String> {
    let labels = transaction.changes().iter().map(|change| match change {
        Change::Put(object) => format!("{}: {}", object.object_ref(), object.labels()),
        Change::Delete(object) => format!("{object} is deleted"),
    });
    labels.collect()
}
