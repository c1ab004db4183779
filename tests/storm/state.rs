//! What a server answers, and whether a watcher holds the same.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use selectord::client::{Client, Listing};
use selectord::engine::{Scope, ServiceScope, View};
use selectord::model::{Endpoint, EndpointIdentity, Node, ObjectName, Revision, Service};

use crate::cluster::{NAMESPACES, NODE};
use crate::support::build::selector;

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(180);

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("no answer")
}

/// One of each kind: everything, a namespace, a selector on services, and what a node needs.
pub fn scopes() -> [Scope; 4] {
    let of = |scope| Scope::Services(scope);
    [
        Scope::all(),
        of(ServiceScope {
            namespaces: [NAMESPACES[0].into()].into(),
            ..ServiceScope::default()
        }),
        of(ServiceScope {
            selector: selector("team=east"),
            ..ServiceScope::default()
        }),
        Scope::Node(NODE.into()),
    ]
}

/// A service, the revision that wrote it last, and its endpoints.
type Held = (Service, Revision, BTreeMap<EndpointIdentity, Endpoint>);

/// What there is in a scope.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    services: BTreeMap<ObjectName, Held>,
    nodes: BTreeMap<String, Node>,
}

impl State {
    /// What a watcher holds.
    pub fn of(view: &View) -> State {
        let services = view.services().iter().map(|(name, held)| {
            let service = Service::clone(&held.entry.service);
            let endpoints = held.endpoints.clone();
            (name.clone(), (service, held.entry.revision, endpoints))
        });
        let nodes = view.nodes().iter();
        State {
            services: services.collect(),
            nodes: nodes
                .map(|(name, node)| (name.to_string(), Node::clone(node)))
                .collect(),
        }
    }

    /// What the server answers for a scope, call by call, while nobody writes.
    pub async fn asked(client: &Client, scope: &Scope, revision: Revision) -> State {
        let listing = client.services(&Listing::default()).await.unwrap();
        let (at, items) = listing.collect().await.unwrap();
        assert_eq!(at, revision, "somebody else writes");
        let mut services = BTreeMap::new();
        for item in items {
            if !scope.contains(&item.service) {
                continue;
            }
            let name = item.service.name.clone();
            let endpoints = client.endpoints(&name).await.unwrap();
            assert_eq!(endpoints.revision, revision, "somebody else writes");
            let endpoints = endpoints
                .answer
                .endpoints
                .into_iter()
                .map(|endpoint| (endpoint.identity.clone(), endpoint));
            services.insert(name, (item.service, item.revision, endpoints.collect()));
        }
        let mut nodes = BTreeMap::new();
        if let Scope::Node(name) = scope {
            let node = client.node(name).await.unwrap().answer.node;
            nodes.insert(name.to_string(), node);
        }
        State { services, nodes }
    }

    /// Fails with the differences, name by name.
    pub fn must_be(&self, right: &State, whose: &str) {
        let names = self.services.keys().chain(right.services.keys());
        for name in names {
            assert_eq!(
                self.services.get(name),
                right.services.get(name),
                "{whose}: {name}"
            );
        }
        assert_eq!(self.nodes, right.nodes, "{whose}");
    }
}

/// How many things a view holds: as many events tell it to whoever has nothing.
pub fn size(view: &View) -> usize {
    let endpoints = view.services().values().map(|held| held.endpoints.len());
    view.services().len() + view.nodes().len() + endpoints.sum::<usize>()
}
