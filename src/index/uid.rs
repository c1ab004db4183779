use smol_str::SmolStr;

/// A UID as its sixteen bytes, where it is written as the API server writes them: lower-case
/// hexadecimal in groups of 8, 4, 4, 4 and 12. The nil UID stands for no UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Uid([u64; 2]);

/// Where the hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const LEN: usize = 36;

impl Uid {
    /// Reads a UID; none if it would not be written back as the same text.
    pub(crate) fn read(text: &str) -> Option<Uid> {
        if text.is_empty() {
            return Some(Uid::default());
        }
        let bytes: &[u8; LEN] = text.as_bytes().try_into().ok()?;
        let mut number: u128 = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if HYPHENS.contains(&at) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            number = number << 4 | u128::from(digit);
        }
        let uid = Uid([(number >> 64) as u64, number as u64]);
        (uid != Uid::default()).then_some(uid)
    }

    /// The text it was read from.
    pub(crate) fn text(self) -> SmolStr {
        if self == Uid::default() {
            return SmolStr::default();
        }
        let [high, low] = self.0;
        let mut digits = (u128::from(high) << 64 | u128::from(low)).rotate_left(4);
        let mut text = [b'-'; LEN];
        for (at, byte) in text.iter_mut().enumerate() {
            if !HYPHENS.contains(&at) {
                let digit = (digits & 0xf) as u8;
                *byte = if digit < 10 { b'0' } else { b'a' - 10 } + digit;
                digits = digits.rotate_left(4);
            }
        }
        SmolStr::new(std::str::from_utf8(&text).unwrap_or_default())
    }
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
