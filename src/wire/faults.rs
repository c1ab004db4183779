//! Collecting what is wrong with a message.

use crate::labels::FieldError;

/// What decoding answers: the value, or every fault with its field path.
pub type Decoded<T> = Result<T, Vec<FieldError>>;

/// Most faults that are collected of one message.
const MAX_FAULTS: usize = 100;

/// The faults of one message. Paths are built only once something is wrong, so that a good message
/// costs nothing here.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault of the message itself.
    pub(super) fn push(&mut self, fault: FieldError) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(fault);
        }
    }

    /// The part, or its default with its faults noted under `path`.
    pub(super) fn part<T: Default>(&mut self, path: &str, part: Decoded<T>) -> T {
        self.take(|| path.to_owned(), part).unwrap_or_default()
    }

    /// The part if it is good; else its faults are noted under the path.
    pub(super) fn take<T>(&mut self, path: impl FnOnce() -> String, part: Decoded<T>) -> Option<T> {
        match part {
            Ok(value) => Some(value),
            Err(faults) => {
                let path = path();
                let room = MAX_FAULTS.saturating_sub(self.0.len());
                self.0.extend(
                    faults
                        .into_iter()
                        .take(room)
                        .map(|fault| fault.under(&path)),
                );
                None
            }
        }
    }

    /// Decodes each element of a list at `path`.
    pub(super) fn list<P, T, C: FromIterator<T>>(
        &mut self,
        path: &str,
        parts: impl IntoIterator<Item = P>,
        mut decode: impl FnMut(P) -> Decoded<T>,
    ) -> C {
        parts
            .into_iter()
            .enumerate()
            .filter_map(|(i, part)| self.take(|| format!("{path}[{i}]"), decode(part)))
            .collect()
    }

    /// The value, if nothing was wrong.
    pub(super) fn finish<T>(self, value: T) -> Decoded<T> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}

/// A value whose only fault has no path of its own: the holder names the field.
pub(super) fn invalid<T>(detail: impl Into<String>) -> Decoded<T> {
    Err(vec![FieldError::invalid("", detail)])
}

/// A field that is missing.
pub(super) fn required<T>(path: &str, detail: &str) -> Decoded<T> {
    Err(vec![FieldError::required(path, detail)])
}

/// A number that protobuf can only carry as 32 bits.
pub(super) fn port_number(number: u32) -> Decoded<u16> {
    u16::try_from(number).or_else(|_| invalid(format!("{number} must be at most 65535")))
}
