use serde_json::Value;
use thiserror::Error;

/// A value could not be written as YAML.
#[derive(Debug, Error)]
#[error("cannot be written as YAML: {0}")]
pub struct YamlError(#[from] serde_saphyr::ser_error::Error);

/// Block-style YAML, laid out as kubectl's. Text that YAML 1.1 or 1.2 would read as anything else
/// stands in quotes. Linear in its size.
///
/// # Errors
/// None for what this module makes; the writer can refuse in principle.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    Ok(serde_saphyr::to_string_with_options(value, options)?)
}
