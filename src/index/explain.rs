use std::borrow::Cow;

use crate::selector::Selector;

use super::eval::{Step as EvalStep, Strategy, Universe};
use super::namespaces::Namespaces;
use super::plan::{Plan, Term};
use super::pods::Index;

/// How a step of a plan is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its pods are where evaluation starts.
    Start,
    /// What is found so far is narrowed to the term's pods.
    Intersect,
    /// The term's pods are taken out.
    Subtract,
    /// Each pod found so far is looked at by itself.
    Probe,
    /// Only the id ranges of the namespaces are looked at.
    Range,
}

impl Action {
    /// One lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::Intersect => "intersect",
            Action::Subtract => "subtract",
            Action::Probe => "probe",
            Action::Range => "range",
        }
    }
}

/// One step of an [`Explanation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The requirement in canonical form, or what else is looked at.
    pub term: String,
    /// How.
    pub action: Action,
    /// Pods the term's postings hold.
    pub estimated: u64,
    /// Pods left after the step.
    pub remaining: u64,
    /// Postings read.
    pub postings: u64,
}

/// How a selector is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The steps, in order. None where the index knows at once that nothing matches.
    pub steps: Vec<Step>,
    /// The answer.
    pub count: u64,
}

impl Index {
    /// Evaluates a selector step by step, telling what each step met. Slower than
    /// [`Index::count`], which builds less.
    pub fn explain(&self, selector: &Selector, namespaces: &Namespaces) -> Explanation {
        let plan = Plan::new(selector, &self.dictionary);
        let universe = self.universe(namespaces);
        let strategy = self.strategy(&plan, &universe);
        if strategy == Strategy::Nothing {
            return Explanation {
                steps: Vec::new(),
                count: 0,
            };
        }
        let (start, rest) = self.start(&plan, &universe);
        let mut found = start;
        let mut steps = Vec::new();
        let whole = Term::describe(plan.positives.first());
        let estimated = plan
            .positives
            .first()
            .map_or(self.len(), |term| term.cardinality);
        let postings = plan
            .positives
            .first()
            .map_or(1, |term| term.postings(&self.dictionary).len() as u64);
        let first = Step {
            term: whole,
            action: Action::Start,
            estimated,
            remaining: estimated,
            postings,
        };
        match universe {
            Universe::All => steps.push(first),
            Universe::Ranges(ranges) => {
                let names: Vec<&str> = namespaces
                    .names()
                    .into_iter()
                    .flatten()
                    .map(|n| n.as_str())
                    .collect();
                let inside = ranges
                    .iter()
                    .map(|range| self.live.range_cardinality(range.clone()))
                    .sum();
                steps.push(Step {
                    term: format!("namespace in ({})", names.join(",")),
                    action: Action::Range,
                    estimated: inside,
                    remaining: inside,
                    postings: 0,
                });
                steps.push(Step {
                    remaining: found.len(),
                    action: Action::Intersect,
                    ..first
                });
            }
        }
        for step in rest {
            found = Cow::Owned(step.apply(self, found));
            let term = step.term();
            let action = match (strategy, &step) {
                (Strategy::Probe, _) => Action::Probe,
                (_, EvalStep::Intersect(_)) => Action::Intersect,
                (_, EvalStep::Subtract(_)) => Action::Subtract,
            };
            steps.push(Step {
                term: term.requirement.to_string(),
                action,
                estimated: term.cardinality,
                remaining: found.len(),
                postings: term.postings(&self.dictionary).len() as u64,
            });
        }
        Explanation {
            steps,
            count: found.len(),
        }
    }
}

impl Term<'_> {
    fn describe(term: Option<&Term<'_>>) -> String {
        term.map_or_else(
            || "all pods".to_owned(),
            |term| term.requirement.to_string(),
        )
    }
}
