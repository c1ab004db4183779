use crate::model::{Conditions, IpFamily, ManualKind, Protocol};

use super::builders::{assert_says, errors, manual};

const READY: Conditions = Conditions {
    ready: true,
    serving: true,
    terminating: false,
};
const NOT_READY: Conditions = Conditions {
    ready: false,
    serving: false,
    terminating: false,
};

fn slice_text(rest: &str) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: a, labels: {{kubernetes.io/service-name: db}}}}\n{rest}"
    )
}

#[test]
fn an_endpoints_object_is_read_subset_by_subset() {
    let text = "
apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: prod, labels: {a: b}}
subsets:
- addresses:
  - {ip: 192.0.2.1, hostname: h, nodeName: n1, targetRef: {kind: Pod, name: p, uid: u}}
  - {ip: 192.0.2.2, targetRef: {kind: Node, name: n2, uid: u}}
  notReadyAddresses: [{ip: 192.0.2.3}]
  ports: [{name: sql, port: 5432, appProtocol: x}, {name: dns, port: 53, protocol: UDP}]
- addresses: [{ip: '2001:db8::1'}]
";
    let manual = manual(text);
    assert_eq!(
        (
            manual.kind,
            manual.name.to_string().as_str(),
            manual.service.as_str()
        ),
        (ManualKind::Endpoints, "prod/db", "db")
    );
    assert_eq!(manual.labels.to_string(), "a=b");
    let [first, second] = manual.subsets.as_slice() else {
        panic!("{manual:?}")
    };
    let shown: Vec<String> = first
        .endpoints
        .iter()
        .map(|e| e.identity.to_string())
        .collect();
    assert_eq!(shown, ["192.0.2.1 (prod/p)", "192.0.2.2", "192.0.2.3"]);
    let conditions: Vec<Conditions> = first.endpoints.iter().map(|e| e.conditions).collect();
    assert_eq!(conditions, [READY, READY, NOT_READY]);
    let head = &first.endpoints[0];
    assert_eq!(
        (
            head.uid.as_str(),
            head.identity.hostname.as_str(),
            head.node.as_str()
        ),
        ("u", "h", "n1")
    );
    let ports: Vec<_> = first
        .ports
        .iter()
        .map(|p| {
            (
                p.name.as_str(),
                p.number,
                p.protocol,
                p.app_protocol.as_str(),
            )
        })
        .collect();
    assert_eq!(
        ports,
        [
            ("sql", Some(5432), Protocol::Tcp, "x"),
            ("dns", Some(53), Protocol::Udp, "")
        ]
    );
    assert_eq!(second.endpoints[0].identity.family(), IpFamily::V6);
}

#[test]
fn absent_conditions_of_a_slice_have_their_meaning() {
    for (written, expected) in [
        ("{}", READY),
        ("null", READY),
        (
            "{ready: false}",
            Conditions {
                ready: false,
                serving: true,
                terminating: false,
            },
        ),
        (
            "{ready: false, serving: true, terminating: true}",
            Conditions {
                ready: false,
                serving: true,
                terminating: true,
            },
        ),
        (
            "{ready: null, serving: false}",
            Conditions {
                ready: true,
                serving: false,
                terminating: false,
            },
        ),
    ] {
        let text = slice_text(&format!(
            "addressType: IPv4\nendpoints: [{{addresses: [192.0.2.1], conditions: {written}}}]"
        ));
        assert_eq!(
            manual(&text).subsets[0].endpoints[0].conditions,
            expected,
            "{written}"
        );
    }
}

#[test]
fn every_field_of_a_slice_is_kept() {
    let text = slice_text(
        "addressType: IPv6
endpoints:
- addresses: ['2001:db8::2', '2001:db8::1']
  hostname: h
  nodeName: n1
  zone: east
  targetRef: {kind: Pod, namespace: prod, name: p, uid: u}
  hints: {forZones: [{name: east}, {name: west}], forNodes: [{name: n1}]}
ports: [{name: sql, port: 5432}, {name: any}]
",
    );
    let manual = manual(&text);
    assert_eq!(
        (manual.kind, manual.service.as_str()),
        (ManualKind::EndpointSlice, "db")
    );
    let endpoint = &manual.subsets[0].endpoints[0];
    assert_eq!(
        endpoint.identity.to_string(),
        "2001:db8::1,2001:db8::2 (prod/p)"
    );
    assert_eq!(
        (
            endpoint.node.as_str(),
            endpoint.zone.as_str(),
            endpoint.uid.as_str()
        ),
        ("n1", "east", "u")
    );
    assert_eq!(
        (
            endpoint.hints.zones.as_slice(),
            endpoint.hints.nodes.as_slice()
        ),
        (&["east".into(), "west".into()][..], &["n1".into()][..])
    );
    let ports: Vec<_> = manual.subsets[0]
        .ports
        .iter()
        .map(|p| (p.name.as_str(), p.number))
        .collect();
    assert_eq!(ports, [("sql", Some(5432)), ("any", None)]);
}

#[test]
fn refused_fields_are_named() {
    for (text, expected) in [
        (slice_text(""), "addressType: Required value"),
        (slice_text("addressType: ipv4"), "addressType: Unsupported value: \"ipv4\": must be one of IPv4, IPv6"),
        (slice_text("addressType: IPv4\nendpoints: [{addresses: ['2001:db8::1']}]"), "endpoints[0].addresses[0]: Invalid value: 2001:db8::1 is not of the slice's addressType IPv4"),
        (slice_text("addressType: IPv4\nendpoints: [{addresses: []}]"), "endpoints[0].addresses: Required value"),
        (slice_text("addressType: IPv4\nendpoints: [{addresses: [127.0.0.1]}]"), "127.0.0.1 may not be"),
        (slice_text("addressType: IPv4\nendpoints: [{addresses: [192.0.2.1], targetRef: {kind: Pod}}]"), "endpoints[0].targetRef.name: Required value"),
        (slice_text("addressType: IPv4\nports: [{port: 0}]"), "ports[0].port: Invalid value"),
        ("{apiVersion: v1, kind: Endpoints, metadata: {name: db}, subsets: [{addresses: [{ip: ''}]}]}".to_owned(), "subsets[0].addresses[0].ip: Required value"),
        ("{apiVersion: v1, kind: Endpoints, metadata: {name: db}, subsets: [{ports: [{name: a}]}]}".to_owned(), "subsets[0].ports[0].port: Required value"),
    ] {
        assert_says(&errors(&text), &[expected]);
    }
}
