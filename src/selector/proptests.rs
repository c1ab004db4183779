//! Properties of selectors that hold for whatever is thrown at them.

use proptest::prelude::*;

use crate::labels::{Key, LabelSet, Value};

use super::*;

/// Text in which most bytes mean something.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "=", "==", "!=", "!", ">", "<", "(", ")", ",", " ", "\t", "\r\n", "\0", " in ",
            " notin ", " in (", "),",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec!["a", "b/c", "in", "notin", "5", "-5", "007", "_", "é"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = Key> {
    "(in|notin|[a-c]|x[.]y/[a-b])".prop_map(|text| Key::new(text).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    "(|in|[a-c]|[0-9]{1,2}|A_b[.]c-9)".prop_map(|text| Value::new(text).unwrap())
}

fn value_set() -> impl Strategy<Value = ValueSet> {
    prop::collection::vec(value(), 1..5).prop_map(|values| ValueSet::new(values).unwrap())
}

fn threshold() -> impl Strategy<Value = Threshold> {
    "[0-9]{1,3}".prop_map(|text| Threshold::new(Value::new(text).unwrap()).unwrap())
}

fn requirement() -> impl Strategy<Value = Requirement> {
    prop_oneof![
        key().prop_map(Requirement::Exists),
        key().prop_map(Requirement::DoesNotExist),
        (key(), value()).prop_map(|(key, value)| Requirement::Equals(key, value)),
        (key(), value()).prop_map(|(key, value)| Requirement::DoubleEquals(key, value)),
        (key(), value()).prop_map(|(key, value)| Requirement::NotEquals(key, value)),
        (key(), value_set()).prop_map(|(key, values)| Requirement::In(key, values)),
        (key(), value_set()).prop_map(|(key, values)| Requirement::NotIn(key, values)),
        (key(), threshold()).prop_map(|(key, bound)| Requirement::GreaterThan(key, bound)),
        (key(), threshold()).prop_map(|(key, bound)| Requirement::LessThan(key, bound)),
    ]
}

fn requirements() -> impl Strategy<Value = Vec<Requirement>> {
    prop::collection::vec(requirement(), 0..20)
}

fn labels() -> impl Strategy<Value = LabelSet> {
    prop::collection::vec((key(), value()), 0..6).prop_map(LabelSet::from_iter)
}

proptest! {
    #[test]
    fn reading_never_panics_and_errors_lie_within_the_text(text in hostile_text()) {
        match Selector::parse(&text) {
            Ok(selector) => {
                let printed = selector.to_string();
                let again = Selector::parse(&printed).unwrap();
                prop_assert_eq!(&again, &selector);
                prop_assert_eq!(again.to_string(), printed);
            }
            Err(error) => {
                let end = error.offset() + error.token().len();
                prop_assert_eq!(text.get(error.offset()..end), Some(error.token()));
                prop_assert_eq!(error.caret(&text).lines().count(), 2);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn reading_never_panics_on_any_text(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = Selector::parse(&text) {
            prop_assert!(error.caret(&text).contains('^'));
        }
    }

    #[test]
    fn printed_selectors_read_back_equal(requirements in requirements()) {
        let selector = Selector::new(requirements);
        let printed = selector.to_string();
        prop_assert_eq!(printed.parse(), Ok(selector));
    }

    #[test]
    fn order_and_repetition_do_not_change_the_meaning(
        requirements in requirements(),
        labels in labels(),
    ) {
        let expected = Selector::new(requirements.clone()).matches(&labels);
        let mut twice = requirements.clone();
        twice.extend(requirements.iter().rev().cloned());
        prop_assert_eq!(Selector::new(twice).matches(&labels), expected);
        let one_by_one = requirements
            .iter()
            .all(|requirement| requirement.matches_value(labels.get(requirement.key().as_str())));
        prop_assert_eq!(one_by_one, expected);
    }

    #[test]
    fn operators_come_in_opposites(key in key(), values in value_set(), labels in labels()) {
        let matches = |requirement| Selector::new(vec![requirement]).matches(&labels);
        prop_assert_ne!(
            matches(Requirement::Exists(key.clone())),
            matches(Requirement::DoesNotExist(key.clone()))
        );
        prop_assert_ne!(
            matches(Requirement::In(key.clone(), values.clone())),
            matches(Requirement::NotIn(key.clone(), values.clone()))
        );
        let any_equal = values
            .iter()
            .any(|value| matches(Requirement::Equals(key.clone(), value.clone())));
        prop_assert_eq!(matches(Requirement::In(key, values)), any_equal);
    }

    #[test]
    fn the_object_form_means_the_same_unless_a_key_is_equated_twice(
        requirements in requirements(),
        labels in labels(),
    ) {
        let selector = Selector::new(requirements);
        let equated = |requirement: &&Requirement| {
            matches!(requirement, Requirement::Equals(..) | Requirement::DoubleEquals(..))
        };
        let pairs = selector.requirements().iter().filter(equated).count();
        match LabelSelector::try_from(&selector) {
            Ok(object) if object.match_labels.len() == pairs => {
                let back = object.to_selector().unwrap();
                prop_assert_eq!(back.matches(&labels), selector.matches(&labels));
            }
            Ok(object) => prop_assert!(object.to_selector().is_ok()),
            Err(error) => prop_assert!(matches!(error, ToLabelSelectorError::Comparison(_))),
        }
    }
}
