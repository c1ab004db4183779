//! Label values.

use std::fmt;

use smol_str::SmolStr;

use super::field_error::FieldError;
use super::syntax::{self, FewOf, NAME_LIMIT, Shown, VALUE_PATTERN, behaves_as_text};

/// A label value: empty, or up to 63 bytes of ASCII letters, digits, `-`, `_` and `.` with a
/// letter or digit at both ends.
///
/// Values are case sensitive and order by their bytes; the default is the empty value. Cloning
/// is cheap: up to 23 bytes stand in place, longer text is shared.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(SmolStr);

behaves_as_text!(Value, ValueError);

impl Value {
    /// Checks `text` and keeps it.
    ///
    /// # Errors
    ///
    /// [`ValueError`] with every rule that `text` breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Value, ValueError> {
        Value::checked(SmolStr::new(text))
    }

    fn checked(text: SmolStr) -> Result<Value, ValueError> {
        let causes = causes(&text);
        if causes.is_empty() {
            Ok(Value(text))
        } else {
            Err(ValueError { text, causes })
        }
    }

    /// Whether this is the empty value, which counts as present.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn causes(text: &str) -> Vec<ValueErrorCause> {
    let mut causes = Vec::new();
    if text.len() > NAME_LIMIT {
        causes.push(ValueErrorCause::TooLong { bytes: text.len() });
    }
    if !text.is_empty() && !syntax::is_name(text) {
        causes.push(ValueErrorCause::Characters);
    }
    causes
}

/// Text that is not a label value. Prints every cause, joined by `; `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    text: SmolStr,
    causes: Vec<ValueErrorCause>,
}

impl ValueError {
    /// The refused text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every rule the text breaks, at least one.
    pub fn causes(&self) -> &[ValueErrorCause] {
        &self.causes
    }

    /// One error per cause, located at `path`.
    pub fn field_errors<'a>(&'a self, path: &'a str) -> impl Iterator<Item = FieldError> + 'a {
        self.causes.iter().map(move |cause| {
            FieldError::invalid(path, format!("\"{}\": {cause}", Shown(&self.text)))
        })
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", FewOf(&self.causes))
    }
}

impl std::error::Error for ValueError {}

/// One rule of label values that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueErrorCause {
    /// The value is longer than 63 bytes.
    #[error("must be no more than {NAME_LIMIT} bytes, and has {bytes}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The value has a character it may not have, or not in that place.
    #[error(
        "a label value is empty, or has ASCII letters, digits, '-', '_' and '.', with a letter \
         or digit at both ends (e.g. 'yes', 'Blue_2' or '1.27'; it has to match the regular \
         expression '{VALUE_PATTERN}')"
    )]
    Characters,
}
