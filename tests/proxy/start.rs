//! What a process that starts makes of the rules, the kernel and the flows that it finds.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use selectord::engine::{Event, ServiceEntry, View};
use selectord::model::{ObjectName, Protocol, Service};
use selectord::proxy::linux::{Nft, UdpTable};
use selectord::proxy::{Nftables, PodTraffic, ProxyOptions, Syncer, Target, UdpKey};

use super::faults::{refusing, syncer_with};
use super::mode::{Mode, in_each_mode, options};
use super::namespace::{Namespace, available};
use super::proportional::{endpoint, put_service};
use super::random::{sweep, sync_anew};

/// Services of these numbers, with endpoints of these ends.
pub fn view_of(services: &[(usize, &[usize])]) -> View {
    let mut view = View::default();
    for (number, ends) in services {
        view.apply(put_service(*number));
        for end in *ends {
            let (service, endpoint) = endpoint(*number, *end);
            view.apply(Event::Endpoint { service, endpoint });
        }
    }
    view
}

pub fn names(view: &View) -> Vec<ObjectName> {
    view.services().keys().cloned().collect()
}

#[test]
fn a_service_that_is_refused_at_the_start_keeps_the_rules_it_is_found_with() {
    if !available("a_service_that_is_refused_at_the_start_keeps_the_rules_it_is_found_with") {
        return;
    }
    let mode = Mode::Nftables;
    let before = view_of(&[(0, &[1, 2, 3]), (1, &[1, 2])]);
    let after = view_of(&[(0, &[9]), (1, &[1, 4])]);
    let namespace = Namespace::new("found");
    namespace.within(|| sync_anew(mode, &before));
    let folder = tempfile::tempdir().unwrap();
    let mut syncer = syncer_with(refusing(folder.path(), "10.96.0.0 "));
    let report = namespace.within(|| {
        syncer.note(&after, &[], &names(&after));
        syncer.sync(&after).unwrap()
    });
    assert_eq!(report.refused.len(), 1, "{report:?}");
    let lines_of = |view: &View| {
        let fresh = Namespace::new("fresh");
        fresh.within(|| sync_anew(mode, view));
        mode.lines(&fresh)
    };
    let half = view_of(&[(0, &[1, 2, 3]), (1, &[1, 4])]);
    assert_eq!(mode.lines(&namespace), lines_of(&half));

    refusing(folder.path(), "no text has this");
    namespace.within(|| {
        syncer.retry_refused();
        syncer.sync(&after).unwrap();
        sweep(&mut syncer);
    });
    assert_eq!(mode.lines(&namespace), lines_of(&after));
}

#[test]
fn without_ipv6_in_the_kernel_ipv4_has_its_rules() {
    if !available("without_ipv6_in_the_kernel_ipv4_has_its_rules") {
        return;
    }
    let view = view_of(&[(0, &[1, 2])]);
    let namespace = Namespace::new("four");
    let folder = tempfile::tempdir().unwrap();
    let mut syncer = syncer_with(refusing(folder.path(), "ip6"));
    for number in [0, 1] {
        let name = ObjectName::new("ns", format!("svc{number}"));
        let report = namespace.within(|| {
            syncer.note(&view, &[], &[name]);
            syncer.sync(&view).unwrap()
        });
        assert!(report.refused.is_empty(), "{report:?}");
    }
    assert!(Mode::Nftables.has(&namespace, "10.96.0.0"));
    assert!(!namespace.sh("nft list tables").contains("ip6"));
}

#[test]
fn ranges_that_touch_are_not_written_again_and_again() {
    if !available("ranges_that_touch_are_not_written_again_and_again") {
        return;
    }
    let cidrs = |texts: &str| texts.split(' ').map(|text| text.parse().unwrap()).collect();
    let options = ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(cidrs(
            "10.245.0.0/16 10.244.0.0/16 fd00::/64 fd00:0:0:1::/64",
        )),
        service_cidrs: cidrs("10.96.0.0/13 10.104.0.0/13 10.96.0.0/16"),
        node_port_addresses: cidrs("192.0.2.0/25 192.0.2.128/25 198.51.100.7/32 198.51.100.8/32"),
        ..options()
    };
    let view = view_of(&[(0, &[1, 2])]);
    let namespace = Namespace::new("touch");
    let sync = || {
        let backend = Nftables::new(options.clone(), Nft::default());
        let mut syncer = Syncer::new(&options, Box::new(backend));
        syncer.note(&view, &[], &names(&view));
        syncer.sync(&view).unwrap().lines
    };
    namespace.within(|| {
        assert!(sync() > 0);
        assert_eq!(sync(), 0);
    });
}

/// A client that keeps its port, of a service that went while nobody kept the rules.
#[test]
fn udp_flows_of_services_that_went_before_the_start_are_forgotten() {
    in_each_mode(
        "udp_flows_of_services_that_went_before_the_start_are_forgotten",
        go_before_the_start,
    );
}

fn go_before_the_start(mode: Mode) {
    let namespace = Namespace::new("went");
    namespace
        .sh("ip link set lo up; ip route add 10.0.0.0/8 dev lo; ip addr add 10.244.0.1/32 dev lo");
    let put = |number: usize| match put_service(number) {
        Event::Replace(entry) => {
            let mut service = Service::clone(&entry.service);
            service.ports[0].protocol = Protocol::Udp;
            Event::Replace(ServiceEntry {
                service: Arc::new(service),
                revision: 1,
            })
        }
        other => other,
    };
    let view = |numbers: &[usize]| {
        let mut view = View::default();
        for number in numbers {
            view.apply(put(*number));
            let (service, endpoint) = endpoint(*number, 1);
            view.apply(Event::Endpoint { service, endpoint });
        }
        view
    };
    namespace.within(|| sync_anew(mode, &view(&[1, 2])));
    let to = |number: u8| Target {
        ip: [10, 96, 0, number].into(),
        port: 80,
    };
    let is_there = |number: u8| {
        let mut table = UdpTable::open().unwrap();
        let found = table.find(10, |at, _| at == to(number)).unwrap();
        !found.is_empty()
    };
    namespace.within(|| {
        let client = UdpSocket::bind("0.0.0.0:0").unwrap();
        for number in [1, 2] {
            client
                .send_to(b"hello", SocketAddr::new(to(number).ip, 80))
                .unwrap();
            assert!(is_there(number));
        }
        let left = view(&[1]);
        let (mut syncer, report) = sync_anew(mode, &left);
        assert_eq!(report.gone, [UdpKey::Address(to(2).ip, 80)], "{mode:?}");
        // Whoever writes rules does not wait for this.
        assert!(is_there(2));
        let flows = syncer.stale_flows().unwrap();
        assert_eq!(flows.forget().unwrap(), 1);
        assert!(is_there(1) && !is_there(2));
        assert!(syncer.stale_flows().is_none());
        // What was not looked through is looked through the next time.
        syncer.give_back(&flows);
        assert!(syncer.stale_flows().is_some());
    });
}
