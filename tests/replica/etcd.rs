//! An etcd of one member, for one test.

use std::future::Future;
use std::time::Duration;

use selectord::store::etcd::{EtcdOptions, EtcdStore};
use tempfile::TempDir;

use crate::member::{self, Member, there_is_etcd};

/// Long past what anything here takes: a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// A member that runs, or not yet. Dropping it ends it.
pub struct Etcd {
    // Ended before the folder goes.
    member: Member,
    folder: TempDir,
}

impl Etcd {
    /// Where one will be; none if this machine has no etcd.
    pub fn prepare() -> Option<Etcd> {
        there_is_etcd().then(|| Etcd {
            folder: tempfile::tempdir().unwrap(),
            member: Member::new(0),
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
        let cluster = self.member.in_cluster();
        (self.member).begin(self.folder.path(), &cluster, "http", &[]);
    }

    /// Runs etcdctl.
    pub fn ctl(&self, args: &[&str]) -> String {
        let member = self.member.client.to_string();
        member::ctl(&[&["--endpoints", &member][..], args].concat()).unwrap()
    }

    /// As `--store` names it.
    pub fn address(&self) -> String {
        format!("etcd://{}/test", self.member.client)
    }

    pub fn options(&self) -> EtcdOptions {
        EtcdOptions {
            heartbeat: Duration::from_millis(100),
            ..EtcdOptions::new(self.address().parse().unwrap())
        }
    }

    /// Options under which no answer is waited for as long as usual: where none is to come.
    pub fn hasty(&self) -> EtcdOptions {
        EtcdOptions {
            timeout: Duration::from_secs(3),
            ..self.options()
        }
    }

    /// Lets it stand still.
    pub fn pause(&self) {
        self.member.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.member.signal("CONT");
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
