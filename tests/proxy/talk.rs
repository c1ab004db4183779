//! What pods answer, and how clients ask.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect as connect_to, socket, sockopt};

use super::namespace::Namespace;

/// Where a pod says who it is and whom it sees.
pub const TCP: u16 = 8080;
/// The same, over UDP.
pub const UDP: u16 = 5353;
/// Where a pod answers each line with its name, as long as the connection lasts.
pub const LINES: u16 = 9000;

/// How long an answer is waited for that has to come: long past what it takes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long to listen where nobody is to answer.
pub const SILENCE: Duration = Duration::from_millis(700);

/// Who answered, and whom it saw; or why nobody did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    By {
        pod: String,
        saw: IpAddr,
    },
    Refused,
    TimedOut,
    /// Somebody answered, but not the first packet: it or what was said to it was lost, and it was sent again.
    NotAtOnce,
    Failed(ErrorKind),
}

impl Answer {
    /// The pod's name; the answer has to be one.
    pub fn pod(&self) -> &str {
        match self {
            Answer::By { pod, .. } => pod,
            other => panic!("{other:?}"),
        }
    }
}

/// A pod's process that answers at [`TCP`]; it ends when it is dropped.
pub struct Serving {
    pod: String,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub fn start(name: &'static str, pod: &Namespace) -> Serving {
        let listener = pod.spawn(|| TcpListener::bind(any(TCP)).unwrap());
        let listener = listener.join().unwrap();
        let ending = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ending);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                if let Ok(peer) = stream.peer_addr() {
                    let _ = writeln!(stream, "{name} {}", peer.ip().to_canonical());
                }
            }
        });
        Serving {
            pod: pod.name.clone(),
            ending,
            thread: Some(thread),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // It waits for a connection: here is one.
        let woken = super::namespace::enter(&self.pod, || {
            TcpStream::connect_timeout(&SocketAddr::new([127, 0, 0, 1].into(), TCP), PATIENCE)
        });
        if let (Ok(Ok(_)), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::new("::".parse().unwrap(), port)
}

/// Answers at [`UDP`] and [`LINES`], as long as the test runs.
pub fn serve_always(name: &'static str, pod: &Namespace) {
    let sockets = pod.spawn(|| {
        let lines = TcpListener::bind(any(LINES)).unwrap();
        (lines, UdpSocket::bind(any(UDP)).unwrap())
    });
    let (lines, udp) = sockets.join().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, peer)) = udp.recv_from(&mut buffer) {
            let answer = format!("{name} {}", peer.ip().to_canonical());
            let _ = udp.send_to(answer.as_bytes(), peer);
        }
    });
    thread::spawn(move || {
        for stream in lines.incoming() {
            let Ok(mut stream) = stream else { continue };
            thread::spawn(move || {
                let asked = BufReader::new(stream.try_clone().unwrap()).lines();
                for _ in asked.map_while(Result::ok) {
                    let _ = writeln!(stream, "{name}");
                }
            });
        }
    });
}

fn read_answer(text: &str) -> Answer {
    match text.trim().split_once(' ') {
        Some((pod, saw)) => Answer::By {
            pod: pod.to_owned(),
            saw: saw.parse().unwrap(),
        },
        None => Answer::Failed(ErrorKind::UnexpectedEof),
    }
}

fn no_answer(error: &std::io::Error) -> Answer {
    match error.kind() {
        ErrorKind::ConnectionRefused => Answer::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Answer::TimedOut,
        other => Answer::Failed(other),
    }
}

/// After this at the soonest the first packet of a connection is sent again, if nothing was heard: the kernel's
/// second, but for a tick. It does so sooner where an older connection of the same ports has something to say.
const SECOND_TRY: Duration = Duration::from_millis(950);

/// A look at whether the first packet of a connection is lost. A clock alone does not tell, which also runs
/// while a busy machine does nothing for us; nor does the number of packets sent again alone, which are others' too.
struct FirstPacket {
    began: Instant,
    sent_again: u64,
}

impl FirstPacket {
    fn look() -> FirstPacket {
        FirstPacket {
            sent_again: sent_again(),
            began: Instant::now(),
        }
    }

