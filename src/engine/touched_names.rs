use smol_str::SmolStr;

use crate::model::ObjectName;

use super::scope::Scope;

/// Names of what a transaction wrote records of: who looks at none of them has nothing to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TouchedNames {
    /// Services that are new, changed or gone, or whose endpoints differ.
    pub services: Vec<ObjectName>,
    /// Nodes that are new, changed or gone.
    pub nodes: Vec<SmolStr>,
}

impl TouchedNames {
    /// How many names.
    pub fn len(&self) -> usize {
        self.services.len().saturating_add(self.nodes.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.nodes.is_empty()
    }

    /// Whether any of them may be in scope. Linear in the names.
    pub fn concern(&self, scope: &Scope) -> bool {
        self.services.iter().any(|name| scope.may_contain(name))
            || matches!(scope, Scope::Node(own) if self.nodes.contains(own))
    }
}
