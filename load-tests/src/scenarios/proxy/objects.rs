//! Services and endpoint slices as an API server's watch tells of them.

use serde_json::{Value, json};

use super::cluster::{NAMESPACE, NODE, PORT, Service, TARGET_PORT, endpoint_ip, is_local};

/// An event about an object: its kind is its field.
pub fn event(kind: &str, (field, object): (&str, Value)) -> Value {
    json!({"type": kind, field: object})
}

pub fn service(service: &Service) -> (&'static str, Value) {
    let ip = service.ip();
    let object = json!({
        "metadata": {"namespace": NAMESPACE, "name": service.name()},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": ip,
            "clusterIPs": [ip],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ports": [{"protocol": "TCP", "port": PORT, "targetPort": TARGET_PORT}],
        },
    });
    ("service", object)
}

/// The one slice of its endpoints, which are fewer than the hundred that one holds.
pub fn slice(service: &Service) -> (&'static str, Value) {
    let name = service.name();
    let endpoint = |end: &u32| {
        json!({
            "addresses": [endpoint_ip(*end)],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": if is_local(*end) { NODE } else { "elsewhere" },
        })
    };
    let endpoints: Vec<Value> = service.endpoints.iter().map(endpoint).collect();
    let object = json!({
        "metadata": {
            "namespace": NAMESPACE,
            "name": format!("{name}-1"),
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "protocol": "TCP", "port": TARGET_PORT}],
        "endpoints": endpoints,
    });
    ("slice", object)
}
