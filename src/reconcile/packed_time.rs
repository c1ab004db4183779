/// The shape of a time in whole seconds, in UTC, as Kubernetes writes it. A `d` is a digit.
const TIME: &str = "dddd-dd-ddTdd:dd:ddZ";

/// A time such as `2024-01-31T12:30:45Z` as a number, its digits; zero for an empty text. What is packed
/// unpacks to the same text; any other text is not packed.
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
        for text in ["", "2024-01-31T12:30:45Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(pack_time(text).map(unpack_time).as_deref(), Some(text));
        }
    }

    #[test]
    fn other_texts_are_not_packed() {
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
