//! A client stays with its endpoint, until it has been away for long enough.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::lab::{FAMILIES, Family, Lab, named, pod_yaml, pods, service_yaml};
use super::mode::{Mode, in_each_mode};
use super::talk::{PATIENCE, connect, connect_as};
use super::topology::{OTHER_CLIENTS, other_client};

#[test]
fn a_client_stays_with_its_endpoint_until_it_was_away_for_long() {
    in_each_mode(
        "a_client_stays_with_its_endpoint_until_it_was_away_for_long",
        stay,
    );
}

fn stay(mode: Mode) {
    let lab = Lab::new(mode);
    let all = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    let short = format!(
        "type: NodePort\n  sessionAffinity: ClientIP\n  sessionAffinityConfig: {{clientIP: {{timeoutSeconds: {TIMEOUT}}}}}"
    );
    lab.apply(
        &(all
            + &service_yaml(1, "web", "sessionAffinity: ClientIP", "")
            + &service_yaml(2, "web", &short, ", nodePort: 30002")),
    );
    for family in &FAMILIES {
        for from in [&lab.net.p1, &lab.net.client, &lab.net.n1] {
            let answers = connect(from, &family.at(1), 20);
            assert_eq!(pods(&answers).len(), 1, "{mode:?}: {answers:?}");
        }
        let answers = connect(&lab.net.client, &family.at_node(30002), 12);
        assert_eq!(pods(&answers).len(), 1, "{mode:?}: {answers:?}");
    }
    thread::scope(|scope| {
        for family in &FAMILIES {
            scope.spawn(|| go_away(&lab, family));
        }
    });

    // An endpoint that has gone holds nobody.
    let met = |family: &Family| pods(&connect(&lab.net.client, &family.at(1), 20));
    let before: BTreeSet<String> = FAMILIES.iter().flat_map(met).collect();
    let gone: String = before.iter().map(|pod| pod_yaml(pod, "other")).collect();
    lab.apply(&gone);
    for family in &FAMILIES {
        let now = met(family);
        assert!(
            now.len() == 1 && now.is_disjoint(&before),
            "{mode:?}: {now:?}"
        );
    }
}

/// Seconds that a client of the second service may be away.
const TIMEOUT: u64 = 2;

/// Many clients come once, and each of them once more. Those who come in time meet whom they met;
/// sooner or later, those who come do not. One who comes again and again meets whom he met.
fn go_away(lab: &Lab, family: &Family) {
    let timeout = Duration::from_secs(TIMEOUT);
    // The kernel counts in ticks, of 10 ms at the longest, and may forget a tick early.
    let surely = timeout - Duration::from_millis(50);
    let ask = |source: IpAddr| {
        let began = Instant::now();
        let answer = connect_as(PATIENCE, &lab.net.client, source, &family.at(2));
        (answer.pod().to_owned(), began)
    };
    let steady = family.client.parse().unwrap();
    let mut met_steadily = ask(steady);
    let others = (0..OTHER_CLIENTS).map(|number| other_client(family.v4, number));
    let met: Vec<_> = others.map(|other| (other, ask(other))).collect();
    let all: BTreeSet<String> = met.iter().map(|(_, (pod, _))| pod.clone()).collect();
    assert_eq!(all, named(&["p1", "p2", "p3"]), "{:?}", lab.mode);

    let mut moved = false;
    for (other, (before, when)) in met {
        let (now, _) = ask(other);
        moved = now != before;
        let in_time = when.elapsed() < surely;
        assert!(!(moved && in_time), "{:?}: {other} moved in time", lab.mode);
        let (steadily, asked) = ask(steady);
        if met_steadily.1.elapsed() < surely {
            assert_eq!(steadily, met_steadily.0, "{:?}", lab.mode);
        }
        met_steadily = (steadily, asked);
        if moved {
            break;
        }
        // The next one comes a little later.
        thread::sleep(timeout / 20);
    }
    assert!(moved, "{:?}: nobody was forgotten", lab.mode);
}
