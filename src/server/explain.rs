//! Answers that say why.

use std::time::Instant;

use crate::engine::{Engine, Membership, Namespaces};
use crate::selector::Selector;
use crate::wire::{self, proto};

/// Evaluates a selector step by step, and takes the time of it.
pub(super) fn explain(
    engine: &Engine,
    selector: &Selector,
    namespaces: &Namespaces,
) -> proto::QueryPlan {
    let started = Instant::now();
    let explanation = engine.explain(selector, namespaces);
    let elapsed = started.elapsed();
    proto::QueryPlan {
        selector: selector.to_string(),
        steps: explanation
            .steps
            .into_iter()
            .map(|step| proto::query_plan::Step {
                term: step.term,
                action: step.action.as_str().to_owned(),
                estimated: step.estimated,
                remaining: step.remaining,
                postings: step.postings,
            })
            .collect(),
        count: explanation.count,
        elapsed: Some(wire::encode_duration(elapsed)),
    }
}

/// Why a pod is, or is not, in a service.
pub(super) fn encode_membership(found: Membership) -> proto::MembershipReasons {
    proto::MembershipReasons {
        endpoint: found.endpoint,
        reasons: found
            .reasons
            .into_iter()
            .map(|reason| proto::membership_reasons::Reason {
                met: reason.met,
                condition: reason.condition,
                found: reason.found,
            })
            .collect(),
    }
}
