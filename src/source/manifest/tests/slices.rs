//! Computed endpoints as EndpointSlices.

use std::num::NonZeroU16;

use serde_json::{Value, json};
use smallvec::smallvec;

use super::builders::{service, service_text};
use crate::labels::LabelSet;
use crate::model::{
    Conditions, Endpoint, EndpointIdentity, EndpointPort, EndpointPorts, Hints, ObjectName,
    Service, parse_ip,
};
use crate::source::manifest::{endpoint_json, endpoint_slices, identity_json};

fn endpoint(ip: &str, ports: EndpointPorts) -> Endpoint {
    Endpoint {
        identity: EndpointIdentity {
            addresses: parse_ip(ip).into_iter().collect(),
            hostname: "".into(),
            pod: Some(ObjectName::new("default", "p")),
        },
        uid: "u".into(),
        ports,
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: "n1".into(),
        zone: "east".into(),
        hints: Hints::default(),
    }
}

fn named(rest: &str) -> Service {
    service(&service_text(&format!(
        "clusterIP: 10.0.0.1, selector: {{app: s}}, {rest}"
    )))
}

fn names(slices: &[Value]) -> Vec<(&str, usize)> {
    slices
        .iter()
        .map(|s| {
            (
                s["metadata"]["name"].as_str().unwrap_or_default(),
                s["endpoints"].as_array().map_or(0, Vec::len),
            )
        })
        .collect()
}

#[test]
fn a_slice_has_kubernetes_shape() {
    let mut service = named("ports: [{name: http, port: 80, targetPort: 8080, appProtocol: h2c}]");
    service.uid = "su".into();
    service.labels = LabelSet::try_from_pairs([
        ("app", "s"),
        ("endpointslice.kubernetes.io/managed-by", "me"),
        ("service.kubernetes.io/headless", ""),
    ])
    .expect("legal");
    let mut endpoint = endpoint("10.1.0.1", EndpointPorts::OfService);
    endpoint.identity.hostname = "h".into();
    endpoint.hints = Hints {
        zones: smallvec!["east".into()],
        nodes: smallvec!["n1".into()],
    };
    let expected = json!({
        "addressType": "IPv4",
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": [{
            "addresses": ["10.1.0.1"],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "hints": {"forNodes": [{"name": "n1"}], "forZones": [{"name": "east"}]},
            "hostname": "h",
            "nodeName": "n1",
            "targetRef": {"kind": "Pod", "name": "p", "namespace": "default", "uid": "u"},
            "zone": "east",
        }],
        "kind": "EndpointSlice",
        "metadata": {
            "labels": {
                "app": "s",
                "endpointslice.kubernetes.io/managed-by": "selectord",
                "kubernetes.io/service-name": "s",
            },
            "name": "s-ipv4-1",
            "namespace": "default",
            "ownerReferences": [{
                "apiVersion": "v1", "blockOwnerDeletion": true, "controller": true, "kind": "Service", "name": "s", "uid": "su",
            }],
        },
        "ports": [{"appProtocol": "h2c", "name": "http", "port": 8080, "protocol": "TCP"}],
    });
    assert_eq!(endpoint_slices(&service, &[endpoint]), [expected]);
}

#[test]
fn a_slice_holds_a_hundred_endpoints() {
    let endpoints: Vec<Endpoint> = (0..250)
        .map(|i| endpoint(&format!("10.1.{}.1", i), EndpointPorts::OfService))
        .collect();
    let slices = endpoint_slices(&named("ports: [{port: 80}]"), &endpoints);
    assert_eq!(
        names(&slices),
        [("s-ipv4-1", 100), ("s-ipv4-2", 100), ("s-ipv4-3", 50)]
    );
    assert_eq!(
        slices[0]["ports"],
        json!([{"name": "", "port": 80, "protocol": "TCP"}])
    );
}

#[test]
fn each_port_set_has_its_slices() {
    let service = named(
        "ports: [{name: a, port: 80, targetPort: web}, {name: b, port: 81, targetPort: sql}]",
    );
    let resolved =
        |a, b| EndpointPorts::Resolved(smallvec![NonZeroU16::new(a), NonZeroU16::new(b)]);
    let endpoints = [
        endpoint("10.1.0.1", resolved(8080, 0)),
        endpoint("10.1.0.2", resolved(8080, 5432)),
        endpoint("10.1.0.3", resolved(8080, 0)),
        endpoint("10.1.0.4", resolved(0, 0)),
    ];
    let slices = endpoint_slices(&service, &endpoints);
    assert_eq!(
        names(&slices),
        [("s-ipv4-1", 1), ("s-ipv4-2", 2), ("s-ipv4-3", 1)]
    );
    assert_eq!(
        slices[0]["ports"],
        json!([]),
        "a pod that resolves no port is published all the same"
    );
    let own = |names: [&str; 2]| {
        let port = |name: &str| EndpointPort {
            name: name.into(),
            number: Some(1),
            ..EndpointPort::default()
        };
        EndpointPorts::Own(names.map(port).to_vec().into())
    };
    let same = [
        endpoint("10.1.0.1", own(["x", "y"])),
        endpoint("10.1.0.2", own(["y", "x"])),
    ];
    assert_eq!(
        names(&endpoint_slices(&service, &same)),
        [("s-ipv4-1", 2)],
        "the order of ports does not count"
    );
}

#[test]
fn each_family_has_its_slices_and_an_empty_one_if_need_be() {
    let both = named("ports: [{port: 80}], ipFamilies: [IPv6, IPv4]");
    let v4 = [endpoint("10.1.0.1", EndpointPorts::OfService)];
    let slices = endpoint_slices(&both, &v4);
    assert_eq!(names(&slices), [("s-ipv6-1", 0), ("s-ipv4-1", 1)]);
    assert_eq!(
        (&slices[0]["ports"], &slices[0]["addressType"]),
        (&json!([]), &json!("IPv6"))
    );
    let without = service(&service_text("clusterIP: 10.0.0.1"));
    assert_eq!(names(&endpoint_slices(&without, &[])), []);
    let v6 = [endpoint("fd00::1", EndpointPorts::OfService)];
    assert_eq!(
        names(&endpoint_slices(&without, &v6)),
        [("s-ipv6-1", 1)],
        "hand-made ones of an unlisted family show"
    );
}

#[test]
fn only_headless_services_mark_their_slices() {
    let label = |spec: &str| {
        let service = service(&service_text(&format!(
            "selector: {{a: b}}, ipFamilies: [IPv4], {spec}"
        )));
        endpoint_slices(&service, &[])[0]["metadata"]["labels"]
            .get("service.kubernetes.io/headless")
            .cloned()
    };
    assert_eq!(label("clusterIP: None"), Some(json!("")));
    assert_eq!(label("clusterIP: ''"), Some(json!("")));
    assert_eq!(label("clusterIP: 10.0.0.1"), None);
}

#[test]
fn an_endpoint_alone_and_one_that_is_gone() {
    let mut endpoint = endpoint("10.1.0.1", EndpointPorts::OfService);
    endpoint.zone = "".into();
    assert_eq!(
        endpoint_json(&endpoint),
        json!({
            "addresses": ["10.1.0.1"],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "n1",
            "targetRef": {"kind": "Pod", "name": "p", "namespace": "default", "uid": "u"},
        })
    );
    assert_eq!(
        identity_json(&endpoint.identity),
        json!({"addresses": ["10.1.0.1"], "targetRef": {"kind": "Pod", "name": "p", "namespace": "default"}})
    );
}
