//! Services that want each other's addresses and node ports, in any order, in both ways of keeping rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::fixture::{options, port};
use super::iptables::{self, Kernel, Listing};
use super::{Claims, KernelTables, Place, PortName, PortRules, Tables};
use crate::model::{IpFamily, ObjectName, Protocol, TrafficPolicy};

/// One of few addresses: some are given out as virtual IPs too.
fn address() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["10.96.0.1", "10.96.0.2", "203.0.113.1", "203.0.113.2"])
}

/// A port whose name is set later.
fn some_port() -> impl Strategy<Value = PortRules> {
    let endpoint = prop::sample::select(vec![None, Some("10.244.1.1:80"), Some("10.244.1.2:80")]);
    let outside = (
        prop::option::of(address()),
        prop::sample::select(vec![0, 30000, 30001]),
    );
    let flags = prop::array::uniform6(any::<bool>());
    let cluster_ip = prop::sample::select(vec!["10.96.0.1", "10.96.0.2"]);
    (cluster_ip, outside, endpoint, flags).prop_map(|(cluster_ip, outside, endpoint, flags)| {
        let [internal, external, here, sticky, balanced, guarded] = flags;
        let endpoints: Vec<&str> = endpoint.into_iter().collect();
        let mut port = port("", Protocol::Tcp, cluster_ip, &endpoints);
        let policy = |local| match local {
            true => TrafficPolicy::Local,
            false => TrafficPolicy::Cluster,
        };
        let (ip, node_port) = outside;
        port.external_ips = ip.into_iter().map(|ip| ip.parse().unwrap()).collect();
        port.external_ips
            .retain(|ip| !port.cluster_ips.contains(ip));
        port.node_port = node_port;
        port.internal_policy = policy(internal);
        port.external_policy = policy(external);
        if here {
            port.local = port.cluster.clone();
        }
        port.affinity_seconds = sticky.then_some(90);
        if balanced {
            port.balancer_ips = port.external_ips.clone();
        }
        if guarded && !port.balancer_ips.is_empty() {
            port.source_ranges = vec!["198.51.100.0/24".parse().unwrap()];
        }
        port
    })
}

/// A service by its number, and what becomes of it.
fn change() -> impl Strategy<Value = (ObjectName, Vec<Arc<PortRules>>)> {
    (0..5, prop::collection::vec(some_port(), 0..3)).prop_map(|(number, ports)| {
        let service = ObjectName::new("ns", format!("svc{number}"));
        let named = |(index, mut port): (u16, PortRules)| {
            port.port = port.port.saturating_add(index);
            port.name = Arc::new(PortName {
                service: service.clone(),
                port: format!("p{index}").into(),
                ..(*port.name).clone()
            });
            Arc::new(port)
        };
        let ports = (0..).zip(ports).map(named).collect();
        (service, ports)
    })
}

type Services = BTreeMap<ObjectName, Vec<Arc<PortRules>>>;

/// Everything that ports want, each place with who comes first.
fn claims(wanted: &Services) -> BTreeMap<Place, BTreeSet<(u8, bool, Arc<PortName>)>> {
    let mut claims: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for port in wanted.values().flatten() {
        let kind = |ip| match port.balancer_ips.contains(ip) {
            true => 1,
            false => 2,
        };
        let inside = port.cluster_ips.iter().map(|ip| (port.at(*ip), 0));
        let outside = port.external_ips.iter();
        let outside = outside.map(|ip| (port.at(*ip), kind(ip)));
        let at_node = port.at_node().map(|place| (place, 3));
        for (place, kind) in inside.chain(outside).chain(at_node) {
            let claim = (kind, port.cluster.is_empty(), port.name.clone());
            claims.entry(place).or_default().insert(claim);
        }
    }
    claims
}

