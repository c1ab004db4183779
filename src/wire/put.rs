//! Protobuf written straight into bytes, without a message struct in between.
//!
//! A nested message is written behind a length of one byte, which is made longer afterwards in the
//! few cases where that is not enough: so no length is computed before it is known.

use bytes::BufMut as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// A varint, unless it is zero: then it goes without saying.
pub(super) fn put_number(out: &mut Vec<u8>, field: u32, number: u64) {
    if number != 0 {
        encode_key(field, WireType::Varint, out);
        encode_varint(number, out);
    }
}

/// Bytes or text, unless empty: then they go without saying.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_item(out, field, bytes);
    }
}

/// An item of a list of bytes or of texts: empty ones are said too.
pub(super) fn put_item(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    encode_key(field, WireType::LengthDelimited, out);
    match u8::try_from(bytes.len()) {
        Ok(short @ 0..128) => out.push(short),
        _ => encode_varint(bytes.len() as u64, out),
    }
    out.extend_from_slice(bytes);
}

/// Eight bytes, unless zero.
pub(super) fn put_fixed64(out: &mut Vec<u8>, field: u32, number: u64) {
    if number != 0 {
        encode_key(field, WireType::SixtyFourBit, out);
        out.put_u64_le(number);
    }
}

/// A nested message, empty or not.
pub(super) fn put_message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let length = begin_message(out, field);
    write(out);
    end_message(out, length);
}

/// Begins a nested message; [`end_message`] is given where its length stands.
pub(super) fn begin_message(out: &mut Vec<u8>, field: u32) -> usize {
    encode_key(field, WireType::LengthDelimited, out);
    out.push(0);
    out.len().saturating_sub(1)
}

/// Ends a nested message whose length stands at `length`. Constant while it is shorter than 128
/// bytes, else linear in its size, by one move of memory.
pub(super) fn end_message(out: &mut Vec<u8>, length: usize) {
    let body = length.saturating_add(1);
    let size = out.len().saturating_sub(body);
    if let (Ok(short @ 0..128), Some(place)) = (u8::try_from(size), out.get_mut(length)) {
        *place = short;
        return;
    }
    let more = encoded_len_varint(size as u64).saturating_sub(1);
    let end = out.len();
    out.resize(end.saturating_add(more), 0);
    out.copy_within(body..end, body.saturating_add(more));
    if let Some(mut place) = out.get_mut(length..body.saturating_add(more)) {
        encode_varint(size as u64, &mut place);
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_message_of_any_length_is_written_as_prost_writes_it() {
        for size in [0, 1, 127, 128, 129, 16_383, 16_384, 70_000, 2_097_152] {
            let inner = vec![7u8; size];
            let mut written = vec![1, 2, 3];
            put_message(&mut written, 2, |out| out.put_slice(&inner));
            let mut right = vec![1, 2, 3];
            prost::encoding::bytes::encode(2, &inner, &mut right);
            assert_eq!(written.len(), right.len(), "{size}");
            assert!(written == right, "{size}");
        }
    }

    #[test]
    fn what_goes_without_saying_is_not_said() {
        let mut out = Vec::new();
        put_number(&mut out, 1, 0);
        put_bytes(&mut out, 2, b"");
        put_fixed64(&mut out, 3, 0);
        assert!(out.is_empty());
        put_item(&mut out, 4, b"");
        put_message(&mut out, 5, |_| ());
        let node = prost_types::FileOptions::decode(out.as_slice());
        assert!(node.is_ok());
    }
}
