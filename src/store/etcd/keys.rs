//! What stands under which key.

use bytes::Bytes;

use crate::model::{Kind, ObjectName, ObjectRef, Revision};
use crate::store::HistoryId;

use super::EtcdError;

/// The newest format that this version knows, and the one that it writes.
pub(super) const FORMAT: u64 = 1;

/// How many places for request ids there are: of those that are remembered, the oldest still have theirs in
/// three of four cases.
pub(super) const PLACES: u16 = 16_384;

/// What the mark of a restore begins with.
const MARK: &[u8] = b"restoring ";

/// The keys under a prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// Ends with a slash.
    prefix: String,
}

/// What a key is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Format,
    History,
    Head,
    Object(ObjectRef),
    /// A place for request ids.
    Request(u16),
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Keys {
        Keys {
            prefix: format!("{prefix}/"),
        }
    }

    /// The first key, and the first behind all of them.
    pub(super) fn all(&self) -> (Bytes, Bytes) {
        // The byte behind a slash.
        let end = format!("{}0", self.prefix.trim_end_matches('/'));
        (self.prefix.clone().into(), end.into())
    }

    /// The same of the objects' keys.
    pub(super) fn objects(&self) -> (Bytes, Bytes) {
        (self.below("objects/"), self.below("objects0"))
    }

    /// The keys of objects and of request ids, and no others.
    pub(super) fn contents(&self) -> (Bytes, Bytes) {
        (self.below("objects/"), self.below("requests0"))
    }

    pub(super) fn request(&self, place: u16) -> Bytes {
        self.below(&format!("requests/{place:04x}"))
    }

    /// What stands in the place of the history's id while objects are put there from elsewhere.
    pub(super) fn mark(&self) -> Result<Bytes, EtcdError> {
        let id = random_id()?;
        Ok([MARK, &id].concat().into())
    }

    pub(super) fn format(&self) -> Bytes {
        self.below("format")
    }

    pub(super) fn history(&self) -> Bytes {
        self.below("history")
    }

    /// Put by every transaction, with a random id: its revision is the newest of all, and its value
    /// tells a revision from another of the same number in another history.
    pub(super) fn head(&self) -> Bytes {
        self.below("head")
    }

    pub(super) fn object(&self, object: &ObjectRef) -> Bytes {
        let ObjectName { namespace, name } = &object.name;
        let folder = folder(object.kind);
        self.below(&if object.kind.is_namespaced() {
            format!("objects/{folder}/{namespace}/{name}")
        } else {
            format!("objects/{folder}/{name}")
        })
    }

    fn below(&self, name: &str) -> Bytes {
        format!("{}{name}", self.prefix).into()
    }

    /// What a key is of.
    ///
    /// # Errors
    /// [`EtcdError::Foreign`]: it is none of ours.
    pub(super) fn read(&self, key: &[u8]) -> Result<Key, EtcdError> {
        let below = key.strip_prefix(self.prefix.as_bytes());
        match below.and_then(|key| std::str::from_utf8(key).ok()) {
            Some("format") => Some(Key::Format),
            Some("history") => Some(Key::History),
            Some("head") => Some(Key::Head),
            Some(key) => match key.strip_prefix("requests/") {
                Some(place) => place_of(place).map(Key::Request),
                None => object_of(key).map(Key::Object),
            },
            None => None,
        }
        .ok_or_else(|| foreign(key, "no object is called so"))
    }
}

/// The plural that stands in a key.
fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::Pod => "pods",
        Kind::Service => "services",
        Kind::Node => "nodes",
        Kind::Endpoints => "endpoints",
        Kind::EndpointSlice => "endpointslices",
    }
}

fn object_of(key: &str) -> Option<ObjectRef> {
    let (in_key, name) = key.strip_prefix("objects/")?.split_once('/')?;
    let kind = Kind::ALL.into_iter().find(|kind| folder(*kind) == in_key)?;
    let name = if kind.is_namespaced() {
        let (namespace, name) = name.split_once('/')?;
        if namespace.is_empty() {
            return None;
        }
        ObjectName::new(namespace, name)
    } else {
        ObjectName::cluster(name)
    };
    let is_name = !name.name.is_empty() && !name.name.contains('/');
    is_name.then(|| ObjectRef::new(kind, name))
}

fn place_of(place: &str) -> Option<u16> {
    let number = u16::from_str_radix(place, 16).ok()?;
    let is_it = format!("{number:04x}") == place && number < PLACES;
    is_it.then_some(number)
}

/// That a key is none of ours.
pub(super) fn foreign(key: &[u8], what: impl Into<String>) -> EtcdError {
    EtcdError::Foreign {
        key: String::from_utf8_lossy(key).into_owned(),
        what: what.into(),
    }
}

