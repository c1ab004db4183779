//! Numbers and texts in keys and values: numbers in seven bits a byte, texts behind their length.

use smol_str::SmolStr;

/// Writes a number in as few bytes as it takes.
pub(super) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes bytes behind their length.
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// What is left to be read of a key or value. Every answer is none if it is not there.
pub(super) struct Reader<'v>(pub(super) &'v [u8]);

impl<'v> Reader<'v> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits.leading_zeros() < shift {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn bytes(&mut self) -> Option<&'v [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<SmolStr> {
        Some(SmolStr::new(std::str::from_utf8(self.bytes()?).ok()?))
    }

    /// None unless everything has been read.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for number in [
            0,
            1,
            127,
            128,
            300,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            put_bytes(b"text", &mut bytes);
            let mut reader = Reader(&bytes);
            assert_eq!(reader.number(), Some(number));
            assert_eq!(reader.end(), None);
            assert_eq!(reader.text().as_deref(), Some("text"));
            assert_eq!(reader.end(), Some(()));
        }
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_not_read() {
        assert_eq!(Reader(&[0x80]).number(), None);
        assert_eq!(Reader(&[0xff; 10]).number(), None);
        assert_eq!(Reader(&[5, b'a']).bytes(), None);
    }
}
