//! Three members of etcd on this machine, with a wire from each to each.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::patience::until;
use crate::proxy::{Link, forward_peers};

/// How many there are.
pub const MEMBERS: usize = 3;

/// Wires, by who sends (a member's number as etcd writes it) and who receives.
type Wires = Arc<Mutex<HashMap<(String, usize), Link>>>;

struct Member {
    client: SocketAddr,
    peer: SocketAddr,
    /// Where the others find it: the proxy before its peer port.
    advertised: SocketAddr,
    /// Its number, as it calls itself.
    id: String,
    process: Option<Child>,
}

/// The members. Dropping it ends them.
pub struct Members {
    folder: tempfile::TempDir,
    members: Vec<Member>,
    wires: Wires,
}

/// Whether etcd and etcdctl can be run here.
pub fn there_is_etcd() -> bool {
    ["etcd", "etcdctl"].into_iter().all(|program| {
        let mut command = Command::new(program);
        command.arg(if program == "etcd" {
            "--version"
        } else {
            "version"
        });
        let ran = command.env("ETCDCTL_API", "3").output();
        ran.is_ok_and(|output| output.status.success())
    })
}

/// A port that is free, and will be when its process is dead and to be started again: below those
/// that the system gives to whoever connects.
fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 10_000) as u16;
    loop {
        let next = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + next));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Members {
    /// Starts them, and waits until they have a leader.
    pub async fn start() -> Members {
        let mut members = Vec::new();
        let wires = Wires::default();
        for index in 0..MEMBERS {
            let peer = free_port();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let advertised = listener.local_addr().unwrap();
            let known = Arc::clone(&wires);
            let link_from = move |from: &str| link(&known, from, index);
            tokio::spawn(forward_peers(listener, peer, link_from));
            members.push(Member {
                client: free_port(),
                peer,
                advertised,
                id: String::new(),
                process: None,
            });
        }
        let mut all = Members {
            folder: tempfile::tempdir().unwrap(),
            members,
            wires,
        };
        (0..MEMBERS).for_each(|index| all.begin(index));
        all.ready().await;
        for index in 0..MEMBERS {
            let status = all.ctl(&[index], &["endpoint", "status", "-w", "json"]);
            let status: Value = serde_json::from_str(&status.unwrap()).unwrap();
            let id = status[0]["Status"]["header"]["member_id"].as_u64().unwrap();
            all.members[index].id = format!("{id:x}");
        }
        all
    }

    /// Waits until each that runs answers, and they have a leader.
    pub async fn ready(&self) {
        let running = |index: &usize| self.members[*index].process.is_some();
        let running: Vec<usize> = (0..MEMBERS).filter(running).collect();
        let health = async || self.ctl(&running, &["endpoint", "health"]).map(drop);
        until("a leader of etcd", health).await;
    }

    /// Where clients find a member.
    pub fn client(&self, index: usize) -> SocketAddr {
        self.members[index].client
    }

    /// Starts a member on what it has on its disk.
    pub fn begin(&mut self, index: usize) {
        let url = |address: SocketAddr| format!("http://{address}");
        let log = self.folder.path().join(format!("m{index}.log"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let member = &self.members[index];
        let process = Command::new("etcd")
            .args(["--name", &format!("m{index}")])
            .args(["--data-dir", self.directory(index).to_str().unwrap()])
            .args(["--listen-client-urls", &url(member.client)])
            .args(["--advertise-client-urls", &url(member.client)])
            .args(["--listen-peer-urls", &url(member.peer)])
            .args(["--initial-advertise-peer-urls", &url(member.advertised)])
            .args(["--initial-cluster", &self.cluster()])
            .args(["--initial-cluster-token", "selectord-test"])
            .args(["--logger", "zap", "--log-level", "warn"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.members[index].process = Some(process);
    }

    fn cluster(&self) -> String {
        let members = self.members.iter().enumerate();
        let named = members.map(|(index, it)| format!("m{index}=http://{}", it.advertised));
        named.collect::<Vec<_>>().join(",")
    }

    fn directory(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("m{index}"))
    }

    /// Kills a member; its disk stays.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut process) = self.members[index].process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends a member `STOP` or `CONT`.
    pub fn signal(&self, index: usize, name: &str) {
        if let Some(process) = &self.members[index].process {
            signal(process, name);
        }
    }

    /// The wires from and to a member, on which it talks with the others.
    pub fn wires(&self, index: usize) -> Vec<Link> {
        let others = (0..MEMBERS).filter(|other| *other != index);
        let both = others.flat_map(|other| {
            let (own, theirs) = (&self.members[index].id, &self.members[other].id);
            [
                link(&self.wires, own, other),
                link(&self.wires, theirs, index),
            ]
        });
        // What does not say from whom it is concerns at least who receives it.
        both.chain([link(&self.wires, "", index)]).collect()
    }

    /// Which member leads.
    pub fn leader(&self) -> Result<usize, String> {
        let every: Vec<usize> = (0..MEMBERS).collect();
        let status = self.ctl(&every, &["endpoint", "status", "-w", "json"])?;
        let status: Value = serde_json::from_str(&status).map_err(|error| error.to_string())?;
        let leader = status[0]["Status"]["leader"].as_u64().unwrap_or(0);
        let leads = |member: &Member| member.id == format!("{leader:x}");
        let found = self.members.iter().position(leads);
        found.ok_or_else(|| "nobody leads".to_owned())
    }

    /// Has the leader make another member lead.
    pub fn hand_over(&self, leader: usize, next: usize) -> Result<(), String> {
        let next = &self.members[next].id;
        self.ctl(&[leader], &["move-leader", next]).map(drop)
    }

    /// Runs etcdctl against some members.
    pub fn ctl(&self, members: &[usize], args: &[&str]) -> Result<String, String> {
        let endpoints: Vec<String> = members
            .iter()
            .map(|m| self.client(*m).to_string())
            .collect();
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--command-timeout", "10s", "--dial-timeout", "5s"])
            .args(["--endpoints", &endpoints.join(",")])
            .args(args);
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The newest revision, read through a quorum.
    pub fn revision(&self) -> Result<u64, String> {
        let every: Vec<usize> = (0..MEMBERS).collect();
        let got = self.ctl(&every, &["get", "/", "--limit", "1", "-w", "json"])?;
        let got: Value = serde_json::from_str(&got).map_err(|error| error.to_string())?;
        got["header"]["revision"]
            .as_u64()
            .ok_or_else(|| "no revision".to_owned())
    }

    /// Writes a backup of what a member has, which is everything up to now.
    pub fn back_up(&self, name: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        // A read through the quorum at this member: it has applied what was acknowledged before.
        self.ctl(&[0], &["get", "/"]).unwrap();
        let save = ["snapshot", "save", file.to_str().unwrap()];
        self.ctl(&[0], &save).unwrap();
        file
    }

    /// Ends all members, and begins them anew with what a backup has. The wires stay.
    pub async fn restore(&mut self, file: &std::path::Path) {
        for index in 0..MEMBERS {
            self.kill(index);
            fs::remove_dir_all(self.directory(index)).unwrap();
            let advertised = format!("http://{}", self.members[index].advertised);
            let (name, cluster) = (format!("m{index}"), self.cluster());
            let directory = self.directory(index);
            let arguments = [
                "snapshot",
                "restore",
                file.to_str().unwrap(),
                "--name",
                &name,
                "--initial-cluster",
                &cluster,
                "--initial-cluster-token",
                "selectord-test",
                "--initial-advertise-peer-urls",
                &advertised,
                "--data-dir",
                directory.to_str().unwrap(),
            ];
            self.ctl(&[], &arguments).unwrap();
        }
        (0..MEMBERS).for_each(|index| self.begin(index));
        self.ready().await;
    }
}

/// The wire between two, made when it is first asked for.
fn link(wires: &Wires, from: &str, to: usize) -> Link {
    let mut wires = wires.lock().unwrap_or_else(PoisonError::into_inner);
    wires.entry((from.to_owned(), to)).or_default().clone()
}

/// Sends a process a signal.
pub fn signal(process: &Child, name: &str) {
    let kill = format!("kill -{name} {}", process.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success(), "{kill}");
}

impl Drop for Members {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|index| self.kill(index));
    }
}
