//! UIDs: 16 bytes on the wire where the text is the canonical form of a UUID.

use smol_str::{SmolStr, SmolStrBuilder};

/// Where the hyphens stand in the canonical text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Length of the canonical text.
const LENGTH: usize = 36;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The bytes of a UUID in canonical form: 36 characters, lower-case, hyphens in their places. Any
/// other text has none, so that the bytes turn back into exactly the text that was there.
pub(super) fn encode_uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() != LENGTH {
        return None;
    }
    let (mut uuid, mut nibbles) = ([0u8; 16], 0usize);
    for (i, byte) in text.bytes().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'-' if HYPHENS.contains(&i) => continue,
            _ => return None,
        };
        // A digit in a hyphen's place leaves no room for the last.
        let byte = uuid.get_mut(nibbles / 2)?;
        *byte = *byte << 4 | digit;
        nibbles += 1;
    }
    Some(uuid)
}

/// The canonical text of a UUID.
pub(super) fn decode_uuid(uuid: [u8; 16]) -> SmolStr {
    let value = u128::from_be_bytes(uuid);
    let mut text = SmolStrBuilder::new();
    for nibble in 0..32u32 {
        if matches!(nibble, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let digit = (value >> (124 - 4 * nibble) & 0xf) as usize;
        text.push(DIGITS.get(digit).copied().map_or('0', char::from));
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_goes_there_and_back() {
        let text = "0a1b2c3d-4e5f-6789-abcd-ef0123456789";
        let uuid = encode_uuid(text).map(decode_uuid);
        assert_eq!(uuid.as_deref(), Some(text));
    }

    #[test]
    fn any_other_text_stays_text() {
        for text in [
            "",
            "rng-uid",
            "0A1B2C3D-4E5F-6789-ABCD-EF0123456789",
            "0a1b2c3d4e5f6789abcdef0123456789",
            "0a1b2c3d-4e5f-6789-abcd-ef012345678g",
            "0a1b2c3d-4e5f-6789-abcdef-0123456789",
            "0a1b2c3d04e5f-6789-abcd-ef0123456789",
        ] {
            assert_eq!(encode_uuid(text), None, "{text}");
        }
    }
}
