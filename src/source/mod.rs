//! Floor 9: where facts come from.
//!
//! | folder | source |
//! |---|---|
//! | [`manifest`] | Kubernetes YAML and JSON in files, and the same shapes out again |

pub mod manifest;
