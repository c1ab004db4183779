//! The real binary, run as a user runs it.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use serde_json::Value;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_selectord");

/// How long anything is waited for that has to come: long past what it takes, so that a test that hangs
/// fails.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained about.
    pub err: String,
}

/// Runs a command to its end, with text on its standard input.
pub fn run(server: &str, args: &[&str], input: &str) -> Done {
    let mut child = Command::new(BINARY)
        .args(args)
        .env("SELECTORD_SERVER", server)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the binary, waits for a line of its log that holds a text, and ends it; answers the line.
pub fn logged(args: &[&str], text: &str) -> String {
    let mut child = Command::new(BINARY)
        .args(args)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (found, line) = mpsc::channel();
    let wanted = text.to_owned();
    let reader = thread::spawn(move || {
        let line = lines
            .map_while(Result::ok)
            .find(|line| line.contains(&wanted));
        let _ = found.send(line);
    });
    let line = line.recv_timeout(PATIENCE);
    let _ = child.kill();
    let _ = child.wait();
    reader.join().unwrap();
    line.ok()
        .flatten()
        .unwrap_or_else(|| panic!("{args:?} did not log {text:?}"))
}

/// The next line of a process; none at the end of its output.
pub fn next_line(output: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = Vec::new();
    while line.pop_if(|last| *last == b'\n').is_none() {
        if output.buffer().is_empty() {
            let mut ready = [PollFd::new(output.get_ref(), PollFlags::IN)];
            let ready = poll(&mut ready, Some(&PATIENCE.try_into().unwrap())).unwrap();
            assert!(ready > 0, "no line after {:?}", String::from_utf8(line));
        }
        let some = output.fill_buf().unwrap();
        let end = some.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(some.len(), |end| end + 1);
        if length == 0 {
            return None;
        }
        line.extend_from_slice(&some[..length]);
        output.consume(length);
    }
    Some(String::from_utf8(line).unwrap())
}

/// A process whose output is read line by line; ends with the test.
pub struct Lines {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
}

impl Lines {
    /// Starts the binary.
    pub fn start(server: &str, args: &[&str]) -> Lines {
        Lines::start_by(&[BINARY], server, args)
    }

    /// Starts the binary as the last word of a command that does so.
    pub fn start_by(command: &[&str], server: &str, args: &[&str]) -> Lines {
        let (program, rest) = command.split_first().unwrap();
        let mut child = Command::new(program)
            .args(rest)
            .args(args)
            .env("SELECTORD_SERVER", server)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Lines {
            child,
            lines: Some(lines),
        }
    }

    /// The next line; none at the end of the output.
    pub fn next(&mut self) -> Option<String> {
        next_line(self.lines.as_mut()?)
    }

    /// Stops reading, as a pager does that is left.
    pub fn close(&mut self) {
        self.lines = None;
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, and answers the exit code.
    pub fn wait(&mut self) -> i32 {
        let began = Instant::now();
        while self.is_running() {
            assert!(began.elapsed() < PATIENCE, "it never ended");
            thread::sleep(Duration::from_millis(5));
        }
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of its own for one test, on a port that was free.
pub struct Server {
    /// The process.
    pub process: Lines,
    /// Where it is.
    pub address: String,
}

impl Server {
    /// Starts a server, with more arguments, and waits until it serves.
    pub fn start(args: &[&str]) -> Server {
        Server::start_at("127.0.0.1:0", args)
    }

    /// Starts a server that listens at an address of the test's choice.
    pub fn start_at(listen: &str, args: &[&str]) -> Server {
        Server::start_by(&[BINARY], listen, args)
    }

    /// The same, by a command whose last word is the binary.
    pub fn start_by(command: &[&str], listen: &str, args: &[&str]) -> Server {
        let log: &[&str] = match args.contains(&"--log") {
            true => &[],
            false => &["--log", "error"],
        };
        let all = [&["serve", "--listen", listen, "--http", "off"], log, args].concat();
        let mut process = Lines::start_by(command, "", &all);
        let line = process.next().expect("a line about where it serves");
        let address = line
            .strip_prefix("serving gRPC on ")
            .expect(&line)
            .to_owned();
        Server { process, address }
    }

    /// Runs a command against it.
    pub fn run(&self, args: &[&str]) -> Done {
        run(&self.address, args, "")
    }

    /// Runs a command that has to succeed, and answers what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!(done.code, 0, "{args:?}: {}", done.err);
        done.out
    }

    /// Applies manifests given as text.
    pub fn apply(&self, manifests: &str) -> String {
        let done = run(&self.address, &["apply", "-f", "-"], manifests);
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    }

    /// Bytes of memory that it has in use, as far as the system tells; else 0.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        let status: Value = serde_json::from_str(&self.ok(&["status", "-o", "json"])).unwrap();
        status["revision"].as_u64().unwrap()
    }

    /// Follows the endpoints of a service, up to the state of now.
    pub fn watch(&self, service: &str) -> Watch {
        let args = ["watch", "endpoints", service, "-o", "json"];
        Watch {
            process: Lines::start(&self.address, &args),
        }
    }
}

/// `watch endpoints -o json`, as it goes.
pub struct Watch {
    process: Lines,
}

/// What a watch told up to some checkpoint.
#[derive(Debug, Default)]
pub struct Told {
    /// Names of the pods behind endpoints that were new or changed, as `name` or `name!` when not
    /// ready.
    pub came: Vec<String>,
    /// Names of the pods behind endpoints that went.
    pub went: Vec<String>,
}

impl Watch {
    /// Everything up to the first checkpoint at or behind a revision.
    pub fn until(&mut self, revision: u64) -> Told {
        let mut told = Told::default();
        loop {
            let line = self.process.next().expect("the watch goes on");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["type"] == "CHECKPOINT" && line["revision"].as_u64() >= Some(revision) {
                return told;
            }
            for endpoint in line["endpoints"].as_array().into_iter().flatten() {
                let ready = endpoint["conditions"]["ready"] == true;
                told.came.push(format!(
                    "{}{}",
                    pod_of(endpoint),
                    if ready { "" } else { "!" }
                ));
            }
            told.went
                .extend(line["removed"].as_array().into_iter().flatten().map(pod_of));
        }
    }
}

fn pod_of(endpoint: &Value) -> String {
    endpoint["targetRef"]["name"].as_str().unwrap().to_owned()
}
