//! Kubernetes YAML and JSON: read into the model, and written back.
//!
//! [`read`] takes what `apply -f` and `serve --manifests` are given: files, directories and
//! standard input, holding one or many documents, lists included, as people write them and as
//! `kubectl get -A -o json` prints them. [`parse`] does the same for one text and no I/O. Either
//! everything is valid, or nothing comes back but the errors, each with file, line, document,
//! object and field.
//!
//! Of the kinds, Pod, Service, Node, Endpoints and EndpointSlice are taken; of these, what
//! Kubernetes or selectord computed is left out and counted, since taking it would freeze computed
//! endpoints as hand-made ones. Other kinds are counted as skipped, unknown fields ignored.
//!
//! [`to_kubernetes`] and its neighbours write the shapes that kubectl prints, [`to_yaml`] makes
//! YAML of them.

mod collect;
mod decode;
mod encode;
mod error;
mod input;
mod kinds;
mod origin;
mod syntax;
#[cfg(test)]
mod tests;

pub use collect::{Manifests, parse};
pub use encode::{
    YamlError, endpoint_json, endpoint_slices, identity_json, list, to_kubernetes, to_yaml,
};
pub use error::{ManifestError, ManifestErrors};
pub use input::{Input, read};
pub use origin::Origin;
pub use syntax::{Place, SyntaxCause, SyntaxError};
