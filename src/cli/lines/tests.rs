use super::*;
use crate::client::Cursor;
use crate::engine::ServiceEntry;
use crate::labels::LabelSet;
use crate::model::{EndpointPorts, Hints, Revision, ServiceSelector};

fn name() -> ObjectName {
    ObjectName::new("default", "rng")
}

fn replace(selector: &str) -> Event {
    let (key, value) = selector.split_once('=').unwrap();
    let selector = LabelSet::try_from_pairs([(key, value)]).unwrap();
    let service = Service {
        name: name(),
        selector: ServiceSelector::Map(selector),
        ..Service::default()
    };
    Event::Replace(ServiceEntry {
        service: Arc::new(service),
        revision: 1,
    })
}

fn identity(last: u8) -> EndpointIdentity {
    EndpointIdentity {
        addresses: [[10, 1, 0, last].into()].into_iter().collect(),
        hostname: "".into(),
        pod: Some(ObjectName::new("default", format!("rng-{last}"))),
    }
}

fn endpoint(last: u8, ready: bool) -> Event {
    let endpoint = Endpoint {
        identity: identity(last),
        uid: "".into(),
        ports: EndpointPorts::OfService,
        conditions: Conditions {
            ready,
            serving: ready,
            terminating: false,
        },
        node: "".into(),
        zone: "".into(),
        hints: Hints::default(),
    };
    Event::Endpoint {
        service: name(),
        endpoint,
    }
}

fn removed(last: u8) -> Event {
    Event::Removed {
        service: name(),
        identity: identity(last),
    }
}

fn cut(revision: Revision, events: Vec<Event>) -> Cut {
    Cut {
        revision,
        cursor: Cursor {
            revision,
            ..Cursor::default()
        },
        events,
        dropped: Vec::new(),
        commit_time: None,
        source_age: std::time::Duration::ZERO,
    }
}

/// What one printer says of cuts that follow each other.
fn text(cuts: &[Cut]) -> String {
    let mut lines = EndpointLines::default();
    let mut out = Vec::new();
    for cut in cuts {
        lines.text(cut, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn what_came_changed_and_went() {
    let said = text(&[
        cut(
            1,
            vec![
                Event::Reset,
                replace("app=rng"),
                endpoint(4, true),
                endpoint(5, true),
            ],
        ),
        cut(2, vec![endpoint(4, true), endpoint(5, false), removed(9)]),
        cut(3, vec![removed(4), endpoint(6, true)]),
        cut(4, vec![Event::Remove(name())]),
    ]);
    assert_eq!(
        said,
        "\
+ default/rng selector app=rng
+ default/rng 10.1.0.4 (default/rng-4)
+ default/rng 10.1.0.5 (default/rng-5)
= checkpoint rev 1
~ default/rng 10.1.0.5 (default/rng-5) not ready
= checkpoint rev 2
- default/rng 10.1.0.4 (default/rng-4)
+ default/rng 10.1.0.6 (default/rng-6)
= checkpoint rev 3
- default/rng 10.1.0.5 (default/rng-5)
- default/rng 10.1.0.6 (default/rng-6)
- default/rng
= checkpoint rev 4
"
    );
}

#[test]
fn a_service_sent_anew_shows_only_what_differs() {
    let again = cut(
        7,
        vec![
            Event::Reset,
            replace("active=yes"),
            endpoint(5, true),
            endpoint(6, true),
        ],
    );
    let said = text(&[
        cut(
            1,
            vec![replace("app=rng"), endpoint(4, true), endpoint(5, true)],
        ),
        again,
    ]);
    let second: Vec<&str> = said.lines().skip(4).collect();
    assert_eq!(
        second,
        [
            "~ default/rng selector active=yes",
            "- default/rng 10.1.0.4 (default/rng-4)",
            "+ default/rng 10.1.0.6 (default/rng-6)",
            "= checkpoint rev 7",
        ]
    );
}

#[test]
fn json_has_one_object_a_line() {
    let mut out = Vec::new();
    let events = vec![
        Event::Reset,
        replace("app=rng"),
        endpoint(4, true),
        Event::Remove(ObjectName::new("b", "x")),
    ];
    EndpointLines::default()
        .json(&cut(3, events), &mut out)
        .unwrap();
    EndpointLines::default()
        .json(&cut(4, vec![removed(4)]), &mut out)
        .unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"type":"RESET","revision":3}
{"type":"REMOVE","revision":3,"service":"b/x"}
{"type":"REPLACE","revision":3,"service":"default/rng","endpoints":[{"addresses":["10.1.0.4"],"conditions":{"ready":true,"serving":true,"terminating":false},"targetRef":{"kind":"Pod","name":"rng-4","namespace":"default"}}],"removed":[]}
{"type":"CHECKPOINT","revision":3}
{"type":"UPDATE","revision":4,"service":"default/rng","endpoints":[],"removed":[{"addresses":["10.1.0.4"],"targetRef":{"kind":"Pod","name":"rng-4","namespace":"default"}}]}
{"type":"CHECKPOINT","revision":4}
"#
    );
}

#[test]
fn pods_in_lines() {
    let pod = |name: &str, ready| {
        let pod = Pod {
            name: ObjectName::new("default", name),
            labels: LabelSet::try_from_pairs([("app", "rng")]).unwrap(),
            ready,
            ..Pod::default()
        };
        PodEvent::Pod { pod, revision: 1 }
    };
    let cut = |revision, events| PodsCut {
        revision,
        cursor: Cursor {
            revision,
            ..Cursor::default()
        },
        events,
        dropped: Vec::new(),
        commit_time: None,
        source_age: std::time::Duration::ZERO,
    };
    let mut lines = PodLines::default();
    let mut out = Vec::new();
    lines
        .text(
            &cut(
                1,
                vec![
                    pod("a", ReadyCondition::True),
                    pod("b", ReadyCondition::False),
                ],
            ),
            &mut out,
        )
        .unwrap();
    let mut second = cut(
        2,
        vec![
            pod("a", ReadyCondition::False),
            PodEvent::Removed(ObjectName::new("default", "b")),
        ],
    );
    lines.keep(&mut second, |name| name.name == "b");
    lines.text(&second, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\
+ default/a app=rng
+ default/b app=rng not ready
= checkpoint rev 1
- default/b
= checkpoint rev 2
"
    );
}
