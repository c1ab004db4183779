use std::fmt::Write as _;

use smol_str::{SmolStr, SmolStrBuilder};

use crate::labels::{Key, LabelSet, Value};
use crate::model::ServiceSelector;
use crate::selector::{Requirement, Selector};

/// A service's selector, as kept. Pairs are kept as text, `app=rng,tier=web`: neither a key nor a
/// value has a comma or an equals sign, and one short text takes a third of what typed pairs do.
#[derive(Debug)]
pub(crate) enum StoredSelector {
    None,
    Pairs(SmolStr),
    Set(Box<Selector>),
}

/// A selector that stands: one that somebody wants to be told of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StandingSelector<'s> {
    /// As [`StoredSelector::Pairs`].
    Pairs(&'s str),
    Any(&'s Selector),
}

impl StoredSelector {
    pub(crate) fn new(selector: ServiceSelector) -> StoredSelector {
        match selector {
            ServiceSelector::None => StoredSelector::None,
            ServiceSelector::Map(pairs) => {
                let mut text = SmolStrBuilder::new();
                // Writing to a text does not fail.
                let _ = write!(text, "{pairs}");
                StoredSelector::Pairs(text.finish())
            }
            ServiceSelector::Set(selector) => StoredSelector::Set(Box::new(selector)),
        }
    }

    /// The selector as it was given.
    pub(crate) fn whole(&self) -> ServiceSelector {
        match self {
            StoredSelector::None => ServiceSelector::None,
            StoredSelector::Pairs(text) => ServiceSelector::Map(labels(text)),
            StoredSelector::Set(selector) => ServiceSelector::Set((**selector).clone()),
        }
    }

    /// Bytes it has elsewhere.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = match self {
            StoredSelector::Pairs(text) if text.is_heap_allocated() => text.len(),
            StoredSelector::None | StoredSelector::Pairs(_) => 0,
            StoredSelector::Set(selector) => {
                size_of::<Selector>() + size_of_val(selector.requirements())
            }
        };
        bytes as u64
    }

    pub(crate) fn standing(&self) -> Option<StandingSelector<'_>> {
        match self {
            StoredSelector::None => None,
            StoredSelector::Pairs(text) => Some(StandingSelector::Pairs(text)),
            StoredSelector::Set(selector) => Some(StandingSelector::Any(selector)),
        }
    }
}

impl StandingSelector<'_> {
    /// Whether `labels` meet it.
    pub(crate) fn matches(&self, labels: &LabelSet) -> bool {
        match self {
            StandingSelector::Pairs(text) => {
                pairs(text).all(|(key, value)| labels.get(key).is_some_and(|v| v.as_str() == value))
            }
            StandingSelector::Any(selector) => selector.matches(labels),
        }
    }

    /// Whether these labels, in no order, meet it.
    pub(crate) fn matches_terms(&self, labels: &[(&Key, &Value)]) -> bool {
        let meets = |(wanted, value): (&str, &str)| {
            let found = labels.iter().find(|(key, _)| key.as_str() == wanted);
            found.is_some_and(|(_, found)| found.as_str() == value)
        };
        match self {
            StandingSelector::Pairs(text) => pairs(text).all(meets),
            StandingSelector::Any(selector) => {
                let value_of = |wanted: &Key| labels.iter().find(|(key, _)| *key == wanted);
                let meets = |requirement: &Requirement| {
                    let found = value_of(requirement.key());
                    requirement.matches_value(found.map(|(_, value)| *value))
                };
                !selector.is_nothing() && selector.requirements().iter().all(meets)
            }
        }
    }

    /// The selector itself.
    pub(crate) fn to_selector(self) -> Selector {
        match self {
            StandingSelector::Pairs(text) => Selector::from_pairs(&labels(text)),
            StandingSelector::Any(selector) => selector.clone(),
        }
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(text);
    let pairs = std::iter::from_fn(move || {
        let (pair, behind) = cut(rest?, b',');
        rest = behind;
        Some(pair)
    });
    pairs.filter_map(|pair| {
        let (key, value) = cut(pair, b'=');
        Some((key, value?))
    })
}

/// What stands before a byte, and what behind it. Byte by byte: keys and values are short, and to begin
/// a search for each costs more.
fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == at) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

fn labels(text: &str) -> LabelSet {
    pairs(text)
        .filter_map(|(key, value)| Some((Key::new(key).ok()?, Value::new(value).ok()?)))
        .collect()
}
