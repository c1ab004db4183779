//! Label changes on a command line: `active=yes`, `tier=`, `active-`.

use std::collections::BTreeMap;

use crate::labels::{Key, KeyError, LabelSet, Value, ValueError};

/// The labels that one command sets and removes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LabelChanges {
    pub(super) set: BTreeMap<Key, Value>,
    pub(super) remove: Vec<Key>,
}

/// Why words are not label changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LabelChangesError {
    #[error("{word:?} comes after the label changes: name all resources before them")]
    ResourceAfterChange { word: String },
    #[error("{word:?} has more than one '='; write key=value")]
    ManyEquals { word: String },
    #[error("{word:?}: label key: {cause}")]
    Key { word: String, cause: KeyError },
    #[error("{word:?}: label value: {cause}")]
    Value { word: String, cause: ValueError },
    #[error("label {key} cannot both be set and removed in one command")]
    Contradiction { key: Key },
}

/// Whether a word is a label change and not a resource: it has a `=` that is not first, or ends in a
/// `-` that is not all of it.
fn is_change(word: &str) -> bool {
    word.find('=').is_some_and(|at| at > 0) || (word.len() > 1 && word.ends_with('-'))
}

/// Splits words into resources and the changes behind them.
pub(super) fn split(words: &[String]) -> Result<(&[String], LabelChanges), LabelChangesError> {
    let first = words
        .iter()
        .position(|word| is_change(word))
        .unwrap_or(words.len());
    let (resources, changes) = words.split_at(first);
    Ok((resources, parse(changes)?))
}

fn parse(words: &[String]) -> Result<LabelChanges, LabelChangesError> {
    let mut changes = LabelChanges::default();
    for word in words {
        let key_of = |text: &str| {
            Key::new(text).map_err(|cause| LabelChangesError::Key {
                word: word.clone(),
                cause,
            })
        };
        if !is_change(word) {
            return Err(LabelChangesError::ResourceAfterChange { word: word.clone() });
        }
        match word.split_once('=') {
            Some((_, value)) if value.contains('=') => {
                return Err(LabelChangesError::ManyEquals { word: word.clone() });
            }
            Some((key, value)) => {
                let value = Value::new(value).map_err(|cause| LabelChangesError::Value {
                    word: word.clone(),
                    cause,
                })?;
                changes.set.insert(key_of(key)?, value);
            }
            None => {
                let key = key_of(word.strip_suffix('-').unwrap_or(word))?;
                if !changes.remove.contains(&key) {
                    changes.remove.push(key);
                }
            }
        }
    }
    match changes
        .remove
        .iter()
        .find(|key| changes.set.contains_key(*key))
    {
        Some(key) => Err(LabelChangesError::Contradiction { key: key.clone() }),
        None => Ok(changes),
    }
}

/// A label that is there with another value than the one to be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("label {key} is already {have:?}; say --overwrite to make it {want:?}")]
pub(super) struct Conflict {
    key: Key,
    have: Value,
    want: Value,
}

impl LabelChanges {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// What became of an object that these changes were made to, in kubectl's words.
    pub(super) fn done(&self, changed: bool) -> &'static str {
        match (changed, self.set.is_empty(), self.remove.is_empty()) {
            (false, ..) => "not labeled",
            (true, true, _) => "unlabeled",
            (true, false, true) => "labeled",
            (true, false, false) => "modified",
        }
    }

    /// Makes the changes.
    pub(super) fn apply(&self, labels: &LabelSet, overwrite: bool) -> Result<LabelSet, Conflict> {
        let mut labels = labels.clone();
        for (key, want) in &self.set {
            if let Some(have) = labels
                .get(key.as_str())
                .filter(|have| *have != want && !overwrite)
            {
                return Err(Conflict {
                    key: key.clone(),
                    have: have.clone(),
                    want: want.clone(),
                });
            }
            labels.insert(key.clone(), want.clone());
        }
        for key in &self.remove {
            labels.remove(key.as_str());
        }
        Ok(labels)
    }

    /// Keys to remove that an object does not have: worth a note, no error.
    pub(super) fn missing<'a>(&'a self, labels: &'a LabelSet) -> impl Iterator<Item = &'a Key> {
        self.remove
            .iter()
            .filter(|key| !labels.contains_key(key.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn said(text: &str) -> String {
        match split(&words(text)) {
            Ok((resources, changes)) => {
                let set: Vec<String> = changes
                    .set
                    .iter()
                    .map(|(k, v)| format!("{k}={v}"))
                    .collect();
                let remove: Vec<String> = changes.remove.iter().map(|k| format!("{k}-")).collect();
                format!(
                    "{} | {} | {}",
                    resources.join(" "),
                    set.join(" "),
                    remove.join(" ")
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn changes_stand_behind_resources() {
        for (text, expected) in [
            ("pods rng-a active=yes", "pods rng-a | active=yes | "),
            ("pods active-", "pods |  | active-"),
            ("pods a=1 x.y/z- a=2 b=", "pods | a=2 b= | x.y/z-"),
            ("pods a- a-", "pods |  | a-"),
            ("pods -", "pods - |  | "),
            ("pods =x", "pods =x |  | "),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_changes_are_named() {
        assert_eq!(
            said("pods active=yes rng-a"),
            "\"rng-a\" comes after the label changes: name all resources before them"
        );
        assert_eq!(
            said("pods a=b=c"),
            "\"a=b=c\" has more than one '='; write key=value"
        );
        assert_eq!(
            said("pods a=1 a-"),
            "label a cannot both be set and removed in one command"
        );
        assert!(
            said("pods a=-x").starts_with("\"a=-x\": label value: "),
            "{}",
            said("pods a=-x")
        );
        assert!(
            said("pods a--").starts_with("\"a--\": label key: "),
            "{}",
            said("pods a--")
        );
        assert!(
            said("pods a/b/c=x").starts_with("\"a/b/c=x\": label key: "),
            "{}",
            said("pods a/b/c=x")
        );
    }

    #[test]
    fn an_existing_value_needs_overwrite() {
        let labels = LabelSet::try_from_pairs([("app", "rng"), ("active", "no")]).unwrap();
        let all = words("pods active=yes app=rng");
        let changes = split(&all).unwrap().1;
        let conflict = changes.apply(&labels, false).unwrap_err();
        assert_eq!(
            conflict.to_string(),
            "label active is already \"no\"; say --overwrite to make it \"yes\""
        );
        assert_eq!(
            changes.apply(&labels, true).unwrap().to_string(),
            "active=yes,app=rng"
        );
        let all = words("pods active- gone-");
        let changes = split(&all).unwrap().1;
        assert_eq!(
            changes.apply(&labels, false).unwrap().to_string(),
            "app=rng"
        );
        assert_eq!(
            changes
                .missing(&labels)
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["gone"]
        );
    }

    #[test]
    fn result_words_are_kubectls() {
        let word = |text: &str, changed| split(&words(text)).unwrap().1.done(changed);
        assert_eq!(word("pods a=1", true), "labeled");
        assert_eq!(word("pods a-", true), "unlabeled");
        assert_eq!(word("pods a=1 b-", true), "modified");
        assert_eq!(word("pods a=1 b-", false), "not labeled");
    }
}
