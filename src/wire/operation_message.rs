use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::encoding::{DecodeContext, WireType, bytes as bytes_field, skip_field};
use prost::{DecodeError, Message, Oneof};

use super::proto::{LabelPatch, ManualEndpoints, Node, ObjectRef, Service};

const PUT_POD: u32 = 1;
const PATCH_LABELS: u32 = 6;

/// An operation as `cluster.proto` has it.
///
/// A pod that is put is the bytes of its message, as it is on the wire in any case, to be read without a
/// message struct in between ([`PodReader`](super::PodReader)).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// What is to be done.
    pub operation: Option<Step>,
}

/// What an operation does. A message of many small ones must not take the room of as many large ones.
#[derive(Clone, PartialEq, Oneof)]
pub enum Step {
    /// Create or replace whole: the bytes of a pod's message, written by [`encode_operation`](super::encode_operation).
    #[prost(bytes = "bytes", tag = "1")]
    PutPod(Bytes),
    /// Create or replace whole.
    #[prost(message, tag = "2")]
    PutService(Box<Service>),
    /// Create or replace whole.
    #[prost(message, tag = "3")]
    PutNode(Box<Node>),
    /// Create or replace whole.
    #[prost(message, tag = "4")]
    PutEndpoints(Box<ManualEndpoints>),
    /// Delete; an object that is not there is not an error.
    #[prost(message, tag = "5")]
    Delete(ObjectRef),
    /// Change labels.
    #[prost(message, tag = "6")]
    PatchLabels(Box<LabelPatch>),
}

impl Message for Operation {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if let Some(step) = &self.operation {
            step.encode(buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match (tag, &mut self.operation) {
            // A message in pieces is the bytes of them, one behind the other. Those that were joined have room,
            // and are not copied for each.
            (PUT_POD, Some(Step::PutPod(pod))) => {
                let mut piece = Bytes::new();
                bytes_field::merge(wire_type, &mut piece, buf, ctx)?;
                let mut whole = BytesMut::from(std::mem::take(pod));
                whole.extend_from_slice(&piece);
                *pod = whole.freeze();
                Ok(())
            }
            (PUT_POD..=PATCH_LABELS, step) => Step::merge(step, tag, wire_type, buf, ctx),
            _ => skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        self.operation.as_ref().map_or(0, Step::encoded_len)
    }

    fn clear(&mut self) {
        self.operation = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::arbitrary::pod;
    use crate::wire::encode_pod;
    use crate::wire::proto;

    /// The same message as generated code would have it, of what can be there.
    #[derive(Clone, PartialEq, Message)]
    struct Generated {
        #[prost(oneof = "GeneratedStep", tags = "1, 2, 3, 4, 5, 6")]
        operation: Option<GeneratedStep>,
    }

    #[derive(Clone, PartialEq, Oneof)]
    enum GeneratedStep {
        #[prost(message, tag = "1")]
        PutPod(Box<proto::Pod>),
        #[prost(message, tag = "2")]
        PutService(Box<proto::Service>),
        #[prost(message, tag = "3")]
        PutNode(Box<proto::Node>),
        #[prost(message, tag = "4")]
        PutEndpoints(Box<proto::ManualEndpoints>),
        #[prost(message, tag = "5")]
        Delete(proto::ObjectRef),
        #[prost(message, tag = "6")]
        PatchLabels(Box<proto::LabelPatch>),
    }

    /// What an operation says, its pod decoded.
    fn decoded(bytes: &[u8]) -> Result<Generated, DecodeError> {
        let decode = |step| {
            Ok::<_, DecodeError>(match step {
                Step::PutPod(pod) => GeneratedStep::PutPod(Box::new(proto::Pod::decode(pod)?)),
                Step::PutService(service) => GeneratedStep::PutService(service),
                Step::PutNode(node) => GeneratedStep::PutNode(node),
                Step::PutEndpoints(manual) => GeneratedStep::PutEndpoints(manual),
                Step::Delete(object) => GeneratedStep::Delete(object),
                Step::PatchLabels(patch) => GeneratedStep::PatchLabels(patch),
            })
        };
        let step = Operation::decode(bytes)?.operation;
        let operation = step.map(decode).transpose()?;
        Ok(Generated { operation })
    }

    fn step() -> impl Strategy<Value = GeneratedStep> {
        let name = || "[a-z]{0,3}";
        prop_oneof![
            4 => pod().prop_map(|pod| GeneratedStep::PutPod(encode_pod(&pod).into())),
            1 => name().prop_map(|name| GeneratedStep::PutService(Service { name, ..Default::default() }.into())),
            1 => name().prop_map(|name| GeneratedStep::PutNode(Node { name, ..Default::default() }.into())),
            1 => name().prop_map(|name| GeneratedStep::PutEndpoints(ManualEndpoints { name, ..Default::default() }.into())),
            1 => name().prop_map(|name| GeneratedStep::Delete(ObjectRef { name, ..Default::default() })),
            1 => name().prop_map(|key| GeneratedStep::PatchLabels(LabelPatch { remove: vec![key], ..Default::default() }.into())),
        ]
    }

    proptest! {
        /// Steps of one kind merge, one of another replaces, and what is not known is left out.
        #[test]
        fn bytes_are_those_of_generated_code(steps in prop::collection::vec(step(), 0..5), unknown in any::<bool>()) {
            let mut bytes = Vec::new();
            for step in steps {
                Generated { operation: Some(step) }.encode(&mut bytes).unwrap();
                if unknown {
                    bytes.extend([7 << 3 | 2, 1, 0]);
                }
            }
            let generated = Generated::decode(bytes.as_slice()).unwrap();
            prop_assert_eq!(decoded(&bytes), Ok(generated.clone()));
            let same = Operation::decode(generated.encode_to_vec().as_slice()).unwrap();
            prop_assert_eq!(same.encode_to_vec(), generated.encode_to_vec());
            prop_assert_eq!(same.encoded_len(), generated.encoded_len());
        }

        /// Of a pod, what is wrong shows only when its bytes are read.
        #[test]
        fn what_generated_code_reads_is_read(bytes in prop::collection::vec(0..60u8, 0..24)) {
            if let Ok(generated) = Generated::decode(bytes.as_slice()) {
                prop_assert_eq!(decoded(&bytes), Ok(generated));
            }
        }
    }

    /// So many that copying all at each would take hours.
    #[test]
    fn many_pieces_are_joined_in_linear_time() {
        let piece = [1 << 3 | 2, 2, 7 << 3 | 2, 0];
        let first = [1 << 3 | 2, 0xff, 0x7f].into_iter().chain([0; 0x3fff]);
        let bytes: Bytes = first.chain(piece.repeat(1 << 20)).collect();
        let Some(Step::PutPod(pod)) = Operation::decode(bytes).unwrap().operation else {
            panic!("no pod");
        };
        assert_eq!(pod.len(), 0x3fff + (2 << 20));
    }
}
