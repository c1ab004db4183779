//! Another mode, another server: what is left of the one before.

use super::mode::{Mode, in_each_mode, modes};
use super::node::{Node, pod, service, until};
use super::process::{BINARY, Server};

#[test]
fn one_mode_leaves_nothing_of_another() {
    let test = "one_mode_leaves_nothing_of_another";
    in_each_mode(test, |mode| {
        let other = match mode {
            Mode::Nftables => Mode::Iptables("nft"),
            Mode::Iptables(_) => Mode::Nftables,
        };
        if !other.is_here(test) {
            return;
        }
        let mut node = Node::new(other, &[]);
        node.server().apply(&(service(1, "") + &pod(1, "n1")));
        node.settled();
        assert!(other.has(&node.namespace, "10.96.0.1"));
        node.switch(mode, &[]);
        node.settled();
        until("the other mode's rules", || {
            !other.has(&node.namespace, "10.96.0.1")
        });
        assert!(mode.has(&node.namespace, "10.96.0.1"));
    });
}

#[test]
fn another_modes_rules_that_cannot_be_removed_at_once_are_later() {
    let test = "another_modes_rules_that_cannot_be_removed_at_once_are_later";
    let (mode, other) = (Mode::Nftables, Mode::Iptables("nft"));
    if !modes(test).contains(&other) {
        return;
    }
    let mut node = Node::new(other, &[]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    // Somebody else's rule leads to a chain of ours, which therefore cannot go.
    let theirs = "PREROUTING -m comment --comment theirs -j SELD-MARK-MASQ";
    node.namespace
        .sh(&format!("iptables-nft -t nat -A {theirs}"));
    node.switch(mode, &["--check-period", "50"]);
    node.settled();
    assert!(mode.has(&node.namespace, "10.96.0.1"));
    until("the other family's rules", || {
        !node.namespace.sh("ip6tables-nft-save").contains("SELD")
    });
    node.namespace
        .sh(&format!("iptables-nft -t nat -D {theirs}"));
    until("the other mode's rules", || {
        !other.has(&node.namespace, "10.96.0.1")
    });
}

#[test]
fn a_server_that_begins_anew_with_nothing_takes_no_service_away() {
    in_each_mode(
        "a_server_that_begins_anew_with_nothing_takes_no_service_away",
        begin_anew,
    );
}

fn begin_anew(mode: Mode) {
    let mut node = Node::new(mode, &["--check-period", "50"]);
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    drop(node.server.take());
    node.server = Some(Server::start_at(&node.socket, &[]));
    until("the new server's word", || {
        node.metric("selectord_proxy_rules_held") == 1.0
    });
    assert!(mode.has(&node.namespace, "10.96.0.1"));
    // Nor does a proxy that is started now and finds them.
    node.restart(&["--check-period", "50"]);
    until("the new proxy's word", || {
        node.metric("selectord_proxy_rules_held") == 1.0
    });
    assert_eq!(node.status("/readyz"), 503);
    assert!(mode.has(&node.namespace, "10.96.0.1"));
    node.server().apply(&(service(1, "") + &pod(1, "n1")));
    node.settled();
    // While the proxy knows what they are to be,
    drop(node.server.take());
    node.server = Some(Server::start_at(&node.socket, &[]));
    until("the next server's word", || {
        node.metric("selectord_proxy_rules_held") == 1.0
    });
    // they are kept, too.
    node.namespace.sh(mode.flush());
    until("the repair", || mode.has(&node.namespace, "10.96.0.1"));
    node.server().apply(&(service(2, "") + &pod(2, "n1")));
    // Both servers count from one: a revision does not tell which of them is meant.
    until("the new rules", || {
        mode.has(&node.namespace, "10.96.0.2") && !mode.has(&node.namespace, "10.96.0.1")
    });
    // What is deleted is gone, also if it is the last.
    node.server().ok(&["delete", "service", "s2"]);
    node.settled();
    assert!(!mode.has(&node.namespace, "10.96.0.2"));
}

#[test]
fn rules_that_are_held_may_be_removed_by_whoever_means_it() {
    let test = "rules_that_are_held_may_be_removed_by_whoever_means_it";
    in_each_mode(test, |mode| {
        let mut node = Node::new(mode, &["--check-period", "50"]);
        node.server().apply(&(service(1, "") + &pod(1, "n1")));
        node.settled();
        drop(node.server.take());
        node.server = Some(Server::start_at(&node.socket, &[]));
        node.restart(&["--check-period", "50"]);
        until("the new proxy's word", || {
            node.metric("selectord_proxy_rules_held") == 1.0
        });
        let args = ["proxy", "cleanup", "--mode", mode.flag()];
        node.namespace.sh(&format!("{BINARY} {}", args.join(" ")));
        until("readiness", || node.status("/readyz") == 200);
        assert_eq!(node.metric("selectord_proxy_rules_held"), 0.0);
        assert!(!mode.has(&node.namespace, "10.96.0.1"));
    });
}
