//! A proxy and a server that end, are killed, and come again, while packets flow.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::lab::{FAMILIES, Lab, named, pod_yaml, pods, service_yaml};
use super::load::Load;
use super::mode::{Mode, in_each_mode};
use super::node::until;
use super::process::BINARY;
use super::talk::connect;
use crate::support::random::{Random, seeds};

#[test]
fn a_proxy_that_runs_follows_repairs_and_leaves_its_rules_behind() {
    in_each_mode(
        "a_proxy_that_runs_follows_repairs_and_leaves_its_rules_behind",
        follow_and_repair,
    );
}

fn follow_and_repair(mode: Mode) {
    let lab = Lab::new(mode);
    let net = &lab.net;
    lab.server
        .apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
    let proxy = lab.proxy(&["--check-period", "50"]);
    lab.settled();
    let served_by = |pod| {
        for family in &FAMILIES {
            assert_eq!(pods(&connect(&net.client, &family.at(1), 3)), named(&[pod]));
        }
    };
    served_by("p1");
    lab.change(&(pod_yaml("p1", "other") + &pod_yaml("p3", "web")));
    served_by("p3");

    net.n1.sh(mode.flush());
    until("the repair", || {
        mode.has(&net.n1, "10.96.0.1") && mode.has(&net.n1, "fd00:96::1")
    });
    served_by("p3");

    // Asked to end, and killed, it leaves its rules, and the next one has nothing to write.
    proxy.end();
    served_by("p3");
    let proxy = lab.proxy(&[]);
    lab.change(&pod_yaml("p2", "other"));
    proxy.kill();
    served_by("p3");
    assert_eq!(lab.sync(), "0 elements and 0 rules written\n");
    let args = ["proxy", "cleanup", "--mode", mode.flag()];
    net.n1.sh(&format!("{BINARY} {}", args.join(" ")));
    assert!(!mode.has(&net.n1, "10.96.0.1"));
}

/// How often the proxy is killed at least, unless SELECTORD_TEST_KILLS says how often.
const KILLS: usize = 20;

/// A few changes to services and pods that are none of the load's.
fn change(random: &mut Random) -> String {
    // Each of them once.
    let mut texts = BTreeMap::new();
    for _ in 0..random.between(1, 6) {
        let app = format!("a{}", random.below(4));
        let (name, text) = match random.chance(60) {
            true => some_pod(random, &app),
            false => some_service(random, &app),
        };
        texts.insert(name, text);
    }
    texts.into_values().collect()
}

