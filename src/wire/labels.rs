//! Labels and selectors.

use crate::labels::{FieldError, Key, LabelSet, Value};
use crate::selector::{
    LabelSelector, LabelSelectorRequirement, MAX_REQUIREMENTS, MAX_VALUES, Selector,
};

use super::faults::{Decoded, Faults, invalid};
use super::proto;

/// A label set as a list of pairs, by key.
pub fn encode_labels(labels: &LabelSet) -> Vec<proto::Label> {
    labels
        .iter()
        .map(|(key, value)| encode_label(key, value))
        .collect()
}

/// A label set from a list of pairs with unique keys.
///
/// # Errors
/// Every bad key, bad value and repeated key.
pub fn decode_labels(pairs: &[proto::Label]) -> Decoded<LabelSet> {
    let mut labels = Vec::with_capacity(pairs.len());
    labels.extend(pairs.iter().map_while(|pair| {
        let key = Key::try_from(pair.key.clone()).ok()?;
        Some((key, Value::try_from(pair.value.clone()).ok()?))
    }));
    if labels.len() < pairs.len() {
        let labels = pairs.iter().map(|pair| (&pair.key, &pair.value));
        LabelSet::try_from_pairs(labels).map_err(|error| error.field_errors(""))?;
    }
    let labels: LabelSet = labels.into_iter().collect();
    if labels.len() == pairs.len() {
        return Ok(labels);
    }
    let mut keys: Vec<&str> = pairs.iter().map(|pair| pair.key.as_str()).collect();
    keys.sort_unstable();
    let repeated = keys
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() > 1)
        .filter_map(|run| run.first());
    Err(repeated
        .map(|key| FieldError::duplicate("", format!("{key:?}")))
        .collect())
}

/// One label.
pub(super) fn encode_label(key: &Key, value: &Value) -> proto::Label {
    proto::Label {
        key: key.clone().into(),
        value: value.clone().into(),
    }
}

/// One label.
pub(super) fn decode_label(label: proto::Label) -> Decoded<(Key, Value)> {
    match (Key::try_from(label.key), Value::try_from(label.value)) {
        (Ok(key), Ok(value)) => Ok((key, value)),
        (key, value) => {
            let mut faults = Vec::new();
            if let Err(error) = key {
                faults.extend(error.field_errors("key"));
            }
            if let Err(error) = value {
                faults.extend(error.field_errors("value"));
            }
            Err(faults)
        }
    }
}

/// A selector as its canonical text; the one that selects nothing as an absent selector.
pub fn encode_selector(selector: &Selector) -> Option<proto::Selector> {
    (!selector.is_nothing()).then(|| proto::Selector {
        form: Some(proto::selector::Form::Text(selector.to_string())),
    })
}

/// A selector, or none where it is absent: no message, or one with neither member set. What absence
/// means is for the caller to say.
///
/// # Errors
/// Text that does not parse (`text`), a structured selector that breaks a rule, or one of more
/// requirements or values than a request may have.
pub fn decode_selector(selector: Option<&proto::Selector>) -> Decoded<Option<Selector>> {
    match selector.and_then(|selector| selector.form.as_ref()) {
        None => Ok(None),
        Some(proto::selector::Form::Text(text)) => match Selector::parse(text) {
            Ok(selector) => of_legal_size("text", selector).map(Some),
            Err(error) => Err(vec![FieldError::invalid("text", error.to_string())]),
        },
        Some(proto::selector::Form::LabelSelector(structured)) => label_selector(structured)
            .to_selector()
            .map_err(|faults| {
                faults
                    .into_iter()
                    .map(|fault| proto_names(fault).under("label_selector"))
                    .collect()
            })
            .and_then(|selector| of_legal_size("label_selector", selector).map(Some)),
    }
}

fn of_legal_size(path: &str, selector: Selector) -> Decoded<Selector> {
    let mut faults = Faults::default();
    for (what, given, allowed) in [
        (
            "requirements",
            selector.requirements().len(),
            MAX_REQUIREMENTS,
        ),
        ("values", selector.value_count(), MAX_VALUES),
    ] {
        if given > allowed {
            let detail = format!("{given} {what} given, {allowed} allowed");
            faults.push(FieldError::too_many(path, detail));
        }
    }
    faults.finish(selector)
}

/// A selector where absence means everything, so that the one that selects nothing has to be said
/// in other words: by a contradiction.
pub fn encode_filter(selector: &Selector) -> proto::Selector {
    encode_selector(selector).unwrap_or_else(|| proto::Selector {
        form: Some(proto::selector::Form::Text("nothing,!nothing".to_owned())),
    })
}

