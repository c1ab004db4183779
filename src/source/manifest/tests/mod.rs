//! Cases for each rule of reading and writing, and properties of both together.

mod builders;
mod endpoints;
mod examples;
mod files;
mod json;
mod kinds;
mod pods;
mod properties;
mod quoting;
mod services;
mod slices;
mod strategies;
mod yaml;
