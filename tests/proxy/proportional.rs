//! What is written for one endpoint, among few services and among many.

use std::sync::Arc;

use selectord::engine::{Event, ServiceEntry, View};
use selectord::model::{
    ClusterIp, Conditions, Endpoint, EndpointIdentity, EndpointPorts, Hints, ObjectName, Protocol,
    Service, ServicePort, TargetPort,
};

use super::mode::Mode;
use super::namespace::{Namespace, available};

pub fn put_service(number: usize) -> Event {
    let ip = format!("10.96.{}.{}", number / 250, number % 250);
    let port = ServicePort {
        name: "".into(),
        protocol: Protocol::Tcp,
        port: 80,
        target_port: TargetPort::Number(8080),
        node_port: 0,
        app_protocol: "".into(),
    };
    Event::Replace(ServiceEntry {
        service: Arc::new(Service {
            name: ObjectName::new("ns", format!("svc{number}")),
            cluster_ip: ClusterIp::Ips([ip.parse().unwrap()].into_iter().collect()),
            ports: vec![port],
            ..Service::default()
        }),
        revision: 1,
    })
}

pub fn endpoint(service: usize, end: usize) -> (ObjectName, Endpoint) {
    let endpoint = Endpoint {
        identity: EndpointIdentity {
            addresses: [format!("10.244.{}.{}", end / 250, end % 250)
                .parse()
                .unwrap()]
            .into_iter()
            .collect(),
            ..EndpointIdentity::default()
        },
        uid: "".into(),
        ports: EndpointPorts::OfService,
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: "n2".into(),
        zone: "".into(),
        hints: Hints::default(),
    };
    (ObjectName::new("ns", format!("svc{service}")), endpoint)
}

/// Elements and rules written when one of so many endpoints of one of so many services comes, is
/// replaced, and goes.
fn written(services: usize, endpoints: usize) -> [(usize, usize); 3] {
    let namespace = Namespace::new("count");
    let mut view = View::default();
    let mut syncer = Mode::Nftables.syncer();
    let mut events: Vec<Event> = (0..services).map(put_service).collect();
    for service in 0..services {
        let count = if service == 0 { endpoints } else { 2 };
        events.extend((1..=count).map(|end| {
            let (service, endpoint) = endpoint(service, end);
            Event::Endpoint { service, endpoint }
        }));
    }
    let came = |end| {
        let (service, endpoint) = endpoint(0, end);
        Event::Endpoint { service, endpoint }
    };
    let went = |end| {
        let (service, endpoint) = endpoint(0, end);
        Event::Removed {
            service,
            identity: endpoint.identity,
        }
    };
    let steps = [
        vec![came(endpoints + 1)],
        vec![went(1), came(endpoints + 2)],
        vec![went(2)],
    ];
    let mut sync = |events: Vec<Event>| {
        for event in &events {
            view.apply(event.clone());
        }
        namespace.within(|| {
            syncer.note(&view, &events, &[]);
            let report = syncer.sync(&view).unwrap();
            (report.elements, report.rules)
        })
    };
    sync(events);
    steps.map(&mut sync)
}

#[test]
fn one_endpoint_is_a_few_elements_however_much_there_is() {
    if !available("one_endpoint_is_a_few_elements_however_much_there_is") {
        return;
    }
    let small = written(10, 5);
    // Its place and its hairpin; and the service's entry, taken out and put in, for the chain of another
    // count, with one rule. A replacement: one place, taken out and put in, and a hairpin; the other
    // one's other services have too. When one goes: its place, into which the last one moves, that one's,
    // and the entry.
    assert_eq!(small, [(4, 1), (3, 0), (5, 1)]);
    assert_eq!(written(500, 5), small);
    assert_eq!(written(10, 400), small);
}
