use smol_str::SmolStr;

/// A UID as its sixteen bytes, where it is written as the API server writes them: lower-case
/// hexadecimal in groups of 8, 4, 4, 4 and 12. The nil UID stands for no UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Uid([u64; 2]);

/// Where the two digits of each byte begin.
const DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// Where the hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const LEN: usize = 36;
/// A bit that no digit has.
const NO_DIGIT: u8 = 0x80;

impl Uid {
    /// Reads a UID; none if it would not be written back as the same text.
    pub(crate) fn read(text: &str) -> Option<Uid> {
        if text.is_empty() {
            return Some(Uid::default());
        }
        let text: &[u8; LEN] = text.as_bytes().try_into().ok()?;
        if HYPHENS.iter().any(|at| text.get(*at) != Some(&b'-')) {
            return None;
        }
        let mut bytes = [0; 16];
        // Whether any was no digit is asked once, at the end: every pod that comes in is read.
        let mut all = 0;
        for (byte, at) in bytes.iter_mut().zip(DIGITS) {
            let (first, second) = (digit(*text.get(at)?), digit(*text.get(at + 1)?));
            all |= first | second;
            *byte = first << 4 | second & 0xf;
        }
        if all & NO_DIGIT != 0 {
            return None;
        }
        let number = u128::from_be_bytes(bytes);
        (number != 0).then_some(Uid([(number >> 64) as u64, number as u64]))
    }

    /// The text it was read from.
    pub(crate) fn text(self) -> SmolStr {
        if self == Uid::default() {
            return SmolStr::default();
        }
        let [high, low] = self.0;
        let number = u128::from(high) << 64 | u128::from(low);
        let mut text = [b'-'; LEN];
        for (byte, at) in number.to_be_bytes().into_iter().zip(DIGITS) {
            if let Some([first, second]) = text.get_mut(at..at + 2) {
                (*first, *second) = (letter(byte >> 4), letter(byte & 0xf));
            }
        }
        SmolStr::new(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// What each letter stands for, or [`NO_DIGIT`].
#[expect(clippy::indexing_slicing, reason = "done by the compiler")]
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[letter(value) as usize] = value;
        value += 1;
    }
    values
};

fn digit(letter: u8) -> u8 {
    let value = VALUES.get(usize::from(letter));
    value.copied().unwrap_or(NO_DIGIT)
}

const fn letter(digit: u8) -> u8 {
    digit + if digit < 10 { b'0' } else { b'a' - 10 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_is_written_back(text in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
            prop_assert_eq!(Uid::read(&text).map(Uid::text), Some(text.into()));
        }
    }

    #[test]
    fn other_spellings_are_not_read() {
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "F995f308-3f2f-4cda-8b4a-0dd81dadad4d",
            "f995f3083f2f4cda8b4a0dd81dadad4d",
            "f995f308-3f2f-4cda-8b4a-0dd81dadad4",
            "web-1",
        ] {
            assert_eq!(Uid::read(text), None, "{text}");
        }
        assert_eq!(Uid::read("").map(Uid::text), Some(SmolStr::default()));
    }
}
