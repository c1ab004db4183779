use serde_json::Value;

use crate::model::ServiceSelector;
use crate::selector::{Requirement, Selector};

use super::fields::Fields;
use super::object::label_map;

/// `spec.selector` of a service; null if there is none.
pub fn service_selector(selector: &ServiceSelector) -> Value {
    match selector {
        ServiceSelector::None => Value::Null,
        ServiceSelector::Map(pairs) => label_map(pairs),
        ServiceSelector::Set(selector) => set_based(selector),
    }
}

/// Our set-based form, complete: pairs under `matchLabels` as long as their keys differ, all else
/// under `matchExpressions`, with `Gt` and `Lt` beside a LabelSelector's operators. It means the
/// same, but `==`, `!=` and a repeated key come back as `=`, `NotIn` and `In`.
fn set_based(selector: &Selector) -> Value {
    if selector.is_nothing() {
        // There is no word for it, so it is said by contradiction.
        let absent = |operator: &str| expression("nothing", operator, Vec::new());
        return Fields::new()
            .with(
                "matchExpressions",
                vec![absent("Exists"), absent("DoesNotExist")],
            )
            .into();
    }
    let mut pairs = serde_json::Map::new();
    let mut expressions = Vec::new();
    for requirement in selector.requirements() {
        let key = requirement.key().as_str();
        let (operator, values): (&str, Vec<&str>) = match requirement {
            Requirement::Equals(_, value) | Requirement::DoubleEquals(_, value) => {
                if !pairs.contains_key(key) {
                    pairs.insert(key.to_owned(), value.as_str().into());
                    continue;
                }
                ("In", vec![value.as_str()])
            }
            Requirement::NotEquals(_, value) => ("NotIn", vec![value.as_str()]),
            Requirement::In(_, values) => {
                ("In", values.iter().map(|value| value.as_str()).collect())
            }
            Requirement::NotIn(_, values) => {
                ("NotIn", values.iter().map(|value| value.as_str()).collect())
            }
            Requirement::Exists(_) => ("Exists", Vec::new()),
            Requirement::DoesNotExist(_) => ("DoesNotExist", Vec::new()),
            Requirement::GreaterThan(_, threshold) => ("Gt", vec![threshold.as_str()]),
            Requirement::LessThan(_, threshold) => ("Lt", vec![threshold.as_str()]),
        };
        expressions.push(expression(key, operator, values));
    }
    // An object without fields would read as Kubernetes' empty map, which selects nothing.
    let everything = expressions.is_empty() && pairs.is_empty();
    let fields = Fields::new().with_some("matchExpressions", expressions);
    if everything {
        fields.with("matchLabels", pairs)
    } else {
        fields.with_some("matchLabels", pairs)
    }
    .into()
}

fn expression(key: &str, operator: &str, values: Vec<&str>) -> Value {
    Fields::new()
        .with("key", key)
        .with("operator", operator)
        .with_some("values", values)
        .into()
}
