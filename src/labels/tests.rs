//! The syntax of labels, rule by rule, and the behaviour of sets.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn value(text: &str) -> Value {
    Value::new(text).unwrap()
}

fn set(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::try_from_pairs(pairs.iter().copied()).unwrap()
}

#[test]
fn keys_that_are_legal() {
    let name_63 = "n".repeat(63);
    let prefix_253 = format!("{}.{}", "p".repeat(200), "q".repeat(52));
    let longest = format!("{prefix_253}/{name_63}");
    assert_eq!(longest.len(), 253 + 1 + 63);
    for text in [
        "a",
        "7",
        "A-b_C.d",
        "a--b..c__d-._e",
        "in",
        "notin",
        "true",
        "example.com/Tier",
        "1-2.3/4",
        "a--b/c",
        "kubernetes.io/anything-at-all",
        &name_63,
        &longest,
    ] {
        assert_eq!(Key::new(text).map(String::from), Ok(text.to_owned()));
    }
}

#[test]
fn keys_that_are_not() {
    use KeyErrorCause::*;
    let name_64 = "n".repeat(64);
    let prefix_254 = format!("{}/n", "p".repeat(254));
    let all_wrong = format!("{}_/-{name_64}", "p".repeat(253));
    let cases: &[(&str, &[KeyErrorCause])] = &[
        ("", &[NameEmpty, NameCharacters]),
        ("/", &[PrefixEmpty, NameEmpty, NameCharacters]),
        ("/a", &[PrefixEmpty]),
        ("a/", &[NameEmpty, NameCharacters]),
        ("a/b/c", &[ManySlashes]),
        ("//", &[ManySlashes]),
        ("-a", &[NameCharacters]),
        ("a-", &[NameCharacters]),
        ("_a", &[NameCharacters]),
        ("a.", &[NameCharacters]),
        ("a b", &[NameCharacters]),
        ("a\n", &[NameCharacters]),
        ("\na", &[NameCharacters]),
        ("é", &[NameCharacters]),
        ("a=b", &[NameCharacters]),
        ("Example.com/a", &[PrefixCharacters]),
        ("a_b/c", &[PrefixCharacters]),
        ("a..b/c", &[PrefixCharacters]),
        (".a/c", &[PrefixCharacters]),
        ("a./c", &[PrefixCharacters]),
        ("-a.b/c", &[PrefixCharacters]),
        ("a.b-/c", &[PrefixCharacters]),
        ("a.b\n/c", &[PrefixCharacters]),
        ("É/-", &[PrefixCharacters, NameCharacters]),
        (&name_64, &[NameTooLong { bytes: 64 }]),
        (&prefix_254, &[PrefixTooLong { bytes: 254 }]),
        (
            &all_wrong,
            &[
                PrefixTooLong { bytes: 254 },
                PrefixCharacters,
                NameTooLong { bytes: 65 },
                NameCharacters,
            ],
        ),
    ];
    for (text, causes) in cases {
        let error = Key::new(text).unwrap_err();
        assert_eq!((error.text(), error.causes()), (*text, *causes));
    }
}

#[test]
fn values_that_are_legal() {
    let value_63 = "v".repeat(63);
    for text in [
        "",
        "a",
        "0",
        "Blue_2",
        "1.27",
        "a--b..c__d",
        "in",
        &value_63,
    ] {
        assert_eq!(Value::new(text).map(String::from), Ok(text.to_owned()));
    }
    assert_eq!(Value::default(), value(""));
    assert!(Value::default().is_empty());
}

#[test]
fn values_that_are_not() {
    use ValueErrorCause::*;
    let value_64 = "v".repeat(64);
    let both_wrong = "é".repeat(32);
    let cases: &[(&str, &[ValueErrorCause])] = &[
        ("-5", &[Characters]),
        ("+5", &[Characters]),
        ("a.", &[Characters]),
        ("_", &[Characters]),
        ("a b", &[Characters]),
        (" ", &[Characters]),
        ("a\n", &[Characters]),
        ("\n", &[Characters]),
        ("a/b", &[Characters]),
        ("é", &[Characters]),
        (&value_64, &[TooLong { bytes: 64 }]),
        (&both_wrong, &[TooLong { bytes: 64 }, Characters]),
    ];
    for (text, causes) in cases {
        let error = Value::new(text).unwrap_err();
        assert_eq!((error.text(), error.causes()), (*text, *causes));
    }
}

