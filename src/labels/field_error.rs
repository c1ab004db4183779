//! Where in an object something was refused, and why.

use std::fmt;

/// One refused field of an object, printed as Kubernetes prints it:
/// `spec.ports[0].port: Invalid value: 70000: must be at most 65535`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field from the object's root, as in `spec.ports[0].name`; empty for the object itself.
    pub path: String,
    /// What sort of refusal it is.
    pub kind: FieldErrorKind,
    /// The offending value where there is one, and the rule it breaks; may be empty.
    pub detail: String,
}

/// The sorts of refusal that the Kubernetes API tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldErrorKind {
    /// The field has to be set and is not.
    Required,
    /// The value breaks a rule.
    Invalid,
    /// The field may not be set here.
    Forbidden,
    /// The value has to be unique among its siblings and is not.
    Duplicate,
    /// The value is none of those that are known.
    NotSupported,
    /// The list is too long.
    TooMany,
}

impl FieldError {
    /// An error of any kind.
    pub fn new(
        path: impl Into<String>,
        kind: FieldErrorKind,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError {
            path: path.into(),
            kind,
            detail: detail.into(),
        }
    }

    /// The field at `path` has to be set and is not.
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::Required, detail)
    }

    /// The value at `path` breaks a rule.
    pub fn invalid(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::Invalid, detail)
    }

    /// The field at `path` may not be set here.
    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::Forbidden, detail)
    }

    /// The value at `path` has to be unique among its siblings and is not.
    pub fn duplicate(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::Duplicate, detail)
    }

    /// The value at `path` is none of those that are known.
    pub fn not_supported(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::NotSupported, detail)
    }

    /// The list at `path` is too long.
    pub fn too_many(path: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(path, FieldErrorKind::TooMany, detail)
    }

    /// The same error seen from the object that holds this one at `prefix`: `labels` under
    /// `metadata` is `metadata.labels`, `[0].name` under `ports` is `ports[0].name`.
    #[must_use]
    pub fn under(mut self, prefix: impl AsRef<str>) -> FieldError {
        let prefix = prefix.as_ref();
        let joint = if prefix.is_empty() || self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{prefix}{joint}{}", self.path);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.kind)?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

impl std::error::Error for FieldError {}

impl fmt::Display for FieldErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldErrorKind::Required => "Required value",
            FieldErrorKind::Invalid => "Invalid value",
            FieldErrorKind::Forbidden => "Forbidden",
            FieldErrorKind::Duplicate => "Duplicate value",
            FieldErrorKind::NotSupported => "Unsupported value",
            FieldErrorKind::TooMany => "Too many",
        })
    }
}
