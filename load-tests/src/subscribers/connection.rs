use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::frames::{self, FIRST_WINDOW, Frame};
use super::scan::{Message, Scan};

const PATH: &str = "/selectord.v1.Watch/WatchEndpoints";
/// Bytes of a stream that may come unread, as with selectord's own client.
pub const WINDOW: u32 = 64 << 10;
/// The same for who measures how much can come.
pub const WIDE: u32 = 4 << 20;
/// Bytes that are read at once.
const AT_ONCE: usize = 256 << 10;
/// Bytes of the connection's window after which it is made whole again.
const CREDIT: u32 = 1 << 20;

/// One connection with streams of endpoints.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    /// What came of a frame that is not whole yet.
    partial: Vec<u8>,
    out: Vec<u8>,
    /// Streams that are still to be opened.
    unopened: VecDeque<Bytes>,
    opened: u32,
    /// What the server takes now.
    may_send: i64,
    window: u32,
    /// Of each stream, what came since the server was given more room.
    unacknowledged: Vec<u32>,
    of_connection: u32,
}

/// Room to read into.
#[derive(Debug)]
pub struct Scratch(Vec<u8>);

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch(vec![0; AT_ONCE])
    }
}

/// What came of a stream.
#[derive(Debug, Clone, Copy)]
pub enum Came<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// Nothing more.
    End,
}

impl Connection {
    /// Connects, and opens a stream for each request; they are numbered in their order. `window` is how
    /// much of each may come unread.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn open(
        address: &str,
        window: u32,
        requests: impl IntoIterator<Item = Bytes>,
    ) -> io::Result<Connection> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let unopened: VecDeque<Bytes> = requests.into_iter().collect();
        let mut connection = Connection {
            socket,
            partial: Vec::new(),
            out: Vec::new(),
            unacknowledged: vec![0; unopened.len()],
            unopened,
            opened: 0,
            may_send: FIRST_WINDOW,
            window,
            of_connection: 0,
        };
        frames::preface(&mut connection.out, window);
        connection.subscribe();
        connection.flush().await?;
        Ok(connection)
    }

    /// As many as the server takes now.
    fn subscribe(&mut self) {
        while let Some(request) = self.unopened.front() {
            let bytes = request.len() as i64 + 5;
            if bytes > self.may_send {
                return;
            }
            self.may_send -= bytes;
            frames::call(&mut self.out, self.opened * 2 + 1, PATH, request);
            self.opened += 1;
            self.unopened.pop_front();
        }
    }

    /// Sends what reading gave rise to.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.socket.write_all(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }

    /// Waits until there is something to read.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads what is there, if anything is, and tells it stream by stream. While `stalled`, the server
    /// is given no more room on any stream. Connections of one thread may share the `scratch`.
    /// [`Connection::flush`] is to follow. Answers false when the connection is over.
    ///
    /// # Errors
    /// The connection broke.
    pub fn read(
        &mut self,
        scratch: &mut Scratch,
        stalled: bool,
        tell: impl FnMut(usize, Came<'_>),
    ) -> io::Result<bool> {
        let before = self.partial.len();
        let Some((partial, room)) = scratch.0.split_at_mut_checked(before) else {
            return Err(io::Error::other(
                "the server sends larger frames than it may",
            ));
        };
        let came = match self.socket.try_read(room) {
            Ok(came) => came,
            // It was a false alarm.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        partial.copy_from_slice(&self.partial);
        self.partial.clear();
        let bytes = scratch.0.get(..before + came).unwrap_or_default();
        let used = self.take(bytes, stalled, tell);
        self.partial
            .extend_from_slice(bytes.get(used..).unwrap_or_default());
        Ok(came > 0)
    }

    /// Waits for more of the only stream, and adds it to what is scanned.
    ///
    /// # Errors
    /// The connection, or the stream, is over.
    pub async fn follow(
        &mut self,
        scratch: &mut Scratch,
        scan: &mut Scan,
        mut tell: impl FnMut(Message, Option<Vec<u8>>),
    ) -> io::Result<()> {
        self.readable().await?;
        let mut ended = false;
        let open = self.read(scratch, false, |_, came| match came {
            Came::Bytes(bytes) => scan.take(bytes, &mut tell),
            Came::End => ended = true,
        })?;
        if ended || !open {
            return Err(io::Error::other("the server ended the stream"));
        }
        self.flush().await
    }

    /// Takes what is whole; answers how much that is.
    fn take(
        &mut self,
        bytes: &[u8],
        stalled: bool,
        mut tell: impl FnMut(usize, Came<'_>),
    ) -> usize {
        let index = |stream: u32| (stream / 2) as usize;
        let mut used = 0;
        while let Some((frame, length)) = frames::parse(bytes.get(used..).unwrap_or_default()) {
            used += length;
            match frame {
                Frame::Data {
                    stream,
                    bytes,
                    taken,
                    last,
                } => {
                    self.of_connection += taken;
                    let of_stream = self.unacknowledged.get_mut(index(stream));
                    if let Some(of_stream) = of_stream {
                        *of_stream += taken;
                        if !stalled && *of_stream >= self.window / 2 && !last {
                            frames::window_update(&mut self.out, stream, *of_stream);
                            *of_stream = 0;
                        }
                    }
                    tell(index(stream), Came::Bytes(bytes));
                    if last {
                        tell(index(stream), Came::End);
                    }
                }
                Frame::Ended(stream) => tell(index(stream), Came::End),
                Frame::Settings => frames::settings_ack(&mut self.out),
                Frame::Ping(ping) => frames::pong(&mut self.out, ping),
                Frame::Window(more) => self.may_send += i64::from(more),
                Frame::GoAway => {
                    (0..self.opened as usize).for_each(|stream| tell(stream, Came::End));
                }
                Frame::Other => {}
            }
        }
        if self.of_connection >= CREDIT {
            frames::window_update(&mut self.out, 0, self.of_connection);
            self.of_connection = 0;
        }
        self.subscribe();
        used
    }

    /// After a stall: gives the server room again on every stream.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn resume(&mut self) -> io::Result<()> {
        for (index, of_stream) in self.unacknowledged.iter_mut().enumerate() {
            if *of_stream > 0 {
                frames::window_update(&mut self.out, index as u32 * 2 + 1, *of_stream);
                *of_stream = 0;
            }
        }
        self.flush().await
    }
}
