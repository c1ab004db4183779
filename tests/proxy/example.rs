//! The examples for Kubernetes: what they give a container is enough.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::mode::{Mode, modes};
use super::namespace::Namespace;
use super::node::{pod, service};
use super::process::{BINARY, Server};

/// The pod of an example.
fn pod_of(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/proxy");
    let text = std::fs::read_to_string(path.join(file)).unwrap();
    let all: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(all["kind"], "DaemonSet");
    let labels = &all["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&all["spec"]["selector"]["matchLabels"], labels, "{file}");
    all["spec"]["template"]["spec"].clone()
}

/// What the example gives the proxy's container, and what it asks it.
fn example() -> Value {
    pod_of("daemonset.yaml")["containers"][0].clone()
}

/// The rights that a container is given, as `setpriv` has them.
fn rights(container: &Value) -> String {
    let capabilities = &container["securityContext"]["capabilities"];
    assert_eq!(capabilities["drop"], serde_json::json!(["ALL"]));
    let added = capabilities["add"].as_array().unwrap().iter();
    let added = added.map(|right| format!(",+{}", right.as_str().unwrap().to_lowercase()));
    format!("-all{}", added.collect::<String>())
}

/// Runs the binary in a namespace with these rights and no others.
fn with_rights(namespace: &Namespace, rights: &str, args: &[&str]) -> Output {
    Command::new("ip")
        .args(["netns", "exec", &namespace.name, "setpriv"])
        .args(["--bounding-set", rights, "--inh-caps", rights])
        .args(["--no-new-privs", BINARY])
        .args(args)
        .output()
        .unwrap()
}

/// As a comment in the examples says.
fn more(mode: Mode) -> &'static str {
    match mode {
        Mode::Iptables("legacy") => ",+net_raw",
        _ => "",
    }
}

#[test]
fn the_example_has_the_rights_it_needs_and_no_others() {
    let container = example();
    let added = rights(&container);
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
            let args = ["proxy", "--mode", mode.flag(), "--once", "--log", "off"];
            let whose = ["--node", "n1", "--server", &socket];
            with_rights(&namespace, rights, &[&args[..], &whose].concat())
        };
        let with = once(&(added.clone() + more(mode)));
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

#[test]
fn what_cleans_up_has_the_rights_it_needs_and_says_what_was_there() {
    let (proxy, cleaner) = (pod_of("daemonset.yaml"), pod_of("cleanup.yaml"));
    let container = &cleaner["initContainers"][0];
    let (added, image) = (rights(container), &container["image"]);
    assert_eq!(added, rights(&example()));
    assert_eq!(image, &proxy["containers"][0]["image"]);
    for same in ["hostNetwork", "nodeSelector", "tolerations", "volumes"] {
        assert_eq!(cleaner[same], proxy[same], "{same}");
    }
    assert_eq!(
        container["volumeMounts"],
        proxy["containers"][0]["volumeMounts"]
    );
    let args = container["args"].as_array().unwrap();
    let args: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
    for mode in modes("what_cleans_up_has_the_rights_it_needs_and_says_what_was_there") {
        let namespace = Namespace::new("cleanup");
        mode.prepare(&namespace);
        namespace.sh("ip link set lo up");
        let folder = tempfile::tempdir().unwrap();
        let socket = format!("unix:{}", folder.path().join("socket").display());
        let server = Server::start_at(&socket, &[]);
        server.apply(&(service(1, "") + &pod(1, "n1")));
        namespace.sh(&format!(
            "{BINARY} proxy --mode {} --once --node n1 --server {socket} --log off",
            mode.flag()
        ));
        assert!(mode.has(&namespace, "10.96.0.1"));
        let cleanup = || {
            let done = with_rights(&namespace, &(added.clone() + more(mode)), &args);
            let err = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{mode:?}: {err}");
            String::from_utf8(done.stdout).unwrap()
        };
        let (removed, nothing) = match mode {
            Mode::Nftables => ("nftables: removed", "iptables: nothing"),
            Mode::Iptables(_) => ("iptables: removed", "nftables: nothing"),
        };
        let said = cleanup();
        assert!(said.contains(removed) && said.contains(nothing), "{said}");
        assert!(!mode.has(&namespace, "10.96.0.1"));
        let said = cleanup();
        assert_eq!(
            said,
            "nftables: nothing to remove\niptables: nothing to remove\n"
        );
    }
}

#[test]
fn what_cleans_up_after_kube_proxy_is_the_same_pod_otherwise() {
    let (ours, theirs) = (pod_of("cleanup.yaml"), pod_of("kube-proxy-cleanup.yaml"));
    for same in ["hostNetwork", "nodeSelector", "tolerations", "containers"] {
        assert_eq!(ours[same], theirs[same], "{same}");
    }
    let container = &theirs["initContainers"][0];
    assert_eq!(
        container["command"],
        serde_json::json!(["kube-proxy", "--cleanup"])
    );
}
