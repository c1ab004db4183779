use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::ObjectName;

use super::Field;

/// What all objects have, and what decides whether an object is taken at all.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// Namespace and name.
    pub name: ObjectName,
    /// The UID, or empty.
    pub uid: SmolStr,
    /// The labels.
    pub labels: LabelSet,
    /// The annotations, in the order written.
    pub annotations: Vec<(SmolStr, SmolStr)>,
    /// When it was created, or empty.
    pub creation_timestamp: SmolStr,
    /// When its deletion began or shall begin.
    pub deletion_timestamp: Option<SmolStr>,
}

impl Metadata {
    /// Reads `metadata`. An object without a namespace is in `default_namespace`.
    pub fn read(metadata: &Field<'_>, default_namespace: &str) -> Metadata {
        let namespace = metadata.get("namespace").text();
        Metadata {
            name: ObjectName {
                namespace: if namespace.is_empty() {
                    SmolStr::new(default_namespace)
                } else {
                    namespace
                },
                name: metadata.get("name").text(),
            },
            uid: metadata.get("uid").text(),
            labels: metadata.get("labels").labels(),
            annotations: metadata.get("annotations").text_map(),
            creation_timestamp: metadata
                .get("creationTimestamp")
                .timestamp()
                .unwrap_or_default(),
            deletion_timestamp: metadata.get("deletionTimestamp").timestamp(),
        }
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&SmolStr> {
        self.annotations
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value)
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(|value| value.as_str())
    }
}