fn some_pod(random: &mut Random, app: &str) -> (String, String) {
    let end = random.between(20, 31);
    let node = random.between(1, 2);
    let ready = random.pick(&["True", "False"]);
    let text = format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: q{end}, labels: {{app: {app}}}}}\nspec: {{nodeName: n{node}}}\n\
         status: {{phase: Running, podIP: 10.244.2.{end}, podIPs: [{{ip: 10.244.2.{end}}}, {{ip: \"fd00:244:2::{end}\"}}], \
         conditions: [{{type: Ready, status: \"{ready}\"}}]}}\n"
    );
    (format!("q{end}"), text)
}

fn some_service(random: &mut Random, app: &str) -> (String, String) {
    let n = random.between(20, 59) as u8;
    let fields = random.pick(&[
        "type: NodePort",
        "type: NodePort\n  externalTrafficPolicy: Local",
        "sessionAffinity: ClientIP",
        "internalTrafficPolicy: Local",
        "externalIPs: [198.51.100.N]",
        "",
    ]);
    let fields = fields.replace("N]", &format!("{n}]"));
    let protocol = random.pick(&["TCP", "UDP", "SCTP"]);
    let mut port = format!(", protocol: {protocol}");
    if fields.contains("NodePort") {
        port += &format!(", nodePort: {}", 30100 + u16::from(n));
    }
    (format!("s{n}"), service_yaml(n, app, &fields, &port))
}

/// A lab with a service of its own for the load.
fn steady(mode: Mode) -> Lab {
    let lab = Lab::new(mode);
    let pods = ["p1", "p2", "p3"].map(|pod| pod_yaml(pod, "web")).concat();
    lab.apply(&(pods + &service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")));
    lab
}

fn load(lab: &Lab) -> [Load; 2] {
    let of = |family: &super::lab::Family| [family.at(1), family.at_node(30001)];
    let to: Vec<String> = FAMILIES.iter().flat_map(of).collect();
    [&lab.net.client, &lab.net.p4].map(|from| Load::start(from, &to))
}

fn none_failed(loads: [Load; 2], context: &str) {
    for load in loads {
        load.go_on(4);
        let (connections, failed) = load.end();
        assert_eq!(failed, [], "{context}: of {connections}");
    }
}

#[test]
fn a_proxy_that_is_killed_in_a_storm_leaves_whole_rules_and_its_successor_the_right_ones() {
    let test =
        "a_proxy_that_is_killed_in_a_storm_leaves_whole_rules_and_its_successor_the_right_ones";
    for seed in seeds(1, 1) {
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        in_each_mode(test, |mode| kill_in_a_storm(mode, seed));
    }
}

/// Says that it is over when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn kill_in_a_storm(mode: Mode, seed: u64) {
    let kills = std::env::var("SELECTORD_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let lab = steady(mode);
    let loads = load(&lab);
    let over = AtomicBool::new(false);
    let (mut killed, mut wrote) = (0, 0);
    let mut random = Random::new(seed);
    thread::scope(|scope| {
        // However it ends: who changes things would go on for ever.
        let _ending = Ending(&over);
        scope.spawn(|| {
            let mut random = Random::new(seed + 1_000_000);
            while !over.load(Ordering::SeqCst) {
                lab.server.apply(&change(&mut random));
            }
        });
        // Some live long enough to read and write, and some do not; it goes on until there were both. On a slow
        // machine that is longer: nobody who is killed too soon ever writes.
        let mut longest = 200;
        let mut rules = mode.lines(&lab.net.n1);
        while killed < kills || (wrote == 0 || wrote == killed) && killed < 10 * kills {
            killed += 1;
            let proxy = lab.proxy(&[]);
            thread::sleep(Duration::from_millis(random.between(1, longest) as u64));
            proxy.kill();
            let left = mode.lines(&lab.net.n1);
            wrote += usize::from(left != rules);
            rules = left;
            if wrote == 0 && killed % KILLS == 0 {
                longest *= 2;
            }
        }
    });
    assert!(
        wrote > 0 && wrote < killed,
        "{mode:?}: {wrote} of {killed} wrote"
    );
    let _proxy = lab.proxy(&["--check-period", "50"]);
    lab.settled();
    none_failed(loads, &format!("{mode:?}, seed {seed}"));
    lab.is_as_fresh(&format!("{mode:?}, seed {seed}"));
}

#[test]
fn packets_flow_while_the_proxy_and_the_server_come_and_go() {
    in_each_mode(
        "packets_flow_while_the_proxy_and_the_server_come_and_go",
        come_and_go,
    );
}

fn come_and_go(mode: Mode) {
    let mut lab = steady(mode);
    let loads = load(&lab);
    let go_on = || loads.iter().for_each(|load| load.go_on(4));
    let others = |n| service_yaml(n, "web", "", "") + &pod_yaml("p3", "web");
    let proxy = lab.proxy(&["--check-period", "50"]);
    lab.settled();
    go_on();
    proxy.end();
    lab.server.apply(&others(2));
    go_on();
    let proxy = lab.proxy(&["--check-period", "50"]);
    lab.settled();
    for (n, signal) in [(3, "TERM"), (4, "KILL")] {
        lab.end_server(signal);
        let rules = mode.lines(&lab.net.n1);
        go_on();
        assert_eq!(mode.lines(&lab.net.n1), rules, "{mode:?}: {signal}");
        lab.start_server();
        lab.change(&others(n));
        go_on();
    }
    // Both at once, and a change that the next proxy finds.
    proxy.kill();
    lab.end_server("KILL");
    go_on();
    lab.start_server();
    lab.server.apply(&others(5));
    let _proxy = lab.proxy(&["--check-period", "50"]);
    lab.settled();
    go_on();
    none_failed(loads, &format!("{mode:?}"));
    for n in 2..=5 {
        for family in &FAMILIES {
            let answers = connect(&lab.net.client, &family.at(n), 90);
            assert_eq!(pods(&answers), named(&["p1", "p2", "p3"]), "{mode:?}");
        }
    }
    lab.is_as_fresh(&format!("{mode:?}"));
}
