//! The object form.

use super::*;

fn expression(key: &str, operator: &str, values: &[&str]) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    }
}

fn selector(pairs: &[(&str, &str)], expressions: Vec<LabelSelectorRequirement>) -> LabelSelector {
    LabelSelector {
        match_labels: pairs
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        match_expressions: expressions,
    }
}

#[test]
fn absent_matches_nothing_and_empty_matches_everything() {
    assert_eq!(LabelSelector::selector_of(None), Ok(Selector::nothing()));
    let empty = LabelSelector::default();
    assert_eq!(
        LabelSelector::selector_of(Some(&empty)),
        Ok(Selector::everything())
    );
}

#[test]
fn labels_and_expressions_are_anded() {
    let both = selector(
        &[("b", "1"), ("a", "")],
        vec![
            expression("b", "In", &["2", "", "1"]),
            expression("c", "NotIn", &["x"]),
            expression("a", "Exists", &[]),
            expression("d", "DoesNotExist", &[]),
        ],
    );
    let made = both.to_selector().unwrap();
    assert_eq!(made.to_string(), "a=,a,b=1,b in (,1,2),c notin (x),!d");
}

#[test]
fn repeated_values_are_legal_and_count_once() {
    let repeated = selector(&[], vec![expression("a", "In", &["x", "x"])]);
    assert_eq!(repeated.to_selector(), Ok(parse("a in (x)")));
}

#[test]
fn every_error_is_told_with_its_path() {
    let broken = selector(
        &[("a_", "1"), ("b", "2_"), ("c", "3"), ("c", "4")],
        vec![
            expression("k", "In", &[]),
            expression("k", "NotIn", &[]),
            expression("k", "Exists", &[""]),
            expression("k", "DoesNotExist", &["x"]),
            expression("k", "in", &["x"]),
            expression("k", "Gt", &["1"]),
            expression("k", "", &[]),
            expression("/", "In", &["x", "-", "y", "_"]),
        ],
    );
    let told: Vec<String> = broken
        .to_selector()
        .unwrap_err()
        .iter()
        .map(|error| error.to_string().chars().take(60).collect())
        .collect();
    let expected = [
        "matchLabels: Invalid value: \"a_\": name part may have",
        "matchLabels: Invalid value: \"2_\": a label value is",
        "matchLabels: Duplicate value: \"c\"",
        "matchExpressions[0].values: Required value: In and NotIn",
        "matchExpressions[1].values: Required value: In and NotIn",
        "matchExpressions[2].values: Forbidden: Exists and",
        "matchExpressions[3].values: Forbidden: Exists and",
        "matchExpressions[4].operator: Invalid value: \"in\": must",
        "matchExpressions[5].operator: Invalid value: \"Gt\": must",
        "matchExpressions[6].operator: Invalid value: \"\": must",
        "matchExpressions[7].key: Invalid value: \"/\": prefix",
        "matchExpressions[7].key: Invalid value: \"/\": name part must",
        "matchExpressions[7].key: Invalid value: \"/\": name part may",
        "matchExpressions[7].values[1]: Invalid value: \"-\": a",
        "matchExpressions[7].values[3]: Invalid value: \"_\": a",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told} is not {expected}");
    }
}

#[test]
fn one_bad_expression_breaks_all_its_rules_at_once() {
    let broken = selector(&[], vec![expression("k_", "Like", &["v_"])]);
    let paths: Vec<_> = broken
        .to_selector()
        .unwrap_err()
        .into_iter()
        .map(|error| error.path)
        .collect();
    let at = |field: &str| format!("matchExpressions[0].{field}");
    assert_eq!(paths, [at("operator"), at("key"), at("values[0]")]);
}

#[test]
fn text_becomes_an_object() {
    let object = LabelSelector::try_from(&parse("b in (y,x),a=1,c,!d,e notin (),a==2,f!=z,g="));
    let expected = selector(
        &[("a", "2"), ("g", "")],
        vec![
            expression("b", "In", &["x", "y"]),
            expression("c", "Exists", &[]),
            expression("d", "DoesNotExist", &[]),
            expression("e", "NotIn", &[""]),
            expression("f", "NotIn", &["z"]),
        ],
    );
    assert_eq!(object, Ok(expected));
    assert_eq!(
        LabelSelector::try_from(&Selector::everything()),
        Ok(LabelSelector::default())
    );
}

#[test]
fn what_an_object_cannot_say_is_refused() {
    for text in ["a>1", "b,a<01"] {
        let error = LabelSelector::try_from(&parse(text)).unwrap_err();
        assert!(
            matches!(error, ToLabelSelectorError::Comparison(_)),
            "{text}"
        );
    }
    assert_eq!(
        LabelSelector::try_from(&Selector::nothing()),
        Err(ToLabelSelectorError::Nothing)
    );
}
