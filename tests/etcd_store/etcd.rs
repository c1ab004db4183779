//! Members of etcd, as processes on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selectord::store::etcd::{EtcdOptions, EtcdStore};
use serde_json::Value;

use crate::member::{self, Member, there_is_etcd};

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at something that does not tell by itself.
const PAUSE: Duration = Duration::from_millis(30);

/// One etcd of one or more members. Dropping it ends them.
pub struct Etcd {
    // Ended before the folder goes.
    members: Vec<Member>,
    folder: tempfile::TempDir,
    scheme: &'static str,
    /// For every member, and for every etcdctl.
    arguments: Vec<String>,
    credentials: Vec<String>,
}

impl Etcd {
    /// One member; none where there is no etcd.
    pub async fn one() -> Option<Etcd> {
        Etcd::with(1, &[]).await
    }

    /// Some members, with arguments for each.
    pub async fn with(members: usize, arguments: &[&str]) -> Option<Etcd> {
        let mut etcd = Etcd::prepared(members, "http")?;
        etcd.arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        etcd.start().await;
        Some(etcd)
    }

    /// One member that speaks TLS and asks for certificates; `files` writes what is needed into a folder:
    /// `ca.pem`, `cert.pem`, `key.pem`.
    pub async fn with_tls(files: impl FnOnce(&Path)) -> Option<Etcd> {
        let mut etcd = Etcd::prepared(1, "https")?;
        files(etcd.folder.path());
        let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| etcd.file(name));
        for (server, client, file) in [
            ("--trusted-ca-file", "--cacert", &ca),
            ("--cert-file", "--cert", &cert),
            ("--key-file", "--key", &key),
        ] {
            let file = file.to_str().unwrap().to_owned();
            etcd.arguments.extend([server.to_owned(), file.clone()]);
            etcd.credentials.extend([client.to_owned(), file]);
        }
        etcd.arguments.push("--client-cert-auth".to_owned());
        etcd.start().await;
        Some(etcd)
    }

    fn prepared(members: usize, scheme: &'static str) -> Option<Etcd> {
        there_is_etcd().then(|| Etcd {
            folder: tempfile::tempdir().unwrap(),
            members: (0..members).map(Member::new).collect(),
            scheme,
            arguments: Vec::new(),
            credentials: Vec::new(),
        })
    }

    async fn start(&mut self) {
        (0..self.members.len()).for_each(|index| self.begin(index));
        self.ready().await;
    }

    /// Waits until it takes requests.
    pub async fn ready(&self) {
        until("a leader of etcd", async || {
            self.try_ctl(&["endpoint", "health"]).map(drop)
        })
        .await;
    }

    /// A file in a folder of this test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How to connect to it, and where: every member, under `/test`.
    pub fn options(&self) -> EtcdOptions {
        let members: Vec<String> = self.members.iter().map(|m| m.client.to_string()).collect();
        let address = format!("etcd://{}/test", members.join(","));
        EtcdOptions {
            heartbeat: Duration::from_millis(100),
            ..EtcdOptions::new(address.parse().unwrap())
        }
    }

    /// Where clients find a member.
    pub fn client(&self, index: usize) -> SocketAddr {
        self.members[index].client
    }

    pub async fn connect(&self) -> EtcdStore {
        EtcdStore::connect(self.options()).await.unwrap()
    }

    /// Starts a member on what it has on its disk.
    pub fn begin(&mut self, index: usize) {
        let (cluster, scheme) = (self.cluster(), self.scheme);
        self.members[index].begin(self.folder.path(), &cluster, scheme, &self.arguments);
    }

    /// Kills a member, takes its disk away, and begins it as a cluster of its own.
    pub fn begin_alone(&mut self, index: usize) {
        self.kill(index);
        let (folder, member) = (self.folder.path(), &mut self.members[index]);
        std::fs::remove_dir_all(member.directory(folder)).unwrap();
        let alone = member.in_cluster();
        member.begin(folder, &alone, self.scheme, &self.arguments);
    }

    /// How to connect to it, with its members in another order.
    pub fn options_of(&self, order: &[usize]) -> EtcdOptions {
        let members: Vec<String> = order
            .iter()
            .map(|index| self.client(*index).to_string())
            .collect();
        let address = format!("etcd://{}/test", members.join(","));
        EtcdOptions {
            address: address.parse().unwrap(),
            timeout: Duration::from_secs(4),
            ..self.options()
        }
    }

    /// Every key that a member has.
    pub fn keys_at(&self, index: usize) -> String {
        let endpoint = format!("{}://{}", self.scheme, self.client(index));
        let all = ["get", "/", "--prefix", "--keys-only", "--endpoints"];
        member::ctl(&[&all[..], &[&endpoint]].concat()).unwrap()
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

    /// Which member leads, as soon as one does.
    pub async fn leader(&self) -> usize {
        until("a leader of etcd", async || {
            let printed = self.try_ctl(&["endpoint", "status", "-w", "json"])?;
            let status: Value = serde_json::from_str(&printed).unwrap();
            let members = status.as_array().unwrap();
            let leads = |member: &&Value| {
                member["Status"]["leader"] == member["Status"]["header"]["member_id"]
            };
            let leader = members.iter().find(leads).ok_or(printed)?;
            let leader = leader["Endpoint"].as_str().unwrap();
            let is_it = |member: &Member| leader.ends_with(&member.client.to_string());
            Ok(self.members.iter().position(is_it).unwrap())
        })
        .await
    }

    /// Says who etcdctl is from here on.
    pub fn log_in(&mut self, user: &str) {
        self.credentials.push(format!("--user={user}"));
    }

    /// Runs etcdctl, and answers what it printed.
    pub fn ctl(&self, args: &[&str]) -> String {
        match self.try_ctl(args) {
            Ok(printed) => printed,
            Err(why) => panic!("etcdctl {args:?}: {why}"),
        }
    }

    fn try_ctl(&self, args: &[&str]) -> Result<String, String> {
        let running = self.members.iter().filter(|member| member.runs());
        let endpoints: Vec<String> = running
            .map(|member| format!("{}://{}", self.scheme, member.client))
            .collect();
        let endpoints = endpoints.join(",");
        let mut all = vec!["--endpoints", &endpoints];
        all.extend(self.credentials.iter().map(String::as_str));
        all.extend(args);
        member::ctl(&all)
    }

    /// Ends a single member, and begins it anew with what a backup has.
    pub async fn restore(&mut self, backup: &Path) {
        self.kill(0);
        self.members[0].restore(self.folder.path(), &self.cluster(), backup);
        self.start().await;
    }
}

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(what: &str, answer: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: it did not come"),
    }
}

/// Looks again and again, until there is something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut why = String::new();
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            match look().await {
                Ok(found) => return found,
                Err(reason) => why = reason,
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    match found.await {
        Ok(found) => found,
        Err(_) => panic!("{what}: it did not come: {why}"),
    }
}