/// Whether the value of the key `format` can be worked with.
pub(super) fn check_format(key: &[u8], value: &[u8]) -> Result<(), EtcdError> {
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match number {
        Some(1..=FORMAT) => Ok(()),
        Some(0) => Err(foreign(key, "there is no format 0")),
        Some(found) => Err(EtcdError::NewerFormat {
            key: String::from_utf8_lossy(key).into_owned(),
            found,
            known: FORMAT,
        }),
        None => Err(foreign(key, "its value is not the number of a format")),
    }
}

/// That the key `format` is not there.
pub(super) fn format_missing(keys: &Keys) -> EtcdError {
    EtcdError::FormatMissing {
        key: String::from_utf8_lossy(&keys.format()).into_owned(),
        known: FORMAT,
    }
}

pub(super) fn encode_history(history: HistoryId) -> Bytes {
    hexadecimal(*history.as_bytes())
}

/// The history that the value of the key `history` names.
pub(super) fn decode_history(key: &[u8], value: &[u8]) -> Result<HistoryId, EtcdError> {
    if value.starts_with(MARK) {
        return Err(EtcdError::Restoring {
            key: String::from_utf8_lossy(key).into_owned(),
        });
    }
    let is_id = |text: &&str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let text = std::str::from_utf8(value).ok().filter(is_id);
    let number = text.and_then(|text| u128::from_str_radix(text, 16).ok());
    let number = number.ok_or_else(|| foreign(key, "its value is not 32 hexadecimal digits"))?;
    Ok(HistoryId::from_bytes(number.to_be_bytes()))
}

/// A random id for a transaction.
pub(super) fn random_id() -> Result<Bytes, EtcdError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| EtcdError::Randomness {
        cause: error.to_string(),
    })?;
    Ok(hexadecimal(id))
}

fn hexadecimal(id: [u8; 16]) -> Bytes {
    format!("{:032x}", u128::from_be_bytes(id)).into()
}

/// A revision as we count: etcd's are never below zero.
pub(super) fn revision(theirs: i64) -> Revision {
    Revision::try_from(theirs).unwrap_or(0)
}

/// A revision as etcd counts.
pub(super) fn etcd_revision(ours: Revision) -> i64 {
    i64::try_from(ours).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_what_it_was_made_of() {
        let keys = Keys::new("/some/where");
        let named = |kind: Kind| match kind.is_namespaced() {
            true => ObjectRef::new(kind, ObjectName::new("ns", "a.b-c")),
            false => ObjectRef::new(kind, ObjectName::cluster("a.b-c")),
        };
        for object in Kind::ALL.map(named) {
            let key = keys.object(&object);
            assert_eq!(keys.read(&key), Ok(Key::Object(object)));
            let (first, end) = keys.all();
            assert!(first < key && key < end);
        }
        assert_eq!(
            keys.object(&named(Kind::Node)),
            "/some/where/objects/nodes/a.b-c"
        );
        assert_eq!(keys.read(&keys.format()), Ok(Key::Format));
        assert_eq!(keys.read(&keys.history()), Ok(Key::History));
        assert_eq!(keys.read(&keys.head()), Ok(Key::Head));
        for place in [0, 1, PLACES - 1] {
            let key = keys.request(place);
            assert_eq!(keys.read(&key), Ok(Key::Request(place)));
            let (first, end) = keys.contents();
            assert!(first < key && key < end);
        }
    }

    #[test]
    fn other_keys_are_named() {
        let keys = Keys::new("/p");
        for key in [
            "/p/",
            "/p/x",
            "/p/objects/pods/a",
            "/p/objects/pods//a",
            "/p/objects/pods/a/",
            "/p/objects/pods/a/b/c",
            "/p/objects/nodes/",
            "/p/objects/nodes/a/b",
            "/p/objects/things/a/b",
            "/p/requests/1",
            "/p/requests/+001",
            "/p/requests/4000",
            "/q/format",
        ] {
            let error = keys.read(key.as_bytes()).expect_err(key).to_string();
            assert!(error.contains(&format!("{key:?}")), "{error}");
        }
        assert!(keys.read(b"/p/objects/nodes/\xff").is_err());
    }

    #[test]
    fn formats_and_histories() {
        assert_eq!(check_format(b"k", b"1"), Ok(()));
        assert!(matches!(
            check_format(b"k", b"2"),
            Err(EtcdError::NewerFormat { found: 2, .. })
        ));
        for wrong in [&b"0"[..], b"", b"x", b"-1", b"\xff"] {
            assert!(check_format(b"k", wrong).is_err());
        }
        let history =
            HistoryId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(decode_history(b"k", &encode_history(history)), Ok(history));
        for wrong in ["", "12", "+0000000000000000000000000000000"] {
            assert!(decode_history(b"k", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
