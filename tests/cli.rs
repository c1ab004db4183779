//! The command line used wrongly and rightly: what it says, and its exit codes.

#![cfg(feature = "service")]

mod process;

use std::time::{Duration, Instant};

use process::{Done, Lines, PATIENCE, Server, logged, run};

/// An address at which nobody listens: none that the system gives to whoever asks for a free one.
fn nobody() -> String {
    "127.0.0.1:1".to_owned()
}

/// Asserts how a command fails, and what it says.
fn fails(done: &Done, code: i32, say: &[&str]) {
    assert_eq!(done.code, code, "{done:?}");
    for text in say {
        assert!(done.err.contains(text), "{text:?} is not in {:?}", done.err);
    }
}

fn alone(args: &[&str]) -> Done {
    run(&nobody(), args, "")
}

#[test]
fn used_wrongly_is_exit_code_2() {
    for (args, say) in [
        (&["bogus"][..], "unrecognized subcommand 'bogus'"),
        (&["get", "pods", "--bogus"], "unexpected argument '--bogus'"),
        (&["get"], "required arguments"),
        (
            &["get", "cronjobs"],
            "there is no resource type \"cronjobs\"",
        ),
        (
            &["get", "pods", "a", "-l", "b"],
            "give names or -l, not both",
        ),
        (&["get", "pods", "a", "-A"], "use -n instead of -A"),
        (&["get", "nodes", "--watch"], "nodes cannot be watched"),
        (&["get", "pods", "-o", "csv"], "invalid value 'csv'"),
        (
            &["get", "pods", "-l", "app in (rng"],
            "  app in (rng\n             ^",
        ),
        (&["label", "pods", "rng-a"], "say what to change"),
        (
            &["label", "pods", "a=b"],
            "say which: a name, -l SELECTOR, or --all",
        ),
        (
            &["label", "pods", "rng-a", "a=1", "a-"],
            "cannot both be set and removed",
        ),
        (
            &["label", "pods", "a=b", "rng-a"],
            "\"rng-a\" comes after the label changes",
        ),
        (&["label", "pods", "rng-a", "a=b=c"], "more than one '='"),
        (&["label", "pods", "rng-a", "a=no good"], "label value"),
        (
            &["label", "pods", "--all", "-l", "x", "a=b"],
            "give -l or --all, not both",
        ),
        (
            &["label", "pods", "--all", "a=b", "--resource-version", "3"],
            "--resource-version is for one object",
        ),
        (
            &["delete", "pods"],
            "say which: a name, -l SELECTOR, or --all",
        ),
        (&["delete"], "say what to delete"),
        (&["apply"], "say what to apply"),
        (&["count", "services"], "only pods are counted"),
        (&["count", "pods", "--by", "a b"], "no label key"),
        (
            &["explain", "app=rng", "--service", "rng"],
            "--service is asked about a pod",
        ),
        (&["watch", "nodes"], "nodes cannot be watched"),
        (&["selector", "a", "--labels", "b"], "\"b\" is not a label"),
        (
            &["serve", "--listen", "nowhere"],
            "\"nowhere\" is not an address to listen at",
        ),
        (
            &["serve", "--max-operations", "0"],
            "--max-operations must be at least 1",
        ),
        (
            &["serve", "--listen", "0.0.0.0:0"],
            "0.0.0.0:0 is not a loopback address",
        ),
        (
            &["get", "pods", "-s", "https://x:1"],
            "the scheme \"https\" is not supported",
        ),
        (&["-s", "nowhere", "get", "pods"], "\"nowhere\" has no port"),
        (
            &["proxy", "--node", "n1", "--masquerade-bit", "32"],
            "a number from 0 to 31",
        ),
        (&["completion", "tcsh"], "invalid value 'tcsh'"),
        (&["-n", "x", "completion", "bash"], "has no namespace"),
    ] {
        let done = alone(args);
        fails(&done, 2, &[say]);
        assert_eq!(done.out, "", "{args:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let address = nobody();
    let done = run(&address, &["get", "pods"], "");
    fails(
        &done,
        1,
        &[
            &format!("cannot reach selectord at {address}"),
            "selectord serve",
            "SELECTORD_SERVER",
        ],
    );
    // A variable that cannot be meant is named.
    let done = run("nowhere", &["get", "pods"], "");
    fails(&done, 1, &["SELECTORD_SERVER", "\"nowhere\" has no port"]);
}

#[test]
fn a_port_that_speaks_http_only_is_told_from_a_server() {
    let args = ["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut server = Lines::start("", &[&args[..], &["--log", "error"]].concat());
    server.next().unwrap();
    let line = server.next().unwrap();
    let http = line.strip_prefix("serving HTTP on ").unwrap();
    for verb in [&["get", "pods"][..], &["status"], &["watch", "pods"]] {
        let done = run(http, verb, "");
        fails(&done, 1, &["no gRPC: is that the port of --http?"]);
    }
    // Who wants that port as well is told which flag chooses another.
    let done = alone(&["proxy", "--node", "n1", "--http", http]);
    fails(&done, 1, &["choose another address with --http."]);
}

#[test]
fn what_ends_with_the_process_and_what_is_waited_for_is_logged() {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--http", "off"];
    logged(
        &serve,
        "state is in memory, and ends with this process (--data-dir keeps it)",
    );
    let away = format!("etcd://{}/x", nobody());
    let args = [&serve[..], &["--store", &away]].concat();
    logged(&args, &format!("waiting for etcd at {away}"));
}

#[test]
fn a_file_is_no_data_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "a letter").unwrap();
    let path = file.path().to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--http", "off"];
    let done = alone(&[&serve[..], &["--data-dir", path]].concat());
    fails(&done, 1, &[path, "is a file, not a directory"]);
    let done = alone(&["snapshot", "status", path]);
    fails(&done, 1, &[path, "is not a snapshot"]);
}

#[test]
fn the_server_is_found_by_flag_before_the_verb_or_behind_it_or_by_the_environment() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    let name = "pod/rng-h7k2p\n";
    assert_eq!(server.ok(&["get", "pod/rng-h7k2p", "-o", "name"]), name);
    for args in [
        &[
            "get",
            "pod/rng-h7k2p",
            "-o",
            "name",
            "--server",
            &server.address,
        ][..],
        &[
            "-s",
            &server.address,
            "-n",
            "default",
            "get",
            "pod/rng-h7k2p",
            "-o",
            "name",
        ],
    ] {
        assert_eq!(run(&nobody(), args, "").out, name, "{args:?}");
    }
}

