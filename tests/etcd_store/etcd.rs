//! Members of etcd, as processes on this machine.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use selectord::store::etcd::{EtcdOptions, EtcdStore};
use serde_json::Value;

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at something that does not tell by itself.
const PAUSE: Duration = Duration::from_millis(30);

/// One etcd of one or more members. Dropping it ends them.
pub struct Etcd {
    folder: tempfile::TempDir,
    members: Vec<Member>,
    scheme: &'static str,
    /// For every member, and for every etcdctl.
    arguments: Vec<String>,
    credentials: Vec<String>,
}

struct Member {
    client: SocketAddr,
    peer: SocketAddr,
    process: Option<Child>,
}

/// Whether etcd and etcdctl can be run here; says so if not.
fn there_is_etcd() -> bool {
    let runs = |program: &str, argument: &str| {
        let ran = Command::new(program)
            .arg(argument)
            .env("ETCDCTL_API", "3")
            .output();
        ran.is_ok_and(|output| output.status.success())
    };
    let there_is = runs("etcd", "--version") && runs("etcdctl", "version");
    if !there_is {
        println!("SKIPPED: etcd and etcdctl are not installed (Debian: etcd-server, etcd-client)");
    }
    there_is
}

/// A port that stays free while nobody listens there: below those that the system gives out.
fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 10_000) as u16;
    loop {
        let next = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8_000 + next));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
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
            members: (0..members)
                .map(|_| Member {
                    client: free_port(),
                    peer: free_port(),
                    process: None,
                })
                .collect(),
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
        let url = |address: SocketAddr, scheme: &str| format!("{scheme}://{address}");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.file(&format!("m{index}.log")))
            .unwrap();
        let member = &self.members[index];
        let clients = url(member.client, self.scheme);
        let peers = url(member.peer, "http");
        let process = Command::new("etcd")
            .args(["--name", &format!("m{index}")])
            .arg("--data-dir")
            .arg(self.file(&format!("m{index}")))
            .args(["--listen-client-urls", &clients])
            .args(["--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers])
            .args(["--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &self.cluster()])
            .args(["--logger", "zap", "--log-level", "warn"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.members[index].process = Some(process);
    }

    fn cluster(&self) -> String {
        let members = self.members.iter().enumerate();
        let named: Vec<String> = members
            .map(|(i, m)| format!("m{i}=http://{}", m.peer))
            .collect();
        named.join(",")
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
        let process = self.members[index].process.as_ref().unwrap();
        let kill = format!("kill -{name} {}", process.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }

    /// Which member leads.
    pub fn leader(&self) -> usize {
        let status: Value =
            serde_json::from_str(&self.ctl(&["endpoint", "status", "-w", "json"])).unwrap();
        let members = status.as_array().unwrap();
        let leads =
            |member: &&Value| member["Status"]["leader"] == member["Status"]["header"]["member_id"];
        let leader = members.iter().find(leads).unwrap()["Endpoint"]
            .as_str()
            .unwrap();
        let is_it = |member: &Member| leader.ends_with(&member.client.to_string());
        self.members.iter().position(is_it).unwrap()
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
        let running = self
            .members
            .iter()
            .filter(|member| member.process.is_some());
        let endpoints: Vec<String> = running
            .map(|member| format!("{}://{}", self.scheme, member.client))
            .collect();
        let output = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["--command-timeout", "10s", "--dial-timeout", "5s"])
            .args(["--endpoints", &endpoints.join(",")])
            .args(&self.credentials)
            .args(args)
            .output()
            .unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Ends a single member, and begins it anew with what a backup has.
    pub async fn restore(&mut self, backup: &Path) {
        self.kill(0);
        let directory = self.file("m0");
        fs::remove_dir_all(&directory).unwrap();
        let peers = format!("http://{}", self.members[0].peer);
        let (backup, directory) = (backup.to_str().unwrap(), directory.to_str().unwrap());
        let cluster = self.cluster();
        let restore = [
            "snapshot",
            "restore",
            backup,
            "--name",
            "m0",
            "--data-dir",
            directory,
        ];
        let as_before = [
            "--initial-cluster",
            &cluster,
            "--initial-advertise-peer-urls",
            &peers,
        ];
        self.ctl(&[&restore[..], &as_before[..]].concat());
        self.start().await;
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|index| self.kill(index));
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
