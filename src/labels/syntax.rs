//! What keys, values and names of objects share: the ASCII grammars, and how refused text is shown.
//!
//! Everything counts bytes. Text that is not ASCII is refused by the grammars, so no rule here
//! has to ask where a character ends.

use std::fmt;

/// Longest name part of a key, and longest value, in bytes.
pub(super) const NAME_LIMIT: usize = 63;

/// Longest prefix part of a key in bytes. A single dot-separated part of it may use all of them.
pub(super) const PREFIX_LIMIT: usize = 253;

/// The grammar of a name as a regular expression, for error messages.
pub(super) const NAME_PATTERN: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// The grammar of a value as a regular expression, for error messages.
pub(super) const VALUE_PATTERN: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";

/// The grammar of a prefix as a regular expression, for error messages.
pub(super) const PREFIX_PATTERN: &str =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/// Sorts of bytes, as bits: each pod brings a hundred bytes to be looked at.
const LETTER_OR_DIGIT: u8 = 1;
const IN_NAME: u8 = 2;
const LOWER_OR_DIGIT: u8 = 4;
const IN_LABEL: u8 = 8;

#[expect(clippy::indexing_slicing, reason = "done by the compiler")]
static SORTS: [u8; 256] = {
    let mut sorts = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        let lower_or_digit = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        sorts[byte as usize] = match byte {
            b'-' => IN_NAME | IN_LABEL,
            b'_' | b'.' => IN_NAME,
            _ if lower_or_digit => LETTER_OR_DIGIT | IN_NAME | LOWER_OR_DIGIT | IN_LABEL,
            _ if byte.is_ascii_alphabetic() => LETTER_OR_DIGIT | IN_NAME,
            _ => 0,
        };
        byte += 1;
    }
    sorts
};

/// Whether there are any bytes, and all of one sort, the first and the last of another.
fn are(bytes: &[u8], ends: u8, inside: u8) -> bool {
    let is = |byte: &u8, sort| {
        let sorts = SORTS.get(usize::from(*byte));
        sorts.is_some_and(|sorts| sorts & sort != 0)
    };
    bytes.first().is_some_and(|first| is(first, ends))
        && bytes.last().is_some_and(|last| is(last, ends))
        && bytes.iter().all(|byte| is(byte, inside))
}

/// Whether `text` is a name of any length from one byte: letters, digits, `-`, `_` and `.`,
/// with a letter or digit at both ends.
pub(super) fn is_name(text: &str) -> bool {
    are(text.as_bytes(), LETTER_OR_DIGIT, IN_NAME)
}

/// Whether `text` is a lower-case DNS label of any length from one byte.
pub(crate) fn is_dns_label(text: &str) -> bool {
    are(text.as_bytes(), LOWER_OR_DIGIT, IN_LABEL)
}

/// Whether `text` is a lower-case DNS subdomain of any length from one byte.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let parts = text.as_bytes().split(|byte| *byte == b'.');
    parts
        .into_iter()
        .all(|part| are(part, LOWER_OR_DIGIT, IN_LABEL))
}

/// Refused text as a message shows it: control characters escaped, and cut after
/// [`Shown::LIMIT`] characters, since whoever sends bad text also chooses its length.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Shown<'_> {
    const LIMIT: usize = 80;
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(Self::LIMIT) {
            if character.is_control() {
                write!(f, "{}", character.escape_debug())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        match characters.next() {
            Some(_) => f.write_str("…"),
            None => Ok(()),
        }
    }
}

/// The first few of many messages, joined by `; `, and how many were left out. The errors keep
/// every cause as data; it is only their text that has to stay short.
pub(crate) struct FewOf<'a, T>(pub(crate) &'a [T]);

impl<T> FewOf<'_, T> {
    const LIMIT: usize = 16;
}

impl<T: fmt::Display> fmt::Display for FewOf<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, message) in self.0.iter().take(Self::LIMIT).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{message}")?;
        }
        match self.0.len().saturating_sub(Self::LIMIT) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// What [`Key`](super::Key) and [`Value`](super::Value) have in common as text: they print,
/// convert, borrow, hash and order as the string they hold.
macro_rules! behaves_as_text {
    ($name:ident, $error:ident) => {
        impl $name {
            /// The text.
            #[inline]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                Self::new(text)
            }
        }

        impl TryFrom<smol_str::SmolStr> for $name {
            type Error = $error;

            fn try_from(text: smol_str::SmolStr) -> Result<Self, $error> {
                Self::checked(text)
            }
        }

        impl From<$name> for smol_str::SmolStr {
            fn from(text: $name) -> smol_str::SmolStr {
                text.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0.into()
            }
        }
    };
}
pub(super) use behaves_as_text;
