use std::cell::RefCell;

use bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, encode_key, encode_varint, skip_field, string};
use prost::{DecodeError, Message};
use smol_str::SmolStr;

/// Longest text whose buffer is kept to read the next into.
const KEPT: usize = 4096;

const KEY: u32 = 1;
const VALUE: u32 = 2;

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A label as `types.proto` has it.
///
/// Most strings of a cluster's objects are in its labels, and most of those are short: here they stand
/// in place, where generated code would allocate each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Label {
    /// The key, of any form.
    pub key: SmolStr,
    /// The value, of any form.
    pub value: SmolStr,
}

impl Message for Label {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        for (tag, text) in [(KEY, &self.key), (VALUE, &self.value)] {
            if !text.is_empty() {
                encode_key(tag, WireType::LengthDelimited, buf);
                encode_varint(text.len() as u64, buf);
                buf.put_slice(text.as_bytes());
            }
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let field = match tag {
            KEY => &mut self.key,
            VALUE => &mut self.value,
            _ => return skip_field(wire_type, tag, buf, ctx),
        };
        TEXT.with_borrow_mut(|text| {
            string::merge(wire_type, text, buf, ctx)?;
            *field = SmolStr::new(&*text);
            text.clear();
            text.shrink_to(KEPT);
            Ok(())
        })
    }

    fn encoded_len(&self) -> usize {
        let field = |text: &SmolStr| match text.len() {
            0 => 0,
            length => prost::length_delimiter_len(length)
                .saturating_add(length)
                .saturating_add(1),
        };
        field(&self.key).saturating_add(field(&self.value))
    }

    fn clear(&mut self) {
        *self = Label::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same message as generated code would have it.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Generated {
        #[prost(string, tag = "1")]
        key: String,
        #[prost(string, tag = "2")]
        value: String,
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_generated_code(key in ".{0,300}", value in ".{0,300}") {
            let label = Label { key: key.as_str().into(), value: value.as_str().into() };
            let generated = Generated { key, value };
            prop_assert_eq!(label.encode_to_vec(), generated.encode_to_vec());
            prop_assert_eq!(label.encoded_len(), generated.encoded_len());
            let decoded = Label::decode(generated.encode_to_vec().as_slice()).unwrap();
            prop_assert_eq!(decoded, label);
        }

        #[test]
        fn any_bytes_decode_as_with_generated_code(bytes in proptest::collection::vec(0..40u8, 0..24)) {
            let decoded = Label::decode(bytes.as_slice());
            match Generated::decode(bytes.as_slice()) {
                Ok(same) => {
                    let same = Label { key: same.key.into(), value: same.value.into() };
                    prop_assert_eq!(decoded.unwrap(), same);
                }
                Err(_) => prop_assert!(decoded.is_err()),
            }
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused_and_leaves_nothing_behind() {
        assert!(Label::decode([10, 2, 0xff, 0xfe].as_slice()).is_err());
        let decoded = Label::decode([10, 1, b'a'].as_slice()).unwrap();
        assert_eq!(decoded.key, "a");
    }
}
