//! Selectors, sentence by sentence: how they read, print and match, and how they fail.

mod label_selector;
mod refusal;
mod text;

use crate::labels::{Key, LabelSet, Value};

use super::*;

fn parse(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn refused(text: &str) -> ParseSelectorError {
    Selector::parse(text).expect_err(text)
}

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::try_from_pairs(pairs.iter().copied()).unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn value(text: &str) -> Value {
    Value::new(text).unwrap()
}

#[test]
fn operators_match_by_this_table() {
    // Columns: the key is absent, present and empty, `5`, `7`, `x`.
    let cases = [
        ("k", [false, true, true, true, true]),
        ("!k", [true, false, false, false, false]),
        ("k=5", [false, false, true, false, false]),
        ("k==5", [false, false, true, false, false]),
        ("k=", [false, true, false, false, false]),
        ("k in (5,x)", [false, false, true, false, true]),
        ("k in ()", [false, true, false, false, false]),
        ("k in (,7)", [false, true, false, true, false]),
        ("k!=5", [true, true, false, true, true]),
        ("k!=", [true, false, true, true, true]),
        ("k notin (5,x)", [true, true, false, true, false]),
        ("k notin ()", [true, false, true, true, true]),
        ("k>5", [false, false, false, true, false]),
        ("k<7", [false, false, true, false, false]),
        ("k>007", [false, false, false, false, false]),
        ("k<9223372036854775807", [false, false, true, true, false]),
        ("", [true, true, true, true, true]),
        ("k,k=5", [false, false, true, false, false]),
        ("k=5,k=7", [false, false, false, false, false]),
        ("k,!k", [false, false, false, false, false]),
        ("k>5,k<7", [false, false, false, false, false]),
    ];
    for (text, expected) in cases {
        let selector = parse(text);
        let matched = [None, Some(""), Some("5"), Some("7"), Some("x")].map(|value| {
            let pairs: Vec<_> = value.map(|value| ("k", value)).into_iter().collect();
            selector.matches(&labels(&pairs))
        });
        assert_eq!(matched, expected, "{text}");
    }
}

#[test]
fn comparison_takes_only_decimal_labels_of_64_bits() {
    let cases = [
        ("8", true),
        ("008", true),
        ("9223372036854775807", true),
        ("9223372036854775808", false),
        ("0x8", false),
        ("8.0", false),
        ("8e1", false),
        ("8_0", false),
        ("", false),
        ("eight", false),
    ];
    for (label, expected) in cases {
        let matched = parse("k>7").matches(&labels(&[("k", label)]));
        assert_eq!(matched, expected, "{label}");
    }
    assert!(!parse("k<7").matches(&labels(&[("k", "9223372036854775808")])));
}

#[test]
fn negative_operators_are_those_an_absent_key_meets() {
    let all = parse("k,!k,k=1,k==1,k!=1,k in (1),k notin (1),k>1,k<1");
    let negative: Vec<_> = all
        .requirements()
        .iter()
        .filter(|requirement| requirement.is_negative())
        .map(ToString::to_string)
        .collect();
    assert_eq!(negative, ["!k", "k!=1", "k notin (1)"]);
    for requirement in all.requirements() {
        assert_eq!(requirement.key().as_str(), "k");
        assert_eq!(requirement.matches_value(None), requirement.is_negative());
    }
}

#[test]
fn keys_and_values_are_case_sensitive() {
    assert!(!parse("Tier=web").matches(&labels(&[("tier", "web")])));
    assert!(!parse("tier=Web").matches(&labels(&[("tier", "web")])));
}

#[test]
fn nothing_and_everything_differ_but_print_alike() {
    let (nothing, everything) = (Selector::nothing(), Selector::everything());
    assert!(nothing.is_nothing() && !nothing.is_everything());
    assert!(everything.is_everything() && !everything.is_nothing());
    assert_ne!(nothing, everything);
    assert_eq!(
        (nothing.to_string(), everything.to_string()),
        Default::default()
    );
    assert!(nothing.requirements().is_empty() && everything.requirements().is_empty());
    for labels in [labels(&[]), labels(&[("a", "b")])] {
        assert!(!nothing.matches(&labels) && everything.matches(&labels));
    }
    let contradiction = parse("a,!a");
    assert!(!contradiction.is_nothing() && !contradiction.is_everything());
}

#[test]
fn the_map_form_is_pairs_all_of_which_have_to_be_there() {
    let selector = Selector::from_pairs(&labels(&[("b", "2"), ("a", "")]));
    assert_eq!(selector, parse("a=,b=2"));
    assert!(Selector::from_pairs(&LabelSet::new()).is_everything());
}

#[test]
fn requirements_can_be_built_without_text() {
    let built = Selector::new(vec![
        Requirement::NotIn(key("b"), ValueSet::from(value("x"))),
        Requirement::GreaterThan(key("c"), Threshold::new(value("010")).unwrap()),
        Requirement::In(
            key("a"),
            ValueSet::new([value("z"), value(""), value("z")]).unwrap(),
        ),
    ]);
    assert_eq!(built, parse("a in (z,),b notin (x),c>010"));
    assert_eq!(ValueSet::new([]), None);
    assert_eq!(Threshold::new(value("1.5")), Err(NotAnInteger));
    assert_eq!(Threshold::new(value("010")).unwrap().get(), 10);
}

#[test]
fn value_sets_are_sorted_and_searched_by_bytes() {
    let set = ValueSet::new(["b", "B", "", "b", "a-b"].map(value)).unwrap();
    let texts: Vec<_> = set.iter().map(Value::as_str).collect();
    assert_eq!((texts, set.len()), (vec!["", "B", "a-b", "b"], 4));
    assert!(set.contains(&value("B")) && !set.contains(&value("a")));
}
