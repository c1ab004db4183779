//! The selector as objects of the Kubernetes API carry it.

use std::fmt;

use crate::labels::{FieldError, Key, Shown, Value};

use super::conjunction::Selector;
use super::operand::ValueSet;
use super::requirement::Requirement;

/// A `LabelSelector` as somebody wrote it, legal or not. The default, present but empty, matches
/// everything; it is its absence that matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// Pairs that have to be there.
    pub match_labels: Vec<(String, String)>,
    /// Requirements that have to be met as well.
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// One of the `matchExpressions` as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelectorRequirement {
    /// The label key.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`, in exactly this case.
    pub operator: String,
    /// At least one with `In` and `NotIn`, none with the others. Repetitions are legal.
    pub values: Vec<String>,
}

impl LabelSelector {
    /// Checks the selector, and makes one that can be matched.
    ///
    /// Repeated values are kept here and count once in the result.
    ///
    /// # Errors
    ///
    /// All that is wrong, with paths from the `LabelSelector`: `matchLabels` (the map itself,
    /// whichever key is meant), `matchExpressions[2].values[0]`.
    pub fn to_selector(&self) -> Result<Selector, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut requirements =
            Vec::with_capacity(self.match_labels.len() + self.match_expressions.len());
        for (key, value) in &self.match_labels {
            let key = checked_key(key, "matchLabels", &mut errors);
            let value = checked_value(value, format_args!("matchLabels"), &mut errors);
            if let (Some(key), Some(value)) = (key, value) {
                requirements.push(Requirement::Equals(key, value));
            }
        }
        refuse_repeated_keys(&requirements, &mut errors);
        for (index, expression) in self.match_expressions.iter().enumerate() {
            let mut own = Vec::new();
            requirements.extend(expression.to_requirement(&mut own));
            let path = format!("matchExpressions[{index}]");
            errors.extend(own.into_iter().map(|error| error.under(&path)));
        }
        if errors.is_empty() {
            Ok(Selector::new(requirements))
        } else {
            Err(errors)
        }
    }

    /// The meaning of a field that may be absent: absent, it matches nothing.
    ///
    /// # Errors
    ///
    /// As [`to_selector`](LabelSelector::to_selector).
    pub fn selector_of(field: Option<&LabelSelector>) -> Result<Selector, Vec<FieldError>> {
        field.map_or_else(|| Ok(Selector::nothing()), LabelSelector::to_selector)
    }
}

/// `matchLabels` is a map, so a key that comes twice was garbled on its way here.
fn refuse_repeated_keys(pairs: &[Requirement], errors: &mut Vec<FieldError>) {
    let mut keys: Vec<&Key> = pairs.iter().map(Requirement::key).collect();
    keys.sort_unstable();
    for pair in keys.windows(2) {
        if let [first, second] = pair
            && first == second
        {
            errors.push(FieldError::duplicate("matchLabels", format!("\"{first}\"")));
        }
    }
}

impl LabelSelectorRequirement {
    /// `None` if and only if something is wrong, which is then told with paths from here.
    fn to_requirement(&self, errors: &mut Vec<FieldError>) -> Option<Requirement> {
        let operator = Operator::named(&self.operator);
        match operator {
            Some(Operator::In | Operator::NotIn) if self.values.is_empty() => {
                let detail = "In and NotIn need at least one value";
                errors.push(FieldError::required("values", detail));
            }
            Some(Operator::Exists | Operator::DoesNotExist) if !self.values.is_empty() => {
                let detail = "Exists and DoesNotExist take no values";
                errors.push(FieldError::forbidden("values", detail));
            }
            Some(_) => {}
            None => {
                let given = Shown(&self.operator);
                let detail = format!("\"{given}\": must be one of In, NotIn, Exists, DoesNotExist");
                errors.push(FieldError::invalid("operator", detail));
            }
        }
        let key = checked_key(&self.key, "key", errors);
        let mut values = Vec::with_capacity(self.values.len());
        for (index, value) in self.values.iter().enumerate() {
            values.extend(checked_value(
                value,
                format_args!("values[{index}]"),
                errors,
            ));
        }
        if !errors.is_empty() {
            return None;
        }
        let key = key?;
        Some(match operator? {
            Operator::In => Requirement::In(key, ValueSet::new(values)?),
            Operator::NotIn => Requirement::NotIn(key, ValueSet::new(values)?),
            Operator::Exists => Requirement::Exists(key),
            Operator::DoesNotExist => Requirement::DoesNotExist(key),
        })
    }
}

