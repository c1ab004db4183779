//! Text that YAML would not take for text.

use super::builders::{assert_says, errors, errors_of, pod, read};

const UNQUOTED: [&str; 16] = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "true",
    "null",
    "1.0",
    "80",
    "0x1f",
    "1_000",
    "1e3",
    ".inf",
    "12:30:45",
    "2024-01-01",
    "-1",
];

#[test]
fn label_values_must_be_text() {
    for value in UNQUOTED {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    active: {value}\n"
        );
        assert_says(
            &errors(&text),
            &[
                "test.yaml:6:13: document 1: Pod default/a: metadata.labels.active: ",
                &format!("write \"{value}\""),
            ],
        );
        let quoted = text.replace(&format!(": {value}\n"), &format!(": '{value}'\n"));
        if value != "12:30:45" && value != "-1" && value != ".inf" {
            assert_eq!(
                pod(&quoted).labels.get("active").map(|v| v.as_str()),
                Some(value)
            );
        }
    }
}

#[test]
fn nothing_and_tilde_mean_the_empty_value() {
    for value in ["", "~"] {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    active: {value}\n"
        );
        assert_says(
            &errors(&text),
            &["without quotes is null, must be text; write \"\""],
        );
    }
}

#[test]
fn annotations_and_keys_must_be_text() {
    let at = |place: &str| {
        errors(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  {place}\n"
        ))
    };
    assert_says(
        &at("annotations: {a: 12:30:45}"),
        &["metadata.annotations.a", "base 60", "write \"12:30:45\""],
    );
    assert_says(
        &at("annotations: {example.com/a: 1}"),
        &["metadata.annotations[\"example.com/a\"]"],
    );
    assert_says(
        &at("labels: {on: x}"),
        &["the key on without quotes is a boolean, must be text; write \"on\""],
    );
    assert_says(
        &at("labels: {a: [b]}"),
        &["metadata.labels.a", "is a list, must be text"],
    );
    assert_says(
        &at("labels: [a]"),
        &["metadata.labels: ", "is a list, must be an object"],
    );
}

#[test]
fn selectors_must_be_text() {
    let with = |selector: &str| {
        errors(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n  ports: [{{port: 80}}]\n  selector: {selector}\n"
        ))
    };
    assert_says(
        &with("{active: yes}"),
        &["test.yaml:6:22:", "spec.selector.active", "write \"yes\""],
    );
    assert_says(
        &with("{matchLabels: {active: 1.0}}"),
        &["spec.selector.matchLabels.active", "write \"1.0\""],
    );
    assert_says(
        &with("{matchExpressions: [{key: a, operator: In, values: [ok, no]}]}"),
        &[
            "spec.selector.matchExpressions[0].values[1]",
            "no without quotes is a boolean",
            "write \"no\"",
        ],
    );
}

#[test]
fn json_must_be_text_too() {
    for (value, read) in [
        ("true", "a boolean"),
        ("1.0", "a number"),
        ("80", "a number"),
        ("null", "null"),
    ] {
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "a", "labels": {{"active": {value}}}}}}}"#
        );
        let said = errors_of("a.json", &text);
        assert_says(
            &said,
            &[
                "a.json: document 1: Pod default/a: metadata.labels.active: ",
                read,
                &format!("write \"{value}\""),
            ],
        );
    }
}

#[test]
fn other_fields_refuse_what_kubectl_refuses() {
    for value in ["80", "yes", "1.5"] {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  nodeName: {value}\n"
        );
        assert_says(
            &errors(&text),
            &[
                "test.yaml:5:13:",
                "spec.nodeName",
                &format!("write \"{value}\""),
            ],
        );
    }
}

#[test]
fn other_fields_take_dates_and_base_60_as_text_and_null_as_absent() {
    let text = "apiVersion: v1
kind: Pod
metadata: {name: a, creationTimestamp: null, deletionTimestamp: 2024-01-31T12:30:45Z}
spec: {nodeName: ~}
status: {podIP: 1:2:3:4:5:6:7:8}
";
    let pod = pod(text);
    assert_eq!(
        pod.deletion_timestamp.as_deref(),
        Some("2024-01-31T12:30:45Z")
    );
    assert_eq!(pod.node_name, "");
    assert_eq!(pod.pod_ips.len(), 1);
}

#[test]
fn a_tag_says_how_to_read() {
    let manifests =
        read("apiVersion: v1\nkind: Node\nmetadata: {name: b, labels: {a: !!str yes, b: ! 1.0}}\n");
    assert_eq!(manifests.objects[0].labels().to_string(), "a=yes,b=1.0");
    assert_says(
        &errors("apiVersion: v1\nkind: Node\nmetadata: {name: b, labels: {a: !!int \"1\"}}\n"),
        &["metadata.labels.a", "a number"],
    );
}
