use std::collections::HashMap;

use smol_str::SmolStr;

use crate::labels::{FieldError, FieldErrorKind, LabelFault, LabelSet};
use crate::source::manifest::syntax::plain::{self, Reading};
use crate::source::manifest::syntax::{Data, Place};

use super::Field;

/// What a field reads as. Each of these refuses what it cannot read, and then reads as absent.
impl<'a> Field<'a> {
    /// The scalar and what YAML reads in it, if there is something and it is one.
    pub fn scalar(&self) -> Option<(&'a SmolStr, Reading)> {
        match &self.tree.data {
            Data::Scalar(scalar) => match scalar.reading() {
                Reading::Null => None,
                reading => Some((&scalar.text, reading)),
            },
            _ => {
                self.invalid(format!("is {}, must be a single value", self.describe()));
                None
            }
        }
    }

    /// Text, empty if absent. What YAML reads as a number or a boolean is refused, as kubectl does.
    pub fn text(&self) -> SmolStr {
        match self.scalar() {
            Some((text, Reading::Text | Reading::Date | Reading::Base60)) => text.clone(),
            Some((text, _)) => {
                self.refuse_unquoted(text);
                SmolStr::default()
            }
            None => SmolStr::default(),
        }
    }

    /// Text where there must be some.
    pub fn required_text(&self) -> SmolStr {
        let is_empty = matches!(&self.tree.data, Data::Scalar(scalar) if !scalar.plain && scalar.text.is_empty());
        if is_empty || self.is_absent() {
            self.refuse(FieldErrorKind::Required, "");
        }
        self.text()
    }

    /// Text in a map whose values people forget to quote: nothing but text will do, not even null.
    fn strict_text(&self) -> Option<SmolStr> {
        match &self.tree.data {
            Data::Scalar(scalar) if scalar.reading() != Reading::Text => {
                self.refuse_unquoted(&scalar.text);
                None
            }
            Data::Scalar(scalar) => Some(scalar.text.clone()),
            _ => {
                self.invalid(format!("is {}, must be text", self.describe()));
                None
            }
        }
    }

    fn refuse_unquoted(&self, text: &str) {
        let meant = if text == "~" { "" } else { text };
        let shown = if text.is_empty() { "nothing" } else { text };
        let read = self.describe();
        self.invalid(format!(
            "{shown} without quotes is {read}, must be text; write \"{meant}\""
        ));
    }

    /// The strings of a list that people forget to quote.
    pub fn strict_texts(&self) -> Vec<String> {
        self.items()
            .filter_map(|item| item.strict_text())
            .map(String::from)
            .collect()
    }

    /// The pairs of a map of text, as labels and annotations are, in the order written.
    pub fn text_map(&self) -> Vec<(SmolStr, SmolStr)> {
        self.entries()
            .filter_map(|(entry, field)| {
                let text = &entry.key.text;
                if let Some(read) = entry.key.reading().describe() {
                    let detail = format!(
                        "the key {text} without quotes is {read}, must be text; write \"{text}\""
                    );
                    field.refuse_at(entry.place, FieldError::invalid(field.path(), detail));
                    return None;
                }
                Some((text.clone(), field.strict_text()?))
            })
            .collect()
    }

    /// A map of labels.
    pub fn labels(&self) -> LabelSet {
        LabelSet::try_from_pairs(self.text_map()).unwrap_or_else(|error| {
            let path = self.path();
            let places: HashMap<&str, Place> = self
                .entries()
                .map(|(entry, _)| (entry.key.text.as_str(), entry.value.place))
                .collect();
            for fault in error.faults() {
                let (key, errors): (&str, Vec<FieldError>) = match fault {
                    LabelFault::Key(error) => (error.text(), error.field_errors(&path).collect()),
                    LabelFault::Value { key, error } => (key, error.field_errors(&path).collect()),
                };
                let place = places.get(key).copied().unwrap_or_else(|| self.place());
                for error in errors {
                    self.refuse_at(place, error);
                }
            }
            LabelSet::new()
        })
    }

    /// A boolean, false if absent.
    pub fn flag(&self) -> bool {
        self.optional_flag().unwrap_or(false)
    }

    /// A boolean, if there.
    pub fn optional_flag(&self) -> Option<bool> {
        match self.scalar()? {
            (_, Reading::Boolean(value)) => Some(value),
            (text, _) => {
                self.invalid(format!(
                    "{text:?} is {}, must be true or false, without quotes",
                    self.describe()
                ));
                None
            }
        }
    }

    /// A whole number no less than `least` and no more than `most`, if there.
    pub fn integer(&self, least: i64, most: i64) -> Option<i64> {
        let (text, reading) = self.scalar()?;
        let number = if reading == Reading::Number {
            plain::integer(text)
        } else {
            None
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(number) => {
                self.invalid(format!("{number} must be between {least} and {most}"));
                None
            }
            None => {
                self.invalid(format!("{text:?} is not a whole number; write one between {least} and {most}, without quotes"));
                None
            }
        }
    }

    /// A port number, if there.
    pub fn port(&self) -> Option<u16> {
        self.integer(1, i64::from(u16::MAX))
            .and_then(|n| u16::try_from(n).ok())
    }

    /// A port number where there must be one; 0 stands in for one that is refused.
    pub fn required_port(&self) -> u16 {
        if self.is_absent() {
            self.refuse(
                FieldErrorKind::Required,
                "write a number between 1 and 65535",
            );
        }
        self.port().unwrap_or_default()
    }

    /// One of several words, exactly as Kubernetes spells them; the default if absent.
    pub fn choice<T: Default>(&self, read: impl FnOnce(&str) -> Option<T>, words: &[&str]) -> T {
        let text = self.text();
        if text.is_empty() {
            return T::default();
        }
        read(&text).unwrap_or_else(|| {
            self.not_supported(&text, words);
            T::default()
        })
    }
}
