//! What the streams of a connection send at about the same time, in few writes.
//!
//! The HTTP/2 implementation writes each frame of some length by itself, and a stream that has a
//! message wakes its connection, which then runs at once. When a change concerns hundreds of streams, nearly all of the time
//! would go into system calls. So a connection waits its turn behind the streams that were woken with
//! the one that woke it, and writes what all of them made together.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::calls::Calls;

/// Bytes that are gathered before they are written in any case. Held only from the first of them until
/// they are written.
const GATHERED: usize = 32 << 10;
/// A write of so many bytes is not copied: it takes what is gathered along.
const LONG: usize = 8 << 10;

/// Why a connection ended.
pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// A connection's socket, for the one who reads and writes frames. Nothing is written before there is
/// a good deal of it, or before [`in_turns`] ends a turn.
pub(super) struct Gathering<C>(Arc<Mutex<Gathered<C>>>);

struct Gathered<C> {
    socket: C,
    bytes: Vec<u8>,
    /// So many of them are written.
    written: usize,
    /// Since the turn began, something came that is long enough to be written by itself.
    long: bool,
}

impl<C> Gathering<C> {
    pub(super) fn new(socket: C) -> Self {
        Gathering(Arc::new(Mutex::new(Gathered {
            socket,
            bytes: Vec::new(),
            written: 0,
            long: false,
        })))
    }

    /// The same socket, for [`in_turns`].
    pub(super) fn share(&self) -> Self {
        Gathering(Arc::clone(&self.0))
    }

    /// Two ask for it, both within one task: nobody waits.
    fn lock(&self) -> MutexGuard<'_, Gathered<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: AsyncWrite + Unpin> Gathered<C> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    /// Writes what is gathered.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest().is_empty() {
            let rest = self.bytes.get(self.written..).unwrap_or_default();
            let count = ready!(Pin::new(&mut self.socket).poll_write(cx, rest))?;
            self.advance(count)?;
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.written = self.written.saturating_add(count);
        if self.rest().is_empty() {
            self.bytes = Vec::new();
            self.written = 0;
        }
        Ok(())
    }

    fn gather(&mut self, slices: &[IoSlice<'_>], length: usize) {
        if self.bytes.is_empty() {
            self.bytes.reserve_exact(GATHERED);
        }
        self.bytes.reserve(length);
        for slice in slices {
            self.bytes.extend_from_slice(slice);
        }
    }

    /// Writes what is gathered and a piece of what follows it; answers how much of that.
    fn poll_write_long(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let rest = self.bytes.get(self.written..).unwrap_or_default();
            let mut all = [IoSlice::new(rest), IoSlice::new(&[]), IoSlice::new(&[])];
            let behind = all.iter_mut().skip(1);
            for (place, slice) in behind.zip(slices.iter().filter(|slice| !slice.is_empty())) {
                *place = IoSlice::new(slice);
            }
            let before = rest.len();
            let count = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, &all))?;
            if before > 0 {
                self.advance(count.min(before))?;
            }
            match count.checked_sub(before) {
                Some(more) if more > 0 || before == 0 => return Poll::Ready(Ok(more)),
                _ => {}
            }
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Gathering<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().socket).poll_read(cx, buffer)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Gathering<C> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut all = self.lock();
        let length = slices.iter().map(|slice| slice.len()).sum::<usize>();
        if length >= LONG {
            all.long = true;
            return all.poll_write_long(cx, slices);
        }
        if all.rest().len().saturating_add(length) > GATHERED {
            ready!(all.poll_written(cx))?;
        }
        all.gather(slices, length);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Gathered is as good as written: the end of the turn sees to it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut all = self.lock();
        ready!(all.poll_written(cx))?;
        Pin::new(&mut all.socket).poll_shutdown(cx)
    }
}

/// Runs what reads and writes frames, a turn each time it was woken, and writes what a turn gathered
/// when it ends.
///
/// It lets others go first while there is more than one call, and unless the last turn brought what is
/// long: there a turn of waiting, which may be another thread's, costs more than a write.
pub(super) async fn in_turns<C, F, E>(
    mut frames: Pin<&mut F>,
    socket: &Gathering<C>,
    calls: &Calls,
) -> Result<(), Failure>
where
    C: AsyncWrite + Unpin,
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    let mut waited = false;
    poll_fn(move |cx| {
        let was_long = mem::replace(&mut socket.lock().long, false);
        if !waited && !was_long && calls.are_many() {
            waited = true;
            // Behind all that waits to run by now.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        waited = false;
        let ended = frames.as_mut().poll(cx);
        match (ended, socket.lock().poll_written(cx)) {
            (Poll::Ready(ended), _) => Poll::Ready(ended.map_err(Into::into)),
            (Poll::Pending, Poll::Ready(Err(error))) => Poll::Ready(Err(error.into())),
            (Poll::Pending, _) => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Takes so many bytes at a time, and only every other time.
    #[derive(Default)]
    struct Slow {
        most: usize,
        waits: bool,
        taken: Vec<u8>,
        writes: usize,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.waits = !self.waits;
            if self.waits {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let count = bytes.len().min(self.most);
            self.taken.extend_from_slice(&bytes[..count]);
            self.writes += 1;
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn socket(most: usize) -> Gathering<Slow> {
        Gathering::new(Slow {
            most,
            ..Slow::default()
        })
    }

    #[tokio::test]
    async fn every_byte_is_written_in_order() {
        for most in [1_000, 9_000, usize::MAX] {
            let gathering = socket(most);
            let mut frames = gathering.share();
            let mut expected = Vec::new();
            for (i, length) in [
                10, 2_000, 9_000, 5, 7_000, 7_000, 7_000, 7_000, 7_000, 40_000,
            ]
            .into_iter()
            .enumerate()
            {
                let piece = vec![i as u8; length];
                let (first, second) = piece.split_at(length / 3);
                let mut at = 0;
                // As the frames' writer does: a head and a body, as often as it takes.
                while at < length {
                    let head = &first[at.min(first.len())..];
                    let body = &second[at.saturating_sub(first.len())..];
                    let slices = [IoSlice::new(head), IoSlice::new(body)];
                    at += frames.write_vectored(&slices).await.unwrap();
                }
                expected.extend(piece);
            }
            frames.shutdown().await.unwrap();
            let gathered = gathering.lock();
            assert_eq!(gathered.socket.taken, expected, "{most} bytes at a time");
            assert_eq!(gathered.bytes.capacity(), 0);
        }
    }

    #[tokio::test]
    async fn what_a_turn_brings_is_one_write() {
        let gathering = socket(usize::MAX);
        let mut frames = gathering.share();
        let turn = async move {
            for _ in 0..10 {
                frames.write_all(&[7; 1_000]).await?;
                frames.flush().await?;
            }
            pending::<io::Result<()>>().await
        };
        let mut turn = std::pin::pin!(turn);
        let calls = Calls::default();
        let _two = [calls.begin(), calls.begin()];
        let mut turns = std::pin::pin!(in_turns(turn.as_mut(), &gathering, &calls));
        let written = poll_fn(|cx| {
            let _ = turns.as_mut().poll(cx);
            match gathering.lock().socket.taken.len() {
                0 => Poll::Pending,
                taken => Poll::Ready(Ok::<_, Infallible>(taken)),
            }
        });
        assert_eq!(written.await, Ok(10_000));
        assert_eq!(gathering.lock().socket.writes, 1);
    }
}
