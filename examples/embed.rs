//! The engine alone, in a program of its own: no server, no tokio, no clock.
//! Run: `cargo run --no-default-features --example embed`
use selectord::engine::{Engine, EngineOptions, Progress, Scope, View, Walk};
use selectord::labels::{LabelSet, LabelsError};
use selectord::model::*;
use std::{error::Error, ops::ControlFlow};

fn pod(name: &str, app: &str, last: u8) -> Result<Change, LabelsError> {
    Ok(Change::Put(Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", name),
        labels: LabelSet::try_from_pairs([("app", app)])?,
        pod_ips: [[10, 0, 0, last].into()].into_iter().collect(),
        ..Pod::default()
    }))))
}

fn main() -> Result<(), Box<dyn Error>> {
    let service = Change::Put(Object::Service(Box::new(Service {
        name: ObjectName::new("default", "rng"),
        selector: ServiceSelector::Map(LabelSet::try_from_pairs([("app", "rng")])?),
        ..Service::default()
    })));
    let mut engine = Engine::new(EngineOptions::default());
    let (mut walk, mut view) = (Walk::new(Scope::all(), None), View::default());
    for app in ["rng", "idle"] {
        let changes = [service.clone(), pod("a", "rng", 1)?, pod("b", app, 2)?];
        engine.apply(engine.head() + 1, ResolvedTransaction::new(changes, ""))?;
        let mut sink = |event| {
            view.apply(event);
            ControlFlow::Continue(())
        };
        while engine.catch_up(&mut walk, 1_000, &mut sink) == Progress::More {}
        view.checkpoint();
        let endpoints = view.services().values().flat_map(|s| s.endpoints.keys());
        endpoints.for_each(|endpoint| println!("revision {}: {endpoint}", engine.head()));
    }
    Ok(())
}
