//! HTTP/2 (RFC 9113), as far as a client that opens streams and reads them needs it. Answers' headers are
//! skipped, not decoded.

/// Bytes in front of each frame.
pub const HEADER: usize = 9;
/// Bytes that may be sent, on a connection or a stream, before anything is said of it.
pub const FIRST_WINDOW: i64 = 65_535;
/// The widest that a window can be.
pub const WIDEST: u32 = i32::MAX as u32;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const INITIAL_WINDOW_SIZE: u16 = 4;
const ENABLE_PUSH: u16 = 2;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// What a frame says that is of interest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Bytes of a stream, so many of its window, and whether they are the last.
    Data {
        /// Its number.
        stream: u32,
        /// Padding taken off.
        bytes: &'a [u8],
        /// What they take of the windows.
        taken: u32,
        /// Nothing follows.
        last: bool,
    },
    /// A stream is over: it was refused, or its status came.
    Ended(u32),
    /// Settings that want to be acknowledged.
    Settings,
    /// Somebody asks whether this side is alive.
    Ping([u8; 8]),
    /// So much more may be sent on the connection.
    Window(u32),
    /// The connection is about to end.
    GoAway,
    /// Of no interest.
    Other,
}

/// The first frame in these bytes and its length; none if it is not all there.
pub fn parse(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let header = bytes.get(..HEADER)?;
    let number = |at: usize| header.get(at).copied().map_or(0, u32::from);
    let length = (number(0) << 16 | number(1) << 8 | number(2)) as usize;
    let (kind, flags) = (number(3) as u8, number(4) as u8);
    let stream = (number(5) << 24 | number(6) << 16 | number(7) << 8 | number(8)) & WIDEST;
    let payload = bytes.get(HEADER..HEADER + length)?;
    let first_four = || {
        let four = payload.first_chunk::<4>().copied().unwrap_or_default();
        u32::from_be_bytes(four) & WIDEST
    };
    let last = flags & END_STREAM != 0;
    let frame = match kind {
        DATA => Frame::Data {
            stream,
            bytes: unpadded(payload, flags),
            taken: length as u32,
            last,
        },
        HEADERS if last => Frame::Ended(stream),
        RST_STREAM => Frame::Ended(stream),
        SETTINGS if flags & ACK == 0 => Frame::Settings,
        PING if flags & ACK == 0 => {
            Frame::Ping(payload.first_chunk::<8>().copied().unwrap_or_default())
        }
        WINDOW_UPDATE if stream == 0 => Frame::Window(first_four()),
        GOAWAY => Frame::GoAway,
        _ => Frame::Other,
    };
    Some((frame, HEADER + length))
}

fn unpadded(payload: &[u8], flags: u8) -> &[u8] {
    if flags & PADDED == 0 {
        return payload;
    }
    let padding = payload.first().copied().map_or(0, usize::from);
    let end = payload.len().saturating_sub(padding);
    payload.get(1..end).unwrap_or_default()
}

fn header(out: &mut Vec<u8>, length: usize, kind: u8, flags: u8, stream: u32) {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
}

/// What a client says first; `window` is how much of a stream may come unread.
pub fn preface(out: &mut Vec<u8>, window: u32) {
    out.extend_from_slice(PREFACE);
    header(out, 12, SETTINGS, 0, 0);
    for (name, value) in [(ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, window)] {
        out.extend_from_slice(&name.to_be_bytes());
        out.extend_from_slice(&u32::to_be_bytes(value));
    }
    window_update(out, 0, WIDEST - FIRST_WINDOW as u32);
}

/// So much more may come.
pub fn window_update(out: &mut Vec<u8>, stream: u32, more: u32) {
    header(out, 4, WINDOW_UPDATE, 0, stream);
    out.extend_from_slice(&more.to_be_bytes());
}

/// Settings were read.
pub fn settings_ack(out: &mut Vec<u8>) {
    header(out, 0, SETTINGS, ACK, 0);
}

/// The answer to a ping.
pub fn pong(out: &mut Vec<u8>, ping: [u8; 8]) {
    header(out, ping.len(), PING, ACK, 0);
    out.extend_from_slice(&ping);
}

/// Opens a gRPC call and sends its first message; more might follow. Names and values must be shorter
/// than 127 bytes.
pub fn call(out: &mut Vec<u8>, stream: u32, path: &str, message: &[u8]) {
    // HPACK (RFC 7541): fields of the static table by number, the others in plain letters.
    let mut block = vec![0x83, 0x86];
    let mut literal = |name: &[u8], value: &str| {
        block.extend_from_slice(name);
        block.push(value.len() as u8);
        block.extend_from_slice(value.as_bytes());
    };
    literal(&[0x04], path);
    literal(&[0x01], "localhost");
    literal(&[0x0f, 0x10], "application/grpc");
    literal(&[0x00, 2, b't', b'e'], "trailers");
    header(out, block.len(), HEADERS, END_HEADERS, stream);
    out.extend_from_slice(&block);
    header(out, message.len() + 5, DATA, 0, stream);
    out.push(0);
    out.extend_from_slice(&(message.len() as u32).to_be_bytes());
    out.extend_from_slice(message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_are_written() {
        let mut bytes = Vec::new();
        pong(&mut bytes, *b"whatever");
        window_update(&mut bytes, 0, 77);
        call(&mut bytes, 5, "/a.B/C", b"message");
        assert_eq!(parse(&bytes[..8]), None);
        let mut seen = Vec::new();
        let mut rest = &bytes[..];
        while let Some((frame, length)) = parse(rest) {
            seen.push(frame);
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
        let data = Frame::Data {
            stream: 5,
            bytes: b"\0\0\0\0\x07message",
            taken: 12,
            last: false,
        };
        let expected = [Frame::Other, Frame::Window(77), Frame::Other, data];
        assert_eq!(seen, expected);
    }

    #[test]
    fn padding_is_no_data() {
        let bytes = [0, 0, 5, DATA, PADDED, 0, 0, 0, 1, 2, b'h', b'i', 0, 0];
        let (frame, length) = parse(&bytes).unwrap();
        assert_eq!(length, bytes.len());
        assert!(matches!(
            frame,
            Frame::Data {
                bytes: b"hi",
                taken: 5,
                ..
            }
        ));
    }
}
