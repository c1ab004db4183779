//! Before a part of the journal goes, what it says is on the disk: seen in the calls to the system, as the
//! state's files are written past whatever a test can put under the store.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use selectord::client::Client;

use crate::merges::{PATIENCE, comes, journal, transaction};
use crate::process::{BINARY, Server};
use crate::root;

/// The calls that came to their end, in the order of these ends, each as it was written at its beginning.
fn calls(log: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let well = || !call.contains("= -1 ");
        if let Some(call) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, call);
        } else if call.starts_with("<... ") {
            calls.extend(begun.remove(thread).filter(|_| well()).map(str::to_owned));
        } else if well() {
            calls.push(call.to_owned());
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_part_of_the_journal_says_is_synced_elsewhere_before_it_goes() {
    let test = "what_a_part_of_the_journal_says_is_synced_elsewhere_before_it_goes";
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    if !traced.is_ok_and(|done| done.status.success()) {
        root::skip(test, "it needs strace, and the right to trace");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let log = folder.path().join("calls");
    let arguments = [
        "--data-dir",
        directory.to_str().unwrap(),
        "--journal-bytes",
        "1000",
    ];
    // The server is the child, and strace one of its own.
    let traced = [
        "strace",
        "-D",
        "-f",
        "-y",
        "-s",
        "4096",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=openat,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat",
        BINARY,
    ];
    let server = Server::start_by(&traced, "127.0.0.1:0", &arguments);
    let client = Client::connect(&server.address).await.unwrap();
    let first = journal(&directory);
    client.commit(transaction(0), "").await.unwrap();
    assert!(comes(PATIENCE, || journal(&directory) > first).await);
    let second = journal(&directory);
    drop((client, server));
    let ended = || read(&log).contains("+++");
    assert!(comes(PATIENCE, ended).await);

    let calls = calls(&read(&log));
    let (first, second) = (path(&directory, &first), path(&directory, &second));
    let state = path(&directory, "state");
    let steps: [(&[&str], String); 8] = [
        (&["fsync(", "fdatasync("], format!("<{second}>")),
        (&["fsync("], format!("<{}>", directory.display())),
        (&["fsync("], format!("<{state}/tables/")),
        (&["fsync("], format!("<{state}/tables>")),
        (&["fsync("], format!("<{state}/v")),
        (&["rename"], format!("{state}/current\"")),
        (&["fsync("], format!("<{state}>")),
        (&["unlink"], format!("\"{first}\"")),
    ];
    // A new part is begun, and what was before is in the state.
    let begun = |call: &&String| call.contains("O_CREAT") && call.contains(&second);
    let mut rest = calls.iter().skip_while(|call| !begun(call));
    for (names, path) in steps {
        let is_it =
            |call: &String| names.iter().any(|name| call.starts_with(name)) && call.contains(&path);
        let found = rest.any(is_it);
        assert!(
            found,
            "{names:?} of {path} does not follow:\n{}",
            calls.join("\n")
        );
    }
    // Nothing else took it away before.
    let gone = calls
        .iter()
        .filter(|call| call.starts_with("unlink") && call.contains(&first));
    assert_eq!(gone.count(), 1);
}

fn read(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).to_str().unwrap().to_owned()
}
