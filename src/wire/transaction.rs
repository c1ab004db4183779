//! Transactions: what a writer asks for.

use prost::Message as _;
use smol_str::SmolStr;

use crate::labels::{FieldError, Key, Value};
use crate::model::{
    Expectation, Kind, LabelPatch, Object, ObjectName, ObjectRef, Operation, PatchTarget,
    Precondition, Transaction, validate,
};
use crate::selector::MAX_REQUIREMENTS;

use super::endpoints::{decode_manual, encode_manual};
use super::faults::{Decoded, Faults, required};
use super::labels::{decode_key, decode_label, decode_selector, encode_label, encode_selector};
use super::name::{
    check_namespaces, decode_kind, decode_ref, encode_kind, encode_ref, is_of_legal_length,
};
use super::paths::in_proto_terms;
use super::pod::encode_pod;
use super::proto;
use super::proto::operation::Operation as Step;
use super::read_pod::{PodReader, read_name};
use super::service::{decode_node, decode_service, encode_node, encode_service};

/// Longest request id, in bytes: a UUID with room to spare.
pub const MAX_REQUEST_ID: usize = 128;
/// Longest name of a source, in bytes.
pub const MAX_SOURCE: usize = 253;

/// A transaction, and the id that makes a retry of it safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteRequest {
    /// What is asked.
    pub transaction: Transaction,
    /// The request id, or empty.
    pub request_id: SmolStr,
}

/// A transaction as a message.
pub fn encode_transaction(write: &WriteRequest) -> proto::Transaction {
    let transaction = &write.transaction;
    proto::Transaction {
        preconditions: transaction
            .preconditions
            .iter()
            .map(encode_precondition)
            .collect(),
        operations: transaction
            .operations
            .iter()
            .map(|operation| proto::Operation {
                operation: Some(encode_operation(operation)),
            })
            .collect(),
        source: transaction.source.to_string(),
        request_id: write.request_id.to_string(),
    }
}

/// A transaction whose objects meet every rule.
///
/// # Errors
/// Every fault, with its path from the transaction: `operations[3].put_pod.labels`.
pub fn decode_transaction(transaction: proto::Transaction) -> Decoded<WriteRequest> {
    let mut faults = Faults::default();
    let mut pods = PodReader::default();
    check_length(&mut faults, "source", &transaction.source, MAX_SOURCE);
    check_length(
        &mut faults,
        "request_id",
        &transaction.request_id,
        MAX_REQUEST_ID,
    );
    let decoded =
        Transaction {
            preconditions: faults.list(
                "preconditions",
                transaction.preconditions,
                decode_precondition,
            ),
            operations: faults.list("operations", transaction.operations, |operation| {
                match operation.operation {
                    Some(step) => decode_operation(step, &mut pods),
                    None => required("", "say what to do"),
                }
            }),
            source: transaction.source.into(),
        };
    check_selectors(&mut faults, &decoded.operations);
    faults.finish(WriteRequest {
        transaction: decoded,
        request_id: transaction.request_id.into(),
    })
}

/// All patches by selector are resolved at one go, so their selectors together are held to what one may
/// have.
fn check_selectors(faults: &mut Faults, operations: &[Operation]) {
    let requirements: usize = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::PatchLabels(LabelPatch {
                target: PatchTarget::Selector { selector, .. },
                ..
            }) => Some(selector.requirements().len()),
            _ => None,
        })
        .sum();
    if requirements > MAX_REQUIREMENTS {
        let detail = format!(
            "{requirements} requirements given in selectors of label patches, \
             {MAX_REQUIREMENTS} allowed in one transaction"
        );
        faults.push(FieldError::too_many("operations", detail));
    }
}

/// The objects that a transaction says are there, be they legal or not: what it puts, and what it
/// patches by name. What no object can be called is not among them. In place of a pod whose name cannot
/// be read, what is wrong: nobody knows which it is.
pub fn mentioned_objects(
    transaction: &proto::Transaction,
) -> impl Iterator<Item = Decoded<ObjectRef>> + '_ {
    let legal = |object: &ObjectRef| is_of_legal_length(&object.name.namespace, &object.name.name);
    let operations = transaction.operations.iter().enumerate();
    operations.filter_map(move |(i, operation)| {
        let named = mentioned_object(operation.operation.as_ref()?);
        let named = named.map_err(|faults| under(&format!("operations[{i}]"))(faults));
        named.map(|object| object.filter(legal)).transpose()
    })
}

