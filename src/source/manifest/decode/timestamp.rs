use smol_str::SmolStr;

use super::Field;

impl Field<'_> {
    /// RFC 3339 text, if there.
    pub fn timestamp(&self) -> Option<SmolStr> {
        let text = self.text();
        if text.is_empty() {
            return None;
        }
        if is_rfc3339(&text) {
            return Some(text);
        }
        self.invalid(format!(
            "{text:?} is not a time such as 2024-01-31T12:30:45Z"
        ));
        None
    }
}

/// Whether a text is a date and time by RFC 3339, leap seconds apart. Days are not held against
/// their month.
fn is_rfc3339(text: &str) -> bool {
    let Some((fixed, rest)) = text.split_at_checked("2024-01-31T12:30:45".len()) else {
        return false;
    };
    let mut shape = fixed.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes());
    let fits = |(byte, wanted): (u8, u8)| {
        if wanted == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == wanted
        }
    };
    let within = |range: std::ops::Range<usize>, least: u8, most: u8| {
        fixed
            .get(range)
            .and_then(|part| part.parse().ok())
            .is_some_and(|n: u8| (least..=most).contains(&n))
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            } else {
                zone
            }
        }
        None => rest,
    };
    shape.all(fits)
        && within(5..7, 1, 12)
        && within(8..10, 1, 31)
        && within(11..13, 0, 23)
        && within(14..16, 0, 59)
        && within(17..19, 0, 59)
        && is_offset(zone)
}

fn is_offset(zone: &str) -> bool {
    let hours_and_minutes = |offset: &str| match offset.split_once(':') {
        Some((hours, minutes)) => [(hours, 23), (minutes, 59)]
            .into_iter()
            .all(|(part, most)| {
                part.len() == 2
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && part.parse().is_ok_and(|n: u8| n <= most)
            }),
        None => false,
    };
    zone == "Z" || zone.strip_prefix(['+', '-']).is_some_and(hours_and_minutes)
}

#[cfg(test)]
mod tests {
    use super::is_rfc3339;

    #[test]
    fn tells_times_from_other_text() {
        for text in [
            "2024-01-31T12:30:45Z",
            "2024-01-31T12:30:45.123456Z",
            "2024-01-31T12:30:45+02:00",
            "2024-01-31T12:30:45.1-11:59",
        ] {
            assert!(is_rfc3339(text), "{text}");
        }
        for text in [
            "",
            "now",
            "2024-01-31",
            "2024-01-31 12:30:45Z",
            "2024-01-31T12:30:45",
            "2024-13-31T12:30:45Z",
            "2024-01-32T12:30:45Z",
            "2024-01-31T24:30:45Z",
            "2024-01-31T12:30:45.Z",
            "2024-01-31T12:30:45+2:00",
            "2024-01-31T12:30:45+0200",
            "2024-01-31T12:30:4ßZ",
        ] {
            assert!(!is_rfc3339(text), "{text}");
        }
    }
}
