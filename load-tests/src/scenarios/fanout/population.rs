use bytes::Bytes;
use selectord::engine::Scope;
use selectord::model::ObjectName;

use crate::context::Context;
use crate::subscribers::{named, subscribe};

use super::State;

/// The mix, in words.
pub const MIX: &str = "of ten subscribers eight have the scope of a node (every service, as a node's \
                       proxy needs it), one has every service and one has one service";
/// One in so many keeps what it is sent, and is folded and compared.
const FOLDED: usize = 100;

/// Who subscribes to what.
pub struct Population {
    scopes: Vec<Scope>,
    /// Of those who watch one service, its place among the names.
    services: Vec<Option<u32>>,
}

impl Population {
    /// So many, in the usual mix.
    pub fn new(context: &Context, count: usize, state: &State) -> Population {
        let names: Vec<&ObjectName> = state.view.services().keys().collect();
        let nodes: Vec<String> = context.corpus.nodes().map(|node| node.name).collect();
        let mut population = Population {
            scopes: Vec::with_capacity(count),
            services: Vec::with_capacity(count),
        };
        for number in 0..count {
            let (scope, service) = match number % 10 {
                0 => (Scope::all(), None),
                1 => {
                    let at = (number * 7_919) % names.len().max(1);
                    match names.get(at) {
                        Some(name) => (named(name), Some(at as u32)),
                        None => (Scope::all(), None),
                    }
                }
                _ => {
                    let node = nodes.get(number % nodes.len().max(1));
                    let node = node.map(String::as_str).unwrap_or("none");
                    (Scope::Node(node.into()), None)
                }
            };
            population.scopes.push(scope);
            population.services.push(service);
        }
        population
    }

    /// So many who have the scope of a node.
    pub fn of_nodes(context: &Context, count: usize) -> Population {
        let nodes: Vec<String> = context.corpus.nodes().map(|node| node.name).collect();
        let scope = |number: usize| {
            let node = nodes.get(number % nodes.len().max(1));
            Scope::Node(node.map_or("none", String::as_str).into())
        };
        Population {
            scopes: (0..count).map(scope).collect(),
            services: vec![None; count],
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// What one watches.
    pub fn scope(&self, number: usize) -> Option<&Scope> {
        self.scopes.get(number)
    }

    /// Whether a change of these services (by their places among the names) concerns one.
    pub fn is_concerned(&self, number: usize, services: &[u32]) -> bool {
        match self.services.get(number) {
            Some(Some(service)) => services.contains(service),
            Some(None) => true,
            None => false,
        }
    }

    /// Whether one watches everything that changes.
    pub fn has_all(&self, number: usize) -> bool {
        self.services.get(number) == Some(&None)
    }

    /// Whether one is folded and compared: of every kind some.
    pub fn is_folded(&self, number: usize) -> bool {
        number % FOLDED == (number / FOLDED) % 10
    }

    /// Their first requests, from a state on, and whether they keep what comes.
    pub fn requests(&self, state: &State, fold: bool) -> Vec<(Bytes, bool)> {
        let request = |(number, scope): (usize, &Scope)| {
            let cursor = state.cursor(scope);
            let request = subscribe(scope, Some(&cursor), "");
            (request, fold && self.is_folded(number))
        };
        self.scopes.iter().enumerate().map(request).collect()
    }
}
