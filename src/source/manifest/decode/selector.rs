use crate::labels::{FieldError, Key, Value};
use crate::model::ServiceSelector;
use crate::selector::{LabelSelector, LabelSelectorRequirement, Requirement, Selector, Threshold};

use super::Field;

impl Field<'_> {
    /// `spec.selector` of a service: Kubernetes' map of pairs, or our set-based form, which has
    /// `matchLabels` as an object or `matchExpressions` as a list, as no map of text could.
    pub fn service_selector(&self) -> ServiceSelector {
        if self.is_absent() {
            return ServiceSelector::None;
        }
        if self.is_object()
            && (self.get("matchLabels").is_object() || self.get("matchExpressions").is_list())
        {
            return ServiceSelector::Set(self.set_based());
        }
        let pairs = self.labels();
        if pairs.is_empty() {
            ServiceSelector::None
        } else {
            ServiceSelector::Map(pairs)
        }
    }

    fn set_based(&self) -> Selector {
        for (entry, field) in self.entries() {
            if !matches!(entry.key.text.as_str(), "matchLabels" | "matchExpressions") {
                field.invalid(
                    "stands beside matchLabels or matchExpressions; put pairs under matchLabels",
                );
            }
        }
        let pairs = self.get("matchLabels").labels();
        let mut requirements: Vec<Requirement> = pairs
            .into_iter()
            .map(|(key, value)| Requirement::Equals(key, value))
            .collect();
        for expression in self.get("matchExpressions").items() {
            requirements.extend(expression.requirement());
        }
        Selector::new(requirements)
    }

    /// One of `matchExpressions`: a LabelSelector's operators, and `Gt` and `Lt` as node affinity
    /// has them, so that every selector can be written down.
    fn requirement(&self) -> Option<Requirement> {
        let expression = LabelSelectorRequirement {
            key: self.get("key").text().into(),
            operator: self.get("operator").text().into(),
            values: self.get("values").strict_texts(),
        };
        match expression.operator.as_str() {
            "Gt" => self.comparison(&expression, Requirement::GreaterThan),
            "Lt" => self.comparison(&expression, Requirement::LessThan),
            _ => self.membership(expression),
        }
    }

    fn membership(&self, expression: LabelSelectorRequirement) -> Option<Requirement> {
        let alone = LabelSelector {
            match_labels: Vec::new(),
            match_expressions: vec![expression],
        };
        match alone.to_selector() {
            Ok(selector) => selector.requirements().first().cloned(),
            Err(errors) => {
                self.refuse_all(errors.into_iter().map(|mut error| {
                    if let Some(own) = error.path.strip_prefix("matchExpressions[0].") {
                        error.path = own.to_owned();
                    }
                    error
                }));
                None
            }
        }
    }

    fn comparison(
        &self,
        expression: &LabelSelectorRequirement,
        requirement: fn(Key, Threshold) -> Requirement,
    ) -> Option<Requirement> {
        let key = Key::new(&expression.key);
        if let Err(error) = &key {
            self.refuse_all(error.field_errors("key"));
        }
        let [value] = expression.values.as_slice() else {
            self.refuse_all([FieldError::invalid(
                "values",
                "Gt and Lt take exactly one value",
            )]);
            return None;
        };
        let threshold = Value::new(value)
            .ok()
            .and_then(|value| Threshold::new(value).ok());
        if threshold.is_none() {
            self.refuse_all([FieldError::invalid(
                "values[0]",
                format!("{value:?} must be a decimal integer of 64 bits, in quotes"),
            )]);
        }
        Some(requirement(key.ok()?, threshold?))
    }
}