fn checked_key(text: &str, path: &str, errors: &mut Vec<FieldError>) -> Option<Key> {
    match Key::new(text) {
        Ok(key) => Some(key),
        Err(error) => {
            errors.extend(error.field_errors(path));
            None
        }
    }
}

fn checked_value(
    text: &str,
    path: fmt::Arguments<'_>,
    errors: &mut Vec<FieldError>,
) -> Option<Value> {
    match Value::new(text) {
        Ok(value) => Some(value),
        Err(error) => {
            errors.extend(error.field_errors(&path.to_string()));
            None
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Operator {
    fn named(name: &str) -> Option<Operator> {
        match name {
            "In" => Some(Operator::In),
            "NotIn" => Some(Operator::NotIn),
            "Exists" => Some(Operator::Exists),
            "DoesNotExist" => Some(Operator::DoesNotExist),
            _ => None,
        }
    }

    fn name(self) -> String {
        match self {
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
        }
        .to_owned()
    }
}

/// `=` and `==` go to `matchLabels`, where of several values of one key the last stays, as in
/// Kubernetes; `!=` becomes a `NotIn` of one value.
impl TryFrom<&Selector> for LabelSelector {
    type Error = ToLabelSelectorError;

    fn try_from(selector: &Selector) -> Result<LabelSelector, ToLabelSelectorError> {
        if selector.is_nothing() {
            return Err(ToLabelSelectorError::Nothing);
        }
        let mut result = LabelSelector::default();
        for requirement in selector.requirements() {
            let (operator, values) = match requirement {
                Requirement::Equals(key, value) | Requirement::DoubleEquals(key, value) => {
                    result.set_label(key, value);
                    continue;
                }
                Requirement::GreaterThan(..) | Requirement::LessThan(..) => {
                    return Err(ToLabelSelectorError::Comparison(requirement.clone()));
                }
                Requirement::Exists(_) => (Operator::Exists, Vec::new()),
                Requirement::DoesNotExist(_) => (Operator::DoesNotExist, Vec::new()),
                Requirement::NotEquals(_, value) => (Operator::NotIn, vec![value.clone().into()]),
                Requirement::In(_, values) => (Operator::In, texts(values)),
                Requirement::NotIn(_, values) => (Operator::NotIn, texts(values)),
            };
            result.match_expressions.push(LabelSelectorRequirement {
                key: requirement.key().as_str().to_owned(),
                operator: operator.name(),
                values,
            });
        }
        Ok(result)
    }
}

impl LabelSelector {
    /// Pairs come sorted by key, so the one to replace can only be the last.
    fn set_label(&mut self, key: &Key, value: &Value) {
        let value = String::from(value.clone());
        match self.match_labels.last_mut() {
            Some((last, old)) if last == key.as_str() => *old = value,
            _ => self.match_labels.push((key.as_str().to_owned(), value)),
        }
    }
}

fn texts(values: &ValueSet) -> Vec<String> {
    values.iter().cloned().map(String::from).collect()
}

/// A selector that no `LabelSelector` can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToLabelSelectorError {
    /// It matches nothing, which only an absent field means.
    #[error("a LabelSelector cannot match nothing: leave the field out instead")]
    Nothing,
    /// It compares numbers, for which a `LabelSelector` has no operator.
    #[error("requirement '{0}': a LabelSelector has no operators > and <")]
    Comparison(Requirement),
}
