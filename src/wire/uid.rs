//! UIDs: 16 bytes on the wire where the text is the canonical form of a UUID.

use smol_str::{SmolStr, SmolStrBuilder};

/// Where the hyphens stand in the canonical text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Length of the canonical text.
const LENGTH: usize = 36;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// Where the two digits of each byte begin.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// What stands for the value of a character that is no digit.
const NO_DIGIT: u8 = 0x10;
/// The bytes of a UUID in canonical form: 36 characters, lower-case, hyphens in their places. Any
/// other text has none, so that the bytes turn back into exactly the text that was there.
pub(super) fn encode_uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let hyphens = HYPHENS.iter().all(|at| text.get(*at) == Some(&b'-'));
    // Looked at once, at the end: of all digits together, whether one was none.
    let (mut uuid, mut all) = ([0u8; 16], 0u8);
    for (byte, at) in uuid.iter_mut().zip(PAIRS) {
        let [high, low] = [at, at + 1].map(|at| text.get(at).map_or(NO_DIGIT, value));
        all |= high | low;
        *byte = high << 4 | (low & 0xf);
    }
    (hyphens && all < NO_DIGIT).then_some(uuid)
}

fn value(digit: &u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => NO_DIGIT,
    }
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
