use smol_str::SmolStr;

use crate::model::is_rfc3339;

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
