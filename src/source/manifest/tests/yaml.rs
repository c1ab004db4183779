//! The YAML language itself.

use super::builders::{assert_says, errors, errors_of, read};

#[test]
fn anchors_aliases_and_merge_keys_are_resolved() {
    let text = "
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: &meta
    name: a
    labels: &labels {zone: east, tier: web}
- apiVersion: v1
  kind: Node
  metadata:
    <<: *meta
    name: b
- apiVersion: v1
  kind: Node
  metadata: {name: c, labels: {<<: [*labels, {zone: west, extra: x}], tier: db}}
";
    let labels: Vec<String> = read(text)
        .objects
        .iter()
        .map(|o| format!("{} {}", o.object_ref(), o.labels()))
        .collect();
    assert_eq!(
        labels,
        [
            "node a tier=web,zone=east",
            "node b tier=web,zone=east",
            "node c extra=x,tier=db,zone=east"
        ]
    );
}

#[test]
fn what_is_not_a_manifest_is_refused_with_its_place() {
    let deep_flow = "[".repeat(200);
    let deep_block: String = (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    for (text, expected) in [
        ("a: b: c", "test.yaml:1:"),
        (
            "a: 1\nb: 2\na: 3\n",
            "test.yaml:3:1: document 1: key \"a\" stands here twice, first in line 1",
        ),
        ("---\na: 1\n---\nb: [1\n", "document 2: not YAML"),
        ("[a]: b", "a key must be text"),
        ("{a: b}: c", "a key must be text"),
        ("a: *b", "test.yaml:1:"),
        ("a: &a [*a]", "stands before its anchor"),
        ("<<: 1", "takes a mapping"),
        ("<<: [1]", "takes a mapping"),
        (
            "a: !!binary abc",
            "tag tag:yaml.org,2002:!binary has no meaning",
        ),
        ("a: !mine abc", "tag !mine has no meaning"),
        ("a: !!set {b}", "has no meaning"),
        (deep_flow.as_str(), "test.yaml:1:"),
        (deep_block.as_str(), "nested deeper than 128 levels"),
        ("just text", "is text, must be an object"),
        ("- a", "is a list, must be an object"),
    ] {
        assert_says(&errors(text), &[expected]);
    }
}

#[test]
fn an_alias_to_another_document_is_refused() {
    assert_says(&errors("a: &a 1\n---\nb: *a\n"), &["document 2"]);
}

#[test]
fn nested_aliases_are_bounded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    assert_says(
        &errors(&text),
        &["aliases of one document stand for more than 100000 values"],
    );
}

#[test]
fn aliases_do_not_get_around_the_depth() {
    let mut text = format!("a0: &a0 {}x{}\n", "[".repeat(100), "]".repeat(100));
    text.push_str(&format!("a1: {}*a0{}\n", "[".repeat(100), "]".repeat(100)));
    assert_says(&errors(&text), &["nested deeper than 128 levels"]);
}

#[test]
fn a_mapping_may_be_large_and_its_keys_are_still_told_apart() {
    let entries: String = (0..5_000).map(|i| format!("k{i}: v\n")).collect();
    assert_says(
        &errors(&format!("{entries}k4000: v\n")),
        &[
            "test.yaml:5001:1: ",
            "\"k4000\" stands here twice, first in line 4001",
        ],
    );
}

#[test]
fn documents_are_numbered_and_empty_ones_are_nothing() {
    let text = "---\n---\n# only a comment\n---\nkind: Pod\n";
    assert_says(
        &errors(text),
        &["test.yaml:5:1: document 3: Pod: apiVersion: Required value"],
    );
    assert_eq!(read("---\n# nothing\n...\n").objects.len(), 0);
    assert_eq!(read("").objects.len(), 0);
}

#[test]
fn json_is_read_by_name_or_by_look() {
    let node =
        r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","managedFields":[{"a":1}]}}"#;
    assert_eq!(read(node).objects.len(), 1);
    assert_eq!(
        read(&format!(
            "\u{feff} {node}\n{}",
            node.replace("\"n\"", "\"m\"")
        ))
        .objects
        .len(),
        2
    );
    assert_eq!(
        read("{apiVersion: v1, kind: Node, metadata: {name: b}}")
            .objects
            .len(),
        1
    );
    assert_eq!(
        read(&format!(
            "{node}\n---\nkind: Node\napiVersion: v1\nmetadata: {{name: m}}\n"
        ))
        .objects
        .len(),
        2
    );
    assert_says(
        &errors_of("a.json", "{apiVersion: v1}"),
        &["a.json:1:2: document 1: not JSON"],
    );
    assert_says(
        &errors_of("a.json", "{\"a\": 1, \"a\": 2}"),
        &["key \"a\" stands twice"],
    );
    assert_says(&errors_of("a.json", &"[".repeat(1_000)), &["not JSON"]);
    assert_says(&errors("{\"a\": [}"), &["not JSON"]);
}
