//! What YAML reads in a scalar that stands without quotes.
//!
//! kubectl reads YAML 1.1 with a Go library of its own mind; what that library or the YAML 1.1
//! types take for something else than text, [`read`] does too. Ahead of both it is only in this:
//! `1.2.3`, a float by the letter of YAML 1.1, is text, as everybody expects.

/// What a plain scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Text, and nothing else.
    Text,
    /// Nothing: `~`, `null`, or no text at all.
    Null,
    /// `yes`, `off`, `true`, ….
    Boolean(bool),
    /// `80`, `1.0`, `0x1f`, `1_000`, `.inf`, ….
    Number,
    /// `2024-01-01`: a date by YAML 1.1, text to kubectl.
    Date,
    /// `12:30:45`: a number to base 60 by YAML 1.1, text to kubectl.
    Base60,
}

impl Reading {
    /// In words, with an article; `None` for text.
    pub fn describe(self) -> Option<&'static str> {
        match self {
            Reading::Text => None,
            Reading::Null => Some("null"),
            Reading::Boolean(_) => Some("a boolean"),
            Reading::Number => Some("a number"),
            Reading::Date => Some("a date in YAML 1.1"),
            Reading::Base60 => Some("a number to base 60 in YAML 1.1"),
        }
    }
}

/// What YAML reads in a plain scalar.
pub fn read(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Reading::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Reading::Boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Reading::Boolean(false)
        }
        _ if is_number(text) => Reading::Number,
        _ if is_date(text) => Reading::Date,
        _ if is_base60(text) => Reading::Base60,
        _ => Reading::Text,
    }
}

/// The whole number in a plain scalar, in any base YAML 1.1 knows.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (radix, digits) = radix(digits).unwrap_or((10, digits));
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// The base that a prefix says, and the digits behind it. A leading zero alone says 8, as long as
/// only digits of that base follow.
fn radix(digits: &str) -> Option<(u32, &str)> {
    let prefixed = [
        ("0x", 16),
        ("0X", 16),
        ("0o", 8),
        ("0O", 8),
        ("0b", 2),
        ("0B", 2),
    ]
    .into_iter()
    .find_map(|(prefix, radix)| digits.strip_prefix(prefix).map(|rest| (radix, rest)));
    prefixed.or_else(|| {
        let octal = digits.strip_prefix('0').filter(|rest| is_digits(rest, 8))?;
        Some((8, octal))
    })
}

fn is_digits(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_digit(radix))
}

fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return false;
    }
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return true,
        ".nan" | ".NaN" | ".NAN" => return unsigned.len() == text.len(),
        _ => {}
    }
    radix(unsigned).is_some_and(|(radix, digits)| is_digits(digits, radix)) || is_decimal(unsigned)
}

fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e), 10));
    exponent_fits
        && match mantissa.split_once('.') {
            None => is_digits(mantissa, 10),
            Some(("", fraction)) => is_digits(fraction, 10),
            Some((whole, fraction)) => {
                is_digits(whole, 10) && (fraction.is_empty() || is_digits(fraction, 10))
            }
        }
}

/// `2024-01-01`, or that and a time of day.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day = rest.bytes().take_while(u8::is_ascii_digit).count();
    let short = |digits: &str| matches!(digits.len(), 1 | 2) && is_digits(digits, 10);
    let (Some(day), Some(time)) = (rest.get(..day), rest.get(day..)) else {
        return false;
    };
    let is_time = time.starts_with(['T', 't', ' ', '\t'])
        && time.bytes().filter(|b| *b == b':').count() >= 2
        && time.chars().all(|c| {
            c.is_ascii_digit()
                || matches!(
                    c,
                    'T' | 't' | 'Z' | 'z' | ':' | '.' | ',' | '+' | '-' | ' ' | '\t'
                )
        });
    year.len() == 4
        && is_digits(year, 10)
        && short(month)
        && short(day)
        && (time.is_empty() || is_time)
}

/// `12:30:45`, with a sign or a fraction too.
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    rest.peek().is_some()
        && first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest.all(|part| match part.as_bytes() {
            [unit] => unit.is_ascii_digit(),
            [ten, unit] => matches!(ten, b'0'..=b'5') && unit.is_ascii_digit(),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_yaml_1_1_reads() {
        let cases: [(Reading, &[&str]); 7] = [
            (Reading::Null, &["", "~", "null", "Null", "NULL"]),
            (
                Reading::Boolean(true),
                &[
                    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
                ],
            ),
            (
                Reading::Boolean(false),
                &[
                    "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
                ],
            ),
            (
                Reading::Number,
                &[
                    "0",
                    "1",
                    "-1",
                    "+1",
                    "1.0",
                    "1.",
                    ".5",
                    "1e3",
                    "1E-3",
                    "12e45",
                    "1_000",
                    "1_",
                    "0x1f",
                    "0X1F",
                    "-0x1f",
                    "0o17",
                    "017",
                    "09",
                    "0b11",
                    "0xdeadbeefdeadbeefdead",
                    "99999999999999999999",
                    ".inf",
                    "-.Inf",
                    "+.INF",
                    ".nan",
                    "685_230.15",
                ],
            ),
            (
                Reading::Date,
                &[
                    "2024-01-01",
                    "2024-1-1",
                    "2024-01-01T00:00:00Z",
                    "2024-01-01 12:30:45.1 +01:00",
                ],
            ),
            (
                Reading::Base60,
                &[
                    "12:30:45",
                    "190:20:30",
                    "-1:30",
                    "20:30.15",
                    "1:2:3:4:5:6:7:8",
                ],
            ),
            (
                Reading::Text,
                &[
                    "rng",
                    "yEs",
                    "nULL",
                    "NaN",
                    "inf",
                    "1.2.3",
                    "10.0.0.1",
                    "1a",
                    "0x",
                    "0xg",
                    "08x",
                    "e5",
                    "1e",
                    "1e+",
                    ".",
                    "-",
                    "--1",
                    "+",
                    "_1",
                    "1-2",
                    "2024-01-01-rc1",
                    "2024-01",
                    "12:60",
                    "a:1",
                    "5d8f9c7b6",
                    "v1.0",
                    "::1",
                    "2001:db8::1",
                    "-.nan",
                    "ünï",
                ],
            ),
        ];
        for (expected, texts) in cases {
            for text in texts {
                assert_eq!(read(text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn reads_integers_in_every_base() {
        for (text, expected) in [
            ("80", Some(80)),
            ("-80", Some(-80)),
            ("+80", Some(80)),
            ("1_000", Some(1000)),
            ("0x1F", Some(31)),
            ("0b101", Some(5)),
            ("0o17", Some(15)),
            ("017", Some(15)),
            ("09", Some(9)),
            ("0", Some(0)),
            ("80.0", None),
            ("8e1", None),
            ("--1", None),
            ("-+1", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
    }
}
