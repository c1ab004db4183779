use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{ObjectName, Service};
use crate::reconcile::StoredService;
use crate::selector::Selector;

/// What a subscriber wants to know of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Some services, with their endpoints.
    Services(ServiceScope),
    /// What one node's rules need: every service with a cluster IP, all its endpoints, and the
    /// labels of the node of this name.
    Node(SmolStr),
}

/// Services that meet all that is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceScope {
    /// In these namespaces; empty: in all.
    pub namespaces: BTreeSet<SmolStr>,
    /// Of these names; empty: of any.
    pub names: BTreeSet<ObjectName>,
    /// Whose own labels match.
    pub selector: Selector,
}

/// What of a service decides which scopes contain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutline {
    /// Its namespace and name.
    pub name: ObjectName,
    /// Its labels.
    pub labels: LabelSet,
    /// Whether it has a virtual IP.
    pub has_cluster_ip: bool,
}

impl Default for ServiceScope {
    fn default() -> Self {
        ServiceScope {
            namespaces: BTreeSet::new(),
            names: BTreeSet::new(),
            selector: Selector::everything(),
        }
    }
}

impl Scope {
    /// Every service.
    pub fn all() -> Scope {
        Scope::Services(ServiceScope::default())
    }

    /// Whether a service of this name could be in scope, whatever its fields.
    pub fn may_contain(&self, name: &ObjectName) -> bool {
        match self {
            Scope::Node(_) => true,
            Scope::Services(scope) => {
                (scope.namespaces.is_empty() || scope.namespaces.contains(&name.namespace))
                    && (scope.names.is_empty() || scope.names.contains(name))
            }
        }
    }

    /// Whether this service is in scope.
    pub fn contains(&self, service: &Service) -> bool {
        match self {
            Scope::Node(_) => service.has_cluster_ip(),
            Scope::Services(scope) => {
                self.may_contain(&service.name) && scope.selector.matches(&service.labels)
            }
        }
    }

    /// As [`Scope::contains`], of a service of which no more is known.
    pub fn contains_outline(&self, service: &ServiceOutline) -> bool {
        match self {
            Scope::Node(_) => service.has_cluster_ip,
            Scope::Services(scope) => {
                self.may_contain(&service.name) && scope.selector.matches(&service.labels)
            }
        }
    }

    /// As [`Scope::contains`], of a service as it is kept.
    pub(crate) fn covers(&self, service: &StoredService) -> bool {
        match self {
            Scope::Node(_) => service.has_cluster_ip(),
            Scope::Services(scope) => {
                (scope.namespaces.is_empty() || scope.namespaces.contains(service.namespace()))
                    && (scope.names.is_empty() || scope.names.contains(&service.name()))
                    && (scope.selector.is_everything() || scope.selector.matches(service.labels()))
            }
        }
    }

    /// Whether a change of a service's labels may move it in or out of scope.
    pub(crate) fn looks_at_labels(&self) -> bool {
        matches!(self, Scope::Services(scope) if !scope.selector.is_everything())
    }

    /// A fingerprint of the canonical text, the same in every process: FNV-1a, 64 bits. A cursor
    /// carries it, so that it is not taken for the cursor of another scope.
    pub fn fingerprint(&self) -> u64 {
        self.to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scope = match self {
            Scope::Node(name) => return write!(f, "node {name}"),
            Scope::Services(scope) => scope,
        };
        f.write_str("services")?;
        let list = |f: &mut std::fmt::Formatter<'_>,
                    word: &str,
                    items: &mut dyn Iterator<Item = String>| {
            items.enumerate().try_for_each(|(i, item)| {
                if i == 0 {
                    write!(f, " {word} {item}")
                } else {
                    write!(f, ",{item}")
                }
            })
        };
        list(
            f,
            "in",
            &mut scope.namespaces.iter().map(ToString::to_string),
        )?;
        list(f, "named", &mut scope.names.iter().map(ToString::to_string))?;
        if scope.selector.is_nothing() {
            f.write_str(" matching nothing")
        } else if scope.selector.is_everything() {
            Ok(())
        } else {
            write!(f, " matching {}", scope.selector)
        }
    }
}