    /// Whether it was, of a connection that was begun after the look.
    fn was_lost(&self) -> bool {
        self.began.elapsed() >= SECOND_TRY && sent_again() > self.sent_again
    }
}

/// How often the thread's namespace has sent a connection's first packet again.
fn sent_again() -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/netstat").unwrap();
    let mut lines = table.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let mut pairs = names.split(' ').zip(values.split(' '));
    let found = pairs.find(|(name, _)| *name == "TCPSynRetrans");
    found.unwrap().1.parse().unwrap()
}

/// Connects, and hears who answers.
fn hear(patience: Duration, connect: impl FnOnce() -> std::io::Result<TcpStream>) -> Answer {
    let first = FirstPacket::look();
    let heard = connect().and_then(|mut stream| {
        stream.set_read_timeout(Some(patience))?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    });
    let answer = match heard {
        Ok(text) => read_answer(&text),
        Err(error) => no_answer(&error),
    };
    match answer {
        Answer::By { .. } | Answer::Refused if first.was_lost() => Answer::NotAtOnce,
        answer => answer,
    }
}

/// Connects once, from the thread's namespace.
pub fn connect_once(to: SocketAddr) -> Answer {
    hear(PATIENCE, || TcpStream::connect_timeout(&to, PATIENCE))
}

/// Connects from a namespace, so many times.
pub fn connect(from: &Namespace, to: &str, times: usize) -> Vec<Answer> {
    let to = to.parse().unwrap();
    from.within(|| (0..times).map(|_| connect_once(to)).collect())
}

/// Connects once, and waits for so long.
pub fn connect_within(patience: Duration, from: &Namespace, to: &str) -> Answer {
    let to = to.parse().unwrap();
    from.within(|| hear(patience, || TcpStream::connect_timeout(&to, patience)))
}

/// Connects once from each to each, all at the same time, and waits for so long.
pub fn connect_together(patience: Duration, from: &[&Namespace], to: &[String]) -> Vec<Answer> {
    thread::scope(|scope| {
        let all = from
            .iter()
            .flat_map(|from| to.iter().map(move |to| (*from, to)));
        let asked: Vec<_> = all
            .map(|(from, to)| scope.spawn(move || connect_within(patience, from, to)))
            .collect();
        let answers = asked.into_iter().map(|asked| asked.join().unwrap());
        answers.collect()
    })
}

/// Connects once, from an address of the namespace's, and waits for so long.
pub fn connect_as(patience: Duration, from: &Namespace, source: IpAddr, to: &str) -> Answer {
    let to: SocketAddr = to.parse().unwrap();
    let connected = || {
        let family = match source {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = socket(family, SocketType::STREAM, None)?;
        // It is how long a connection may take, too.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
        bind(&socket, &SocketAddr::new(source, 0))?;
        match connect_to(&socket, &to) {
            Err(rustix::io::Errno::INPROGRESS) => Err(ErrorKind::TimedOut.into()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(TcpStream::from(socket)),
        }
    };
    from.within(|| hear(patience, connected))
}

/// A socket that keeps its port, connected.
pub fn udp(from: &Namespace, to: &str) -> UdpSocket {
    let to: SocketAddr = to.parse().unwrap();
    from.within(|| {
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    })
}

/// Asks once over UDP.
pub fn ask(socket: &UdpSocket) -> Answer {
    let mut buffer = [0; 64];
    let asked = socket.send(b"?").and_then(|_| socket.recv(&mut buffer));
    match asked {
        Ok(length) => read_answer(std::str::from_utf8(&buffer[..length]).unwrap()),
        Err(error) => no_answer(&error),
    }
}

/// A connection to [`LINES`] that stays open.
pub struct Line(BufReader<TcpStream>);

impl Line {
    pub fn open(from: &Namespace, to: &str) -> Line {
        let to: SocketAddr = to.parse().unwrap();
        let stream = from.within(|| {
            let first = FirstPacket::look();
            let stream = TcpStream::connect_timeout(&to, PATIENCE).unwrap();
            assert!(!first.was_lost(), "{to} does not answer at once");
            stream
        });
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Line(BufReader::new(stream))
    }

    /// Who answers at the other end.
    pub fn pod(&mut self) -> String {
        let mut line = String::new();
        writeln!(self.0.get_mut(), "?").unwrap();
        self.0.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}
