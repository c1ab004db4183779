//! Changes, operations and transactions.

use selectord::model::{
    Change, Kind, LabelPatch, ManualEndpoints, Node, Object, Operation, PatchTarget, Pod,
    ResolvedTransaction, Service, Transaction,
};

use super::{key, reference, selector, value};

/// Anything that can be put.
pub trait IntoObject {
    fn into_object(self) -> Object;
}

impl IntoObject for Object {
    fn into_object(self) -> Object {
        self
    }
}

impl IntoObject for Pod {
    fn into_object(self) -> Object {
        Object::Pod(Box::new(self))
    }
}

impl IntoObject for Service {
    fn into_object(self) -> Object {
        Object::Service(Box::new(self))
    }
}

impl IntoObject for Node {
    fn into_object(self) -> Object {
        Object::Node(Box::new(self))
    }
}

impl IntoObject for ManualEndpoints {
    fn into_object(self) -> Object {
        Object::Manual(Box::new(self))
    }
}

pub fn put(object: impl IntoObject) -> Change {
    Change::Put(object.into_object())
}

pub fn delete(kind: Kind, text: &str) -> Change {
    Change::Delete(reference(kind, text))
}

pub fn resolved(changes: impl IntoIterator<Item = Change>) -> ResolvedTransaction {
    ResolvedTransaction::new(changes, "")
}

pub fn put_op(object: impl IntoObject) -> Operation {
    Operation::Put(object.into_object())
}

pub fn delete_op(kind: Kind, text: &str) -> Operation {
    Operation::Delete(reference(kind, text))
}

/// A patch written as kubectl writes it: `k=v` sets, `k-` removes; no overwriting.
pub fn patch(target: PatchTarget, changes: &[&str]) -> LabelPatch {
    let mut patch = LabelPatch {
        target,
        set: Vec::new(),
        remove: Vec::new(),
        overwrite: false,
    };
    for change in changes {
        match change.split_once('=') {
            Some((k, v)) => patch.set.push((key(k), value(v))),
            None => patch
                .remove
                .push(key(change.strip_suffix('-').expect(change))),
        }
    }
    patch
}

/// All objects of a kind, in all namespaces, that a selector matches.
pub fn all_matching(kind: Kind, text: &str) -> PatchTarget {
    PatchTarget::Selector {
        kind,
        namespaces: Vec::new(),
        selector: selector(text),
    }
}

pub fn asked(operations: impl IntoIterator<Item = Operation>) -> Transaction {
    Transaction {
        operations: operations.into_iter().collect(),
        ..Transaction::default()
    }
}
