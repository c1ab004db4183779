//! Elements alone, which the kernel is given without nft between.

use std::sync::Arc;

use selectord::engine::{Event, View};
use selectord::model::{IpFamily, ObjectName, Protocol};
use selectord::proxy::linux::{ElementsError, Netfilter, Nft};
use selectord::proxy::nft::{Item, Key, Script, Shared, fixed};
use selectord::proxy::{Change, Ledger, Nftables, PortName, Report, Syncer};

use super::faults::refusing;
use super::mode::{Mode, options};
use super::namespace::{Namespace, available};
use super::proportional::{endpoint, put_service};
use super::random::sync_anew;

const FAMILIES: [IpFamily; 2] = [IpFamily::V4, IpFamily::V6];
const SERVICES: Shared = Shared::Service(Key::Ip);
const ENDPOINTS: Shared = Shared::Endpoint(Key::Ip, Protocol::Tcp);

/// A namespace with both tables and no service.
fn laid_out() -> Namespace {
    let namespace = Namespace::new("elements");
    let mut script = Script::default();
    for family in FAMILIES {
        script.change(family, &Ledger::new(fixed(family, &options())).whole());
    }
    assert!(script.edits().is_none(), "chains and sets are for nft");
    namespace.within(|| Nft::default().apply(script.text()).unwrap());
    namespace
}

fn owner(name: &str) -> Arc<PortName> {
    Arc::new(PortName {
        family: IpFamily::V4,
        service: ObjectName::new("ns", name),
        port: "".into(),
        protocol: Protocol::Tcp,
    })
}

/// An element that maps to something before and after; none: it is not there.
fn change(set: Shared, key: &str, before: Option<&str>, after: Option<&str>) -> Change<Item> {
    Change {
        item: Item::Element(set, key.to_owned()),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        owner: Some(owner(key)),
    }
}

fn script(v4: &[Change<Item>], v6: &[Change<Item>]) -> Script {
    let mut script = Script::default();
    script.change(IpFamily::V4, v4);
    script.change(IpFamily::V6, v6);
    script
}

#[test]
fn elements_are_what_nft_makes_them() {
    if !available("elements_are_what_nft_makes_them") {
        return;
    }
    let goto = Some("goto reject-chain");
    let node_ports = Shared::LocalEndpoint(Key::NodePort, Protocol::Udp);
    let scripts = [
        script(
            &[
                change(SERVICES, "10.96.0.1 . sctp . 80", None, goto),
                change(
                    ENDPOINTS,
                    "10.96.0.1 . 80 . 0",
                    None,
                    Some("10.244.1.2 . 8080"),
                ),
                change(
                    ENDPOINTS,
                    "10.96.0.1 . 80 . 70000",
                    None,
                    Some("10.244.1.3 . 1"),
                ),
                change(node_ports, "30001 . 1", None, Some("10.244.1.2 . 53")),
                change(
                    Shared::NoEndpoint(Key::Ip),
                    "10.96.0.2 . udp . 53",
                    None,
                    Some("drop"),
                ),
                change(Shared::NoEndpoint(Key::NodePort), "tcp . 30002", None, goto),
                change(Shared::Firewall, "203.0.113.1 . tcp . 80", None, goto),
                change(Shared::ClusterIps, "10.96.0.1", None, Some("")),
                change(Shared::Hairpin, "10.244.1.2 . 10.244.1.2", None, Some("")),
            ],
            &[
                change(SERVICES, "fd00:96::1 . tcp . 80", None, goto),
                change(
                    ENDPOINTS,
                    "fd00:96::1 . 80 . 0",
                    None,
                    Some("fd00:244::2 . 8080"),
                ),
                change(node_ports, "30001 . 1", None, Some("fd00:244::2 . 53")),
                change(Shared::ClusterIps, "fd00:96::1", None, Some("")),
                change(Shared::Hairpin, "fd00:244::2 . fd00:244::2", None, Some("")),
            ],
        ),
        // Taken out and put in with another value at once; and what is gone.
        script(
            &[
                change(
                    ENDPOINTS,
                    "10.96.0.1 . 80 . 0",
                    Some("10.244.1.2 . 8080"),
                    Some("10.244.1.9 . 8080"),
                ),
                change(SERVICES, "10.96.0.1 . sctp . 80", goto, Some("drop")),
                change(Shared::ClusterIps, "10.96.0.1", Some(""), None),
            ],
            &[change(
                Shared::Hairpin,
                "fd00:244::2 . fd00:244::2",
                Some(""),
                None,
            )],
        ),
    ];
    let (ours, theirs) = (laid_out(), laid_out());
    let mut netfilter = Netfilter::default();
    for script in scripts {
        let before = Mode::Nftables.lines(&ours);
        ours.within(|| {
            let generation = netfilter.generation().unwrap();
            netfilter.write(script.edits().unwrap()).unwrap();
            // One transaction, of both families.
            assert_eq!(netfilter.generation().unwrap(), generation + 1);
        });
        theirs.within(|| Nft::default().apply(script.text()).unwrap());
        for family in ["ip", "ip6"] {
            let list = format!("nft list table {family} selectord");
            assert_eq!(ours.sh(&list), theirs.sh(&list));
        }
        assert_ne!(Mode::Nftables.lines(&ours), before);
    }
}

