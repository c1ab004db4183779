//! The examples of digests in docs/api.md are what they say.

use selectord::engine::{Event, ServiceEntry, View};
use selectord::labels::LabelSet;
use selectord::model::{
    ClusterIp, Conditions, Endpoint, EndpointIdentity, EndpointPorts, Hints, IpFamily, Node,
    ObjectName, Protocol, RecordHasher, Service, ServicePort, ServiceSelector, TargetPort,
};

const DOCUMENT: &str = include_str!("../docs/api.md");

fn pairs(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::try_from_pairs(pairs.iter().copied()).unwrap()
}

fn service() -> Service {
    Service {
        name: ObjectName::new("default", "rng"),
        labels: pairs(&[("app", "rng")]),
        selector: ServiceSelector::Map(pairs(&[("app", "rng")])),
        ports: vec![ServicePort {
            name: "http".into(),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Name("web".into()),
            node_port: 0,
            app_protocol: "".into(),
        }],
        cluster_ip: ClusterIp::Ips([[10, 96, 0, 10].into()].into_iter().collect()),
        ip_families: [IpFamily::V4].into_iter().collect(),
        ..Service::default()
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        identity: EndpointIdentity {
            addresses: [[10, 1, 0, 1].into()].into_iter().collect(),
            hostname: "".into(),
            pod: Some(ObjectName::new("default", "rng-1")),
        },
        uid: "2b0c3f6e-5a7d-4e8b-9c1d-0a1b2c3d4e5f".into(),
        ports: EndpointPorts::Resolved([std::num::NonZeroU16::new(8080)].into_iter().collect()),
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: "node-1".into(),
        zone: "za".into(),
        hints: Hints::default(),
    }
}

fn node() -> Node {
    Node {
        name: "node-1".into(),
        uid: "n".into(),
        labels: pairs(&[("topology.kubernetes.io/zone", "za")]),
    }
}

/// As the document prints bytes: in lines of 32.
fn printed(bytes: &[u8]) -> Vec<String> {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.chunks(32).map(line).collect()
}

#[test]
fn the_examples_in_the_document_are_right() {
    let mut wrong = Vec::new();
    let mut expect = |what: &str, text: String| {
        if !DOCUMENT.contains(&text) {
            wrong.push(format!("{what}:\n{text}"));
        }
    };
    let mut hasher = RecordHasher::default();
    let of_service = hasher.service(&service());
    expect("service", printed(hasher.bytes()).join("\n"));
    expect("hash of the service", format!("{of_service}"));
    let of_endpoint = hasher.endpoint(&endpoint(), "default");
    expect("endpoint", printed(hasher.bytes()).join("\n"));
    expect("hash of the endpoint", format!("{of_endpoint}"));
    let of_node = hasher.node(&node());
    expect("node", printed(hasher.bytes()).join("\n"));
    expect("hash of the node", format!("{of_node}"));

    let mut view = View::default();
    let name = service().name;
    view.apply(Event::Replace(ServiceEntry {
        service: service().into(),
        revision: 7,
    }));
    view.apply(Event::Endpoint {
        service: name,
        endpoint: endpoint(),
    });
    let held = view.held(None).next().unwrap();
    assert_eq!(held.digest, of_service + of_endpoint);
    expect("digest", format!("{}", held.digest));
    assert!(
        wrong.is_empty(),
        "docs/api.md has not:\n{}",
        wrong.join("\n")
    );
}
