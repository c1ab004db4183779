use serde_json::{Map, Value};

/// A JSON object under construction: what is empty is left out, as Kubernetes does.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// No fields yet.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// A field that is always there.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Fields {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// A field that is there only if it says something: not null, false, 0, or empty.
    #[must_use]
    pub fn with_some(self, key: &str, value: impl Into<Value>) -> Fields {
        let value = value.into();
        let says_something = match &value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_u64() != Some(0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        };
        if says_something {
            self.with(key, value)
        } else {
            self
        }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Value {
        Value::Object(fields.0)
    }
}
