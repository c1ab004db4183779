//! Label selectors: what they are, how they read and print, and what they mean.
//!
//! A [`Selector`] is the AND of its [`Requirement`]s, or matches nothing at all. It is read from
//! text, as `kubectl -l` takes it, or made from a [`LabelSelector`], as objects carry it. Keys
//! and values are checked on the way in, so a selector that exists is a legal one.
//!
//! ```
//! use selectord::labels::LabelSet;
//! use selectord::selector::Selector;
//!
//! let selector: Selector = "tier in (web, api), !canary".parse()?;
//! assert_eq!(selector.to_string(), "!canary,tier in (api,web)");
//! assert!(selector.matches(&LabelSet::try_from_pairs([("tier", "api")])?));
//!
//! let text = "tier in (web, api) canary";
//! let error = Selector::parse(text).unwrap_err();
//! assert_eq!(error.caret(text), "tier in (web, api) canary\n                   ^^^^^^");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Selector::matches`] is slow and obvious on purpose: whatever answers faster is tested
//! against it.

mod conjunction;
mod display;
mod error;
mod label_selector;
mod lex;
mod matches;
mod operand;
mod parse;
#[cfg(test)]
mod proptests;
mod requirement;
mod size;
#[cfg(test)]
mod tests;

pub use conjunction::Selector;
pub use error::{
    Expected, ParseSelectorError, ParseSelectorErrorCause, ValueFault, ValueFaultCause,
};
pub use label_selector::{LabelSelector, LabelSelectorRequirement, ToLabelSelectorError};
pub use operand::{NotAnInteger, Threshold, ValueSet};
pub use requirement::Requirement;
pub use size::{MAX_REQUIREMENTS, MAX_VALUES};
