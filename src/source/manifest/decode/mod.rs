//! Trees into the model: field by field, with every refusal told at its path and place.
//!
//! [`Field`] is a place in an object, and knows how to read itself as text, number, address and so
//! on; what it cannot read it reports to the object's [`Problems`] and reads as absent, so that one
//! pass finds everything that is wrong. One file then reads one kind.

mod address;
mod endpoints;
mod field;
mod metadata;
mod node;
mod pod;
mod problems;
mod selector;
mod service;
mod timestamp;
mod values;

pub use endpoints::{endpoint_slice, endpoints};
pub use field::Field;
pub use metadata::Metadata;
pub use node::node;
pub use pod::pod;
pub use problems::{Noted, Problem, Problems};
pub use service::service;
