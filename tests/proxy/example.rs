//! The example for Kubernetes: what it gives a container is enough.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::mode::{Mode, modes};
use super::namespace::Namespace;
use super::node::{pod, service};
use super::process::{BINARY, Server};

/// What the example for Kubernetes gives a container, and what it asks it.
fn example() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/proxy/daemonset.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let all: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(all["kind"], "DaemonSet");
    all["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn the_example_has_the_rights_it_needs_and_no_others() {
    let container = example();
    let rights = &container["securityContext"];
    assert_eq!(rights["capabilities"]["drop"], serde_json::json!(["ALL"]));
    let added = rights["capabilities"]["add"].as_array().unwrap();
    let added: Vec<String> = added
        .iter()
        .map(|right| format!("+{}", right.as_str().unwrap().to_lowercase()))
        .collect();
    for probe in ["livenessProbe", "readinessProbe"] {
        let asked = &container[probe]["httpGet"];
        assert_eq!(
            (&asked["host"], &asked["port"]),
            (&"127.0.0.1".into(), &7402.into())
        );
        let path = asked["path"].as_str().unwrap();
        assert!(["/livez", "/readyz"].contains(&path), "{path}");
    }
    for mode in modes("the_example_has_the_rights_it_needs_and_no_others") {
        let namespace = Namespace::new("rights");
        mode.prepare(&namespace);
        namespace.sh("ip link set lo up");
        let folder = tempfile::tempdir().unwrap();
        let socket = format!("unix:{}", folder.path().join("socket").display());
        let server = Server::start_at(&socket, &[]);
        server.apply(&(service(1, "sessionAffinity: ClientIP") + &pod(1, "n1")));
        let once = |rights: &str| {
            Command::new("ip")
                .args(["netns", "exec", &namespace.name, "setpriv"])
                .args([
                    "--bounding-set",
                    rights,
                    "--inh-caps",
                    rights,
                    "--no-new-privs",
                ])
                .args([
                    BINARY,
                    "proxy",
                    "--mode",
                    mode.flag(),
                    "--once",
                    "--log",
                    "off",
                ])
                .args(["--node", "n1", "--server", &socket])
                .output()
                .unwrap()
        };
        // As a comment in the example says.
        let more = if mode == Mode::Iptables("legacy") {
            ",+net_raw"
        } else {
            ""
        };
        let with = once(&format!("-all,{}{more}", added.join(",")));
        assert!(
            with.status.success(),
            "{}",
            String::from_utf8_lossy(&with.stderr)
        );
        assert!(mode.has(&namespace, "10.96.0.1"));
        namespace.sh(mode.flush());
        let without = once("-all");
        assert!(!without.status.success(), "{mode:?}: none is needed");
    }
}
