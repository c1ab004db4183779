//! Names, labels and selectors from text.

use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{Kind, Node, ObjectName, ObjectRef, Pod, Service};
use selectord::selector::Selector;

/// `ns/name`, or the name of a cluster-scoped object.
pub fn name(text: &str) -> ObjectName {
    match text.split_once('/') {
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => ObjectName::cluster(text),
    }
}

pub fn reference(kind: Kind, text: &str) -> ObjectRef {
    ObjectRef::new(kind, name(text))
}

pub fn key(text: &str) -> Key {
    Key::new(text).expect(text)
}

pub fn value(text: &str) -> Value {
    Value::new(text).expect(text)
}

/// `app=x,tier=y`, or nothing.
pub fn labels(text: &str) -> LabelSet {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    LabelSet::try_from_pairs(pairs.map(|pair| pair.split_once('=').expect(pair))).expect(text)
}

pub fn selector(text: &str) -> Selector {
    Selector::parse(text).expect(text)
}

/// What every kind of object has.
pub trait Labelled: Sized {
    fn own_labels(&mut self) -> &mut LabelSet;

    fn label(mut self, key: &str, value: &str) -> Self {
        self.own_labels().insert(self::key(key), self::value(value));
        self
    }

    /// These labels and no others: `app=x,tier=y`.
    fn labelled(mut self, text: &str) -> Self {
        *self.own_labels() = labels(text);
        self
    }
}

impl Labelled for Pod {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}

impl Labelled for Service {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}

impl Labelled for Node {
    fn own_labels(&mut self) -> &mut LabelSet {
        &mut self.labels
    }
}
