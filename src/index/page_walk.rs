use std::ops::Bound::{Included, Unbounded};

use crate::model::ObjectName;
use crate::selector::Selector;

use super::eval::Checks;
use super::namespaces::{Namespace, Namespaces};
use super::plan::Plan;
use super::pods::Index;

/// Of an answer that is at least such a part of the pods, names are walked.
const DENSE: f64 = 1.0 / 16.0;
/// So many names are passed for each pod of the page, before it is given up: twice what is expected
/// where pods that match are as sparse as they may be and lie evenly.
const PASSED: usize = 32;

/// A page while it is being filled.
struct Walk<'i> {
    checks: Checks<'i>,
    after: Option<&'i ObjectName>,
    page: Vec<u32>,
    limit: usize,
    /// Names that may yet be passed.
    budget: usize,
}

impl Index {
    /// A page of an answer that is a good part of all pods: names are walked from where the last page
    /// ended, and each pod is looked at by itself, so that the rest of the answer is not built. None
    /// where the answer is sparse, or turned out to be.
    pub(crate) fn walk_page(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Option<Vec<u32>> {
        let plan = Plan::new(selector, &self.dictionary);
        if plan.empty {
            return Some(Vec::new());
        }
        if plan.density(self.len()) < DENSE {
            return None;
        }
        let budget = limit.saturating_mul(PASSED);
        let mut walk = Walk {
            checks: self.checks(&plan, 0),
            after,
            page: Vec::with_capacity(limit.min(1024)),
            limit,
            budget,
        };
        let from = after.map_or("", |name| name.namespace.as_str());
        let mut go_on = |namespace: &Namespace| self.walk_namespace(&mut walk, namespace);
        match namespaces.names() {
            None => self
                .namespaces
                .from(from)
                .all(|(_, namespace)| go_on(namespace)),
            Some(names) => names
                .range::<str, _>((Included(from), Unbounded))
                .filter_map(|name| self.namespaces.find(name))
                .all(&mut go_on),
        };
        (walk.page.len() == limit || walk.budget > 0).then_some(walk.page)
    }

    /// Whether there is room and budget for more.
    fn walk_namespace(&self, walk: &mut Walk<'_>, namespace: &Namespace) -> bool {
        let resume = walk
            .after
            .filter(|name| name.namespace == namespace.name)
            .map(|name| name.name.as_str());
        let mut go_on = walk.page.len() < walk.limit;
        if go_on {
            self.by_name(&namespace.name, resume, |id| {
                if self.passes(&walk.checks, id) {
                    walk.page.push(id);
                }
                walk.budget = walk.budget.saturating_sub(1);
                go_on = walk.page.len() < walk.limit && walk.budget > 0;
                go_on
            });
        }
        go_on
    }
}
