use crate::model::{Phase, Pod, Protocol, ReadyCondition};

use super::builders::{assert_says, errors, pod, pod_text, read};

fn ports(pod: &Pod) -> Vec<(&str, u16, Protocol, bool)> {
    pod.ports
        .iter()
        .map(|p| (p.name.as_str(), p.number, p.protocol, p.sidecar))
        .collect()
}

#[test]
fn what_is_kept_of_a_pod() {
    let text = "
apiVersion: v1
kind: Pod
metadata:
  name: a
  uid: 1b4e28ba
  resourceVersion: '7'
  labels: {app: rng}
  deletionTimestamp: '2024-01-31T12:30:45Z'
spec:
  nodeName: n1
  hostname: h
  subdomain: rng
  volumes: [{name: v, emptyDir: {}}]
status:
  phase: Running
  podIP: 10.0.0.1
  podIPs: [{ip: 010.0.0.1}, {ip: '2001:DB8::1'}]
  conditions: [{type: Initialized, status: 'True'}, {type: Ready, status: 'False'}, {type: Ready, status: 'True'}]
";
    let pod = pod(text);
    assert_eq!(
        (pod.uid.as_str(), pod.labels.to_string().as_str()),
        ("1b4e28ba", "app=rng")
    );
    assert_eq!(
        pod.deletion_timestamp.as_deref(),
        Some("2024-01-31T12:30:45Z")
    );
    assert_eq!(
        (
            pod.node_name.as_str(),
            pod.hostname.as_str(),
            pod.subdomain.as_str()
        ),
        ("n1", "h", "rng")
    );
    assert_eq!(pod.phase, Phase::Running);
    assert_eq!(
        pod.pod_ips
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["10.0.0.1", "2001:db8::1"]
    );
    assert_eq!(
        pod.ready,
        ReadyCondition::False,
        "the first Ready condition counts"
    );
}

#[test]
fn ports_of_containers_come_before_those_of_sidecars() {
    let text = pod_text(
        "spec:
  initContainers:
  - {name: setup, ports: [{name: no, containerPort: 1}]}
  - {name: mesh, restartPolicy: Always, ports: [{name: http, containerPort: 15001}]}
  containers:
  - {name: a, ports: [{name: http, containerPort: 80}, {containerPort: 0x35, protocol: UDP}]}
  - {name: b}
  - {name: c, ports: [{name: sctp, containerPort: 9, protocol: SCTP}]}
",
    );
    assert_eq!(
        ports(&pod(&text)),
        [
            ("http", 80, Protocol::Tcp, false),
            ("", 53, Protocol::Udp, false),
            ("sctp", 9, Protocol::Sctp, false),
            ("http", 15001, Protocol::Tcp, true),
        ]
    );
}

#[test]
fn pod_ip_fills_empty_pod_ips() {
    let ips = |status: &str| {
        pod(&pod_text(&format!("status: {{{status}}}")))
            .pod_ips
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(ips("podIP: 10.0.0.1"), ["10.0.0.1"]);
    assert_eq!(ips("podIP: 10.0.0.1, podIPs: []"), ["10.0.0.1"]);
    assert_eq!(
        ips("podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.2}]"),
        ["10.0.0.2"]
    );
    assert_eq!(ips("podIP: ''"), [""; 0]);
}

#[test]
fn conditions_and_phases() {
    let ready =
        |conditions: &str| pod(&pod_text(&format!("status: {{conditions: {conditions}}}"))).ready;
    assert_eq!(ready("[]"), ReadyCondition::Absent);
    assert_eq!(
        ready("[{type: ContainersReady, status: 'True'}]"),
        ReadyCondition::Absent
    );
    assert_eq!(
        ready("[{type: Ready, status: 'True'}]"),
        ReadyCondition::True
    );
    assert_eq!(
        ready("[{type: Ready, status: Unknown}]"),
        ReadyCondition::Unknown
    );
    assert_eq!(ready("[{type: Ready}]"), ReadyCondition::Unknown);
    for phase in ["Pending", "Running", "Succeeded", "Failed", "Unknown"] {
        assert_eq!(
            pod(&pod_text(&format!("status: {{phase: {phase}}}")))
                .phase
                .as_str(),
            phase
        );
    }
}

#[test]
fn refused_fields_are_named() {
    for (rest, expected) in [
        (
            "spec: {containers: [{ports: [{name: a}]}]}",
            "spec.containers[0].ports[0].containerPort: Required value",
        ),
        (
            "spec: {containers: [{ports: [{containerPort: 0}]}]}",
            "0 must be between 1 and 65535",
        ),
        (
            "spec: {containers: [{ports: [{containerPort: 65536}]}]}",
            "65536 must be between 1 and 65535",
        ),
        (
            "spec: {containers: [{ports: [{containerPort: '80'}]}]}",
            "\"80\" is not a whole number; write one between 1 and 65535, without quotes",
        ),
        (
            "spec: {containers: [{ports: [{containerPort: 8.5}]}]}",
            "\"8.5\" is not a whole number",
        ),
        (
            "spec: {containers: [{ports: [{containerPort: 80, protocol: tcp}]}]}",
            "protocol: Unsupported value: \"tcp\": must be one of TCP, UDP, SCTP",
        ),
        (
            "spec: {containers: {a: b}}",
            "spec.containers: Invalid value: is an object, must be a list",
        ),
        (
            "spec: {nodeName: [a]}",
            "spec.nodeName: Invalid value: is a list, must be a single value",
        ),
        ("status: {phase: Done}", "status.phase: Unsupported value"),
        (
            "status: {podIP: localhost}",
            "status.podIP: Invalid value: \"localhost\" is not an IPv4 or IPv6 address",
        ),
        (
            "status: {podIPs: [{}]}",
            "status.podIPs[0].ip: Required value",
        ),
        (
            "status: {podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.2}]}",
            "test.yaml:4:18: document 1: Pod default/a: status.podIPs: Invalid value: may hold no more than one address of each IP family",
        ),
    ] {
        assert_says(&errors(&pod_text(rest)), &[expected]);
    }
    assert_says(
        &errors("{apiVersion: v1, kind: Pod, metadata: {name: a, deletionTimestamp: now}}"),
        &["metadata.deletionTimestamp: Invalid value: \"now\" is not a time such as"],
    );
}

#[test]
fn pods_without_an_address_are_counted_in_a_warning() {
    let one = pod_text("");
    assert_eq!(
        read(&one).warnings,
        ["pod default/a has no address in status.podIPs: it is no endpoint until it has one"]
    );
    let two = format!("{one}\n---\n{}", one.replace("{name: a}", "{name: b}"));
    assert_eq!(
        read(&two).warnings,
        [
            "2 pods have no address in status.podIPs, default/a the first of them: they are no endpoints until they have one"
        ]
    );
    assert_eq!(
        read(&pod_text("status: {podIP: 10.0.0.1}")).warnings,
        [""; 0]
    );
}