/// What is left of all ports, once each place has its owner.
fn left(wanted: &Services) -> Services {
    let claims = claims(wanted);
    let left = |port: &Arc<PortRules>| {
        let has = |place: Place| claims[&place].first().unwrap().2 == port.name;
        let mut left = PortRules::clone(port);
        left.cluster_ips.retain(|ip| has(port.at(*ip)));
        left.external_ips.retain(|ip| has(port.at(*ip)));
        left.balancer_ips.retain(|ip| has(port.at(*ip)));
        if !port.at_node().is_some_and(has) {
            left.node_port = 0;
        }
        if left.cluster_ips.is_empty() && left.external_ips.is_empty() && left.node_port == 0 {
            left.cluster.clear();
            left.local.clear();
        }
        Arc::new(left)
    };
    let all = wanted.iter();
    all.map(|(name, ports)| (name.clone(), ports.iter().map(left).collect()))
        .collect()
}

/// Who goes without what, and for whom.
fn losers(wanted: &Services) -> BTreeSet<(Arc<PortName>, Place, Arc<PortName>)> {
    let mut losers = BTreeSet::new();
    for (place, claims) in claims(wanted) {
        let mut claims = claims.into_iter().map(|(.., port)| port);
        let owner = claims.next().unwrap();
        losers.extend(claims.map(|loser| (loser, place, owner.clone())));
    }
    losers
}

/// Both ways of keeping rules.
pub(super) struct Rules {
    pub(super) nft: Tables,
    pub(super) iptables: iptables::Rules,
}

impl Rules {
    pub(super) fn new() -> Rules {
        let kernel = Kernel {
            is_liberal: false,
            compares: true,
        };
        Rules {
            nft: Tables::new(options()),
            iptables: iptables::Rules::new(options(), kernel),
        }
    }

    pub(super) fn set(&mut self, service: &ObjectName, ports: &[Arc<PortRules>]) {
        self.nft.set(service, ports.to_vec(), None);
        self.iptables.set(service, ports.to_vec());
    }

    pub(super) fn written(&mut self) {
        self.nft.settle();
        self.iptables.settle();
    }

    /// All of them, as if nothing were there.
    pub(super) fn texts(&self) -> [String; 2] {
        let (none, empty) = (KernelTables::default(), Listing::default());
        let iptables = self.iptables.script(IpFamily::V4, Some(&empty), false);
        let nft = self.nft.script(Some(&none), false);
        [nft.text().to_owned(), iptables.text().to_owned()]
    }
}

proptest! {
    #[test]
    fn each_place_is_one_ports_whatever_came_first(
        cuts in prop::collection::vec((prop::collection::vec(change(), 1..6), any::<bool>()), 1..8),
    ) {
        let (mut claims, mut rules) = (Claims::default(), Rules::new());
        let (mut wanted, mut told) = (Services::new(), Services::new());
        // As it was when rules were last written.
        let (mut before, mut told_before) = (Services::new(), Services::new());
        for (cut, is_written) in cuts {
            let left_before = left(&wanted);
            let mut changed = BTreeSet::new();
            for (service, ports) in cut {
                changed.insert(service.clone());
                claims.put(&service, ports.clone());
                wanted.insert(service, ports);
            }
            let settled = claims.settle();
            for (service, ports) in &settled {
                rules.set(service, ports);
                told.insert(service.clone(), ports.clone());
            }
            let left = left(&wanted);
            prop_assert_eq!(&told, &left);
            // Nobody else is looked at.
            for (service, ports) in &settled {
                let is_another = left_before.get(service) != Some(ports);
                prop_assert!(changed.contains(service) || is_another, "{service}");
            }

            let lost = losers(&wanted);
            let mut fresh = Rules::new();
            left.iter().for_each(|(service, ports)| fresh.set(service, ports));
            prop_assert_eq!(rules.texts(), fresh.texts());

            let now: BTreeSet<_> = claims.conflicts().map(|c| (c.wants, c.place, c.has)).collect();
            prop_assert_eq!(&now, &lost);
            let ports: BTreeSet<_> = lost.iter().map(|(port, ..)| port).collect();
            prop_assert_eq!(claims.losers(), ports.len());
            for service in wanted.keys() {
                let before = before.get(service).map_or(&[][..], Vec::as_slice);
                prop_assert_eq!(claims.before(service), before);
            }
            if !is_written {
                continue;
            }
            // Each is named once it has lost, and not again as long as it goes without.
            let settled = claims.written();
            let lost_before = losers(&before);
            let without = |(port, place, _): &(_, _, _)| -> (Arc<PortName>, Place) {
                (Arc::clone(port), *place)
            };
            let known: BTreeSet<_> = lost_before.iter().map(without).collect();
            let new = lost.iter().filter(|loser| !known.contains(&without(loser)));
            let named = settled.conflicts.iter();
            let named: Vec<_> = named.map(|c| (c.wants.clone(), c.place, c.has.clone())).collect();
            prop_assert_eq!(named, new.cloned().collect::<Vec<_>>());
            told_before.extend(settled.services);
            prop_assert_eq!(&told_before, &told);
            before = wanted.clone();
        }
    }
}

