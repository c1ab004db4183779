//! Random changes, written one difference after another.

use std::collections::{BTreeMap, BTreeSet};

use selectord::engine::View;
use selectord::proxy::linux::Nft;
use selectord::proxy::{Nftables, PodTraffic, ProxyOptions, Syncer};

use super::decision::{Fate, KernelTable, SOURCES};
use super::namespace::{Namespace, available};
use super::oracle::{fate, frontends};
use super::world::{NODE, PODS, World};
use crate::support::random::seeds;

pub fn options() -> ProxyOptions {
    ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(PODS.split(',').map(|c| c.parse().unwrap()).collect()),
        ..ProxyOptions::of_node(NODE)
    }
}

pub fn syncer() -> Syncer {
    syncer_with(Nft::default())
}

pub fn syncer_with(nft: Nft) -> Syncer {
    Syncer::new(&options(), Box::new(Nftables::new(options(), nft)))
}

/// A sync of a process that has just started, with everything to look at.
pub fn sync_anew(view: &View) -> (Syncer, selectord::proxy::Report) {
    let mut syncer = syncer();
    let names: Vec<_> = view.services().keys().cloned().collect();
    syncer.note(view, &[], &names);
    let report = syncer.sync(view).unwrap();
    (syncer, report)
}

/// Both tables as lines in one order, places of endpoints left out.
pub fn lines(namespace: &Namespace) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["ip", "ip6"] {
        let listed = namespace.sh(&format!("nft list table {family} selectord"));
        let table = KernelTable::read(&listed);
        for (name, rules) in &table.chains {
            lines.push(format!("{family} chain {name}"));
            lines.extend(
                rules
                    .iter()
                    .map(|rule| format!("{family} chain {name}: {rule}")),
            );
        }
        for (name, elements) in &table.sets {
            lines.push(format!("{family} set {name}"));
            let mut some: Vec<String> = Vec::new();
            for (key, value) in elements {
                some.push(
                    match name.contains("endpoint-") && !name.starts_with("no-endpoint") {
                        true => format!(
                            "{family} {name}: {} → {value}",
                            key.rsplit_once(" . ").unwrap().0
                        ),
                        false => format!("{family} {name}: {key} → {value}"),
                    },
                );
            }
            some.sort();
            lines.extend(some);
        }
    }
    lines
}

/// Every service address does what the oracle says, and nothing else has an element.
pub fn check_decisions(
    namespace: &Namespace,
    view: &View,
    seen: &mut BTreeSet<&'static str>,
    context: &str,
) {
    let tables: BTreeMap<bool, KernelTable> = [(true, "ip"), (false, "ip6")]
        .into_iter()
        .map(|(v4, family)| {
            let listed = namespace.sh(&format!("nft list table {family} selectord"));
            (v4, KernelTable::read(&listed))
        })
        .collect();
    let mut checked = 0;
    for (name, held) in view.services() {
        for frontend in frontends(&held.entry.service) {
            let families: BTreeSet<bool> = match frontend.0 {
                Some(ip) => [ip.is_ipv4()].into(),
                None => frontends(&held.entry.service)
                    .iter()
                    .filter(|other| !other.3)
                    .map(|other| other.0.unwrap().is_ipv4())
                    .collect(),
            };
            for v4 in families {
                for from in SOURCES {
                    let ip = frontend.0.map(|ip| ip.to_string());
                    let family = if v4 { "ip" } else { "ip6" };
                    let found =
                        tables[&v4].fate(family, ip.as_deref(), frontend.1, frontend.2, from);
                    let wanted = fate(view, held, v4, frontend, from);
                    assert_eq!(
                        found, wanted,
                        "{context}: {name} {frontend:?} from {from:?} in {family}"
                    );
                    seen.insert(match &found {
                        Fate::Sent {
                            masqueraded: true, ..
                        } => "masqueraded",
                        Fate::Sent { .. } => "sent",
                        Fate::Dropped => "dropped",
                        Fate::Refused => "refused",
                        Fate::Ignored => "ignored",
                    });
                    checked += 1;
                }
            }
        }
    }
    let service = [
        "service-ips",
        "no-endpoint-ips",
        "service-nodeports",
        "no-endpoint-nodeports",
    ];
    let keys: usize = tables
        .values()
        .flat_map(|t| service.iter().map(|s| t.sets[*s].len()))
        .sum();
    assert!(
        keys <= checked / SOURCES.len() * 2,
        "{context}: {keys} elements"
    );
}

#[test]
fn differences_come_to_what_a_fresh_sync_writes() {
    if !available("differences_come_to_what_a_fresh_sync_writes") {
        return;
    }
    let (mut compared, mut written) = (0, 0);
    let mut seen = BTreeSet::new();
    for seed in seeds(1, 3) {
        let grown = Namespace::new("grown");
        let mut world = World::new(seed, 12);
        let mut syncer = syncer();
        for step in 0..40 {
            let context = format!("seed {seed}, step {step}");
            let events = world.step();
            let last = step == 39;
            let report = grown.within(|| {
                syncer.note(&world.view, &events, &[]);
                // Some cuts are written together.
                (last || step % 3 != 1).then(|| syncer.sync(&world.view).unwrap())
            });
            let Some(report) = report else { continue };
            assert!(
                report.refused.is_empty() && report.conflicts.is_empty(),
                "{context}: {report:?}"
            );
            assert_eq!(
                report.read,
                step == 0,
                "{context}: read again without cause"
            );
            written += report.elements;
            if step % 8 != 0 && !last {
                continue;
            }
            grown.within(|| syncer.backend().sweep().unwrap());
            check_decisions(&grown, &world.view, &mut seen, &context);
            let fresh = Namespace::new("fresh");
            fresh.within(|| sync_anew(&world.view));
            assert_eq!(lines(&grown), lines(&fresh), "{context}");
            // Whoever starts now finds everything as it is to be.
            let (_, again) = grown.within(|| sync_anew(&world.view));
            assert_eq!((again.lines, again.read), (0, true), "{context}: {again:?}");
            compared += 1;
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["dropped", "masqueraded", "refused", "sent"]
    );
    assert!(compared >= 6 && written > 100, "{compared} {written}");
}
