use std::collections::BTreeMap;

use crate::labels::{Key, Value};
use crate::model::{LabelPatch, Object, ObjectRef};

use super::resolve_error::ResolveError;

/// A label patch, as it is applied to one object after the other.
pub(super) struct Relabelling<'p> {
    pub(super) operation: usize,
    /// Of several values for one key the last counts.
    set: BTreeMap<&'p Key, &'p Value>,
    remove: &'p [Key],
    overwrite: bool,
}

impl<'p> Relabelling<'p> {
    pub(super) fn new(operation: usize, patch: &'p LabelPatch) -> Relabelling<'p> {
        Relabelling {
            operation,
            set: patch.set.iter().map(|(key, value)| (key, value)).collect(),
            remove: &patch.remove,
            overwrite: patch.overwrite,
        }
    }

    /// Changes an object's labels; answers whether any is different now.
    ///
    /// # Errors
    /// [`ResolveError::LabelConflict`]; the object may have been changed in part.
    pub(super) fn apply(
        &self,
        name: &ObjectRef,
        object: &mut Object,
    ) -> Result<bool, ResolveError> {
        let labels = object.labels_mut();
        let mut changed = false;
        for (key, want) in &self.set {
            match labels.get(key.as_str()) {
                Some(have) if have == *want => continue,
                Some(have) if !self.overwrite => {
                    return Err(ResolveError::LabelConflict {
                        operation: self.operation,
                        object: name.clone(),
                        key: (*key).clone(),
                        have: have.clone(),
                        want: (*want).clone(),
                    });
                }
                _ => {}
            }
            labels.insert((*key).clone(), (*want).clone());
            changed = true;
        }
        for key in self.remove {
            changed |= labels.remove(key.as_str()).is_some();
        }
        Ok(changed)
    }
}
