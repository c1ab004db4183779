use crate::model::{
    ClusterIp, IpFamily, Protocol, ServiceSelector, ServiceType, TargetPort, TrafficPolicy,
};

use super::builders::{assert_says, errors, service, service_text};

fn set(selector: &str) -> String {
    match service(&service_text(&format!("selector: {selector}"))).selector {
        ServiceSelector::Set(selector) => selector.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn defaults_are_kubernetes_own() {
    let service = service(&service_text("sessionAffinity: ClientIP"));
    assert_eq!(service.service_type, ServiceType::ClusterIp);
    assert_eq!(service.selector, ServiceSelector::None);
    assert_eq!(service.cluster_ip, ClusterIp::Unset);
    assert_eq!(service.session_affinity_seconds, Some(10_800));
    let port = &service.ports[0];
    assert_eq!(
        (port.protocol, port.port, &port.target_port, port.node_port),
        (Protocol::Tcp, 80, &TargetPort::Number(80), 0)
    );
}

#[test]
fn target_ports_are_numbers_or_names() {
    let target = |text: &str| {
        service(&service_text(&format!(
            "ports: [{{port: 80, targetPort: {text}}}]"
        )))
        .ports[0]
            .target_port
            .clone()
    };
    assert_eq!(target("8080"), TargetPort::Number(8080));
    assert_eq!(target("http"), TargetPort::Name("http".into()));
    assert_eq!(target("'http'"), TargetPort::Name("http".into()));
    for unset in ["null", "0", "''"] {
        assert_eq!(target(unset), TargetPort::Number(80), "{unset}");
    }
}

#[test]
fn selectors_are_maps_or_sets() {
    let selector = |text: &str| service(&service_text(&format!("selector: {text}"))).selector;
    for none in ["null", "{}", "~"] {
        assert_eq!(selector(none), ServiceSelector::None, "{none}");
    }
    assert!(
        matches!(selector("{app: rng, active: 'yes'}"), ServiceSelector::Map(pairs) if pairs.to_string() == "active=yes,app=rng")
    );
    assert!(
        matches!(selector("{matchLabels: x}"), ServiceSelector::Map(pairs) if pairs.to_string() == "matchLabels=x")
    );
    assert_eq!(set("{matchLabels: {app: rng}}"), "app=rng");
    assert_eq!(set("{matchLabels: {}}"), "");
    assert_eq!(set("{matchExpressions: []}"), "");
    assert_eq!(
        set(
            "{matchLabels: {app: rng}, matchExpressions: [{key: b, operator: In, values: [z, x]}, {key: c, operator: DoesNotExist}, {key: d, operator: Gt, values: ['7']}]}"
        ),
        "app=rng,b in (x,z),!c,d>7"
    );
}

#[test]
fn bad_selectors_are_refused() {
    for (selector, expected) in [
        ("{app: _x}", "spec.selector: Invalid value: \"_x\""),
        (
            "{matchLabels: {app: rng}, app: x}",
            "spec.selector.app: Invalid value: stands beside matchLabels",
        ),
        (
            "{matchLabels: {app: rng}, matchExpressions: x}",
            "spec.selector.matchExpressions: Invalid value: is text, must be a list",
        ),
        (
            "{matchExpressions: [{key: a, operator: in, values: [b]}]}",
            "spec.selector.matchExpressions[0].operator: Invalid value",
        ),
        (
            "{matchExpressions: [{key: a, operator: In}]}",
            "spec.selector.matchExpressions[0].values: Required value",
        ),
        (
            "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            "spec.selector.matchExpressions[0].values: Forbidden",
        ),
        (
            "{matchExpressions: [{key: a, operator: In, values: [b, -c]}]}",
            "spec.selector.matchExpressions[0].values[1]: Invalid value",
        ),
        (
            "{matchExpressions: [{key: a, operator: Lt, values: ['1', '2']}]}",
            "matchExpressions[0].values: Invalid value: Gt and Lt take exactly one",
        ),
        (
            "{matchExpressions: [{key: a, operator: Lt, values: [x]}]}",
            "matchExpressions[0].values[0]: Invalid value: \"x\" must be a decimal integer",
        ),
        (
            "{matchExpressions: [{key: -a, operator: Lt, values: ['1']}]}",
            "matchExpressions[0].key: Invalid value",
        ),
        (
            "text",
            "spec.selector: Invalid value: is text, must be an object",
        ),
    ] {
        assert_says(
            &errors(&service_text(&format!("selector: {selector}"))),
            &[expected],
        );
    }
}

#[test]
fn cluster_ips() {
    let ip = |spec: &str| service(&service_text(spec)).cluster_ip;
    assert_eq!(ip("clusterIP: ''"), ClusterIp::Unset);
    assert_eq!(ip("clusterIP: None"), ClusterIp::Headless);
    assert_eq!(ip("clusterIPs: [None]"), ClusterIp::Headless);
    let texts = |spec: &str| match ip(spec) {
        ClusterIp::Ips(ips) => ips.iter().map(ToString::to_string).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(texts("clusterIP: 10.0.0.1"), ["10.0.0.1"]);
    assert_eq!(
        texts("clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1']"),
        ["10.0.0.1", "fd00::1"]
    );
    for (spec, expected) in [
        ("clusterIP: nope", "spec.clusterIP: Invalid value"),
        (
            "clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2]",
            "spec.clusterIPs: Invalid value: the first must be clusterIP",
        ),
        (
            "clusterIPs: [10.0.0.1, 10.0.0.2]",
            "spec.clusterIPs: Invalid value: may hold no more than one address of each",
        ),
        ("clusterIPs: [None, 10.0.0.2]", "None must stand alone"),
    ] {
        assert_says(&errors(&service_text(spec)), &[expected]);
    }
}

#[test]
fn every_other_field_is_kept() {
    let text = "
apiVersion: v1
kind: Service
metadata:
  name: s
  namespace: prod
  uid: u
  creationTimestamp: '2024-01-31T12:30:45Z'
  annotations: {service.kubernetes.io/topology-mode: Auto}
spec:
  type: LoadBalancer
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080, appProtocol: h2c, protocol: TCP}]
  ipFamilies: [IPv6, IPv4]
  externalIPs: [192.0.2.1]
  loadBalancerSourceRanges: [' 192.0.2.0/24 ', '2001:db8::/32']
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
  internalTrafficPolicy: Local
  externalTrafficPolicy: Local
  healthCheckNodePort: 30081
  publishNotReadyAddresses: true
  trafficDistribution: PreferClose
status: {loadBalancer: {ingress: [{hostname: lb.example.com}, {ip: 192.0.2.9, ipMode: Proxy}, {ip: 192.0.2.10}]}}
";
    let service = service(text);
    assert_eq!(service.name.to_string(), "prod/s");
    assert_eq!(
        (service.uid.as_str(), service.creation_timestamp.as_str()),
        ("u", "2024-01-31T12:30:45Z")
    );
    assert_eq!(
        (service.service_type, service.topology_mode.as_str()),
        (ServiceType::LoadBalancer, "Auto")
    );
    assert_eq!(
        (
            service.ports[0].node_port,
            service.ports[0].app_protocol.as_str()
        ),
        (30080, "h2c")
    );
    assert_eq!(service.ip_families.as_slice(), [IpFamily::V6, IpFamily::V4]);
    assert_eq!(service.external_ips[0].to_string(), "192.0.2.1");
    assert_eq!(
        service.load_balancer_source_ranges,
        ["192.0.2.0/24", "2001:db8::/32"]
    );
    assert_eq!(service.session_affinity_seconds, Some(60));
    assert_eq!(
        (
            service.internal_traffic_policy,
            service.external_traffic_policy
        ),
        (TrafficPolicy::Local, TrafficPolicy::Local)
    );
    assert_eq!(
        (
            service.health_check_node_port,
            service.publish_not_ready_addresses
        ),
        (30081, true)
    );
    assert_eq!(service.traffic_distribution, "PreferClose");
    let ingress: Vec<_> = service
        .load_balancer_ips
        .iter()
        .map(|l| (l.ip.to_string(), l.proxied))
        .collect();
    assert_eq!(
        ingress,
        [
            ("192.0.2.9".to_owned(), true),
            ("192.0.2.10".to_owned(), false)
        ]
    );
}

#[test]
fn the_older_topology_annotation_comes_first() {
    let mode = |annotations: &str| {
        let text = service_text("clusterIP: None").replace(
            "{name: s}",
            &format!("{{name: s, annotations: {{{annotations}}}}}"),
        );
        service(&text).topology_mode
    };
    let (older, newer) = (
        "service.kubernetes.io/topology-aware-hints",
        "service.kubernetes.io/topology-mode",
    );
    assert_eq!(
        mode(&format!("{newer}: Auto, {older}: disabled")),
        "disabled"
    );
    assert_eq!(mode(&format!("{newer}: Auto")), "Auto");
    assert_eq!(mode(""), "");
}

#[test]
fn refused_fields_are_named() {
    for (spec, expected) in [
        ("ports: []", "spec.ports: Required value"),
        ("ports: [{}]", "spec.ports[0].port: Required value"),
        (
            "ports: [{port: 70000}]",
            "spec.ports[0].port: Invalid value: 70000 must be between 1 and 65535",
        ),
        (
            "ports: [{port: 80, targetPort: '8080'}]",
            "write 8080 without quotes",
        ),
        (
            "ports: [{port: 80, targetPort: 99999}]",
            "spec.ports[0].targetPort: Invalid value",
        ),
        (
            "ports: [{port: 80, targetPort: true}]",
            "spec.ports[0].targetPort: Invalid value",
        ),
        (
            "ports: [{port: 80, targetPort: Not_A_Name}]",
            "test.yaml:4:39: document 1: Service default/s: spec.ports[0].targetPort",
        ),
        (
            "ports: [{port: 80}, {port: 81}]",
            "spec.ports[0].name: Required value",
        ),
        (
            "type: Clusterip",
            "spec.type: Unsupported value: \"Clusterip\": must be one of ClusterIP, NodePort",
        ),
        ("type: ExternalName", "spec.externalName: Required value"),
        (
            "ipFamilies: [ipv4]",
            "spec.ipFamilies[0]: Unsupported value: \"ipv4\": must be one of IPv4, IPv6",
        ),
        (
            "ipFamilies: [IPv4, IPv4]",
            "spec.ipFamilies[1]: Duplicate value: IPv4",
        ),
        ("externalIPs: [x]", "spec.externalIPs[0]: Invalid value"),
        (
            "loadBalancerSourceRanges: [10.0.0.0/33]",
            "spec.loadBalancerSourceRanges[0]: Invalid value",
        ),
        (
            "loadBalancerSourceRanges: [10.0.0.0]",
            "is not an address range such as",
        ),
        (
            "sessionAffinity: clientip",
            "spec.sessionAffinity: Unsupported value",
        ),
        (
            "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}",
            "0 must be between 1 and 86400",
        ),
        (
            "internalTrafficPolicy: local",
            "spec.internalTrafficPolicy: Unsupported value",
        ),
        (
            "publishNotReadyAddresses: 'true'",
            "must be true or false, without quotes",
        ),
        (
            "publishNotReadyAddresses: 1",
            "\"1\" is a number, must be true or false",
        ),
    ] {
        assert_says(&errors(&service_text(spec)), &[expected]);
    }
}
