use bytes::Bytes;

use crate::engine::Event;

use super::element_writer::ElementWriter;
use super::put::put_number;
use super::scope::Checkpoint;

/// Bytes in front of each gRPC message: not compressed, and its length.
const PREFIX: usize = 5;
/// Bytes that a checkpoint and the number of a subscription may take: a message is closed so much
/// before its limit.
const TAIL: usize = 96;
/// Encoded elements shorter than this are copied, longer ones are shared. A shared part makes two
/// frames more, which cost about as much as copying so many bytes, and its chunk is held whole for as
/// long as one client has not taken it.
const COPIED: usize = 16 << 10;
/// What a message that is begun is expected to come to, until one was full.
const SMALL: usize = 512;

/// A gRPC message of the endpoints stream as it travels: its prefix included, in up to three parts,
/// the middle one of which others may share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedMessage {
    /// The parts, in order; any may be empty.
    pub parts: [Bytes; 3],
}

impl EncodedMessage {
    fn whole(bytes: Vec<u8>) -> Self {
        EncodedMessage {
            parts: [bytes.into(), Bytes::new(), Bytes::new()],
        }
    }

    /// Bytes of all parts.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Whether there are none. No message that was made is.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Bytes::is_empty)
    }

    /// The message without its prefix, in one piece: for readers beyond HTTP/2.
    pub fn body(&self) -> Bytes {
        let mut all = self.parts.concat();
        all.drain(..PREFIX.min(all.len()));
        all.into()
    }
}

/// Events, and elements that were encoded before, on their way into one message.
///
/// A message is closed when the next event would push it past the limit, so that a set of any size
/// travels in messages of bounded size; only one object that is larger than the limit by itself makes
/// a larger message.
#[derive(Debug)]
pub struct MessageWriter {
    limit: usize,
    subscription: u64,
    /// Begins with room for the prefix.
    writer: ElementWriter,
    /// Instead of what `writer` holds: elements that others share.
    shared: Bytes,
    /// A full message, that waits to be taken.
    full: Option<EncodedMessage>,
    expected: usize,
}

impl MessageWriter {
    /// An empty message, to be closed before it has more than `limit` bytes, of those that answer a
    /// subscription.
    pub fn new(limit: usize, subscription: u64) -> Self {
        MessageWriter {
            limit: limit.saturating_sub(TAIL),
            subscription,
            writer: ElementWriter::default(),
            shared: Bytes::new(),
            full: None,
            expected: SMALL,
        }
    }

    /// Whether nothing was added since the last message was taken.
    pub fn is_empty(&self) -> bool {
        self.writer.out.len() <= PREFIX && self.shared.is_empty() && self.full.is_none()
    }

    /// Most bytes of elements that one message has room for.
    pub fn room(&self) -> usize {
        self.limit
    }

    /// Adds an event; answers whether a message is full, and is to be taken before more is added.
    /// Linear in the event's size.
    pub fn push(&mut self, event: &Event) -> bool {
        self.unshare();
        self.begin();
        let written = self.writer.write(event);
        if written.at > PREFIX && self.writer.out.len() > self.limit.saturating_add(PREFIX) {
            self.writer.undo(written);
            self.close();
            self.begin();
            self.writer.write(event);
        }
        self.full.is_some()
    }

    /// Adds whole elements; answers as [`MessageWriter::push`]. Long ones are shared, not copied.
    pub fn push_encoded(&mut self, elements: &Bytes) -> bool {
        self.unshare();
        let held = self.writer.out.len().saturating_sub(PREFIX);
        if held > 0 && held.saturating_add(elements.len()) > self.limit {
            self.close();
        }
        if elements.len() < COPIED {
            self.begin();
            self.writer.close();
            self.writer.out.extend_from_slice(elements);
        } else {
            if self.writer.out.len() > PREFIX {
                self.close();
            }
            self.shared = elements.clone();
        }
        self.full.is_some()
    }

    /// The message that is full.
    pub fn take_full(&mut self) -> Option<EncodedMessage> {
        self.full.take()
    }

    /// Adds that the subscriber is to say what it holds. No message may be full.
    pub fn offer(&mut self) {
        self.unshare();
        self.begin();
        self.writer.offer();
    }

    /// What is left, if there is anything: nobody knows when more will come.
    pub fn flush(&mut self) -> Option<EncodedMessage> {
        self.unshare();
        if self.full.is_none() && self.writer.out.len() > PREFIX {
            self.close();
        }
        self.take_full()
    }

    /// The last message before a pause: what is left, and the checkpoint.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> EncodedMessage {
        if self.shared.is_empty() {
            self.begin();
            self.writer.checkpoint(checkpoint);
            self.expected = SMALL;
            return EncodedMessage::whole(self.finish());
        }
        let shared = std::mem::take(&mut self.shared);
        self.begin();
        self.writer.checkpoint(checkpoint);
        put_number(&mut self.writer.out, 2, self.subscription);
        self.around(shared)
    }

    /// A message that says nothing but which subscription it answers.
    pub fn nothing(&self) -> EncodedMessage {
        let mut out = vec![0; PREFIX];
        put_number(&mut out, 2, self.subscription);
        set_length(&mut out, 0);
        EncodedMessage::whole(out)
    }

    /// Room for the prefix.
    fn begin(&mut self) {
        if self.writer.out.is_empty() {
            self.writer.out.reserve(self.expected);
            self.writer.out.resize(PREFIX, 0);
        }
    }

    /// What is shared makes a message of its own before anything is added.
    fn unshare(&mut self) {
        if !self.shared.is_empty() {
            let shared = std::mem::take(&mut self.shared);
            self.begin();
            put_number(&mut self.writer.out, 2, self.subscription);
            self.full = Some(self.around(shared));
        }
    }

    fn close(&mut self) {
        self.expected = self.limit.saturating_add(PREFIX);
        self.full = Some(EncodedMessage::whole(self.finish()));
    }

    /// What was written, as a message.
    fn finish(&mut self) -> Vec<u8> {
        self.writer.close();
        put_number(&mut self.writer.out, 2, self.subscription);
        let mut out = std::mem::take(&mut self.writer.out);
        set_length(&mut out, 0);
        out
    }

    /// What is shared, between the prefix and the rest of what was written.
    fn around(&mut self, shared: Bytes) -> EncodedMessage {
        let mut out = std::mem::take(&mut self.writer.out);
        set_length(&mut out, shared.len());
        let mut prefix = Bytes::from(out);
        let tail = prefix.split_off(PREFIX.min(prefix.len()));
        EncodedMessage {
            parts: [prefix, shared, tail],
        }
    }
}

/// Writes the length of what follows, of which `elsewhere` bytes are not in `out`.
fn set_length(out: &mut [u8], elsewhere: usize) {
    let length = out.len().saturating_sub(PREFIX).saturating_add(elsewhere);
    // Messages are cut at a few kilobytes, objects are bounded by requests of a few megabytes.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(1..PREFIX) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
