//! The server under test: a process of its own, or one that runs already.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};

use crate::context::Context;
use crate::measure::Process;

/// A server that answers.
#[derive(Debug)]
pub struct Server {
    /// Where it answers gRPC, as `host:port`.
    pub address: String,
    child: Option<Child>,
}

impl Server {
    /// Starts `selectord serve` on a free port with these flags besides, or takes that of `--server`.
    pub fn start(context: &Context, flags: &[&str]) -> anyhow::Result<Server> {
        if let Some(address) = &context.args.server {
            return Ok(Server {
                address: address.clone(),
                child: None,
            });
        }
        let program = binary()?;
        let mut child = Command::new(&program)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--http",
                "off",
                "--log",
                "warn",
            ])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut server = Server {
            address: String::new(),
            child: Some(child),
        };
        for line in BufReader::new(stdout).lines() {
            if let Some(address) = line?.strip_prefix("serving gRPC on ") {
                server.address = address.to_owned();
                return Ok(server);
            }
        }
        bail!("{} serve ended before it served", program.display())
    }

    /// Its process; none if it was not started here.
    pub fn process(&self) -> Option<Process> {
        self.child.as_ref().map(|child| Process::of(child.id()))
    }

    /// What a report says of a server whose process cannot be looked at.
    pub const NOT_OURS: &str =
        "the server was given with --server: its memory and CPU time are not measured";
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It holds everything in memory, so there is nothing to end gracefully for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server's binary, beside this one. Under cargo it is built first, once, so that it is
/// never an old one.
fn binary() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("selectord");
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cargo) = std::env::var_os("CARGO")
        && !*built
    {
        // With this package named too, both are built of the same dependencies. Cargo tells by itself
        // what it builds; it may take minutes.
        eprintln!("  building the server, unless it is there");
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let mut command = Command::new(cargo);
        // What cargo tells this program of its package is not the same when it is called by hand, and
        // build scripts that look at it would run anew, each time the other way.
        let told = std::env::vars_os().map(|(name, _)| name);
        let of_package = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        };
        for name in told.filter(of_package) {
            command.env_remove(name);
        }
        command.args(["build", "--manifest-path", manifest]);
        command.args(["--package", "load-tests", "--package", "selectord"]);
        command.args(["--bin", "selectord"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        if !command.status()?.success() {
            bail!("the server does not build");
        }
        *built = true;
    }
    if !program.exists() {
        bail!(
            "{} is not there: run `cargo build --release` first, or give --server",
            program.display()
        );
    }
    Ok(program)
}