#[test]
fn messages_tell_part_rule_example_and_pattern() {
    let cases = [
        (
            Key::new(format!("P/{}", "n".repeat(64)))
                .unwrap_err()
                .to_string(),
            vec![
                "prefix part must be a DNS subdomain",
                "'example.com'",
                "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'); ",
                "name part must be no more than 63 bytes",
            ],
        ),
        (
            Key::new("/").unwrap_err().to_string(),
            vec![
                "prefix part must be non-empty; name part must be non-empty; name part may have",
                "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'",
            ],
        ),
        (
            Key::new(format!("{}/a", "p".repeat(254)))
                .unwrap_err()
                .to_string(),
            vec!["prefix part must be no more than 253 bytes"],
        ),
        (
            Key::new("a/b/c").unwrap_err().to_string(),
            vec![
                "a name, or a DNS subdomain and a name",
                "'example.com/Tier'",
            ],
        ),
        (
            Value::new("é".repeat(40)).unwrap_err().to_string(),
            vec![
                "must be no more than 63 bytes, and has 80; a label value is empty, or has",
                "'Blue_2'",
                "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'",
            ],
        ),
    ];
    for (message, parts) in cases {
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn keys_fall_into_prefix_and_name() {
    assert_eq!((key("a").prefix(), key("a").name()), (None, "a"));
    let long = key("example.com/Tier");
    assert_eq!((long.prefix(), long.name()), (Some("example.com"), "Tier"));
}

#[test]
fn keys_and_values_behave_as_their_text() {
    assert!(key("B") < key("a") && key("a-b") < key("a.b"));
    assert_ne!(key("Tier"), key("tier"));
    assert_eq!("a/b".parse::<Key>(), Key::try_from("a/b"));
    assert_eq!("v".parse::<Value>(), Value::try_from("v"));
    assert_eq!(
        format!("{} {:?}|{:>3}", key("a"), key("a"), value("v")),
        "a \"a\"|  v"
    );
    let by_key = HashMap::from([(key("example.com/some-long-name"), 1)]);
    assert_eq!(by_key.get("example.com/some-long-name"), Some(&1));
}

#[test]
fn sets_are_sorted_and_the_last_value_wins() {
    let labels = set(&[("b", "1"), ("a", "2"), ("b", "3"), ("B", ""), ("b", "4")]);
    assert_eq!(labels.to_string(), "B=,a=2,b=4");
    assert_eq!(labels.len(), 3);
    assert_eq!(labels, set(&[("a", "2"), ("B", ""), ("b", "4")]));
    assert_eq!(set(&[]), LabelSet::new());
    assert_eq!(LabelSet::new().to_string(), "");
}

#[test]
fn sets_are_read_by_text() {
    let labels = set(&[("a", "1"), ("empty", "")]);
    assert_eq!(labels.get("a"), Some(&value("1")));
    assert_eq!(labels.get("empty"), Some(&Value::default()));
    assert!(labels.contains_key("empty") && !labels.contains_key("A"));
    assert_eq!(labels.get("not a key at all"), None);
}

#[test]
fn inserting_and_removing_return_what_was_there() {
    let mut labels = LabelSet::new();
    assert!(labels.is_empty());
    assert_eq!(labels.insert(key("b"), value("1")), None);
    assert_eq!(labels.insert(key("a"), value("2")), None);
    assert_eq!(labels.insert(key("c"), value("3")), None);
    assert_eq!(labels.insert(key("b"), value("4")), Some(value("1")));
    assert_eq!(labels.to_string(), "a=2,b=4,c=3");
    assert_eq!(labels.remove("b"), Some(value("4")));
    assert_eq!(labels.remove("b"), None);
    assert_eq!(labels.to_string(), "a=2,c=3");
}

#[test]
fn sets_iterate_in_order_from_both_ends() {
    let labels = set(&[("c", "3"), ("a", "1"), ("b", "2")]);
    let keys: Vec<_> = labels.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert_eq!(labels.iter().len(), 3);
    assert_eq!(labels.iter().next_back(), Some((&key("c"), &value("3"))));
    assert_eq!(labels.clone().into_iter().collect::<LabelSet>(), labels);
}

#[test]
fn every_bad_key_and_value_is_told() {
    let error =
        LabelSet::try_from_pairs([("a", "1"), ("b!", "2"), ("c", "3!"), ("/", "-")]).unwrap_err();
    let kinds: Vec<_> = error
        .faults()
        .iter()
        .map(|fault| match fault {
            LabelFault::Key(error) => format!("key {}", error.text()),
            LabelFault::Value { key, error } => format!("value {key}={}", error.text()),
        })
        .collect();
    assert_eq!(kinds, ["key b!", "value c=3!", "key /", "value /=-"]);

    let text = error.to_string();
    assert!(text.starts_with("key \"b!\": name part may have"), "{text}");
    assert!(
        text.contains("; value \"3!\" of key \"c\": a label value"),
        "{text}"
    );

    let fields = error.field_errors("metadata.labels");
    assert_eq!(fields.len(), 6, "the key '/' breaks three rules");
    assert!(fields.iter().all(|field| field.path == "metadata.labels"));
    assert!(
        fields
            .iter()
            .all(|field| field.kind == FieldErrorKind::Invalid)
    );
}

#[test]
fn messages_about_hostile_text_stay_short() {
    let pairs = (0..20).map(|_| ("x".repeat(100_000), "\u{1b}[2J"));
    let error = LabelSet::try_from_pairs(pairs).unwrap_err();
    let text = error.to_string();
    assert!(text.len() < 16_000 && !text.contains('\u{1b}'));
    assert!(text.ends_with("; and 24 more"), "{text}");
    assert_eq!(error.faults().len(), 40);
}

#[test]
fn field_errors_print_as_kubernetes_does() {
    let cases = [
        (FieldError::required("a", ""), "a: Required value"),
        (
            FieldError::invalid("a", "1: too small"),
            "a: Invalid value: 1: too small",
        ),
        (FieldError::forbidden("a", "why"), "a: Forbidden: why"),
        (
            FieldError::duplicate("a", "\"x\""),
            "a: Duplicate value: \"x\"",
        ),
        (
            FieldError::not_supported("a", "\"x\""),
            "a: Unsupported value: \"x\"",
        ),
        (FieldError::too_many("a", "3"), "a: Too many: 3"),
        (FieldError::invalid("", "of all"), "Invalid value: of all"),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn paths_join() {
    let cases = [
        ("metadata", "labels", "metadata.labels"),
        ("ports", "[0].name", "ports[0].name"),
        ("spec", "ports[0].name", "spec.ports[0].name"),
        ("matchExpressions[1]", "key", "matchExpressions[1].key"),
        ("", "labels", "labels"),
        ("spec", "", "spec"),
    ];
    for (prefix, path, joined) in cases {
        assert_eq!(FieldError::invalid(path, "").under(prefix).path, joined);
    }
}

#[test]
fn labels_stay_small() {
    assert_eq!(size_of::<Key>(), 24);
    assert_eq!(size_of::<Value>(), 24);
    assert_eq!(size_of::<LabelSet>(), 2 * size_of::<usize>());
}

proptest! {
    #[test]
    fn sets_agree_with_a_map(
        pairs in prop::collection::vec(("[a-d]", "[0-9]?"), 0..12),
        (new_key, new_value) in ("[a-e]", "[0-9]?"),
        gone in "[a-e]",
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (key(k), value(v))).collect();
        let mut map: BTreeMap<_, _> = pairs.iter().cloned().collect();
        let mut set: LabelSet = pairs.into_iter().collect();
        let (new_key, new_value) = (key(&new_key), value(&new_value));
        prop_assert_eq!(
            set.insert(new_key.clone(), new_value.clone()),
            map.insert(new_key, new_value)
        );
        prop_assert_eq!(set.remove(&gone), map.remove(gone.as_str()));
        prop_assert!(set.iter().eq(map.iter()));
        prop_assert!(map.iter().all(|(key, value)| set.get(key.as_str()) == Some(value)));
    }

    #[test]
    fn refusing_never_panics(text in any::<String>(), glue in "[a/._-]{0,4}") {
        for text in [text.clone(), format!("{text}{glue}"), format!("a/{text}"), format!("{text}/a")] {
            if let Err(error) = Key::new(&text) {
                prop_assert!(!error.causes().is_empty() && !error.to_string().is_empty());
            }
            if let Err(error) = Value::new(&text) {
                prop_assert!(!error.causes().is_empty() && !error.to_string().is_empty());
            }
        }
    }
}
