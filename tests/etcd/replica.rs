//! A replica: the real binary on the members' etcd, with a wire to each member.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use selectord::client::{Client, ClientOptions, Listing};
use tokio::net::TcpListener;

use crate::member::signal;
use crate::members::{MEMBERS, Members};
use crate::patience::{Patience, until};
use crate::process::BINARY;
use crate::proxy::{Link, forward};

/// Where in etcd everything is kept.
pub const PREFIX: &str = "/storm";

pub struct Replica {
    name: String,
    /// Where it answers, as a client is told.
    pub address: String,
    /// What `--store` says.
    store: String,
    /// To each member.
    wires: Vec<Link>,
    log: PathBuf,
    process: Option<Child>,
    /// More arguments.
    pub arguments: Vec<String>,
}

impl Replica {
    /// Lays the wires and starts it, without waiting for it.
    pub async fn start(members: &Members, folder: &Path, name: &str) -> Replica {
        let (mut wires, mut endpoints) = (Vec::new(), Vec::new());
        for index in 0..MEMBERS {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            endpoints.push(listener.local_addr().unwrap().to_string());
            let wire = Link::default();
            tokio::spawn(forward(listener, members.client(index), wire.clone()));
            wires.push(wire);
        }
        let mut replica = Replica {
            name: name.to_owned(),
            // A path stays free while nobody listens there; a port might not.
            address: format!("unix:{}", folder.join(format!("{name}.sock")).display()),
            store: format!("etcd://{}{PREFIX}", endpoints.join(",")),
            wires,
            log: folder.join(format!("{name}.log")),
            process: None,
            arguments: Vec::new(),
        };
        replica.begin();
        replica
    }

    /// Starts the process.
    pub fn begin(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.unwrap();
        let process = Command::new(BINARY)
            .args(["serve", "--http", "off", "--log", "info", "--drain", "2"])
            .args(["--listen", &self.address, "--store", &self.store])
            .args(&self.arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends it `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        if let Some(process) = &self.process {
            signal(process, name);
        }
    }

    /// Its wires, to the members in their order.
    pub fn wires(&self) -> &[Link] {
        &self.wires
    }

    /// Fails if it ended by itself: nothing that befalls etcd may end a replica.
    pub fn must_run(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        if let Some(status) = process.try_wait().unwrap() {
            panic!("{} ended by itself, {status}: {}", self.name, self.told());
        }
    }

    /// The end of what it logged.
    pub fn told(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// A connection to it, on which no call waits for long.
    pub async fn client(&self) -> Client {
        connect(&self.address).await
    }

    /// Waits until it answers questions.
    pub async fn ready(&mut self) {
        let client = self.client().await;
        let what = format!("{} answers", self.name);
        until(&what, async || {
            self.must_run();
            let counted = client.count(&Listing::default()).await;
            counted.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {} told last:\n{}", self.name, self.told());
        }
    }
}

/// Connects as soon as somebody listens there. A replica gives up on etcd long before a call on it ends.
pub async fn connect(address: &str) -> Client {
    let options = ClientOptions {
        call_timeout: Duration::from_secs(30),
        ..ClientOptions::default()
    };
    let patience = Patience::begin();
    loop {
        let connected = Client::connect_with(address.parse().unwrap(), options.clone());
        match connected.await {
            Ok(client) => return client,
            Err(error) => patience.bear("a connection to a replica", error).await,
        }
    }
}
