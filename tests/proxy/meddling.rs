//! Others that write rules, while a proxy runs and packets flow.

use super::lab::{FAMILIES, Lab, named, pod_yaml, pods, service_yaml};
use super::mode::{MODES, Mode};
use super::namespace::available;
use super::node::until;
use super::talk::connect;

#[test]
fn a_proxy_that_runs_undoes_what_others_do() {
    if !available("a_proxy_that_runs_undoes_what_others_do") {
        return;
    }
    MODES.into_iter().for_each(undo);
}

fn undo(mode: Mode) {
    let lab = Lab::new(mode);
    lab.server.apply(
        &(pod_yaml("p1", "web")
            + &pod_yaml("p3", "web")
            + &service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")
            + &service_yaml(2, "web", "sessionAffinity: ClientIP", "")),
    );
    let _proxy = lab.proxy(&["--check-period", "20"]);
    lab.settled();
    let good = mode.lines(&lab.net.n1);
    for damage in mode.damages("10.96.0.1") {
        lab.net.n1.sh(&damage);
        until(&format!("{mode:?}: the repair of {damage}"), || {
            mode.lines(&lab.net.n1) == good
        });
        for family in &FAMILIES {
            for to in [family.at(1), family.at_node(30001)] {
                let answers = connect(&lab.net.client, &to, 24);
                assert_eq!(pods(&answers), named(&["p1", "p3"]), "{mode:?}: {damage}");
            }
        }
    }
}
