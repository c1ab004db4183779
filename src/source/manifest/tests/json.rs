//! Any JSON, as YAML.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::strategies::label_value;
use crate::source::manifest::syntax::{Data, Tree, documents, plain};
use crate::source::manifest::to_yaml;

/// Any JSON, much of it text that YAML would misread.
pub fn json() -> impl Strategy<Value = Value> {
    let odd = [
        "", " a", "a ", "a: b", "a #b", "- a", "? a", "[a", "{a", "'a", "\"a", "a\nb\n", "\n",
        "\ta", "!a", "&a", "*a", "%a", "@a", "`a", "|", ">", "---", "...", "<<", "=", "a\u{85}b",
        "\u{feff}", "é", "🦀", "\u{7}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        label_value().prop_map(Value::from),
        prop::sample::select(odd.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let key = prop_oneof![
            label_value(),
            any::<String>(),
            prop::sample::select(odd.to_vec()).prop_map(String::from)
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect()))
        ]
    })
}

/// What a JSON value is once it has been read from YAML.
fn same(tree: &Tree, value: &Value) -> bool {
    match (&tree.data, value) {
        (Data::Scalar(scalar), Value::String(text)) => {
            scalar.text == text.as_str()
                && (!scalar.plain || plain::read(text) == plain::Reading::Text)
        }
        (Data::Scalar(scalar), Value::Null) => {
            scalar.plain && plain::read(&scalar.text) == plain::Reading::Null
        }
        (Data::Scalar(scalar), other) => scalar.plain && scalar.text == other.to_string(),
        (Data::Sequence(items), Value::Array(values)) => {
            items.len() == values.len()
                && items
                    .iter()
                    .zip(values)
                    .all(|(item, value)| same(item, value))
        }
        (Data::Mapping(mapping), Value::Object(fields)) => {
            mapping.iter().count() == fields.len()
                && mapping.iter().zip(fields).all(|(entry, (key, value))| {
                    let key_is_text = !entry.key.plain || plain::read(key) == plain::Reading::Text;
                    entry.key.text == key.as_str() && key_is_text && same(&entry.value, value)
                })
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn yaml_reads_back_the_same(value in json()) {
        let yaml = to_yaml(&value).expect("yaml");
        let read = documents("a.yaml", &yaml).unwrap_or_else(|error| panic!("{error}\nin\n{yaml}"));
        prop_assert_eq!(read.len(), 1, "{}", yaml);
        prop_assert!(same(&read[0].tree, &value), "{:?}\nas\n{}\nis\n{:?}", value, yaml, read);
    }
}
