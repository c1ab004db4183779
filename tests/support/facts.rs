//! An engine that knows some facts, and short questions to it.

use std::ops::ControlFlow;

use selectord::engine::{Engine, EngineOptions, Event, MissingNode, Progress, Scope, Walk};
use selectord::model::{Change, Endpoint, Revision};

use super::build::{name, resolved};

pub struct Facts {
    pub engine: Engine,
}

/// An engine that was given these changes as one transaction.
pub fn facts(changes: impl IntoIterator<Item = Change>) -> Facts {
    facts_with(MissingNode::Admit, changes)
}

pub fn facts_with(missing_node: MissingNode, changes: impl IntoIterator<Item = Change>) -> Facts {
    let engine = Engine::new(EngineOptions {
        missing_node,
        ..EngineOptions::default()
    });
    let mut facts = Facts { engine };
    facts.then(changes);
    facts
}

impl Facts {
    /// One more transaction.
    pub fn then(&mut self, changes: impl IntoIterator<Item = Change>) -> Revision {
        let revision = self.engine.head() + 1;
        self.engine
            .apply(revision, resolved(changes))
            .expect("it is above the head");
        revision
    }

    /// The same, and what a subscriber of everything is told of it.
    pub fn told_of(&mut self, changes: impl IntoIterator<Item = Change>) -> Vec<Event> {
        let mut walk = Walk::new(Scope::all(), Some(self.engine.head()));
        self.then(changes);
        let mut events = Vec::new();
        let progress = self.engine.catch_up(&mut walk, usize::MAX, &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        });
        assert_eq!(progress, Progress::Head(self.engine.head()));
        events
    }

    pub fn endpoints(&self, service: &str) -> Vec<Endpoint> {
        self.engine
            .endpoints(&name(service))
            .expect("there is such a service")
    }

    /// The one endpoint there is.
    pub fn endpoint(&self, service: &str) -> Endpoint {
        let endpoints = self.endpoints(service);
        assert_eq!(endpoints.len(), 1, "{endpoints:?}");
        endpoints[0].clone()
    }

    /// Each endpoint's addresses and pod: `10.0.0.1 (ns/a)`.
    pub fn identities(&self, service: &str) -> Vec<String> {
        self.endpoints(service)
            .iter()
            .map(|endpoint| endpoint.identity.to_string())
            .collect()
    }

    /// The ports that the EndpointSlice of the one endpoint has: `http:8080/TCP`.
    pub fn ports(&self, service: &str) -> Vec<String> {
        let entry = self
            .engine
            .service(&name(service))
            .expect("there is such a service");
        entry
            .object
            .endpoint_ports(&self.endpoint(service).ports)
            .iter()
            .map(|port| {
                let number = port
                    .number
                    .map_or("all".to_owned(), |number| number.to_string());
                format!("{}:{number}/{}", port.name, port.protocol.as_str())
            })
            .collect()
    }
}
