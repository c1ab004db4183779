//! Which objects are taken, lists, names and repetitions.

use std::collections::BTreeMap;

use super::builders::{assert_says, errors, node, object, read};

fn skipped(text: &str) -> BTreeMap<String, usize> {
    let manifests = read(text);
    assert_eq!(manifests.objects, []);
    manifests.skipped
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .into_iter()
        .map(|(reason, count)| (reason.to_owned(), count))
        .collect()
}

fn slice(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: {name}, labels: {{kubernetes.io/service-name: db, {rest}}}}}\naddressType: IPv4\n---\n"
    )
}

#[test]
fn other_kinds_are_counted() {
    let text = "
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: b, labels: {a: yes}}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: c}}
---
{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: d}}
---
{apiVersion: example.com/v1, kind: AllowList, metadata: {name: e}}
";
    let expected = counts([
        ("AllowList", 1),
        ("Deployment", 2),
        ("EndpointSlice of discovery.k8s.io/v1beta1", 1),
        ("Service of serving.knative.dev/v1", 1),
    ]);
    assert_eq!(skipped(text), expected);
}

#[test]
fn computed_endpoints_are_counted_not_taken() {
    let slices = slice(
        "a",
        "endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io",
    ) + &slice("b", "endpointslice.kubernetes.io/managed-by: selectord");
    assert_eq!(
        skipped(&slices),
        counts([
            ("EndpointSlice computed by Kubernetes", 1),
            ("EndpointSlice computed by selectord", 1)
        ])
    );
    let endpoints = "
{apiVersion: v1, kind: Endpoints, metadata: {name: a, labels: {endpoints.kubernetes.io/managed-by: endpoint-controller}}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: b, annotations: {endpoints.kubernetes.io/last-change-trigger-time: '2024-01-31T12:30:45Z'}}}
";
    assert_eq!(
        skipped(endpoints),
        counts([("Endpoints computed by Kubernetes", 2)])
    );
    let named = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: FQDN, metadata: {name: a}, endpoints: [{addresses: [example.com]}]}";
    assert_eq!(
        skipped(named),
        counts([("EndpointSlice of address type FQDN", 1)])
    );
    let nobodys = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: a}, endpoints: []}";
    assert_eq!(
        skipped(nobodys),
        counts([(
            "EndpointSlice without the label kubernetes.io/service-name",
            1
        )])
    );
}

#[test]
fn a_mirrored_slice_is_taken_only_without_its_endpoints() {
    let mirror = slice(
        "db-x",
        "endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io",
    );
    let endpoints = "{apiVersion: v1, kind: Endpoints, metadata: {name: db}}";
    assert_eq!(read(&mirror).objects.len(), 1);
    for text in [
        format!("{mirror}{endpoints}"),
        format!("{endpoints}\n---\n{mirror}"),
    ] {
        let manifests = read(&text);
        assert_eq!(manifests.objects.len(), 1, "{text}");
        assert_eq!(
            manifests.skipped,
            counts([("EndpointSlice mirrored from Endpoints that are there", 1)])
        );
    }
}

#[test]
fn lists_are_taken_apart() {
    let text = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}}
- apiVersion: v1
  kind: NodeList
  items: [{metadata: {name: b}}, {apiVersion: v1, kind: Node, metadata: {name: c}}]
- {apiVersion: apps/v1, kind: DeploymentList, items: [{}, {}]}
";
    let manifests = read(text);
    let names: Vec<String> = manifests
        .objects
        .iter()
        .map(|o| o.object_ref().to_string())
        .collect();
    assert_eq!(names, ["node a", "node b", "node c"]);
    assert_eq!(manifests.skipped, counts([("Deployment", 2)]));
    assert_eq!(read("{apiVersion: v1, kind: List}").objects.len(), 0);
    assert_eq!(
        read("{apiVersion: v1, kind: PodList, items: []}")
            .objects
            .len(),
        0
    );
}

#[test]
fn an_error_in_a_list_says_which_item() {
    let text = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}}
- apiVersion: v1
  kind: Pod
  metadata: {name: b, namespace: prod}
  status: {phase: running}
";
    assert_says(
        &errors(text),
        &[
            "test.yaml:9:19: document 1: Pod prod/b: items[1].status.phase: Unsupported value: \"running\": must be one of Pending",
        ],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: List, items: {a: b}}"),
        &["items: Invalid value: is an object, must be a list"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: List, items: [a]}"),
        &["items[0]: Invalid value: is text, must be an object"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: List, items: [{kind: Node}]}"),
        &["items[0].apiVersion: Required value"],
    );
}

#[test]
fn kind_and_name_are_required() {
    assert_says(
        &errors("metadata: {name: a}"),
        &["apiVersion: Required value", "kind: Required value"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: 1}"),
        &["kind: Invalid value: 1 without quotes is a number"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: Node}"),
        &["metadata.name: Required value"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: Node, metadata: {name: A_b}}"),
        &["document 1: Node A_b: metadata.name: Invalid value"],
    );
    assert_says(
        &errors("{apiVersion: v1, kind: Node, metadata: text}"),
        &["metadata: Invalid value: is text, must be an object"],
    );
}

#[test]
fn a_missing_namespace_is_the_default_one() {
    let named = |metadata: &str| {
        object(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{{metadata}}}}}"
        ))
        .object_ref()
        .to_string()
    };
    assert_eq!(named("name: a"), "pod default/a");
    assert_eq!(named("name: a, namespace: null"), "pod default/a");
    assert_eq!(named("name: a, namespace: prod"), "pod prod/a");
    assert_eq!(
        node("{apiVersion: v1, kind: Node, metadata: {name: a, namespace: prod, uid: u}}").name,
        "a"
    );
}

#[test]
fn an_object_may_stand_there_once() {
    let text = "{apiVersion: v1, kind: Node, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Node, metadata: {name: a}}\n";
    assert_eq!(
        errors(text),
        "test.yaml:3:1: document 2: node a stands in the input already, at test.yaml:1:1: document 1: keep one"
    );
}

#[test]
fn errors_are_bounded_and_counted() {
    let bad: String = (0..50)
        .map(|i| format!("{{apiVersion: v1, kind: Node, metadata: {{name: N{i}}}}}\n---\n"))
        .collect();
    let said = errors(&bad);
    assert_eq!(said.lines().count(), 21);
    assert_says(&said, &["and 30 more errors"]);
    let labels: String = (0..50).map(|i| format!("l{i}: {i}, ")).collect();
    assert_says(
        &errors(&format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: b, labels: {{{labels}}}}}}}"
        )),
        &["and 30 more errors"],
    );
}

#[test]
fn one_bad_object_refuses_all_and_every_error_is_told() {
    let text = "
{apiVersion: v1, kind: Node, metadata: {name: a}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {a: yes, b/: x}}, status: {podIPs: [{ip: nope}]}}
";
    assert_says(
        &errors(text),
        &[
            "metadata.labels.a",
            "test.yaml:4:70: document 2: Pod default/p: metadata.labels: ",
            "status.podIPs[0].ip",
        ],
    );
}
