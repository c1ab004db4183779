//! Three members of etcd on this machine, with a wire from each to each.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::member::{self, Member};
use crate::patience::until;
use crate::proxy::{Link, forward_peers};

/// How many there are.
pub const MEMBERS: usize = 3;

/// Wires, by who sends (a member's number as etcd writes it) and who receives.
type Wires = Arc<Mutex<HashMap<(String, usize), Link>>>;

/// The members. Dropping it ends them.
pub struct Members {
    // Ended before the folder goes.
    members: Vec<Member>,
    folder: tempfile::TempDir,
    /// The number of each, as it calls itself.
    ids: Vec<String>,
    wires: Wires,
}

impl Members {
    /// Starts them, and waits until they have a leader.
    pub async fn start() -> Members {
        let mut members = Vec::new();
        let wires = Wires::default();
        for index in 0..MEMBERS {
            let mut member = Member::new(index);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            member.advertised = listener.local_addr().unwrap();
            let known = Arc::clone(&wires);
            let link_from = move |from: &str| link(&known, from, index);
            tokio::spawn(forward_peers(listener, member.peer, link_from));
            members.push(member);
        }
        let mut all = Members {
            folder: tempfile::tempdir().unwrap(),
            members,
            ids: Vec::new(),
            wires,
        };
        (0..MEMBERS).for_each(|index| all.begin(index));
        all.ready().await;
        for index in 0..MEMBERS {
            let status = all.ctl(&[index], &["endpoint", "status", "-w", "json"]);
            let status: Value = serde_json::from_str(&status.unwrap()).unwrap();
            let id = status[0]["Status"]["header"]["member_id"].as_u64().unwrap();
            all.ids.push(format!("{id:x}"));
        }
        all
    }

    /// Waits until each that runs answers, and they have a leader.
    pub async fn ready(&self) {
        let running = |index: &usize| self.members[*index].runs();
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
        let cluster = self.cluster();
        self.members[index].begin(self.folder.path(), &cluster, "http", &[]);
    }

    fn cluster(&self) -> String {
        let named: Vec<String> = self.members.iter().map(Member::in_cluster).collect();
        named.join(",")
    }

    /// Kills a member; its disk stays.
    pub fn kill(&mut self, index: usize) {
        self.members[index].kill();
    }

    /// Sends a member `STOP` or `CONT`.
    pub fn signal(&self, index: usize, name: &str) {
        self.members[index].signal(name);
    }

    /// The wires from and to a member, on which it talks with the others.
    pub fn wires(&self, index: usize) -> Vec<Link> {
        let others = (0..MEMBERS).filter(|other| *other != index);
        let both = others.flat_map(|other| {
            let (own, theirs) = (&self.ids[index], &self.ids[other]);
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
        let leader = format!("{leader:x}");
        let found = self.ids.iter().position(|id| *id == leader);
        found.ok_or_else(|| "nobody leads".to_owned())
    }

    /// Has the leader make another member lead.
    pub fn hand_over(&self, leader: usize, next: usize) -> Result<(), String> {
        let next = &self.ids[next];
        self.ctl(&[leader], &["move-leader", next]).map(drop)
    }

    /// Runs etcdctl against some members.
    pub fn ctl(&self, members: &[usize], args: &[&str]) -> Result<String, String> {
        let endpoints: Vec<String> = members
            .iter()
            .map(|m| self.client(*m).to_string())
            .collect();
        let endpoints = ["--endpoints", &endpoints.join(",")];
        tokio::task::block_in_place(|| member::ctl(&[&endpoints[..], args].concat()))
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
        let cluster = self.cluster();
        for member in &mut self.members {
            member.kill();
            member.restore(self.folder.path(), &cluster, file);
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
