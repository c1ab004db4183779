//! kube-proxy itself: a process with its own proxier, told what its informers would tell it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scenarios::peers::{self, Peers};

use super::cluster::{Change, Changed, Cluster, NODE, PODS};
use super::in_force::watched;
use super::namespace::Namespace;
use super::objects::{event, service, slice};
use super::program::run;
use super::sides::Cost;
use super::way::Way;

/// The node's address, and where virtual IPs are.
const NODE_IP: &str = "192.0.2.1";
const SERVICES: &str = "10.96.0.0/12";
/// Empty chains are deleted by a sync that begins later than this after the one that emptied them.
const STALE: Duration = Duration::from_secs(1);

/// The program, built.
pub struct Program {
    peers: Peers,
    /// As a yardstick is called.
    pub name: String,
    /// The Go that built it.
    pub go: String,
}

/// The program running, with rules in a namespace of its own.
pub struct KubeProxy {
    pub namespace: Namespace,
    way: Way,
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// What it said on standard error.
    said: File,
    _programs: Option<TempDir>,
}

#[derive(Deserialize)]
struct Answer {
    whole: f64,
    write: f64,
}

impl Program {
    /// Builds it.
    ///
    /// # Errors
    /// There is no Go, or it could not build it; said as a report says it.
    pub fn build() -> anyhow::Result<Program> {
        let go = peers::find().map_err(anyhow::Error::msg)?;
        let peers = Peers::new()?;
        peers.build(&go, "peers/kubeproxy", &["."])?;
        let built = built_from(&go, &peers.path("kubeproxy"))?;
        let (go, version) = versions(&built).context("it does not say what it was built from")?;
        Ok(Program {
            peers,
            name: format!("kube-proxy {version} itself"),
            go,
        })
    }
}

fn built_from(go: &Path, program: &Path) -> anyhow::Result<String> {
    let output = Command::new(go)
        .args(["version", "-m"])
        .arg(program)
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Of Go, and of Kubernetes' module, out of what `go version -m` prints.
fn versions(text: &str) -> Option<(String, String)> {
    let go = text.lines().next()?.rsplit(' ').next()?;
    let mut modules = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let version = modules.find_map(|words| match words.as_slice() {
        ["dep", "k8s.io/kubernetes", version, ..] => version.strip_prefix('v').map(str::to_owned),
        _ => None,
    });
    Some((go.to_owned(), version?))
}

impl KubeProxy {
    /// Makes the rules of an empty machine what they are to be.
    pub fn first(
        program: &Program,
        way: Way,
        cluster: &Cluster,
        cost: &mut Cost,
    ) -> anyhow::Result<KubeProxy> {
        let mut proxy = KubeProxy::start(&program.peers.path("kubeproxy"), way)?;
        for each in cluster.services.values() {
            proxy.say(&event("ADDED", service(each)))?;
            proxy.say(&event("ADDED", slice(each)))?;
        }
        proxy.ask(&json!({"type": "SYNCED"}), cost)?;
        Ok(proxy)
    }

    fn start(program: &Path, way: Way) -> anyhow::Result<KubeProxy> {
        let namespace = Namespace::new()?;
        let programs = way.kube_programs()?;
        let said = tempfile::tempfile()?;
        let mut command = Command::new(program);
        command
            .args([way.kube_mode(), NODE, NODE_IP, PODS, SERVICES])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.try_clone()?);
        if let Some(folder) = &programs {
            let path = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{path}", folder.path().display()));
        }
        let mut child = namespace.within(|| {
            run(&["ip", "link", "set", "lo", "up"], "")?;
            Ok(command.spawn()?)
        })?;
        Ok(KubeProxy {
            namespace,
            way,
            input: BufWriter::new(child.stdin.take().context("no input")?),
            output: BufReader::new(child.stdout.take().context("no output")?),
            child,
            said,
            _programs: programs,
        })
    }

    /// One change, from its event to the end of the sync that wrote it.
    pub fn change(&mut self, changed: &Changed, cost: &mut Cost) -> anyhow::Result<()> {
        let untimed = &mut Cost::default();
        let one = changed.after.as_ref().or(changed.before.as_ref());
        let one = one.context("nothing has changed")?;
        match changed.change {
            // A service and its slice are two events, and two syncs where nothing holds the first up: all rules
            // are written by the one that knows both.
            Change::ServiceAdded => {
                self.ask(&event("ADDED", slice(one)), untimed)?;
                self.ask(&event("ADDED", service(one)), cost)?;
            }
            Change::ServiceRemoved => {
                self.ask(&event("DELETED", service(one)), cost)?;
                self.ask(&event("DELETED", slice(one)), untimed)?;
            }
            Change::Replaced | Change::Added | Change::Removed => {
                self.ask(&event("MODIFIED", slice(one)), cost)?;
            }
        }
        if self.way == Way::Nftables && changed.change.removes() {
            // Chains that it leaves empty are deleted by a later sync, which is no part of it.
            thread::sleep(STALE);
            self.ask(&json!({"type": "SYNC"}), untimed)?;
        }
        Ok(())
    }

    /// What the kernel has.
    pub fn list(&self) -> anyhow::Result<String> {
        let way = self.way;
        self.namespace.within(|| way.list())
    }

    fn ask(&mut self, told: &Value, cost: &mut Cost) -> anyhow::Result<()> {
        let (input, output) = (&mut self.input, &mut self.output);
        let asked = self.namespace.within(|| {
            let ((answer, began), in_force) = watched(|| {
                let began = Instant::now();
                (exchange(input, output, told), began)
            })?;
            Ok((answer?, began, in_force))
        });
        let (answer, began, in_force) = match asked {
            Ok(asked) => asked,
            Err(error) => bail!("{error:#}; {}", self.last_words()),
        };
        cost.whole.push(answer.whole);
        cost.write.push(answer.write);
        if let Some(in_force) = in_force {
            let until = in_force.saturating_duration_since(began);
            cost.in_force.push(until.as_nanos() as f64);
        }
        Ok(())
    }

    fn say(&mut self, told: &Value) -> anyhow::Result<()> {
        say(&mut self.input, told)
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        let read = self
            .said
            .rewind()
            .and_then(|()| self.said.read_to_string(&mut text));
        match (read, text.trim().lines().last()) {
            (Ok(_), Some(last)) => format!("kube-proxy says {last:?}"),
            _ => "kube-proxy says nothing".to_owned(),
        }
    }
}

fn exchange(
    input: &mut BufWriter<ChildStdin>,
    output: &mut BufReader<ChildStdout>,
    told: &Value,
) -> anyhow::Result<Answer> {
    say(input, told)?;
    input.flush()?;
    let mut line = String::new();
    output.read_line(&mut line)?;
    serde_json::from_str(&line).context("kube-proxy has ended")
}

fn say(input: &mut BufWriter<ChildStdin>, told: &Value) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *input, told)?;
    Ok(input.write_all(b"\n")?)
}

impl Drop for KubeProxy {
    fn drop(&mut self) {
        // It leaves its rules, which go with the namespace.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_was_built_from_is_read() {
        let printed = "/tmp/kubeproxy: go1.26.8
\tpath\tgithub.com/selectord/selectord/load-tests/peers/kubeproxy
\tdep\tk8s.io/kube-proxy\tv0.34.3\th1:x=
\tdep\tk8s.io/kubernetes\tv1.34.3\th1:y=
";
        let read = versions(printed).unwrap();
        assert_eq!(read, ("go1.26.8".to_owned(), "1.34.3".to_owned()));
        assert_eq!(versions("/tmp/kubeproxy: go1.26.8"), None);
    }
}
