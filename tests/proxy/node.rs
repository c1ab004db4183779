//! A node with the real proxy on it, and its pages.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::mode::Mode;
use super::namespace::Namespace;
use super::process::{BINARY, PATIENCE, Server, next_line};
use super::program;
use super::world::PODS;

/// A node with a proxy on it, and a server elsewhere.
pub struct Node {
    mode: Mode,
    pub namespace: Namespace,
    pub socket: String,
    pub server: Option<Server>,
    folder: tempfile::TempDir,
    pub proxy: Option<Child>,
    http: SocketAddr,
}

impl Node {
    /// A proxy in front of a server that knows of nothing, with more arguments; its program for writing
    /// rules can be broken.
    pub fn new(mode: Mode, args: &[&str]) -> Node {
        let folder = tempfile::tempdir().unwrap();
        let socket = format!("unix:{}", folder.path().join("socket").display());
        let namespace = Namespace::apart("node");
        namespace.sh("ip link set lo up; ip addr add 192.0.2.1/32 dev lo");
        mode.prepare(&namespace);
        let mut node = Node {
            mode,
            namespace,
            server: Some(Server::start_at(&socket, &[])),
            socket,
            folder,
            proxy: None,
            http: ([127, 0, 0, 1], 0).into(),
        };
        // They stand before the real ones in the path.
        for tool in mode.tools() {
            let path = node.folder.path().join(tool);
            let script = format!(
                "#!/bin/sh\nif [ -e {folder}/broken ]; then echo 'no more rules today' >&2; exit 1; fi\n\
                 while [ -e {folder}/slow ]; do sleep 0.01; done\n\
                 PATH=${{PATH#*:}}\nexec {tool} \"$@\"\n",
                folder = node.folder.path().display(),
            );
            program::put(&path, &script);
        }
        node.start(args);
        node
    }

    /// Starts the proxy, again if it has ended.
    pub fn start(&mut self, args: &[&str]) {
        let path = std::env::var("PATH").unwrap();
        let mut proxy = Command::new("ip")
            .args(["netns", "exec", &self.namespace.name, BINARY, "proxy"])
            .args([
                "--mode",
                self.mode.flag(),
                "--node",
                "n1",
                "--cluster-cidr",
                PODS,
            ])
            .args([
                "--server",
                &self.socket,
                "--log",
                "off",
                "--http",
                "127.0.0.1:0",
            ])
            .args(match args.contains(&"--min-sync-period") {
                true => &[][..],
                false => &["--min-sync-period", "10"],
            })
            .args(args)
            .env("PATH", format!("{}:{path}", self.folder.path().display()))
            .envs(self.namespace.lock())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(proxy.stdout.take().unwrap());
        let line = next_line(&mut said).expect("a line about where its pages are");
        let address = line.strip_prefix("serving HTTP on ").expect(&line);
        self.http = address.parse().unwrap();
        self.proxy = Some(proxy);
    }

    /// Ends the proxy, and starts one of another mode.
    pub fn switch(&mut self, mode: Mode, args: &[&str]) {
        self.mode = mode;
        mode.prepare(&self.namespace);
        self.restart(args);
    }

    /// Another proxy of the same mode in its place.
    pub fn restart(&mut self, args: &[&str]) {
        if let Some(mut proxy) = self.proxy.take() {
            proxy.kill().unwrap();
            proxy.wait().unwrap();
        }
        self.start(args);
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The file that makes rules be written for as long as it is there.
    pub fn slow(&self) -> std::path::PathBuf {
        self.folder.path().join("slow")
    }

    /// The file that makes writing fail.
    pub fn broken(&self) -> std::path::PathBuf {
        self.folder.path().join("broken")
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        get(&self.namespace, self.http, path)
    }

    pub fn status(&self, path: &str) -> u16 {
        self.get(path).0
    }

    /// Whether nobody answers its pages.
    pub fn refuses(&self) -> bool {
        self.namespace
            .within(|| TcpStream::connect(self.http))
            .is_err()
    }

    /// The numbers by name and labels.
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        let lines = text
            .lines()
            .filter(|l| !l.starts_with('#') && !l.is_empty());
        let pair = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        lines.map(pair).collect()
    }

    pub fn metric(&self, name: &str) -> f64 {
        let all = self.metrics();
        *all.get(name)
            .unwrap_or_else(|| panic!("{name} is not among {all:#?}"))
    }

    /// Waits until everything that the server knows is written.
    pub fn settled(&self) {
        let head = self.server().revision() as f64;
        until("the newest revision", || {
            self.metric("selectord_proxy_applied_revision") >= head
        });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(proxy) = &mut self.proxy {
            let _ = proxy.kill();
            let _ = proxy.wait();
            // What it ran ends by itself.
            let _ = std::fs::remove_file(self.folder.path().join("slow"));
        }
    }
}

pub fn get(from: &Namespace, at: SocketAddr, path: &str) -> (u16, String) {
    try_get(from, at, path).unwrap_or_else(|error| panic!("{at}{path}: {error}"))
}

/// The same, where there may be nobody who answers.
pub fn try_get(from: &Namespace, at: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let text = from.within(|| {
        let mut stream = TcpStream::connect(at)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        io::Result::Ok(text)
    })?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, body.to_owned()))
}

/// Looks again and again, until it is so.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what} never came");
        // To look is work, too, often of other processes.
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn service(n: u8, fields: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec:\n  selector: {{app: web}}\n  \
         clusterIP: 10.96.0.{n}\n  {fields}\n  ports: [{{name: main, port: 80, targetPort: 8080}}]\n"
    )
}

pub fn pod(n: u8, node: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}, labels: {{app: web}}}}\nspec: {{nodeName: {node}}}\n\
         status: {{phase: Running, podIP: 10.244.0.{n}, conditions: [{{type: Ready, status: \"True\"}}]}}\n"
    )
}