#[test]
fn one_element_that_is_refused_leaves_all_as_it_was() {
    if !available("one_element_that_is_refused_leaves_all_as_it_was") {
        return;
    }
    let namespace = laid_out();
    let mut netfilter = Netfilter::default();
    let good = change(Shared::ClusterIps, "10.96.0.1", None, Some(""));
    let nowhere = change(
        SERVICES,
        "fd00:96::1 . tcp . 80",
        None,
        Some("goto nowhere"),
    );
    let absent = change(Shared::ClusterIps, "fd00:96::2", Some(""), None);
    let all = Mode::Nftables.lines(&namespace);
    for bad in [nowhere, absent] {
        let later = change(Shared::ClusterIps, "fd00:96::3", None, Some(""));
        let script = script(std::slice::from_ref(&good), &[bad.clone(), later]);
        namespace.within(|| {
            let generation = netfilter.generation().unwrap();
            match netfilter.write(script.edits().unwrap()) {
                Err(ElementsError::Refused { message, line }) => {
                    assert!(message.contains("No such file or directory"), "{message}");
                    assert_eq!(script.owner(line.unwrap()), bad.owner.as_ref());
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(netfilter.generation().unwrap(), generation);
        });
        assert_eq!(Mode::Nftables.lines(&namespace), all);
    }

    // Each of as many as are ever sent.
    namespace.sh("nft flush ruleset");
    let many: Vec<_> = (0..1_000)
        .map(|n| {
            change(
                Shared::ClusterIps,
                &format!("10.{}.0.{}", n / 250, n % 250),
                None,
                Some(""),
            )
        })
        .collect();
    namespace.within(|| {
        let script = script(&many, &[]);
        let refused = netfilter.write(script.edits().unwrap());
        assert!(
            matches!(refused, Err(ElementsError::Refused { line: Some(2), .. })),
            "{refused:?}"
        );
        netfilter.generation().unwrap();
    });
    let one_more = change(Shared::ClusterIps, "10.9.0.0", None, Some(""));
    assert!(
        script(&many, &[one_more]).edits().is_none(),
        "more is for nft"
    );
}

/// A syncer whose nft writes nothing after the first sync, which is of some services with two endpoints
/// each; and its view.
fn without_nft(namespace: &Namespace, folder: &std::path::Path) -> (Syncer, View) {
    let nft = refusing(folder, "no text has this");
    let mut syncer = Syncer::new(&options(), Box::new(Nftables::new(options(), nft)));
    let mut view = View::default();
    let mut events: Vec<Event> = (0..4).map(put_service).collect();
    events.extend((0..4).flat_map(|service| [came(service, 1), came(service, 2)]));
    let report = sync(namespace, &mut syncer, &mut view, events);
    assert!(report.read && !report.direct, "{report:?}");
    refusing(folder, "table");
    (syncer, view)
}

fn came(service: usize, end: usize) -> Event {
    let (service, endpoint) = endpoint(service, end);
    Event::Endpoint { service, endpoint }
}

/// One endpoint in the place of another.
fn replaced(service: usize, from: usize, to: usize) -> Vec<Event> {
    let (name, endpoint) = endpoint(service, from);
    let identity = endpoint.identity;
    vec![
        Event::Removed {
            service: name,
            identity,
        },
        came(service, to),
    ]
}

fn sync(namespace: &Namespace, syncer: &mut Syncer, view: &mut View, events: Vec<Event>) -> Report {
    for event in &events {
        view.apply(event.clone());
    }
    namespace.within(|| {
        syncer.note(view, &events, &[]);
        syncer.sync(view).unwrap()
    })
}

fn is_as_fresh(namespace: &Namespace, view: &View) {
    let mode = Mode::Nftables;
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(mode, view));
    assert_eq!(mode.lines(namespace), mode.lines(&fresh));
}

#[test]
fn endpoints_are_replaced_without_nft() {
    if !available("endpoints_are_replaced_without_nft") {
        return;
    }
    let (namespace, folder) = (Namespace::new("direct"), tempfile::tempdir().unwrap());
    let (mut syncer, mut view) = without_nft(&namespace, folder.path());
    for end in 2..12 {
        let report = sync(
            &namespace,
            &mut syncer,
            &mut view,
            replaced(0, end, end + 1),
        );
        assert!(report.direct && !report.read, "{report:?}");
        // Of the service, and of who is sent to itself: one out and one in. Others have the first endpoint
        // still, and with it its hairpin.
        let elements = if end == 2 { 3 } else { 4 };
        assert_eq!(
            (report.elements, report.failures),
            (elements, 0),
            "{report:?}"
        );
        assert!(!namespace.within(|| syncer.check()), "nobody else wrote");
    }
    is_as_fresh(&namespace, &view);
}

#[test]
fn an_element_that_somebody_else_took_away_is_read_and_repaired() {
    if !available("an_element_that_somebody_else_took_away_is_read_and_repaired") {
        return;
    }
    let (namespace, folder) = (Namespace::new("taken"), tempfile::tempdir().unwrap());
    let (mut syncer, mut view) = without_nft(&namespace, folder.path());
    // One of what is to be taken out next, and one of a service that does not change.
    for key in ["10.96.0.0 . 80 . 1", "10.96.0.3 . 80 . 0"] {
        namespace.sh(&format!(
            "nft delete element ip selectord endpoint-ips-tcp '{{ {key} }}'"
        ));
    }
    let mut events = replaced(0, 2, 3);
    events.extend(replaced(1, 2, 3));
    let report = sync(&namespace, &mut syncer, &mut view, events);
    assert!(report.read && report.direct, "{report:?}");
    assert!(
        report.failures == 1 && report.refused.is_empty(),
        "{report:?}"
    );
    is_as_fresh(&namespace, &view);
    assert!(
        !namespace.within(|| syncer.check()),
        "what was read is known"
    );
}