#[test]
fn wrong_files_apply_nothing_and_are_named() {
    let server = Server::start(&[]);
    let good = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: good\n";
    let bad = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\n  labels:\n    active: yes\n";
    let done = run(
        &server.address,
        &["apply", "-f", "-"],
        &format!("{good}---\n{bad}"),
    );
    fails(&done, 1, &["stdin", "active", "\"yes\""]);
    fails(
        &server.run(&["apply", "-f", "no/such/file.yaml"]),
        1,
        &["no/such/file.yaml"],
    );
    let done = run(&server.address, &["apply", "-f", "-"], "{\"kind\": ");
    fails(&done, 1, &["stdin"]);
    let done = run(
        &server.address,
        &["apply", "-n", "other", "-f", "-"],
        &good.replace("name: good", "name: good\n  namespace: mine"),
    );
    fails(&done, 1, &["pod mine/good is not in namespace other"]);
    let done = server.run(&["get", "pods", "-A"]);
    assert_eq!(
        (done.code, done.out.as_str(), done.err.as_str()),
        (0, "", "No pods found.\n")
    );
    let done = run(&nobody(), &["serve", "--manifests", "no/such/dir"], "");
    fails(&done, 1, &["no/such/dir"]);
}

#[test]
fn what_is_not_there_is_exit_code_1() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    let done = server.run(&["get", "pods", "no-such", "rng-h7k2p", "-o", "name"]);
    fails(&done, 1, &["pod default/no-such not found"]);
    assert_eq!(done.out, "pod/rng-h7k2p\n");
    fails(
        &server.run(&["get", "endpoints", "no-such"]),
        1,
        &["default/no-such not found"],
    );
    fails(
        &server.run(&["get", "node", "no-such"]),
        1,
        &["node no-such not found"],
    );
    fails(
        &server.run(&["label", "pod", "no-such", "a=b"]),
        1,
        &["pod default/no-such not found"],
    );
    for (pod, service) in [("rng-h7k2p", "no-such"), ("no-such", "rng")] {
        let pod = format!("pod/{pod}");
        let done = server.run(&["explain", &pod, "--service", service]);
        fails(&done, 1, &[]);
        assert!(done.out.contains("there is none of this name"), "{done:?}");
    }
    // That it is none of its endpoints is an answer.
    let answer = server.ok(&["explain", "pod/rng-h7k2p", "--service", "hasher"]);
    assert!(answer.contains("is not an endpoint"), "{answer}");
    let done = server.run(&["delete", "pod", "no-such", "rng-h7k2p"]);
    fails(&done, 1, &["pod default/no-such not found"]);
    assert_eq!(done.out, "pod \"rng-h7k2p\" deleted\n");
    assert_eq!(
        server
            .run(&["delete", "pod", "no-such", "--ignore-not-found"])
            .code,
        0
    );
}

