//! The two nodes, with a server and this node's proxy: the real binary in each part.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::{Child, Command};

use super::mode::Mode;
use super::namespace::Namespace;
use super::node::until;
use super::process::{BINARY, Server};
use super::talk::Answer;
use super::topology::{Pod, Topology};
use super::world::PODS;

/// One family's addresses.
pub struct Family {
    pub v4: bool,
    pub service: fn(u8) -> String,
    pub balancer: fn(u8) -> String,
    pub node: &'static str,
    pub client: &'static str,
    pub pod: fn(&str) -> IpAddr,
}

pub const FAMILIES: [Family; 2] = [
    Family {
        v4: true,
        service: |n| format!("10.96.0.{n}"),
        balancer: |n| format!("203.0.113.{n}"),
        node: "192.0.2.1",
        client: "192.0.2.10",
        pod: |name| Pod::named(name).v4.parse().unwrap(),
    },
    Family {
        v4: false,
        service: |n| format!("[fd00:96::{n:x}]"),
        balancer: |n| format!("[2001:db8:113::{n:x}]"),
        node: "[2001:db8::1]",
        client: "2001:db8::a",
        pod: |name| Pod::named(name).v6.parse().unwrap(),
    },
];

impl Family {
    /// A service's virtual IP and port.
    pub fn at(&self, n: u8) -> String {
        format!("{}:80", (self.service)(n))
    }

    /// A pod's own address and port.
    pub fn at_pod(&self, name: &str, port: u16) -> String {
        std::net::SocketAddr::new((self.pod)(name), port).to_string()
    }

    /// A port of the node's.
    pub fn at_node(&self, port: u16) -> String {
        format!("{}:{port}", self.node)
    }
}

/// What is so of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Ready,
    /// It goes, and still answers.
    Leaving,
    /// It goes, and answers no more.
    Gone,
}

pub fn pod_is(name: &str, app: &str, is: Is) -> String {
    let Pod { node, v4, v6, .. } = Pod::named(name);
    let deleted = match is {
        Is::Ready => "",
        Is::Leaving | Is::Gone => ", deletionTimestamp: \"2026-01-01T00:00:00Z\"",
    };
    let ready = match is {
        Is::Ready | Is::Leaving => "True",
        Is::Gone => "False",
    };
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {app}}}{deleted}}}\nspec: {{nodeName: {node}}}\n\
         status: {{phase: Running, podIP: {v4}, podIPs: [{{ip: {v4}}}, {{ip: \"{v6}\"}}], conditions: [{{type: Ready, status: \"{ready}\"}}]}}\n"
    )
}

pub fn pod_yaml(name: &str, app: &str) -> String {
    pod_is(name, app, Is::Ready)
}

/// A service of both families by its number, with more fields, and with the end of its port.
pub fn service_yaml(n: u8, app: &str, fields: &str, port: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec:\n  selector: {{app: {app}}}\n  \
         clusterIPs: [10.96.0.{n}, \"fd00:96::{n:x}\"]\n  clusterIP: 10.96.0.{n}\n  ipFamilies: [IPv4, IPv6]\n  {fields}\n  \
         ports: [{{name: main, port: 80, targetPort: 8080{port}}}]\n"
    )
}

pub struct Lab {
    pub mode: Mode,
    pub net: Topology,
    pub server: Server,
    folder: tempfile::TempDir,
}

impl Lab {
    pub fn new(mode: Mode) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let net = Topology::new();
        mode.prepare(&net.n1);
        Lab {
            mode,
            net,
            server: server(&folder),
            folder,
        }
    }

    /// Kills the server, or asks it to end; waits until it has ended.
    pub fn end_server(&mut self, signal: &str) {
        send(signal, self.server.process.id());
        self.server.process.wait();
    }

    /// Starts a server again, with what the one before knew.
    pub fn start_server(&mut self) {
        self.server = server(&self.folder);
    }

    /// Applies manifests, and has the node's rules written once.
    pub fn apply(&self, manifests: &str) {
        self.server.apply(manifests);
        self.sync();
    }

    pub fn sync(&self) -> String {
        self.sync_in(&self.net.n1)
    }

    /// Writes the node's rules into a namespace, once, and answers what was printed.
    pub fn sync_in(&self, namespace: &Namespace) -> String {
        let output = self.command(namespace, &["--once"]).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{err}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, namespace: &Namespace, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &namespace.name, BINARY, "proxy"])
            .args(["--mode", self.mode.flag(), "--log", "off"])
            .args(["--node", "n1", "--cluster-cidr", PODS])
            .args(["--server", &self.server.address])
            .args(args)
            .envs(namespace.lock());
        command
    }

    /// A proxy that runs, with more arguments.
    pub fn proxy(&self, args: &[&str]) -> Proxy {
        self.proxy_with(args, &[])
    }

    /// A proxy that runs, with more arguments, in another environment.
    pub fn proxy_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Proxy {
        let mut command = self.command(&self.net.n1, &["--http", "off", "--min-sync-period", "10"]);
        command.args(args).envs(environment.iter().copied());
        Proxy(command.spawn().unwrap())
    }

    /// Whether a proxy that runs has written everything that the server knows, by its own report.
    pub fn is_settled(&self) -> bool {
        let status = self.server.ok(&["status", "-o", "json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let head = status["revision"].as_u64().unwrap();
        let subscribers = status["subscribers"].as_array().into_iter().flatten();
        let mut ours = subscribers.filter(|s| s["name"] == "proxy n1");
        ours.any(|s| s["appliedRevision"].as_u64() == Some(head))
    }

    pub fn settled(&self) {
        until("the newest revision", || self.is_settled());
    }

    /// Applies manifests, and waits until a proxy that runs has written them.
    pub fn change(&self, manifests: &str) {
        self.server.apply(manifests);
        self.settled();
    }

    /// The rules are those that a process writes that finds nothing, and the next process finds nothing
    /// to do. Emptied chains are given time to go.
    pub fn is_as_fresh(&self, context: &str) {
        let fresh = Namespace::apart("fresh");
        fresh.sh("ip link set lo up");
        self.mode.prepare(&fresh);
        self.sync_in(&fresh);
        let wanted = self.mode.lines(&fresh);
        until(&format!("{context}: the rules of a fresh sync"), || {
            self.mode.lines(&self.net.n1) == wanted
        });
        assert_eq!(self.sync(), "0 elements and 0 rules written\n", "{context}");
    }
}

fn server(folder: &tempfile::TempDir) -> Server {
    let listen = format!("unix:{}", folder.path().join("socket").display());
    let data = folder.path().join("data");
    Server::start_at(&listen, &["--data-dir", data.to_str().unwrap()])
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// A proxy that runs; it is killed with the test.
pub struct Proxy(Child);

impl Proxy {
    /// Asks it to end, and waits.
    pub fn end(mut self) {
        send("TERM", self.0.id());
        assert!(self.0.wait().unwrap().success());
    }

    /// Kills it, in the midst of whatever it does.
    pub fn kill(self) {}
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn pods(answers: &[Answer]) -> BTreeSet<String> {
    answers
        .iter()
        .map(|answer| answer.pod().to_owned())
        .collect()
}

pub fn saw(answers: &[Answer]) -> BTreeSet<IpAddr> {
    let saw = |answer: &Answer| match answer {
        Answer::By { saw, .. } => *saw,
        other => panic!("{other:?} among {answers:?}"),
    };
    answers.iter().map(saw).collect()
}

pub fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}