fn mentioned_object(step: &Step) -> Decoded<Option<ObjectRef>> {
    let in_namespace = |kind, namespace: &str, name: &str| {
        Some(ObjectRef::new(kind, ObjectName::new(namespace, name)))
    };
    Ok(match step {
        Step::PutPod(pod) => {
            let name = read_name(pod);
            Some(ObjectRef::new(Kind::Pod, name.map_err(under("put_pod"))?))
        }
        Step::PutService(service) => in_namespace(Kind::Service, &service.namespace, &service.name),
        Step::PutNode(node) => in_namespace(Kind::Node, "", &node.name),
        Step::PutEndpoints(manual) => decode_kind(manual.kind)
            .ok()
            .and_then(|kind| in_namespace(kind, &manual.namespace, &manual.name)),
        Step::PatchLabels(patch) => match &patch.target {
            Some(proto::label_patch::Target::Object(object)) => decode_ref(object.clone()).ok(),
            Some(proto::label_patch::Target::Matching(_)) | None => None,
        },
        Step::Delete(_) => None,
    })
}

fn check_length(faults: &mut Faults, path: &str, text: &str, max: usize) {
    if text.len() > max {
        faults.push(FieldError::invalid(
            path,
            format!("must be no more than {max} bytes, is {}", text.len()),
        ));
    }
}

fn encode_precondition(precondition: &Precondition) -> proto::Precondition {
    use proto::precondition::Expect;
    proto::Precondition {
        object: Some(encode_ref(&precondition.object)),
        expect: Some(match precondition.expect {
            Expectation::Exists => Expect::Exists(true),
            Expectation::Absent => Expect::Exists(false),
            Expectation::Revision(revision) => Expect::Revision(revision),
        }),
    }
}

fn decode_precondition(precondition: proto::Precondition) -> Decoded<Precondition> {
    use proto::precondition::Expect;
    let mut faults = Faults::default();
    let object = faults.take(
        || "object".to_owned(),
        precondition.object.map_or_else(missing_object, decode_ref),
    );
    let expect = match precondition.expect {
        Some(Expect::Exists(true)) => Some(Expectation::Exists),
        Some(Expect::Exists(false)) => Some(Expectation::Absent),
        Some(Expect::Revision(revision)) => Some(Expectation::Revision(revision)),
        None => {
            faults.push(FieldError::required(
                "exists",
                "say whether the object must exist, or at which `revision`",
            ));
            None
        }
    };
    let decoded = object
        .zip(expect)
        .map(|(object, expect)| Precondition { object, expect });
    faults.finish(decoded)?.ok_or_else(Vec::new)
}

fn missing_object<T>() -> Decoded<T> {
    required("", "say which object is meant")
}

/// One operation as a message.
pub fn encode_operation(operation: &Operation) -> Step {
    match operation {
        Operation::Put(Object::Pod(pod)) => Step::PutPod(encode_pod(pod).encode_to_vec().into()),
        Operation::Put(Object::Service(service)) => {
            Step::PutService(Box::new(encode_service(service)))
        }
        Operation::Put(Object::Node(node)) => Step::PutNode(Box::new(encode_node(node))),
        Operation::Put(Object::Manual(manual)) => {
            Step::PutEndpoints(Box::new(encode_manual(manual)))
        }
        Operation::Delete(object) => Step::Delete(encode_ref(object)),
        Operation::PatchLabels(patch) => Step::PatchLabels(Box::new(encode_patch(patch))),
    }
}

fn decode_operation(step: Step, pods: &mut PodReader) -> Decoded<Operation> {
    let (field, decoded) = match step {
        Step::PutPod(pod) => (
            "put_pod",
            pods.read(&pod)
                .map(Box::new)
                .map(Object::Pod)
                .and_then(valid),
        ),
        Step::PutService(service) => (
            "put_service",
            decode_service(*service)
                .map(Box::new)
                .map(Object::Service)
                .and_then(valid),
        ),
        Step::PutNode(node) => (
            "put_node",
            decode_node(*node)
                .map(Box::new)
                .map(Object::Node)
                .and_then(valid),
        ),
        Step::PutEndpoints(manual) => (
            "put_endpoints",
            decode_manual(*manual)
                .map(Box::new)
                .map(Object::Manual)
                .and_then(valid),
        ),
        Step::Delete(object) => ("delete", decode_ref(object).map(Operation::Delete)),
        Step::PatchLabels(patch) => (
            "patch_labels",
            decode_patch(*patch).map(Operation::PatchLabels),
        ),
    };
    decoded.map_err(under(field))
}

