//! Services that want one address and port, or one node port.

use serde_json::{Value, json};

use selectord::engine::{Event, View};
use selectord::model::{ClusterIp, ObjectName, Protocol};

use super::faults::{refusing, syncer_with};
use super::mode::{Mode, in_each_mode};
use super::namespace::{Namespace, available};
use super::node::{Node, pod, service, until};
use super::proportional::{endpoint, put_service};
use super::random::sync_anew;
use super::start::{names, view_of};

#[test]
fn who_goes_without_is_told_as_long_as_he_does() {
    in_each_mode("who_goes_without_is_told_as_long_as_he_does", tell);
}

fn tell(mode: Mode) {
    let node = Node::new(mode, &[]);
    let told = || {
        let body: Value = serde_json::from_str(&node.get("/healthz").1).unwrap();
        let number = node.metric("selectord_proxy_conflicting_ports");
        (body["conflicts"].clone(), number)
    };
    let both = [1, 2].map(|n| service(n, "externalIPs: [203.0.113.5]"));
    node.server().apply(&(both.concat() + &pod(1, "n1")));
    node.settled();
    let conflict =
        "tcp port 80 of 203.0.113.5 is default/s1/tcp/main's, and default/s2/tcp/main wants it too";
    assert_eq!(told(), (json!([conflict]), 1.0));

    node.server().apply(&service(1, ""));
    node.settled();
    assert_eq!(told(), (json!([]), 0.0));
    until("the other's rules", || {
        mode.has(&node.namespace, "203.0.113.5")
    });
}

/// Who is refused gives back what it had taken from another, whose rules never changed.
#[test]
fn flows_of_who_has_its_address_back_are_left_alone() {
    if !available("flows_of_who_has_its_address_back_are_left_alone") {
        return;
    }
    let put = |number: usize| {
        let Event::Replace(mut entry) = put_service(number) else {
            unreachable!()
        };
        let mut service = (*entry.service).clone();
        service.ports[0].protocol = Protocol::Udp;
        service.external_ips = vec!["203.0.113.5".parse().unwrap()];
        // It takes more than elements.
        service.session_affinity_seconds = Some(90);
        entry.service = service.into();
        Event::Replace(entry)
    };
    let (mut view, namespace) = (View::default(), Namespace::new("flows"));
    let folder = tempfile::tempdir().unwrap();
    let mut syncer = syncer_with(refusing(folder.path(), "10.96.0.0 "));
    let mut sync = |number: usize| {
        view.apply(put(number));
        let (service, endpoint) = endpoint(number, number + 1);
        view.apply(Event::Endpoint { service, endpoint });
        namespace.within(|| {
            syncer.note(&view, &[], &names(&view));
            let report = syncer.sync(&view).unwrap();
            assert_eq!(report.conflicts, []);
            (report.refused.len(), syncer.stale_flows().is_some())
        })
    };
    // Flows of before there was a rule are looked for.
    assert_eq!(sync(1), (0, true));
    assert_eq!(sync(0), (1, false));
}

/// A service that is refused keeps what it had, but nobody's rules are mixed for that.
#[test]
fn what_a_refused_service_keeps_is_nobody_elses() {
    if !available("what_a_refused_service_keeps_is_nobody_elses") {
        return;
    }
    let mut view = view_of(&[(0, &[1]), (1, &[2])]);
    let folder = tempfile::tempdir().unwrap();
    let namespace = Namespace::new("keeps");
    let mut syncer = syncer_with(refusing(folder.path(), "no text has this"));
    let mut sync = |view: &View| {
        namespace.within(|| {
            syncer.note(view, &[], &names(view));
            let report = syncer.sync(view).unwrap();
            syncer.backend().sweep().unwrap();
            (report, syncer.claims().losers())
        })
    };
    sync(&view);
    let before = view.clone();

    // The first goes elsewhere, where it is refused, and the second wants what the first had.
    let [first, second] = [0, 1].map(|n| ObjectName::new("ns", format!("svc{n}")));
    let held = |name: &ObjectName| before.services()[name].entry.clone();
    let moved = |name: &ObjectName, like: &str| {
        let mut entry = held(name);
        let mut service = (*entry.service).clone();
        service.cluster_ip = ClusterIp::Ips([like.parse().unwrap()].into_iter().collect());
        // It takes more than elements.
        service.session_affinity_seconds = Some(90);
        entry.service = service.into();
        Event::Entry(entry)
    };
    view.apply(moved(&first, "10.96.0.9"));
    view.apply(moved(&second, "10.96.0.0"));
    refusing(folder.path(), "10.96.0.9");
    let (report, losers) = sync(&view);
    assert_eq!(report.refused.len(), 1, "{report:?}");
    assert_eq!(report.refused[0].0, first);
    let said: Vec<String> = report.conflicts.iter().map(ToString::to_string).collect();
    assert_eq!((said.len(), losers), (1, 1), "{said:?}");

    // As if the first had not moved, and the second had nowhere to be.
    let mut as_it_is = before.clone();
    as_it_is.apply(moved(&second, "10.96.0.0"));
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(Mode::Nftables, &as_it_is));
    assert_eq!(
        Mode::Nftables.lines(&namespace),
        Mode::Nftables.lines(&fresh)
    );

    refusing(folder.path(), "no text has this");
    let (report, losers) = sync(&view);
    assert_eq!((report.refused.len(), losers), (0, 0), "{report:?}");
    let fresh = Namespace::new("anew");
    fresh.within(|| sync_anew(Mode::Nftables, &view));
    assert_eq!(
        Mode::Nftables.lines(&namespace),
        Mode::Nftables.lines(&fresh)
    );
}
