//! Services that are refused while others want what they want, in both ways of keeping rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::clashes::Rules;
use super::fixture::{options, port, targets};
use super::{Claims, KernelTables, PortRules, iptables, nft};
use crate::model::{IpFamily, ObjectName, Protocol};

/// In each way of keeping rules: gives a service up, beside what the kernel has.
type GiveUp = fn(&mut Rules, &ObjectName, &mut Claims, bool, &Kernel) -> bool;
const EACH_WAY: [GiveUp; 2] = [
    |rules, service, claims, is_again, kernel| {
        let nft = &mut rules.nft;
        nft.give_up(service, &kernel.nft, claims, is_again)
    },
    |rules, service, claims, is_again, kernel| {
        let iptables = &mut rules.iptables;
        iptables.give_up(service, &kernel.iptables, claims, is_again)
    },
];

/// What is found in the kernel of IPv4, whichever way it came there.
#[derive(Default)]
struct Kernel {
    nft: KernelTables,
    iptables: BTreeMap<IpFamily, iptables::Listing>,
}

impl Kernel {
    fn of(port: &PortRules) -> Kernel {
        let slots = nft::Slots {
            cluster: nft::place(&[], &port.cluster),
            local: nft::place(&[], &port.local),
        };
        let elements = nft::Listing {
            items: nft::render(port, &slots, &options()).into_iter().collect(),
            is_ours: true,
            repeats: false,
        };
        let compares = iptables::Kernel {
            is_liberal: false,
            compares: true,
        };
        let rendered = iptables::render(port, &options(), compares);
        let mut rules = iptables::Listing::default();
        for table in iptables::Table::ALL {
            let items = rendered.of(table).iter().cloned();
            *rules.items.of_mut(table) = items.collect();
        }
        Kernel {
            nft: KernelTables {
                v4: Some(elements),
                v6: None,
            },
            iptables: BTreeMap::from([(IpFamily::V4, rules)]),
        }
    }
}

/// Two services with one external IP, written, of which the second by name goes without.
fn written_pair() -> (Claims, Rules, [Arc<PortRules>; 2]) {
    let (mut claims, mut rules) = (Claims::default(), Rules::new());
    let pair = [("a", "10.96.0.1"), ("b", "10.96.0.2")].map(|(name, ip)| {
        let mut port = port(name, Protocol::Tcp, ip, &["10.244.1.2:8080"]);
        port.external_ips = vec!["203.0.113.5".parse().unwrap()];
        claims.put(&port.name.service, vec![Arc::new(port.clone())]);
        Arc::new(port)
    });
    settle(&mut claims, &mut rules);
    rules.written();
    assert_eq!(claims.written().conflicts.len(), 1);
    (claims, rules, pair)
}

fn settle(claims: &mut Claims, rules: &mut Rules) {
    for (service, ports) in claims.settle() {
        rules.set(&service, &ports);
    }
}

fn with_endpoint(port: &PortRules, endpoint: &str) -> Vec<Arc<PortRules>> {
    let mut port = port.clone();
    port.cluster = targets(&[endpoint]);
    vec![Arc::new(port)]
}

#[test]
fn who_is_refused_and_goes_without_has_it_once_the_other_is_gone() {
    for (way, give_up) in EACH_WAY.into_iter().enumerate() {
        let nothing = Kernel::default();
        let (mut claims, mut rules, [a, b]) = written_pair();
        let before = rules.texts();
        // Each time it is tried again.
        for _ in 0..2 {
            claims.put(&b.name.service, with_endpoint(&b, "10.244.1.3:8080"));
            settle(&mut claims, &mut rules);
            assert!(give_up(
                &mut rules,
                &b.name.service,
                &mut claims,
                false,
                &nothing
            ));
            assert_eq!(rules.texts()[way], before[way]);
            rules.written();
            let settled = claims.written();
            assert_eq!((claims.losers(), settled.conflicts), (1, vec![]));
        }
        claims.put(&a.name.service, vec![]);
        settle(&mut claims, &mut rules);
        let mut alone = Rules::new();
        alone.set(&b.name.service, std::slice::from_ref(&b));
        assert_eq!(rules.texts()[way], alone.texts()[way]);
    }
}

