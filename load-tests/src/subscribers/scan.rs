//! A stream's bytes, looked at as little as can be.

/// Elements longer than this are no checkpoints, and are skipped unseen.
const SMALL: usize = 128;
/// Field 1 of a WatchEndpointsResponse: an event.
const EVENT: u8 = 0x0a;
/// Field 2 of it: the subscription's number.
const SUBSCRIPTION: u8 = 0x10;
/// How a CHECKPOINT begins: its type, field 1, which is 5.
const CHECKPOINT: [u8; 2] = [0x08, 0x05];

/// Where in its messages a stream is.
#[derive(Debug, Default)]
pub struct Scan {
    at: At,
    /// gRPC's prefix of the message that begins, so far.
    prefix: [u8; 5],
    /// Bytes of the message that are still to come.
    left: usize,
    message: Message,
    /// The element that is gathered.
    small: Vec<u8>,
    body: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Prefix(usize),
    Tag,
    Number,
    Length { so_far: usize, shift: u32 },
    Gather(usize),
    Skip(usize),
}

impl Default for At {
    fn default() -> At {
        At::Prefix(0)
    }
}

/// A message, as far as it was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Message {
    /// Its bytes, prefix excluded.
    pub bytes: usize,
    /// The revision of its checkpoint.
    pub checkpoint: Option<u64>,
    /// Whether it has anything but a checkpoint.
    pub eventful: bool,
}

impl Scan {
    /// At a stream's beginning. With `keep`, messages are handed over whole.
    pub fn new(keep: bool) -> Scan {
        Scan {
            body: keep.then(Vec::new),
            ..Scan::default()
        }
    }

    /// Takes what came, and tells each message that it completes, with its bytes if they are kept.
    pub fn take(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Message, Option<Vec<u8>>)) {
        while let Some((&first, rest)) = bytes.split_first() {
            if let At::Prefix(have) = self.at {
                bytes = rest;
                if let Some(byte) = self.prefix.get_mut(have) {
                    *byte = first;
                }
                self.at = At::Prefix(have + 1);
                if have + 1 == self.prefix.len() {
                    let [_, length @ ..] = self.prefix;
                    self.left = u32::from_be_bytes(length) as usize;
                    self.message = Message {
                        bytes: self.left,
                        ..Message::default()
                    };
                    self.at = At::Tag;
                }
            } else {
                let (of_message, behind) = bytes.split_at(bytes.len().min(self.left));
                self.left -= of_message.len();
                if let Some(body) = &mut self.body {
                    body.extend_from_slice(of_message);
                }
                self.elements(of_message);
                bytes = behind;
            }
            if self.left == 0 && !matches!(self.at, At::Prefix(_)) {
                self.at = At::Prefix(0);
                tell(self.message, self.body.as_mut().map(std::mem::take));
            }
        }
    }

    fn elements(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match self.at {
                At::Prefix(_) => return,
                At::Tag => {
                    bytes = rest;
                    self.at = match first {
                        EVENT => At::Length {
                            so_far: 0,
                            shift: 0,
                        },
                        SUBSCRIPTION => At::Number,
                        // There is no other field: look no further.
                        _ => At::Skip(usize::MAX),
                    };
                }
                At::Number => {
                    bytes = rest;
                    if first < 0x80 {
                        self.at = At::Tag;
                    }
                }
                At::Length { so_far, shift } => {
                    bytes = rest;
                    let so_far = so_far | usize::from(first & 0x7f) << shift;
                    self.at = match (first >= 0x80, so_far) {
                        (true, _) => At::Length {
                            so_far,
                            shift: (shift + 7).min(28),
                        },
                        (false, 0) => At::Tag,
                        (false, length) if length <= SMALL => {
                            self.small.clear();
                            At::Gather(length)
                        }
                        (false, length) => {
                            self.message.eventful = true;
                            At::Skip(length)
                        }
                    };
                }
                At::Gather(length) => {
                    let (here, behind) = bytes.split_at(bytes.len().min(length));
                    self.small.extend_from_slice(here);
                    bytes = behind;
                    self.at = At::Gather(length - here.len());
                    if length == here.len() {
                        self.gathered();
                        self.at = At::Tag;
                    }
                }
                At::Skip(length) => {
                    let here = bytes.len().min(length);
                    bytes = bytes.get(here..).unwrap_or_default();
                    self.at = if length == here {
                        At::Tag
                    } else {
                        At::Skip(length - here)
                    };
                }
            }
        }
    }

    fn gathered(&mut self) {
        match self.small.strip_prefix(&CHECKPOINT) {
            Some(rest) => {
                // Checkpoint is field 9 of the event, its cursor field 1, the revision field 2 of that.
                let cursor = field(rest, 9).and_then(|(_, checkpoint)| field(checkpoint, 1));
                let revision = cursor.and_then(|(_, cursor)| field(cursor, 2));
                self.message.checkpoint = Some(revision.map_or(0, |(number, _)| number));
            }
            None => self.message.eventful = true,
        }
    }
}