/// Two services, the first of which comes and goes.
fn rules_of(ports: [PortRules; 2]) -> (Rules, [Vec<String>; 3]) {
    let (mut claims, mut rules) = (Claims::default(), Rules::new());
    let [a, b] = ports.map(Arc::new);
    let mut said = Vec::new();
    for (service, ports) in [(&b, vec![b.clone()]), (&a, vec![a.clone()]), (&a, vec![])] {
        claims.put(&service.name.service, ports);
        for (service, ports) in claims.settle() {
            rules.set(&service, &ports);
        }
        let conflicts = claims.written().conflicts;
        said.push(conflicts.iter().map(ToString::to_string).collect());
    }
    (rules, said.try_into().unwrap())
}

#[test]
fn who_goes_without_is_named_and_has_it_once_the_other_is_gone() {
    let mut a = port("a", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let mut b = port("b", Protocol::Tcp, "10.96.0.2", &["10.244.2.2:8080"]);
    a.external_ips = vec!["203.0.113.5".parse().unwrap()];
    (a.node_port, b.node_port) = (30080, 30080);
    b.external_ips = a.external_ips.clone();
    let (rules, said) = rules_of([a.clone(), b.clone()]);
    let expected = [
        "tcp port 80 of 203.0.113.5 is default/a/tcp/main's, and default/b/tcp/main wants it too",
        "tcp node port 30080 of IPv4 is default/a/tcp/main's, and default/b/tcp/main wants it too",
    ];
    assert_eq!(said, [vec![], expected.map(str::to_owned).to_vec(), vec![]]);
    let mut alone = Rules::new();
    alone.set(&b.name.service, &[Arc::new(b.clone())]);
    assert_eq!(rules.texts(), alone.texts());
}

/// Whose port 80 of an address is that both of two want, once each of them came first.
fn owner_of_two(a: &PortRules, b: &PortRules, ip: &str) -> String {
    let owner = |order: [&PortRules; 2]| {
        let mut claims = Claims::default();
        for port in order {
            claims.put(&port.name.service, vec![Arc::new(port.clone())]);
            claims.settle();
        }
        let owner = claims.owner(a.at(ip.parse().unwrap())).unwrap();
        owner.service.name.to_string()
    };
    let [first, second] = [owner([a, b]), owner([b, a])];
    assert_eq!(first, second);
    first
}

#[test]
fn an_address_is_the_clusters_to_give_then_a_controllers_then_anybodys() {
    let shared = "203.0.113.5";
    let [none, some]: [&[&str]; 2] = [&[], &["10.244.1.2:8080"]];
    let virtual_ip = |name| port(name, Protocol::Tcp, shared, none);
    let external = |name, endpoints| {
        let mut port = port(name, Protocol::Tcp, "10.96.0.1", endpoints);
        port.external_ips = vec![shared.parse().unwrap()];
        port
    };
    let balanced = |name, endpoints| {
        let mut port = external(name, endpoints);
        port.balancer_ips = port.external_ips.clone();
        port
    };
    let owner = |a, b| owner_of_two(&a, &b, shared);
    assert_eq!(owner(external("a", some), virtual_ip("b")), "b");
    assert_eq!(owner(balanced("a", some), virtual_ip("b")), "b");
    assert_eq!(owner(external("a", some), balanced("b", none)), "b");
    // Among equals, those with endpoints come first.
    assert_eq!(owner(external("a", none), external("b", some)), "b");
    assert_eq!(owner(balanced("a", none), balanced("b", some)), "b");
    assert_eq!(owner(external("a", some), external("b", some)), "a");
    assert_eq!(owner(external("a", none), external("b", none)), "a");
}

/// Blue and green: who is scaled to nothing leaves the place to the other, at once.
#[test]
fn a_place_moves_to_who_has_endpoints_with_the_last_of_the_others() {
    let service = |name: &str, ip: &str, endpoints: &[&str]| {
        let mut port = port(name, Protocol::Tcp, ip, endpoints);
        port.external_ips = vec!["203.0.113.5".parse().unwrap()];
        port.node_port = 30080;
        Arc::new(port)
    };
    let (mut claims, mut rules, mut all) = (Claims::default(), Rules::new(), Services::new());
    let (some, none): (&[&str], &[&str]) = (&["10.244.1.2:8080"], &[]);
    for (endpoints, settled, said) in [
        ([some, none], 2, 2),
        ([some, some], 1, 0),
        ([none, some], 2, 2),
        ([none, none], 2, 2),
    ] {
        let now = [("a", "10.96.0.1"), ("b", "10.96.0.2")].into_iter();
        for ((name, ip), endpoints) in now.zip(endpoints) {
            let port = service(name, ip, endpoints);
            let ports = vec![port.clone()];
            if all.insert(port.name.service.clone(), ports.clone()) != Some(ports.clone()) {
                claims.put(&port.name.service, ports);
            }
        }
        let changed = claims.settle();
        assert_eq!(changed.len(), settled, "{endpoints:?}");
        changed
            .iter()
            .for_each(|(service, ports)| rules.set(service, ports));
        assert_eq!(claims.written().conflicts.len(), said, "{endpoints:?}");
        let mut fresh = Rules::new();
        left(&all)
            .iter()
            .for_each(|(service, ports)| fresh.set(service, ports));
        assert_eq!(rules.texts(), fresh.texts(), "{endpoints:?}");
    }
}

/// One more of those that go without costs as much as the first.
#[test]
fn a_change_is_settled_without_a_look_at_all() {
    let mut claims = Claims::default();
    let mut put = |number: usize| {
        let ip = match number % 2 {
            0 => "10.96.0.1".to_owned(),
            _ => format!("10.97.{}.{}", number / 256, number % 256),
        };
        let port = Arc::new(port(&format!("svc{number:06}"), Protocol::Tcp, &ip, &[]));
        let cost = allocation_counter::measure(|| {
            claims.put(&port.name.service, vec![port.clone()]);
            assert_eq!(claims.settle().len(), 1);
        });
        // Tables of all that grow do so seldom.
        cost.count_total
    };
    let counts: Vec<u64> = (0..20_000).map(&mut put).collect();
    assert!(
        counts.iter().all(|count| *count < 60),
        "{:?}",
        counts.iter().max()
    );
}

/// Thousands may name one external IP.
#[test]
fn one_more_that_wants_what_many_want_costs_little() {
    let mut claims = Claims::default();
    // Each comes before all others.
    for number in (0..20_000).rev() {
        let port = Arc::new(port(
            &format!("svc{number:06}"),
            Protocol::Tcp,
            "10.96.0.1",
            &[],
        ));
        let ports = vec![port.clone()];
        let cost = allocation_counter::measure(|| {
            claims.put(&port.name.service, ports);
            claims.settle();
            claims.written();
        });
        assert!(cost.bytes_total < 16_000, "{number}: {cost:?}");
    }
}