/// The selector of a listing or a scope, where absence means everything.
///
/// # Errors
/// As [`decode_selector`].
pub fn decode_filter(selector: Option<&proto::Selector>) -> Decoded<Selector> {
    Ok(decode_selector(selector)?.unwrap_or_else(Selector::everything))
}

fn label_selector(structured: &proto::LabelSelector) -> LabelSelector {
    LabelSelector {
        match_labels: structured
            .match_labels
            .iter()
            .map(|l| (l.key.to_string(), l.value.to_string()))
            .collect(),
        match_expressions: structured
            .match_expressions
            .iter()
            .map(|e| LabelSelectorRequirement {
                key: e.key.clone(),
                operator: e.operator.clone(),
                values: e.values.clone(),
            })
            .collect(),
    }
}

fn proto_names(mut fault: FieldError) -> FieldError {
    fault.path = fault
        .path
        .replace("matchLabels", "match_labels")
        .replace("matchExpressions", "match_expressions");
    fault
}

/// A label key that stands alone.
pub(super) fn decode_key(text: &str) -> Decoded<Key> {
    Key::new(text).map_err(|error| error.field_errors("").collect())
}

/// A label key that a request asks to group by.
///
/// # Errors
/// What is wrong with the key.
pub fn decode_group_key(text: &str) -> Decoded<Key> {
    if text.is_empty() {
        invalid("a label key is needed to group by")
    } else {
        decode_key(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(key: &str, value: &str) -> proto::Label {
        proto::Label {
            key: key.into(),
            value: value.into(),
        }
    }

    fn paths(faults: Vec<FieldError>) -> Vec<String> {
        faults.into_iter().map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn absent_and_empty_selectors_differ() {
        let empty = proto::Selector {
            form: Some(proto::selector::Form::Text(String::new())),
        };
        assert_eq!(decode_selector(None), Ok(None));
        assert_eq!(
            decode_selector(Some(&proto::Selector { form: None })),
            Ok(None)
        );
        assert_eq!(
            decode_selector(Some(&empty)),
            Ok(Some(Selector::everything()))
        );
        assert_eq!(encode_selector(&Selector::nothing()), None);
        assert_eq!(encode_selector(&Selector::everything()), Some(empty));
    }

    #[test]
    fn selectors_have_a_limit_of_requirements_and_of_values() {
        let text = |text: String| proto::Selector {
            form: Some(proto::selector::Form::Text(text)),
        };
        let requirements = |count: usize| {
            let each = (0..count).map(|i| format!("a{i}!=b")).collect::<Vec<_>>();
            text(each.join(","))
        };
        let values = |count: usize| {
            let each = (0..count).map(|i| format!("v{i}")).collect::<Vec<_>>();
            text(format!("a in ({})", each.join(",")))
        };
        assert!(decode_filter(Some(&requirements(MAX_REQUIREMENTS))).is_ok());
        assert!(decode_filter(Some(&values(MAX_VALUES))).is_ok());
        assert_eq!(
            paths(decode_filter(Some(&requirements(MAX_REQUIREMENTS + 1))).unwrap_err()),
            ["text: Too many: 1001 requirements given, 1000 allowed"]
        );
        assert_eq!(
            paths(decode_filter(Some(&values(MAX_VALUES + 1))).unwrap_err()),
            ["text: Too many: 10001 values given, 10000 allowed"]
        );
        let structured = proto::LabelSelector {
            match_labels: (0..=MAX_REQUIREMENTS)
                .map(|i| label(&format!("a{i}"), "b"))
                .collect(),
            match_expressions: vec![],
        };
        let structured = proto::Selector {
            form: Some(proto::selector::Form::LabelSelector(structured)),
        };
        assert_eq!(
            paths(decode_filter(Some(&structured)).unwrap_err()),
            ["label_selector: Too many: 1001 requirements given, 1000 allowed"]
        );
    }

    #[test]
    fn repeated_label_keys_are_refused() {
        let faults = decode_labels(&[
            label("app", "rng"),
            label("tier", "x"),
            label("app", "hasher"),
        ])
        .unwrap_err();
        assert_eq!(paths(faults), ["Duplicate value: \"app\""]);
    }

    #[test]
    fn faults_of_a_structured_selector_have_proto_paths() {
        let structured = proto::LabelSelector {
            match_labels: vec![],
            match_expressions: vec![proto::LabelSelectorRequirement {
                key: "app".into(),
                operator: "in".into(),
                values: vec!["rng".into()],
            }],
        };
        let selector = proto::Selector {
            form: Some(proto::selector::Form::LabelSelector(structured)),
        };
        let faults = decode_selector(Some(&selector)).unwrap_err();
        assert_eq!(
            faults.first().map(|f| f.path.as_str()),
            Some("label_selector.match_expressions[0].operator")
        );
    }
}
