//! Texts of a known shape as numbers. What is packed unpacks to the same text; any other text is not
//! packed. Zero is for a text that is empty.

/// A UUID as it is usually written, lower case: `3f2504e0-4f89-41d3-9a0c-0305e82c3301`.
pub(crate) fn pack_uuid(text: &str) -> Option<u128> {
    if text.is_empty() {
        return Some(0);
    }
    let dashes = [8, 13, 18, 23];
    if text.len() != 36 {
        return None;
    }
    let mut number = 0u128;
    for (at, byte) in text.bytes().enumerate() {
        let digit = match byte {
            b'-' if dashes.contains(&at) => continue,
            _ if dashes.contains(&at) => return None,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | u128::from(digit);
    }
    (number != 0).then_some(number)
}

pub(crate) fn unpack_uuid(number: u128) -> String {
    if number == 0 {
        return String::new();
    }
    let digits = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

/// The shape of a time in whole seconds, in UTC, as Kubernetes writes it. A `d` is a digit.
const TIME: &str = "dddd-dd-ddTdd:dd:ddZ";

/// A time such as `2024-01-31T12:30:45Z`: its digits.
pub(crate) fn pack_time(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    if text.len() != TIME.len() {
        return None;
    }
    let mut number = 0u64;
    for (byte, wanted) in text.bytes().zip(TIME.bytes()) {
        match byte {
            b'0'..=b'9' if wanted == b'd' => number = number * 10 + u64::from(byte - b'0'),
            _ if byte == wanted && wanted != b'd' => {}
            _ => return None,
        }
    }
    (number != 0).then_some(number)
}

pub(crate) fn unpack_time(number: u64) -> String {
    if number == 0 {
        return String::new();
    }
    let digits = format!("{number:014}");
    let mut digits = digits.chars();
    TIME.chars()
        .filter_map(|wanted| {
            if wanted == 'd' {
                digits.next()
            } else {
                Some(wanted)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        for text in [
            "",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "00000000-0000-0000-0000-000000000001",
        ] {
            assert_eq!(pack_uuid(text).map(unpack_uuid).as_deref(), Some(text));
        }
        for text in ["", "2024-01-31T12:30:45Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(pack_time(text).map(unpack_time).as_deref(), Some(text));
        }
    }

    #[test]
    fn other_texts_are_not_packed() {
        for text in [
            "u",
            "00000000-0000-0000-0000-000000000000",
            "3F2504E0-4f89-41d3-9a0c-0305e82c3301",
            "3f2504e0+4f89-41d3-9a0c-0305e82c3301",
            "3f2504e04f89-41d3-9a0c-0305e82c3301--",
            "é3f2504e-4f89-41d3-9a0c-0305e82c330",
        ] {
            assert_eq!(pack_uuid(text), None, "{text}");
        }
        for text in [
            "0000-00-00T00:00:00Z",
            "2024-01-31T12:30:45.5Z",
            "2024-01-31 12:30:45Z",
            "d024-01-31T12:30:45Z",
        ] {
            assert_eq!(pack_time(text), None, "{text}");
        }
    }
}