/// Faults of what stands in a field.
fn under(field: &str) -> impl Fn(Vec<FieldError>) -> Vec<FieldError> {
    move |faults| faults.into_iter().map(|fault| fault.under(field)).collect()
}

fn valid(object: Object) -> Decoded<Operation> {
    let kind = object.object_ref().kind;
    let faults = validate(&object);
    if faults.is_empty() {
        Ok(Operation::Put(object))
    } else {
        Err(faults
            .into_iter()
            .map(|fault| in_proto_terms(fault, kind))
            .collect())
    }
}

fn encode_patch(patch: &LabelPatch) -> proto::LabelPatch {
    use proto::label_patch::{SelectorTarget, Target};
    proto::LabelPatch {
        target: Some(match &patch.target {
            PatchTarget::Object(object) => Target::Object(encode_ref(object)),
            PatchTarget::Selector {
                kind,
                namespaces,
                selector,
            } => Target::Matching(SelectorTarget {
                kind: encode_kind(*kind).into(),
                namespaces: namespaces.iter().map(ToString::to_string).collect(),
                selector: encode_selector(selector),
            }),
        }),
        set: patch
            .set
            .iter()
            .map(|(key, value)| encode_label(key, value))
            .collect(),
        remove: patch.remove.iter().map(ToString::to_string).collect(),
        overwrite: patch.overwrite,
    }
}

fn decode_patch(patch: proto::LabelPatch) -> Decoded<LabelPatch> {
    use proto::label_patch::Target;
    let mut faults = Faults::default();
    let target = match patch.target {
        Some(Target::Object(object)) => faults.take(
            || "object".to_owned(),
            decode_ref(object).map(PatchTarget::Object),
        ),
        Some(Target::Matching(matching)) => {
            faults.take(|| "matching".to_owned(), decode_matching(matching))
        }
        None => {
            faults.push(FieldError::required(
                "object",
                "name an object, or say which objects with `matching`",
            ));
            None
        }
    };
    let set: Vec<(Key, Value)> = faults.list("set", patch.set, decode_label);
    let remove: Vec<Key> = faults.list("remove", &patch.remove, |key| decode_key(key));
    refuse_contradictions(&mut faults, &set, &remove);
    let decoded = target.map(|target| LabelPatch {
        target,
        set,
        remove,
        overwrite: patch.overwrite,
    });
    faults.finish(decoded)?.ok_or_else(Vec::new)
}

fn refuse_contradictions(faults: &mut Faults, set: &[(Key, Value)], remove: &[Key]) {
    let mut keys: Vec<&Key> = set.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    for run in keys.chunk_by(|a, b| a == b).filter(|run| run.len() > 1) {
        if let Some(key) = run.first() {
            faults.push(FieldError::duplicate("set", format!("{:?}", key.as_str())));
        }
    }
    for (i, key) in remove.iter().enumerate() {
        if keys.binary_search(&key).is_ok() {
            faults.push(FieldError::invalid(
                format!("remove[{i}]"),
                format!("{:?} is also set", key.as_str()),
            ));
        }
    }
}

fn decode_matching(matching: proto::label_patch::SelectorTarget) -> Decoded<PatchTarget> {
    let mut faults = Faults::default();
    let kind = faults.take(|| "kind".to_owned(), decode_kind(matching.kind));
    if let Some(kind @ (Kind::Endpoints | Kind::EndpointSlice)) = kind {
        faults.push(FieldError::not_supported(
            "kind",
            format!("labels of {kind} objects cannot be patched; put the object instead"),
        ));
    }
    let selector = faults.part("selector", decode_selector(matching.selector.as_ref()).and_then(|selector| {
        if selector.is_some() {
            Ok(selector)
        } else {
            required("", "an empty one selects every object; an absent one is refused, lest a forgotten one does")
        }
    }));
    faults.take(
        || "namespaces".to_owned(),
        check_namespaces(&matching.namespaces),
    );
    let namespaces = matching.namespaces.into_iter().map(Into::into).collect();
    let decoded = kind
        .zip(selector)
        .map(|(kind, selector)| PatchTarget::Selector {
            kind,
            namespaces,
            selector,
        });
    faults.finish(decoded)?.ok_or_else(Vec::new)
}
