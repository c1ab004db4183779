//! Random changes, written one difference after another.

use std::collections::{BTreeMap, BTreeSet};

use selectord::engine::View;
use selectord::proxy::Syncer;

use super::decision::{Fate, KernelTable, SOURCES};
use super::iptables;
use super::mode::{Mode, in_each_mode};
use super::namespace::Namespace;
use super::node::until;
use super::oracle::{fate, frontends, owner};
use super::world::World;
use crate::support::random::seeds;

/// A sync of a process that has just started, with everything to look at.
pub fn sync_anew(mode: Mode, view: &View) -> (Syncer, selectord::proxy::Report) {
    let mut syncer = mode.syncer();
    let names: Vec<_> = view.services().keys().cloned().collect();
    syncer.note(view, &[], &names);
    let report = syncer.sync(view).unwrap();
    (syncer, report)
}

/// Takes away all that is not used any more. What a kernel holds for a while longer is tried again.
pub fn sweep(syncer: &mut Syncer) {
    until("the end of what is not used any more", || {
        if let Err(error) = syncer.backend().sweep() {
            assert!(format!("{error:?}").contains("busy"), "{error:?}");
        }
        syncer.backend().sweep_at().is_none()
    });
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
                    let (has, frontend) = owner(view, v4, frontend);
                    let wanted = fate(view, has, v4, frontend, from);
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
    in_each_mode("differences_come_to_what_a_fresh_sync_writes", |mode| {
        differences_come_to_that(mode, false)
    });
}

#[test]
fn services_that_clash_come_to_what_a_fresh_sync_writes() {
    in_each_mode(
        "services_that_clash_come_to_what_a_fresh_sync_writes",
        |mode| differences_come_to_that(mode, true),
    );
}

fn differences_come_to_that(mode: Mode, is_crowded: bool) {
    let (mut compared, mut written, mut direct, mut clashes) = (0, 0, 0, 0);
    let mut seen = BTreeSet::new();
    for seed in seeds(1, 3) {
        let grown = Namespace::new("grown");
        let mut world = match is_crowded {
            true => World::crowded(seed, 12),
            false => World::new(seed, 12),
        };
        let mut syncer = mode.syncer();
        for step in 0..40 {
            let context = format!("{mode:?}, seed {seed}, step {step}");
            let events = world.step();
            let last = step == 39;
            let report = grown.within(|| {
                syncer.note(&world.view, &events, &[]);
                // Some cuts are written together.
                (last || step % 3 != 1).then(|| syncer.sync(&world.view).unwrap())
            });
            let Some(report) = report else { continue };
            assert!(report.refused.is_empty(), "{context}: {report:?}");
            assert_eq!(
                report.read,
                step == 0,
                "{context}: read again without cause"
            );
            clashes += report.conflicts.len();
            written += report.elements + report.rules;
            direct += usize::from(report.direct);
            if step % 8 != 0 && !last {
                continue;
            }
            grown.within(|| sweep(&mut syncer));
            match mode {
                Mode::Nftables => check_decisions(&grown, &world.view, &mut seen, &context),
                Mode::Iptables(variant) => {
                    iptables::check_decisions(&grown, variant, &world.view, &mut seen, &context);
                }
            }
            let fresh = Namespace::new("fresh");
            fresh.within(|| sync_anew(mode, &world.view));
            assert_eq!(mode.lines(&grown), mode.lines(&fresh), "{context}");
            assert!(
                !grown.within(|| syncer.check()),
                "{context}: nobody else wrote"
            );
            // Whoever starts now finds everything as it is to be.
            let (_, again) = grown.within(|| sync_anew(mode, &world.view));
            assert_eq!((again.lines, again.read), (0, true), "{context}: {again:?}");
            compared += 1;
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["dropped", "masqueraded", "refused", "sent"]
    );
    assert_eq!(clashes > 10, is_crowded, "{clashes}");
    assert!(compared >= 6 && written > 100, "{compared} {written}");
    // Some cuts are elements alone, of both families, and go to the kernel without nft.
    assert_eq!(direct >= 10, mode == Mode::Nftables, "{direct}");
}
