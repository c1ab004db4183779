//! An etcd of one member, for one test.

use std::fs::File;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use selectord::store::etcd::{EtcdOptions, EtcdStore};
use tempfile::TempDir;

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// A member that runs, or not yet. Dropping it ends it.
pub struct Etcd {
    folder: TempDir,
    client: SocketAddr,
    peer: SocketAddr,
    process: Option<Child>,
}

/// A port that is free, and hardly taken by whoever connects: those are above 32768.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 6_000) as u16;
    loop {
        let next = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 6_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 13_000 + next));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Etcd {
    /// Where one will be; none if this machine has no etcd.
    pub fn prepare() -> Option<Etcd> {
        let found = Command::new("etcd").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no etcd on this machine");
            return None;
        }
        Some(Etcd {
            folder: tempfile::tempdir().unwrap(),
            client: free_address(),
            peer: free_address(),
            process: None,
        })
    }

    /// Starts one, and waits until it answers.
    pub async fn start() -> Option<Etcd> {
        let mut etcd = Etcd::prepare()?;
        etcd.begin();
        let options = etcd.options();
        eventually("an etcd", async || {
            EtcdStore::connect(options.clone()).await.is_ok()
        })
        .await;
        Some(etcd)
    }

    pub fn begin(&mut self) {
        let url = |address: SocketAddr| format!("http://{address}");
        let log = File::create(self.folder.path().join("log")).unwrap();
        let (client, peer) = (url(self.client), url(self.peer));
        let process = Command::new("etcd")
            .args(["--name", "m0", "--log-level", "warn", "--logger", "zap"])
            .args([
                "--data-dir",
                self.folder.path().join("data").to_str().unwrap(),
            ])
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("m0={peer}")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
    }

    /// As `--store` names it.
    pub fn address(&self) -> String {
        format!("etcd://{}/test", self.client)
    }

    pub fn options(&self) -> EtcdOptions {
        EtcdOptions {
            timeout: Duration::from_secs(3),
            heartbeat: Duration::from_millis(100),
            ..EtcdOptions::new(self.address().parse().unwrap())
        }
    }

    /// Lets it stand still.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Waits until something holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            if holds().await {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "waited in vain for {what}");
}

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("no answer")
}