#[test]
fn label_keeps_kubectls_rules_in_one_transaction() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    server.ok(&["label", "pod", "rng-h7k2p", "active=no"]);
    let before = server.revision();
    let done = server.run(&["label", "pods", "-l", "app=rng", "active=yes"]);
    fails(
        &done,
        1,
        &[
            "nothing was changed",
            "nothing was changed: pod default/rng-h7k2p already has the label active=no",
            "Say --overwrite to replace the value.",
        ],
    );
    assert_eq!(server.revision(), before);
    assert_eq!(
        server.ok(&[
            "label",
            "pods",
            "rng-h7k2p",
            "rng-t9w5c",
            "active=yes",
            "x-",
            "--overwrite"
        ]),
        "pod/rng-h7k2p modified\npod/rng-t9w5c modified\n"
    );
    assert_eq!(server.revision(), before + 1);
    assert_eq!(
        server.ok(&[
            "label",
            "pod",
            "rng-h7k2p",
            "active=yes",
            "--resource-version",
            "1"
        ]),
        "pod/rng-h7k2p not labeled\n"
    );
    let stale = server.run(&[
        "label",
        "pod",
        "rng-h7k2p",
        "active-",
        "--resource-version",
        "1",
    ]);
    fails(&stale, 1, &["nothing was changed", "pod default/rng-h7k2p"]);
    assert_eq!(
        server
            .ok(&["label", "pods", "--all", "x=y", "--dry-run"])
            .lines()
            .count(),
        4
    );
    assert_eq!(server.revision(), before + 1);
    let list = server.ok(&["label", "pod", "rng-h7k2p", "--list"]);
    assert_eq!(
        list,
        "active=yes\napp=rng\ncontroller-revision-hash=6b7c9d4f5\npod-template-generation=1\n"
    );
}

#[test]
fn one_node_is_shown_and_labeled_by_its_name() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    assert_eq!(
        server.ok(&["get", "node", "node1", "--no-headers"]),
        "node1   east   2\n"
    );
    assert_eq!(
        server.ok(&["label", "node", "node1", "pool=spot"]),
        "node/node1 labeled\n"
    );
    let list = server.ok(&["label", "node", "node1", "--list"]);
    assert_eq!(
        list,
        "kubernetes.io/hostname=node1\npool=spot\ntopology.kubernetes.io/zone=east\n"
    );
    fails(
        &server.run(&["label", "node", "no-such", "pool=spot"]),
        1,
        &["node no-such"],
    );
}

#[test]
fn what_is_printed_can_be_applied_again() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    let copy = Server::start(&[]);
    for kind in ["nodes", "services", "pods"] {
        copy.apply(&server.ok(&["get", kind, "-A", "-o", "yaml"]));
    }
    let applied = copy.apply(&server.ok(&["get", "pods", "-A", "-o", "json"]));
    assert!(
        applied
            .lines()
            .take(4)
            .all(|line| line.ends_with(" unchanged")),
        "{applied}"
    );
    assert!(
        applied.ends_with("4 objects in 1 transaction, revision 3\n"),
        "{applied}"
    );
    assert_eq!(
        copy.ok(&["get", "endpoints"]),
        server.ok(&["get", "endpoints"])
    );
    // Slices that we computed are no hand-made ones.
    let slices = server.ok(&["get", "endpoints", "-o", "json"]);
    let done = run(&copy.address, &["apply", "-f", "-"], &slices);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    assert!(
        done.err
            .contains("skipped: 4 EndpointSlice computed by selectord"),
        "{done:?}"
    );
}

