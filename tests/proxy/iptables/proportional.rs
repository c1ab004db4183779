//! What is written for one endpoint and one service, among few services and among many.

use selectord::engine::{Event, View};
use selectord::model::ObjectName;

use super::variant::{Node, VARIANTS, available};
use crate::proportional::{endpoint, put_service};

/// Lines written when one of so many endpoints of one of so many services comes, is replaced, and goes,
/// when the service has none left, and when it goes itself.
fn written(variant: &'static str, services: usize, endpoints: usize) -> [usize; 5] {
    let node = Node::new(variant);
    let mut view = View::default();
    let mut syncer = node.syncer();
    let mut events: Vec<Event> = (0..services).map(put_service).collect();
    for service in 0..services {
        let count = if service == 0 { endpoints } else { 2 };
        events.extend((1..=count).map(|end| came(service, end)));
    }
    let mut sync = |events: Vec<Event>| {
        for event in &events {
            view.apply(event.clone());
        }
        node.namespace.within(|| {
            syncer.note(&view, &events, &[]);
            syncer.sync(&view).unwrap().lines
        })
    };
    sync(events);
    let left = (3..=endpoints + 2).map(went).collect();
    [
        vec![came(0, endpoints + 1)],
        vec![went(1), came(0, endpoints + 2)],
        vec![went(2)],
        left,
        vec![Event::Remove(ObjectName::new("ns", "svc0"))],
    ]
    .map(&mut sync)
}

fn came(service: usize, end: usize) -> Event {
    let (service, endpoint) = endpoint(service, end);
    Event::Endpoint { service, endpoint }
}

fn went(end: usize) -> Event {
    let (service, endpoint) = endpoint(0, end);
    Event::Removed {
        service,
        identity: endpoint.identity,
    }
}

#[test]
fn one_endpoint_is_its_services_chain() {
    if !available("one_endpoint_is_its_services_chain") {
        return;
    }
    for variant in VARIANTS {
        let small = written(variant, 10, 5);
        // The table and its end; and the service's chain with one rule each and one for outsiders. When none
        // is left, the chain goes, and who led to it, and one rule of another table comes.
        let chain = |endpoints: usize| 2 + 1 + 1 + endpoints;
        let none_left = 2 + 1 + 2 + 1 + 2;
        assert_eq!(
            small,
            [chain(6), chain(6), chain(5), none_left, 3],
            "{variant}"
        );
        assert_eq!(written(variant, 500, 5), small, "{variant}");
    }
}
