//! What a listing does to an engine that has followed so far, one thing at a time.

use std::ops::ControlFlow;

use selectord::engine::{
    Engine, EngineOptions, Listed, ListingError, Progress, Replicated, Scope, Stored, Walk,
};
use selectord::model::{Object, ObjectRef, Revision};

use crate::histories::read;
use crate::support::build::{self, BuildPod as _, BuildService as _, IntoObject, Labelled as _};

/// An engine that has followed a pod of a service up to revision 3, and the pod and the service.
fn followed() -> (Engine, Object, Object) {
    let pod = build::pod("blue/p")
        .labelled("app=web")
        .ip("10.0.0.1")
        .ready()
        .into_object();
    let service = build::service("blue/web").selects("app=web").into_object();
    let mut engine = Engine::new(EngineOptions::default());
    for (revision, object) in [(2, &pod), (3, &service)] {
        let change = Replicated::Put(stored(object, revision, "east"));
        engine.apply_replicated(revision, vec![change]).unwrap();
    }
    (engine, pod, service)
}

fn stored(object: &Object, revision: Revision, source: &str) -> Stored<Object> {
    Stored {
        object: object.clone(),
        revision,
        source: source.into(),
    }
}

fn listed(object: &Object, revision: Revision) -> Listed<Stored<Object>> {
    Listed {
        object: object.object_ref(),
        revision,
        value: stored(object, revision, ""),
    }
}

/// What somebody with a cursor is told.
fn told(engine: &Engine, cursor: Revision) -> Vec<String> {
    let mut walk = Walk::new(Scope::all(), Some(cursor));
    let mut events = Vec::new();
    let progress = engine.catch_up(&mut walk, usize::MAX, &mut |event| {
        let text = format!("{event:?}");
        events.push(text.split(['(', ' ']).next().unwrap_or_default().to_owned());
        ControlFlow::Continue(())
    });
    assert_eq!(progress, Progress::Head(engine.head()));
    events
}

#[test]
fn a_source_is_what_it_comes_with_also_if_it_is_empty() {
    let (mut engine, pod, _) = followed();
    let object = pod.object_ref();
    let change = Replicated::Put(stored(&pod, 4, ""));
    engine.apply_replicated(4, vec![change]).unwrap();
    assert_eq!(engine.get(&object), Some(stored(&pod, 4, "")));
    assert_eq!(engine.get(&object).unwrap().source, "");
}

#[test]
fn what_was_passed_over_is_told_anew_and_nothing_else_is() {
    let (mut engine, pod, service) = followed();
    let listing = vec![listed(&service, 3), listed(&pod, 8)];
    engine.apply_listing(9, listing, read).unwrap();
    assert_eq!(engine.head(), 9);
    assert_eq!(engine.revision_of(&pod.object_ref()), Some(8));
    // The pod was written again, and is the same endpoint.
    assert_eq!(told(&engine, 3), Vec::<String>::new());
    assert_eq!(told(&engine, 9), Vec::<String>::new());
    for cursor in 4..9 {
        assert_eq!(told(&engine, cursor)[0], "Reset", "{cursor}");
    }
    assert_eq!(engine.verify(), vec![]);
}

#[test]
fn many_gaps_raise_the_floor() {
    let (mut engine, pod, service) = followed();
    for i in 0..40 {
        let revision = 10 + 10 * i;
        let listing = vec![listed(&service, 3), listed(&pod, revision)];
        engine.apply_listing(revision, listing, read).unwrap();
    }
    assert_eq!(told(&engine, 3)[0], "Reset");
    assert_eq!(told(&engine, 390), Vec::<String>::new());
    assert_eq!(told(&engine, 395)[0], "Reset");
}

#[test]
fn a_first_listing_is_the_floor() {
    let (_, pod, service) = followed();
    let mut engine = Engine::new(EngineOptions::default());
    engine
        .apply_listing(9, vec![listed(&service, 3), listed(&pod, 8)], read)
        .unwrap();
    assert_eq!(told(&engine, 8)[0], "Reset");
    assert_eq!(told(&engine, 9), Vec::<String>::new());
    assert_eq!(engine.revision_of(&service.object_ref()), Some(3));
}

#[test]
fn what_is_not_listed_is_gone_also_if_no_revision_says_so() {
    let (mut engine, pod, service) = followed();
    engine
        .apply_listing(3, vec![listed(&service, 3)], read)
        .unwrap();
    assert_eq!((engine.head(), engine.get(&pod.object_ref())), (4, None));
    let before = engine.dump();
    engine
        .apply_listing(4, vec![listed(&service, 3)], read)
        .unwrap();
    assert_eq!(engine.dump(), before);
}

#[test]
fn a_listing_of_another_history_is_refused() {
    let (mut engine, pod, service) = followed();
    let before = engine.dump();
    let refused = engine.apply_listing(9, vec![listed(&service, 3), listed(&pod, 1)], read);
    let object = pod.object_ref();
    assert_eq!(
        refused,
        Err(ListingError::OtherHistory { object, listed: 1 })
    );
    assert!(
        engine
            .apply_listing(2, vec![listed(&pod, 2)], read)
            .is_err()
    );
    let unreadable = |_: &ObjectRef, _| Err("cut off".to_owned());
    let refused = engine.apply_listing(9, vec![listed(&service, 5)], unreadable);
    assert_eq!(refused, Err(ListingError::Read("cut off".to_owned())));
    assert_eq!(engine.dump(), before);
}
