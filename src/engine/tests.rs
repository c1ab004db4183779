//! The story this project grew out of, on the bare engine.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::*;
use crate::labels::{Key, LabelSet, Value};
use crate::model::*;
use crate::selector::Selector;

fn labels(text: &str) -> LabelSet {
    LabelSet::try_from_pairs(text.split(',').filter_map(|pair| pair.split_once('='))).unwrap()
}

fn pod(name: &str, last: u8, text: &str) -> Object {
    Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", name),
        labels: labels(text),
        phase: Phase::Running,
        pod_ips: [IpAddr::from([10, 1, 0, last])].into_iter().collect(),
        ready: ReadyCondition::True,
        ..Pod::default()
    }))
}

fn service(selector: &str) -> Object {
    Object::Service(Box::new(Service {
        name: ObjectName::new("default", "rng"),
        selector: ServiceSelector::Map(labels(selector)),
        ..Service::default()
    }))
}

fn patch(selector: &str, set: &str, remove: &str) -> Operation {
    Operation::PatchLabels(LabelPatch {
        target: PatchTarget::Selector {
            kind: Kind::Pod,
            namespaces: vec!["default".into()],
            selector: Selector::parse(selector).unwrap(),
        },
        set: labels(set).into_iter().collect::<Vec<(Key, Value)>>(),
        remove: remove
            .split(',')
            .filter(|k| !k.is_empty())
            .map(|k| Key::new(k).unwrap())
            .collect(),
        overwrite: false,
    })
}

struct World {
    engine: Engine,
    walk: Walk,
    view: View,
}

impl World {
    fn new() -> World {
        let engine = Engine::new(EngineOptions::default());
        World {
            engine,
            walk: Walk::new(Scope::all(), None),
            view: View::default(),
        }
    }

    fn commit(&mut self, operations: Vec<Operation>) {
        let transaction = Transaction {
            operations,
            ..Transaction::default()
        };
        let resolution = self
            .engine
            .resolve(transaction, ResolveLimits::default())
            .unwrap();
        let revision = self.engine.head() + 1;
        self.engine.apply(revision, resolution.transaction).unwrap();
        let found = self.engine.verify();
        assert!(found.is_empty(), "{found:?}");
    }

    /// What a watcher is told up to the next checkpoint, and how many endpoints it then holds.
    fn watch(&mut self) -> (Vec<Event>, usize) {
        let mut events = Vec::new();
        loop {
            let progress = self.engine.catch_up(&mut self.walk, 1, &mut |event| {
                events.push(event);
                ControlFlow::Continue(())
            });
            if progress == Progress::Head(self.engine.head()) {
                events
                    .iter()
                    .cloned()
                    .for_each(|event| self.view.apply(event));
                self.view.checkpoint();
                let held = self
                    .view
                    .services()
                    .values()
                    .map(|view| view.endpoints.len())
                    .sum();
                return (events, held);
            }
        }
    }
}

fn start() -> World {
    let mut world = World::new();
    world.commit(vec![
        Operation::Put(service("app=rng")),
        Operation::Put(pod("rng-rs", 4, "app=rng,pod-template-hash=5d8f")),
        Operation::Put(pod("rng-ds-1", 5, "app=rng,controller-revision-hash=6b7c")),
        Operation::Put(pod("rng-ds-2", 6, "app=rng,controller-revision-hash=6b7c")),
    ]);
    assert_eq!(world.watch().1, 3);
    world
}

#[test]
fn labels_then_selector_loses_no_endpoint() {
    let mut world = start();
    world.commit(vec![patch("app=rng", "active=yes", "")]);
    assert_eq!(
        world.watch(),
        (vec![], 3),
        "a label no selector looks at is no difference"
    );
    world.commit(vec![Operation::Put(service("app=rng,active=yes"))]);
    let (events, held) = world.watch();
    assert!(matches!(events.as_slice(), [Event::Entry(_)]), "{events:?}");
    assert_eq!(held, 3);
    world.commit(vec![patch("app=rng,pod-template-hash", "", "active")]);
    let (events, held) = world.watch();
    assert!(
        matches!(events.as_slice(), [Event::Removed { identity, .. }] if identity.pod.as_ref().unwrap().name == "rng-rs")
    );
    assert_eq!(held, 2);
    let left = Selector::parse("app=rng,active!=yes").unwrap();
    let pods = world.engine.pods(&left, &Namespaces::all(), None, 10);
    assert_eq!(
        pods.iter()
            .map(|pod| pod.object.name.name.as_str())
            .collect::<Vec<_>>(),
        ["rng-rs"]
    );
}

#[test]
fn selector_then_labels_empties_the_service_in_between() {
    let mut world = start();
    world.commit(vec![Operation::Put(service("app=rng,active=yes"))]);
    assert_eq!(world.watch().1, 0);
    world.commit(vec![patch("app=rng", "active=yes", "")]);
    assert_eq!(world.watch().1, 3);
}

#[test]
fn both_in_one_transaction_lose_nothing() {
    let mut world = start();
    world.commit(vec![
        Operation::Put(service("app=rng,active=yes")),
        patch("app=rng", "active=yes", ""),
    ]);
    let (events, held) = world.watch();
    assert!(matches!(events.as_slice(), [Event::Entry(_)]), "{events:?}");
    assert_eq!(held, 3);
}
