use crate::model::{ManualEndpoints, Node, Object, Pod, Service};
use crate::source::manifest::{Manifests, parse};

/// What a YAML text holds, which must be right.
pub fn read(text: &str) -> Manifests {
    parse("test.yaml", text, "default").unwrap_or_else(|errors| panic!("{errors}\nin\n{text}"))
}

/// The errors of a YAML text, one a line.
pub fn errors(text: &str) -> String {
    errors_of("test.yaml", text)
}

/// The errors of a text in a file of this name, one a line.
pub fn errors_of(name: &str, text: &str) -> String {
    match parse(name, text, "default") {
        Ok(manifests) => panic!("{text}\nis taken: {manifests:?}"),
        Err(errors) => errors.to_string(),
    }
}

/// Fails unless each part stands in the text.
pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

/// The only object of a text.
pub fn object(text: &str) -> Object {
    let mut objects = read(text).objects;
    assert_eq!(objects.len(), 1, "{text}");
    objects.remove(0)
}

/// The pod of a text.
pub fn pod(text: &str) -> Pod {
    match object(text) {
        Object::Pod(pod) => *pod,
        other => panic!("{other:?}"),
    }
}

/// The service of a text.
pub fn service(text: &str) -> Service {
    match object(text) {
        Object::Service(service) => *service,
        other => panic!("{other:?}"),
    }
}

/// The node of a text.
pub fn node(text: &str) -> Node {
    match object(text) {
        Object::Node(node) => *node,
        other => panic!("{other:?}"),
    }
}

/// The hand-made endpoints of a text.
pub fn manual(text: &str) -> ManualEndpoints {
    match object(text) {
        Object::Manual(manual) => *manual,
        other => panic!("{other:?}"),
    }
}

/// A pod's manifest with this at its end.
pub fn pod_text(rest: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n{rest}")
}

/// A service's manifest with these lines in its spec, which has a port unless they bring some.
pub fn service_text(spec: &str) -> String {
    let ports = if spec.contains("ports:") {
        ""
    } else {
        "ports: [{port: 80}], "
    };
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{{ports}{spec}}}")
}
