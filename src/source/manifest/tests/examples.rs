//! The manifests that the README starts with.

use std::path::Path;

use crate::model::{Object, ReadyCondition, ServiceSelector};
use crate::source::manifest::{Input, Manifests, read};

fn example(name: &str) -> Manifests {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    read(&[Input::Path(path)], "default").unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_story_begins_with_three_ready_pods_behind_rng() {
    let manifests = example("rng");
    let selector = "app=rng"
        .parse::<crate::selector::Selector>()
        .expect("legal");
    let matched: Vec<&str> = manifests
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Pod(pod)
                if selector.matches(&pod.labels) && pod.ready == ReadyCondition::True =>
            {
                Some(pod.name.name.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(matched, ["rng-5d8f9c7b6-x2x4z", "rng-h7k2p", "rng-t9w5c"]);
    assert!(
        manifests
            .objects
            .iter()
            .all(|object| !object.labels().contains_key("active"))
    );
    assert_eq!((manifests.skipped.len(), manifests.warnings.len()), (0, 0));
}

#[test]
fn the_changed_service_asks_for_active_yes() {
    let manifests = example("rng-active/service.yaml");
    let [Object::Service(service)] = manifests.objects.as_slice() else {
        panic!("{manifests:?}")
    };
    let ServiceSelector::Map(pairs) = &service.selector else {
        panic!("{service:?}")
    };
    assert_eq!(pairs.to_string(), "active=yes,app=rng");
}
