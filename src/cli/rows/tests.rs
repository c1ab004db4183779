use super::*;
use crate::model::{
    Conditions, EndpointIdentity, EndpointPorts, Hints, Pod, Protocol, ServiceSelector, TargetPort,
};
use crate::selector::Selector;
use smol_str::SmolStr;

fn pod(name: &str) -> Pod {
    Pod {
        name: ObjectName::new("default", name),
        labels: LabelSet::try_from_pairs([("app", "rng")]).unwrap(),
        phase: Phase::Running,
        ready: ReadyCondition::True,
        node_name: "node-1".into(),
        pod_ips: [IpAddr::from([10, 1, 0, 4])].into_iter().collect(),
        ..Pod::default()
    }
}

fn cells(shape: Shape, item: &Item) -> String {
    shape.row(item).join(" | ")
}

fn service() -> Service {
    Service {
        name: ObjectName::new("default", "rng"),
        selector: ServiceSelector::Set(Selector::parse("app=rng,active!=no").unwrap()),
        ports: vec![ServicePort {
            name: SmolStr::default(),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(8080),
            node_port: 30080,
            app_protocol: SmolStr::default(),
        }],
        cluster_ip: ClusterIp::Ips([IpAddr::from([10, 96, 0, 7])].into_iter().collect()),
        ..Service::default()
    }
}

fn endpoint(last: u8, ready: bool) -> Endpoint {
    Endpoint {
        identity: EndpointIdentity {
            addresses: [IpAddr::from([10, 1, 0, last])].into_iter().collect(),
            hostname: SmolStr::default(),
            pod: Some(ObjectName::new("default", format!("rng-{last}"))),
        },
        uid: SmolStr::default(),
        ports: EndpointPorts::OfService,
        conditions: Conditions {
            ready,
            serving: ready,
            terminating: false,
        },
        node: SmolStr::default(),
        zone: SmolStr::default(),
        hints: Hints::default(),
    }
}

#[test]
fn pods() {
    let item = |pod: Pod| Item::Pod(PodItem { pod, revision: 7 });
    let narrow = Shape::default();
    assert_eq!(
        cells(narrow, &item(pod("a"))),
        "a | True | Running | 10.1.0.4 | node-1"
    );
    let all = Shape {
        namespace: true,
        wide: true,
        ..narrow
    };
    assert_eq!(
        all.header(Resource::Pods).join(" "),
        "NAMESPACE NAME READY STATUS IP NODE LABELS"
    );
    assert_eq!(
        cells(all, &item(pod("a"))),
        "default | a | True | Running | 10.1.0.4 | node-1 | app=rng"
    );
    let ending = Pod {
        deletion_timestamp: Some("2026-01-01T00:00:00Z".into()),
        ..pod("a")
    };
    assert_eq!(
        cells(narrow, &item(ending)),
        "a | True | Terminating | 10.1.0.4 | node-1"
    );
    let done = Pod {
        phase: Phase::Succeeded,
        ready: ReadyCondition::Absent,
        ..pod("a")
    };
    assert_eq!(
        cells(narrow, &item(done)),
        "a | <none> | Completed | 10.1.0.4 | node-1"
    );
    let bare = Pod {
        name: ObjectName::new("default", "a"),
        ..Pod::default()
    };
    assert_eq!(
        cells(narrow, &item(bare)),
        "a | <none> | <none> | <none> | <none>"
    );
}

#[test]
fn services() {
    let item = |service| {
        Item::Service(ServiceItem {
            service,
            revision: 7,
            endpoints: 3,
            ready_endpoints: 2,
        })
    };
    assert_eq!(
        cells(Shape::default(), &item(service())),
        "rng | ClusterIP | 10.96.0.7 | 80:30080/TCP | active!=no,app=rng | 2/3"
    );
    let alias = Service {
        service_type: ServiceType::ExternalName,
        external_name: "rng.example".into(),
        selector: ServiceSelector::None,
        ports: vec![],
        ..service()
    };
    assert_eq!(
        cells(Shape::default(), &item(alias)),
        "rng | ExternalName | rng.example | <none> | <none> | 2/3"
    );
}

#[test]
fn endpoints() {
    let item = |endpoints| Item::Endpoints {
        service: Arc::new(service()),
        endpoints,
    };
    let narrow = Shape::default();
    assert_eq!(cells(narrow, &item(vec![])), "rng | <none>");
    assert_eq!(
        cells(
            narrow,
            &item(vec![
                endpoint(4, true),
                endpoint(5, false),
                endpoint(6, true)
            ])
        ),
        "rng | 10.1.0.4:8080,10.1.0.6:8080"
    );
    let many: Vec<Endpoint> = (4..9).map(|last| endpoint(last, true)).collect();
    assert_eq!(
        cells(narrow, &item(many.clone())),
        "rng | 10.1.0.4:8080,10.1.0.5:8080,10.1.0.6:8080 + 2 more..."
    );
    let wide = Shape {
        wide: true,
        ..narrow
    };
    assert_eq!(
        cells(wide, &item(vec![endpoint(4, true), endpoint(5, false)])),
        "rng | 10.1.0.4:8080 | 10.1.0.5:8080 | <none>"
    );
    assert_eq!(
        wide.header(Resource::Endpoints).join(" "),
        "NAME ENDPOINTS NOT-READY LABELS"
    );
}