#[test]
fn nobody_is_named_for_what_was_given_back() {
    for (way, give_up) in EACH_WAY.into_iter().enumerate() {
        let nothing = Kernel::default();
        let (mut claims, mut rules, [a, b]) = written_pair();
        claims.put(&a.name.service, vec![]);
        settle(&mut claims, &mut rules);
        rules.written();
        assert!(claims.written().conflicts.is_empty());
        let before = rules.texts();
        // It comes back, takes the address, and is refused.
        claims.put(&a.name.service, vec![a.clone()]);
        settle(&mut claims, &mut rules);
        assert!(give_up(
            &mut rules,
            &a.name.service,
            &mut claims,
            false,
            &nothing
        ));
        assert_eq!(rules.texts()[way], before[way]);
        let settled = claims.written();
        assert_eq!(settled.conflicts, []);
        // Whoever keeps books of what was written hears of both.
        let told: Vec<_> = settled.services.into_iter().collect();
        let [left_a, left_b] = [(a, vec![]), (b.clone(), vec![b])];
        let expected = [left_a, left_b].map(|(port, left)| (port.name.service.clone(), left));
        assert_eq!(told, expected);
    }
}

#[test]
fn who_is_refused_again_in_one_write_is_left_with_nothing() {
    for (way, give_up) in EACH_WAY.into_iter().enumerate() {
        let nothing = Kernel::default();
        let (mut claims, mut rules, [a, b]) = written_pair();
        claims.put(&a.name.service, with_endpoint(&a, "10.244.1.3:8080"));
        settle(&mut claims, &mut rules);
        let mut again =
            |is_again| give_up(&mut rules, &a.name.service, &mut claims, is_again, &nothing);
        assert_eq!([false, true, true].map(&mut again), [true, true, false]);
        let mut alone = Rules::new();
        alone.set(&b.name.service, std::slice::from_ref(&b));
        assert_eq!(rules.texts()[way], alone.texts()[way]);
        assert_eq!(claims.losers(), 0);
    }
}

/// What it is found with at the start it keeps, and what it could have beside that waits until it is not
/// refused any more.
#[test]
fn who_holds_on_to_what_is_found_does_so_when_the_other_is_gone() {
    for (way, give_up) in EACH_WAY.into_iter().enumerate() {
        let found = port("b", Protocol::Tcp, "10.96.0.2", &["10.244.1.9:8080"]);
        let kernel = Kernel::of(&found);
        let pair = [("a", "10.96.0.1"), ("b", "10.96.0.2")].map(|(name, ip)| {
            let mut port = port(name, Protocol::Tcp, ip, &["10.244.1.2:8080"]);
            port.external_ips = vec!["203.0.113.5".parse().unwrap()];
            Arc::new(port)
        });
        let b = &pair[1].name.service;
        let (mut claims, mut rules) = (Claims::default(), Rules::new());
        let held = |cut: &[(&Arc<PortRules>, bool)], claims: &mut Claims, rules: &mut Rules| {
            for (port, is_there) in cut {
                let ports = is_there.then(|| Arc::clone(port));
                claims.put(&port.name.service, ports.into_iter().collect());
            }
            settle(claims, rules);
            assert!(give_up(rules, b, claims, false, &kernel));
            rules.written();
            claims.written();
            rules.texts()[way].clone()
        };
        let [a, b] = &pair;
        held(&[(a, true), (b, true)], &mut claims, &mut rules);
        let left = held(&[(a, false), (b, true)], &mut claims, &mut rules);
        let alone = held(&[(b, true)], &mut Claims::default(), &mut Rules::new());
        assert!(left.contains("10.244.1.9"), "{left}");
        assert_eq!(left, alone);
    }
}
