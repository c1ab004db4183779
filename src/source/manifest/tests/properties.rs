//! What is written reads back the same, and nothing panics.

use proptest::prelude::*;

use super::json::json;
use super::strategies::{manual, node, pod, service};
use crate::model::{Object, ServiceSelector};
use crate::source::manifest::{list, parse, to_kubernetes, to_yaml};

/// A selector as its set-based form says it: `!=` becomes `NotIn`, and so on.
fn as_written(mut object: Object) -> Object {
    if let Object::Service(service) = &mut object
        && let ServiceSelector::Set(selector) = &service.selector
    {
        let text = match selector.to_string().as_str() {
            "a=yes,a=b,!c" => "a=yes,a in (b),!c",
            "a!=b" => "a notin (b)",
            "" if selector.is_nothing() => "nothing,!nothing",
            _ => return object,
        }
        .to_owned();
        service.selector = ServiceSelector::Set(text.parse().expect("legal"));
    }
    object
}

fn assert_round_trip(object: Object) {
    let json = list(vec![to_kubernetes(&object, 7)]);
    let yaml = to_yaml(&json).expect("yaml");
    let expected = vec![as_written(object)];
    for (name, text) in [("a.json", json.to_string()), ("a.yaml", yaml)] {
        let read =
            parse(name, &text, "elsewhere").unwrap_or_else(|errors| panic!("{errors}\nin\n{text}"));
        assert_eq!(read.objects, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn objects_read_back_the_same(object in prop_oneof![pod(), node(), service(), manual()]) {
        assert_round_trip(object);
    }

    #[test]
    fn random_text_does_not_panic(text in any::<String>()) {
        let _ = parse("a.yaml", &text, "default");
        let _ = parse("a.json", &text, "default");
    }

    #[test]
    fn random_yaml_does_not_panic(text in "([-\\[\\]{}:,?&*!|>'\"%@# \n\t~]|<<|a|1|---|kind|v1){0,60}") {
        let _ = parse("a.yaml", &text, "default");
    }

    #[test]
    fn random_values_in_objects_do_not_panic(kind in "Pod|Service|Node|Endpoints|List", value in json(), at in 0_usize..4) {
        let mut object = serde_json::json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}});
        let field = ["metadata", "spec", "status", "items"][at];
        object[field] = value;
        let _ = parse("a.json", &object.to_string(), "default");
    }
}
