//! The model as Kubernetes prints it: the API's own shapes, with the fields we keep and no others,
//! keys in the order kubectl prints them.

mod endpoint;
mod endpoints;
mod fields;
mod object;
mod pod;
mod selector;
mod service;
mod slices;
mod yaml;

pub use endpoint::{endpoint_json, identity_json};
pub use object::{list, to_kubernetes};
pub use slices::endpoint_slices;
pub use yaml::{YamlError, to_yaml};
