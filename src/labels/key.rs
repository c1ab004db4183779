//! Label keys.

use std::fmt;

use smol_str::SmolStr;

use super::field_error::FieldError;
use super::syntax::{
    self, FewOf, NAME_LIMIT, NAME_PATTERN, PREFIX_LIMIT, PREFIX_PATTERN, Shown, behaves_as_text,
};

/// A label key: `name` or `prefix/name`.
///
/// The name has 1 to 63 bytes of ASCII letters, digits, `-`, `_` and `.`, with a letter or digit
/// at both ends. The prefix is a lower-case DNS subdomain of at most 253 bytes. Keys are case
/// sensitive and order by their bytes. No prefix is reserved.
///
/// Cloning is cheap: up to 23 bytes stand in place, longer text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmolStr);

behaves_as_text!(Key, KeyError);

impl Key {
    /// Checks `text` and keeps it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with every rule that `text` breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Key, KeyError> {
        Key::checked(SmolStr::new(text))
    }

    fn checked(text: SmolStr) -> Result<Key, KeyError> {
        let causes = causes(&text);
        if causes.is_empty() {
            Ok(Key(text))
        } else {
            Err(KeyError { text, causes })
        }
    }

    /// The part before the `/`, if there is one.
    pub fn prefix(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(prefix, _)| prefix)
    }

    /// The part after the `/`, or all of it.
    pub fn name(&self) -> &str {
        match self.as_str().split_once('/') {
            Some((_, name)) => name,
            None => self.as_str(),
        }
    }
}

fn causes(text: &str) -> Vec<KeyErrorCause> {
    let mut causes = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, rest)) if rest.contains('/') => return vec![KeyErrorCause::ManySlashes],
        Some((prefix, name)) => {
            if prefix.is_empty() {
                causes.push(KeyErrorCause::PrefixEmpty);
            } else {
                if prefix.len() > PREFIX_LIMIT {
                    causes.push(KeyErrorCause::PrefixTooLong {
                        bytes: prefix.len(),
                    });
                }
                if !syntax::is_subdomain(prefix) {
                    causes.push(KeyErrorCause::PrefixCharacters);
                }
            }
            name
        }
    };
    if name.is_empty() {
        causes.push(KeyErrorCause::NameEmpty);
    } else if name.len() > NAME_LIMIT {
        causes.push(KeyErrorCause::NameTooLong { bytes: name.len() });
    }
    if !syntax::is_name(name) {
        causes.push(KeyErrorCause::NameCharacters);
    }
    causes
}

/// Text that is not a label key. Prints every cause, joined by `; `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError {
    text: SmolStr,
    causes: Vec<KeyErrorCause>,
}

impl KeyError {
    /// The refused text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every rule the text breaks, at least one: first those of the prefix, then of the name.
    pub fn causes(&self) -> &[KeyErrorCause] {
        &self.causes
    }

    /// One error per cause, located at `path`.
    pub fn field_errors<'a>(&'a self, path: &'a str) -> impl Iterator<Item = FieldError> + 'a {
        self.causes.iter().map(move |cause| {
            FieldError::invalid(path, format!("\"{}\": {cause}", Shown(&self.text)))
        })
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", FewOf(&self.causes))
    }
}

impl std::error::Error for KeyError {}

/// One rule of label keys that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyErrorCause {
    /// There is more than one `/`, so it cannot be told which part is wrong.
    #[error(
        "a label key is a name, or a DNS subdomain and a name with one '/' between them \
         (e.g. 'tier' or 'example.com/Tier'; the name has to match the regular expression \
         '{NAME_PATTERN}')"
    )]
    ManySlashes,
    /// Nothing stands before the `/`.
    #[error("prefix part must be non-empty")]
    PrefixEmpty,
    /// The prefix is longer than 253 bytes.
    #[error("prefix part must be no more than {PREFIX_LIMIT} bytes, and has {bytes}")]
    PrefixTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The prefix is not a lower-case DNS subdomain.
    #[error(
        "prefix part must be a DNS subdomain: parts of lower-case ASCII letters, digits and '-', \
         joined by '.', each with a letter or digit at both ends (e.g. 'example.com'; it has to \
         match the regular expression '{PREFIX_PATTERN}')"
    )]
    PrefixCharacters,
    /// Nothing stands where the name should.
    #[error("name part must be non-empty")]
    NameEmpty,
    /// The name is longer than 63 bytes.
    #[error("name part must be no more than {NAME_LIMIT} bytes, and has {bytes}")]
    NameTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name has a character it may not have, or not in that place.
    #[error(
        "name part may have ASCII letters, digits, '-', '_' and '.', with a letter or digit at \
         both ends (e.g. 'tier', 'App.Version' or '2-east'; it has to match the regular \
         expression '{NAME_PATTERN}')"
    )]
    NameCharacters,
}
