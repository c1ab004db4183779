//! Label keys, label values and label sets, valid by construction.
//!
//! A [`Key`] is `name` or `prefix/name`, a [`Value`] is empty or shaped as a name, and a
//! [`LabelSet`] maps keys to values in byte order. Whoever holds one of these need not check it
//! again: the rules of the Kubernetes API stand in the constructors, which report every cause of
//! a refusal at once. [`FieldError`] locates such a refusal within a larger object.
//!
//! ```
//! use selectord::labels::{Key, LabelSet};
//!
//! let labels = LabelSet::try_from_pairs([("app.kubernetes.io/name", "rng"), ("active", "yes")])?;
//! assert_eq!(labels.to_string(), "active=yes,app.kubernetes.io/name=rng");
//!
//! let refused = Key::new("Example.com/-x").unwrap_err();
//! assert_eq!(refused.causes().len(), 2, "both the prefix and the name are wrong");
//! # Ok::<(), selectord::labels::LabelsError>(())
//! ```

mod field_error;
mod key;
mod set;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

pub use field_error::{FieldError, FieldErrorKind};
pub use key::{Key, KeyError, KeyErrorCause};
pub use set::{IntoIter, Iter, LabelFault, LabelSet, LabelsError};
pub(crate) use syntax::{FewOf, Shown, is_dns_label, is_subdomain};
pub use value::{Value, ValueError, ValueErrorCause};
