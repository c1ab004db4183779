//! When the legacy variant's rules are read to see whether somebody changed them.

use super::faults::{fresh_lines, some_world, sync};
use super::variant::{Node, available};
use crate::node::until;

#[test]
fn rules_are_read_when_somebody_took_the_lock_and_now_and_then() {
    if !available("rules_are_read_when_somebody_took_the_lock_and_now_and_then") {
        return;
    }
    let mut world = some_world(22);
    let node = Node::new("legacy");
    let saves = format!("{}/saves", node.path());
    node.replace("iptables-save", &format!("echo >> {saves}; $real \"$@\""));
    let saves = || std::fs::read_to_string(&saves).unwrap().len();
    let (mut syncer, _) = node.sync_anew(&world.view);
    // Tests of others take the lock, too: it is looked again.
    let is_quiet = |what: &str, syncer: &mut selectord::proxy::Syncer| {
        until(what, || {
            let before = saves();
            assert!(!node.namespace.within(|| syncer.check()), "{what}");
            saves() == before
        });
    };
    is_quiet("a check that reads nothing", &mut syncer);
    // What we write ourselves is nobody's: the next check has nothing to read.
    until("a check that reads nothing, right after a write", || {
        let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
        syncer.note(&world.view, &events, &[]);
        let report = sync(&node, &mut syncer, &world).unwrap();
        let before = saves();
        assert!(!node.namespace.within(|| syncer.check()));
        report.lines > 0 && saves() == before
    });

    // With the lock it is seen at once, even if somebody else has just written too.
    let damage = "iptables-legacy -t nat -F SELD-MARK-MASQ";
    node.namespace.sh(damage);
    let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
    syncer.note(&world.view, &events, &[]);
    sync(&node, &mut syncer, &world).unwrap();
    assert!(node.namespace.within(|| syncer.check()));
    sync(&node, &mut syncer, &world).unwrap();
    assert_eq!(node.lines(), fresh_lines("legacy", &world));

    // Without, or with another one, after a while.
    is_quiet("a check that reads nothing, after a repair", &mut syncer);
    let elsewhere = format!("{}/lock", node.path());
    node.namespace
        .sh(&format!("XTABLES_LOCKFILE={elsewhere} {damage}"));
    until("a check that reads", || {
        node.namespace.within(|| syncer.check())
    });
    sync(&node, &mut syncer, &world).unwrap();
    assert_eq!(node.lines(), fresh_lines("legacy", &world));
}
