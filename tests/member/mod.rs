//! One member of etcd, as a process on this machine.

// Not every test binary uses all of it.
#![allow(dead_code)]

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// Says that there has to be an etcd: without one, tests fail instead of saying so and passing.
const MUST: &str = "SELECTORD_TEST_ETCD";

/// Whether etcd and etcdctl can be run here; says so if not.
pub fn there_is_etcd() -> bool {
    let runs = |program: &str, argument: &str| {
        let ran = Command::new(program)
            .arg(argument)
            .env("ETCDCTL_API", "3")
            .output();
        ran.is_ok_and(|output| output.status.success())
    };
    let there_is = runs("etcd", "--version") && runs("etcdctl", "version");
    if !there_is {
        let what = "etcd and etcdctl are not installed (Debian: etcd-server, etcd-client)";
        assert!(
            std::env::var_os(MUST).is_none(),
            "{MUST} is set, and {what}"
        );
        println!("SKIPPED: {what}");
    }
    there_is
}

/// A port that is free, and will be when its process is dead and to be started again: below those that
/// the system gives to whoever connects.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 10_000) as u16;
    loop {
        let next = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 24_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8_000 + next));
        if is_free(address) {
            return address;
        }
    }
}

/// Whether somebody could listen there. It does not itself: a process that another test starts would listen
/// there too, until it begins its program.
fn is_free(address: SocketAddr) -> bool {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &address).is_ok()
}

/// A member that runs, or does not. Dropping it ends it.
pub struct Member {
    name: String,
    /// Where clients find it.
    pub client: SocketAddr,
    /// Where it listens to the others.
    pub peer: SocketAddr,
    /// Where the others find it.
    pub advertised: SocketAddr,
    process: Option<Child>,
}

impl Member {
    /// One that does not run yet.
    pub fn new(index: usize) -> Member {
        let peer = free_address();
        Member {
            name: format!("m{index}"),
            client: free_address(),
            peer,
            advertised: peer,
            process: None,
        }
    }

    /// As the members are told who they are together.
    pub fn in_cluster(&self) -> String {
        format!("{}=http://{}", self.name, self.advertised)
    }

    /// Where it keeps what it has, in a folder for all of them.
    pub fn directory(&self, folder: &Path) -> PathBuf {
        folder.join(&self.name)
    }

    /// Starts it on what it has on its disk.
    pub fn begin(&mut self, folder: &Path, cluster: &str, scheme: &str, arguments: &[String]) {
        let log = folder.join(format!("{}.log", self.name));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let clients = format!("{scheme}://{}", self.client);
        let process = Command::new("etcd")
            .args(["--name", &self.name])
            .arg("--data-dir")
            .arg(self.directory(folder))
            .args(["--listen-client-urls", &clients])
            .args(["--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &format!("http://{}", self.peer)])
            .args([
                "--initial-advertise-peer-urls",
                &format!("http://{}", self.advertised),
            ])
            .args(["--initial-cluster", cluster])
            .args(["--logger", "zap", "--log-level", "warn"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
    }

    /// Whether it was started, and not killed since.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Kills it; its disk stays.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends it `STOP` or `CONT`, if it runs.
    pub fn signal(&self, name: &str) {
        if let Some(process) = &self.process {
            signal(process, name);
        }
    }

    /// Puts what a backup has onto its disk, while it does not run.
    pub fn restore(&self, folder: &Path, cluster: &str, backup: &Path) {
        let directory = self.directory(folder);
        std::fs::remove_dir_all(&directory).unwrap();
        let advertised = format!("http://{}", self.advertised);
        let restore = ["snapshot", "restore", backup.to_str().unwrap()];
        let to = [
            "--name",
            &self.name,
            "--data-dir",
            directory.to_str().unwrap(),
        ];
        let among = ["--initial-cluster", cluster];
        let as_before = ["--initial-advertise-peer-urls", &advertised];
        ctl(&[&restore[..], &to, &among, &as_before].concat()).unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs etcdctl; what it printed, or what it complained of.
pub fn ctl(args: &[&str]) -> Result<String, String> {
    let output = Command::new("etcdctl")
        .env("ETCDCTL_API", "3")
        .args(["--command-timeout", "10s", "--dial-timeout", "5s"])
        .args(args)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Sends a process a signal.
pub fn signal(process: &Child, name: &str) {
    let kill = format!("kill -{name} {}", process.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success(), "{kill}");
}