/// The first field of this number in a message: its value, if that is a number, and its bytes.
fn field(mut bytes: &[u8], wanted: u64) -> Option<(u64, &[u8])> {
    loop {
        let tag = number(&mut bytes)?;
        let (value, content) = match tag & 7 {
            0 => (number(&mut bytes)?, [].as_slice()),
            1 => (0, bytes.split_off(..8)?),
            2 => {
                let length = number(&mut bytes)?;
                (0, bytes.split_off(..length as usize)?)
            }
            5 => (0, bytes.split_off(..4)?),
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some((value, content));
        }
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use selectord::wire::proto;

    use super::*;

    fn framed(events: Vec<proto::EndpointsEvent>, subscription: u64) -> Vec<u8> {
        let message = proto::WatchEndpointsResponse {
            events,
            subscription,
        };
        let body = message.encode_to_vec();
        let mut framed = vec![0];
        framed.extend((body.len() as u32).to_be_bytes());
        framed.extend(body);
        framed
    }

    fn update(name: &str) -> proto::EndpointsEvent {
        proto::EndpointsEvent {
            r#type: proto::EventType::Update.into(),
            name: name.to_owned(),
            ..Default::default()
        }
    }

    fn checkpoint(revision: u64) -> proto::EndpointsEvent {
        let cursor = proto::Cursor {
            epoch: vec![7; 16].into(),
            revision,
            scope: 0x0805_0805_0805_0805,
        };
        proto::EndpointsEvent {
            r#type: proto::EventType::Checkpoint.into(),
            checkpoint: Some(proto::Checkpoint {
                cursor: Some(cursor),
                commit_time: Some(std::time::SystemTime::now().into()),
                source_age: None,
            }),
            ..Default::default()
        }
    }

    #[test]
    fn checkpoints_are_found_however_the_bytes_are_cut() {
        let messages = [
            framed(vec![checkpoint(0)], 0),
            framed(vec![update(&"x".repeat(100_000)), checkpoint(300)], 9),
            framed(vec![update("y"), update(&"z".repeat(125))], 300),
            framed(Vec::new(), 0),
            framed(
                vec![proto::EndpointsEvent::default(), checkpoint(u64::MAX)],
                1,
            ),
        ];
        let all = messages.concat();
        for piece in [1, 2, 3, 7, 100, 8_192, all.len()] {
            let mut scan = Scan::new(true);
            let mut seen = Vec::new();
            for bytes in all.chunks(piece) {
                scan.take(bytes, |message, body| seen.push((message, body.unwrap())));
            }
            let found: Vec<_> = seen
                .iter()
                .map(|(message, _)| (message.checkpoint, message.eventful))
                .collect();
            let expected = [
                (Some(0), false),
                (Some(300), true),
                (None, true),
                (None, false),
                (Some(u64::MAX), false),
            ];
            assert_eq!(found, expected, "in pieces of {piece}");
            for ((message, body), sent) in seen.iter().zip(&messages) {
                assert_eq!(
                    (body.as_slice(), message.bytes),
                    (&sent[5..], sent.len() - 5)
                );
            }
        }
    }
}
