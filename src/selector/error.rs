//! Why a text is not a selector.

use std::fmt;

use crate::labels::{FewOf, Key, KeyError, Shown, ValueError};

use super::operand::NotAnInteger;

/// Text that is not a selector: the offending token, where it stands, and what is wrong with it.
///
/// Prints on one line; [`caret`](ParseSelectorError::caret) points at the token in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSelectorError {
    offset: usize,
    token: Box<str>,
    cause: ParseSelectorErrorCause,
}

impl ParseSelectorError {
    pub(super) fn new(
        offset: usize,
        token: &str,
        cause: ParseSelectorErrorCause,
    ) -> ParseSelectorError {
        ParseSelectorError {
            offset,
            token: token.into(),
            cause,
        }
    }

    /// Where the offending token starts, in bytes from the start of the text.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The offending token; empty at the end of the text, and where a value was left out.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What is wrong with it.
    pub fn cause(&self) -> &ParseSelectorErrorCause {
        &self.cause
    }

    /// Two lines for a terminal: the line of `text` that holds the offending token, and below it
    /// as many `^` as the token has characters, at least one. `text` is what was parsed.
    ///
    /// Tabs are repeated below, so that the marks stand right whatever a tab's width. Other
    /// control characters are shown as `�`.
    pub fn caret(&self, text: &str) -> String {
        let before = text.get(..self.offset).unwrap_or(text);
        // What is missing at the end of a text is missed behind its last word, not behind the
        // blanks that follow.
        let before = if self.token.is_empty() {
            before.trim_end_matches([' ', '\t', '\r', '\n'])
        } else {
            before
        };
        let after = text.get(before.len()..).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = after
            .find('\n')
            .map_or(text.len(), |newline| before.len() + newline);
        let line = text.get(line_start..line_end).unwrap_or_default();
        let before = text.get(line_start..before.len()).unwrap_or_default();

        let shown = line.trim_end_matches('\r').chars().map(visible);
        let padding = before.chars().map(|c| if c == '\t' { c } else { ' ' });
        let marks = self.token.chars().count().max(1);
        shown
            .chain(['\n'])
            .chain(padding)
            .chain(std::iter::repeat_n('^', marks))
            .collect()
    }
}

/// A character that takes one column and does nothing to the terminal; tabs stay.
fn visible(character: char) -> char {
    if character.is_control() && character != '\t' {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

impl fmt::Display for ParseSelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cause.is_inside_requirement() {
            f.write_str("unable to parse requirement: ")?;
        }
        match &self.cause {
            ParseSelectorErrorCause::Unexpected(expected) if self.token.is_empty() => {
                write!(f, "found '' at the end, expected: {expected}")
            }
            ParseSelectorErrorCause::Unexpected(expected) => {
                let (token, offset) = (Shown(&self.token), self.offset);
                write!(f, "found '{token}' at byte {offset}, expected: {expected}")
            }
            ParseSelectorErrorCause::Key(error) => {
                write!(f, "key: Invalid value: \"{}\": {error}", Shown(&self.token))
            }
            ParseSelectorErrorCause::Values { key, faults } => {
                let located: Vec<_> = faults.iter().map(|fault| Located { key, fault }).collect();
                write!(f, "{}", FewOf(&located))
            }
        }
    }
}

impl std::error::Error for ParseSelectorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            ParseSelectorErrorCause::Unexpected(_) => None,
            ParseSelectorErrorCause::Key(error) => Some(error),
            ParseSelectorErrorCause::Values { faults, .. } => match &faults.first()?.cause {
                ValueFaultCause::NotAnInteger(error) => Some(error),
                ValueFaultCause::Value(error) => Some(error),
            },
        }
    }
}

/// What is wrong with the offending token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseSelectorErrorCause {
    /// It may not stand there; this may.
    Unexpected(Expected),
    /// It stands where a key is due, and is none.
    Key(KeyError),
    /// It, and perhaps other words of the same requirement, are not legal values.
    Values {
        /// The key of the requirement.
        key: Key,
        /// All that is wrong, at least one; the first is about the offending token.
        faults: Vec<ValueFault>,
    },
}

impl ParseSelectorErrorCause {
    /// Whether the fault is within one requirement, rather than in how requirements are joined.
    fn is_inside_requirement(&self) -> bool {
        !matches!(
            self,
            ParseSelectorErrorCause::Unexpected(
                Expected::Requirement | Expected::RequirementAfterComma | Expected::CommaOrEnd
            )
        )
    }
}

/// What could have stood in place of the offending token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Expected {
    /// A first requirement, or nothing.
    #[error("!, key, or end of text")]
    Requirement,
    /// Another requirement, as a comma promised.
    #[error("! or key after ','")]
    RequirementAfterComma,
    /// The next requirement, or nothing more.
    #[error("',' or end of text")]
    CommaOrEnd,
    /// A label key.
    #[error("key")]
    Key,
    /// An operator that takes a value or values.
    #[error("in, notin, =, ==, !=, gt, lt")]
    Operator,
    /// The start of the values of an `in` or `notin`.
    #[error("'('")]
    OpenParenthesis,
    /// A value, or one of the signs before which it may be left out.
    #[error("value, ',' or ')'")]
    Member,
    /// Another value, or the end of the values.
    #[error("',' or ')'")]
    CommaOrCloseParenthesis,
    /// A label value.
    #[error("value")]
    Value,
}

/// A word that is not a legal value of its requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// Its place among the requirement's values: sorted by bytes, without repetitions.
    pub index: usize,
    /// Where it first stands in the text, in bytes.
    pub offset: usize,
    /// The word.
    pub text: String,
    /// What is wrong with it.
    pub cause: ValueFaultCause,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueFaultCause {
    /// The operator is `>` or `<`, and this is not a number.
    #[error(transparent)]
    NotAnInteger(NotAnInteger),
    /// It is not a label value.
    #[error(transparent)]
    Value(ValueError),
}

/// A fault as printed: `values[2][tier]: Invalid value: "…": …`; a number is located without key.
struct Located<'a> {
    key: &'a Key,
    fault: &'a ValueFault,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ValueFault {
            index, text, cause, ..
        } = self.fault;
        write!(f, "values[{index}]")?;
        match cause {
            ValueFaultCause::NotAnInteger(_) => {}
            ValueFaultCause::Value(_) => write!(f, "[{}]", self.key)?,
        }
        write!(f, ": Invalid value: \"{}\": {cause}", Shown(text))
    }
}
