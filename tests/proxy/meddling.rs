//! Others that write rules, while a proxy runs and packets flow.

use std::fs::File;
use std::path::Path;

use super::lab::{FAMILIES, Lab, named, pod_yaml, pods, service_yaml};
use super::load::Load;
use super::mode::{Mode, in_each_mode, modes};
use super::node::until;
use super::program;
use super::talk::connect;

#[test]
fn a_proxy_that_runs_undoes_what_others_do() {
    in_each_mode("a_proxy_that_runs_undoes_what_others_do", undo);
}

fn undo(mode: Mode) {
    let lab = Lab::new(mode);
    lab.server.apply(
        &(pod_yaml("p3", "web")
            + &service_yaml(1, "web", "type: NodePort", ", nodePort: 30001")
            + &service_yaml(2, "web", "sessionAffinity: ClientIP", "")),
    );
    let _proxy = lab.proxy(&["--check-period", "20", "--sync-period", "100"]);
    lab.settled();
    let good = mode.lines(&lab.net.n1);
    for damage in mode.damages("10.96.0.1") {
        // What is mended in the midst of it may make it fail.
        lab.net.n1.try_sh(&damage);
        until(&format!("{mode:?}: the repair of {damage}"), || {
            mode.lines(&lab.net.n1) == good
        });
        for family in &FAMILIES {
            for to in [family.at(1), family.at_node(30001)] {
                let answers = connect(&lab.net.client, &to, 2);
                assert_eq!(pods(&answers), named(&["p3"]), "{mode:?}: {damage}");
            }
        }
    }
}

/// In the tool's place: it waits before it reads, once there is a file `hold`, until there is none, and
/// says with files of the names `began` and `ended` how far it is.
fn slow_tool(mode: Mode, folder: &Path) {
    let at = folder.display();
    for tool in mode.tools() {
        let script = format!(
            "#!/bin/sh\nPATH=${{PATH#*:}}\nif [ ! -e {at}/hold ]; then exec {tool} \"$@\"; fi\n\
             : > {at}/began\nwhile [ -e {at}/hold ]; do sleep 0.01; done\n\
             {tool} \"$@\"\n: > {at}/ended\n"
        );
        program::put(&folder.join(tool), &script);
    }
}

#[test]
fn a_write_that_outlives_its_proxy_is_whole() {
    in_each_mode("a_write_that_outlives_its_proxy_is_whole", outlive);
}

fn outlive(mode: Mode) {
    let lab = Lab::new(mode);
    let folder = tempfile::tempdir().unwrap();
    slow_tool(mode, folder.path());
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    // More text than a pipe holds.
    let many = |ports: std::ops::Range<u16>| -> String {
        let ports: Vec<String> = ports
            .map(|port| format!("{{name: n{port}, port: {port}, targetPort: 8080}}"))
            .collect();
        let service = |n: u8| {
            service_yaml(n, "web", "", "").replace(
                "{name: main, port: 80, targetPort: 8080}",
                &ports.join(", "),
            )
        };
        (1..=20).map(service).collect()
    };
    lab.server.apply(&(pod_yaml("p1", "web") + &many(80..100)));
    let proxy = lab.proxy_with(&[], &[("PATH", &path)]);
    lab.settled();
    let first = || {
        let mut lines = mode.lines(&lab.net.n1);
        lines.retain(|line| mode.is_first(line));
        lines
    };
    let before = first();
    let hold = folder.path().join("hold");
    std::fs::write(&hold, "").unwrap();
    lab.server.apply(&many(180..200));
    until("the write", || folder.path().join("began").exists());
    proxy.kill();
    std::fs::remove_file(&hold).unwrap();
    until("its end", || folder.path().join("ended").exists());
    // All of it was written, and the next one finds nothing to do there.
    let after = first();
    assert!(after != before, "{mode:?}: nothing was written");
    let _proxy = lab.proxy(&[]);
    lab.settled();
    assert!(first() == after, "{mode:?}: a part was written");
    lab.is_as_fresh(&format!("{mode:?}"));
}

#[test]
fn packets_flow_by_the_old_rules_while_another_holds_the_lock() {
    let test = "packets_flow_by_the_old_rules_while_another_holds_the_lock";
    // The others know no lock.
    let mode = Mode::Iptables("legacy");
    if !modes(test).contains(&mode) {
        return;
    }
    let lab = Lab::new(mode);
    lab.server
        .apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let file = File::create(&path).unwrap();
    let _proxy = lab.proxy_with(&[], &[("XTABLES_LOCKFILE", path.to_str().unwrap())]);
    lab.settled();
    file.lock().unwrap();
    lab.server
        .apply(&(pod_yaml("p1", "other") + &pod_yaml("p3", "web")));
    let load = Load::start(
        &lab.net.client,
        &FAMILIES.each_ref().map(|family| family.at(1)),
    );
    load.go_on(30);
    assert!(!lab.is_settled());
    let answered_by = |pod| {
        for family in &FAMILIES {
            let answers = connect(&lab.net.client, &family.at(1), 3);
            assert_eq!(pods(&answers), named(&[pod]));
        }
    };
    answered_by("p1");
    file.unlock().unwrap();
    lab.settled();
    answered_by("p3");
    let (connections, failed) = load.end();
    assert_eq!(failed, [], "of {connections}");
}