#[test]
fn many_objects_go_in_as_few_transactions_as_fit() {
    let server = Server::start(&[]);
    let pods: String = (0..10_001)
        .map(|n| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p-{n}\n  labels: {{app: x}}\n---\n"
            )
        })
        .collect();
    let done = run(&server.address, &["apply", "-f", "-", "--atomic"], &pods);
    fails(&done, 1, &["nothing was changed", "10000"]);
    let applied = server.apply(&pods);
    assert!(
        applied.ends_with("10001 objects in 2 transactions, revision 2\n"),
        "{}",
        applied.len()
    );
    assert_eq!(server.ok(&["count", "pods", "-l", "app=x"]), "10001\n");
    assert_eq!(
        server.ok(&["get", "pods", "-o", "name"]).lines().count(),
        10_001
    );
    assert_eq!(
        server
            .ok(&["delete", "pods", "-l", "app=x", "-o", "name"])
            .lines()
            .count(),
        10_001
    );
    assert_eq!(server.ok(&["count", "pods"]), "0\n");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let server = Server::start(&["--manifests", "examples/rng"]);
    let mut watch = Lines::start(&server.address, &["watch", "endpoints", "rng"]);
    watch.next().unwrap();
    watch.close();
    // A process that another test starts may have the other end until it begins its program: as long as
    // somebody might read, nothing is wrong.
    let mut labels = ["app-", "app=rng"].into_iter().cycle();
    let began = Instant::now();
    while watch.is_running() {
        assert!(began.elapsed() < PATIENCE, "it goes on");
        server.ok(&["label", "pod", "rng-h7k2p", labels.next().unwrap()]);
    }
    assert_eq!(watch.wait(), 0);
}

#[test]
fn a_signal_ends_the_server_well_and_a_watch_finds_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}", directory.path().join("selectord.sock").display());
    let args = [
        "serve",
        "--listen",
        &socket,
        "--http",
        "off",
        "--log",
        "error",
        "--manifests",
    ];
    let start = |manifests: &str| {
        let mut server = Lines::start("", &[&args[..], &[manifests]].concat());
        assert_eq!(server.next(), Some(format!("serving gRPC on {socket}")));
        server
    };
    let mut server = start("examples/rng");
    let mut watch = Lines::start(&socket, &["watch", "endpoints", "rng"]);
    while watch.next().unwrap() != "= checkpoint rev 1" {}

    terminate(&server);
    assert_eq!(server.wait(), 0);
    let _next = start("examples/rng-active");
    let gone: Vec<String> = std::iter::from_fn(|| watch.next())
        .take_while(|line| !line.starts_with('='))
        .collect();
    assert_eq!(
        gone.iter()
            .filter(|line| line.starts_with("- default/rng 10.244."))
            .count(),
        3,
        "{gone:?}"
    );
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut server = Server::start(&["--manifests", "examples/rng", "--drain", "3600"]);
    // A call that never ends keeps the server draining.
    let idle = std::net::TcpStream::connect(&server.address).unwrap();
    let mut watch = server.watch("rng");
    watch.until(1);
    terminate(&server.process);
    let begun = Instant::now();
    while server.process.is_running() && begun.elapsed() < Duration::from_secs(60) {
        terminate(&server.process);
        std::thread::yield_now();
    }
    assert!(matches!(server.process.wait(), 0 | 1));
    drop(idle);
}

/// Sends SIGTERM.
fn terminate(process: &Lines) {
    let pid = process.id().to_string();
    let _ = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .stderr(std::process::Stdio::null())
        .status();
}

#[test]
fn help_and_version_are_no_failures() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["get", "-h"],
        &["serve", "--help"],
        &["completion", "bash"],
    ] {
        let done = alone(args);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{args:?}");
        assert!(!done.out.is_empty(), "{args:?}");
    }
}
