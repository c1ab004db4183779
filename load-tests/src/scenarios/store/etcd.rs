use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use selectord::store::etcd::{EtcdAddress, EtcdOptions, EtcdStore};
use tempfile::TempDir;

use crate::context::Context;

/// How long it may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// An etcd of one member, on a directory of its own. Dropping it ends it.
pub struct Etcd {
    child: Child,
    client: String,
    folder: TempDir,
    /// What it calls its version.
    pub version: String,
}

impl Etcd {
    /// More than its default, so that a bulk load is a transaction of etcd's for each of ours.
    pub const MAX_TXN_OPS: usize = 4_096;
    /// The same.
    pub const MAX_REQUEST_BYTES: usize = 8 << 20;

    /// Starts one; none where there is none.
    pub fn start(context: &Context) -> anyhow::Result<Option<Etcd>> {
        let Ok(told) = Command::new("etcd").arg("--version").output() else {
            return Ok(None);
        };
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let version = told.lines().next().unwrap_or_default();
        let version = version
            .trim_start_matches("etcd Version:")
            .trim()
            .to_owned();
        let (client, peer) = (free_port()?, free_port()?);
        let (client_url, peer_url) = (format!("http://{client}"), format!("http://{peer}"));
        // Where the reports are is a disk, where temporary files are it may be memory.
        let folder = tempfile::tempdir_in(&context.out)?;
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(folder.path().join("etcd"))
            .args(["--listen-client-urls", &client_url])
            .args(["--advertise-client-urls", &client_url])
            .args(["--listen-peer-urls", &peer_url])
            .args(["--initial-advertise-peer-urls", &peer_url])
            .args(["--initial-cluster", &format!("default={peer_url}")])
            .args(["--max-txn-ops", &Etcd::MAX_TXN_OPS.to_string()])
            .args(["--max-request-bytes", &Etcd::MAX_REQUEST_BYTES.to_string()])
            .args(["--quota-backend-bytes", &(8u64 << 30).to_string()])
            .args(["--logger", "zap", "--log-level", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start etcd")?;
        let etcd = Etcd {
            child,
            client,
            folder,
            version,
        };
        let calls = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let began = Instant::now();
        while let Err(error) = calls.block_on(etcd.store("ready")) {
            if began.elapsed() > PATIENCE {
                bail!("etcd does not answer: {error}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(Some(etcd))
    }

    /// What `--store` and its limits are to say for a prefix.
    pub fn flags(&self, prefix: &str) -> Vec<String> {
        vec![
            "--store".to_owned(),
            self.address(prefix),
            "--max-txn-ops".to_owned(),
            Etcd::MAX_TXN_OPS.to_string(),
            "--max-request-bytes".to_owned(),
            Etcd::MAX_REQUEST_BYTES.to_string(),
        ]
    }

    fn address(&self, prefix: &str) -> String {
        format!("etcd://{}/{prefix}", self.client)
    }

    /// The store alone, as a replica uses it.
    pub async fn store(&self, prefix: &str) -> anyhow::Result<EtcdStore> {
        let address: EtcdAddress = self.address(prefix).parse()?;
        Ok(EtcdStore::connect(EtcdOptions::new(address)).await?)
    }

    /// Where it keeps everything.
    pub fn directory(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
