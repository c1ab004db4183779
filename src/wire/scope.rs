//! Scopes, cursors and checkpoints.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use smol_str::SmolStr;

use crate::engine::{Scope, ServiceScope};
use crate::model::Revision;

use super::faults::{Decoded, Faults, required};
use super::labels::{decode_filter, encode_filter};
use super::name::{check_lengths, check_namespaces, decode_name, encode_name};
use super::proto;

/// What a subscriber has applied. Opaque but for the revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Names the history.
    pub epoch: Bytes,
    /// Everything up to this revision is applied.
    pub revision: Revision,
    /// Fingerprint of the scope the cursor is good for.
    pub scope: u64,
}

/// The commit point of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// What the subscriber has once it has applied everything before this.
    pub cursor: Cursor,
    /// When the newest change was committed; none before the first.
    pub commit_time: Option<SystemTime>,
    /// How long ago the source of truth was last heard of.
    pub source_age: Duration,
}

/// A cursor as a message.
pub fn encode_cursor(cursor: &Cursor) -> proto::Cursor {
    proto::Cursor {
        epoch: cursor.epoch.clone(),
        revision: cursor.revision,
        scope: cursor.scope,
    }
}

/// A cursor. Any cursor can be read; whether it is good here is for the server to say.
pub fn decode_cursor(cursor: proto::Cursor) -> Cursor {
    Cursor {
        epoch: cursor.epoch,
        revision: cursor.revision,
        scope: cursor.scope,
    }
}

/// A checkpoint as a message.
pub fn encode_checkpoint(checkpoint: &Checkpoint) -> proto::Checkpoint {
    proto::Checkpoint {
        cursor: Some(encode_cursor(&checkpoint.cursor)),
        commit_time: checkpoint.commit_time.map(encode_time),
        source_age: Some(encode_duration(checkpoint.source_age)),
    }
}

/// A checkpoint.
///
/// # Errors
/// It has no cursor. Times out of range are read as absent.
pub fn decode_checkpoint(checkpoint: proto::Checkpoint) -> Decoded<Checkpoint> {
    let Some(cursor) = checkpoint.cursor else {
        return required("cursor", "a checkpoint says where it is");
    };
    Ok(Checkpoint {
        cursor: decode_cursor(cursor),
        commit_time: checkpoint
            .commit_time
            .and_then(|time| SystemTime::try_from(time).ok()),
        source_age: checkpoint
            .source_age
            .and_then(|age| Duration::try_from(age).ok())
            .unwrap_or_default(),
    })
}

/// A point in time as a message.
pub fn encode_time(time: SystemTime) -> prost_types::Timestamp {
    prost_types::Timestamp::from(time)
}

/// A length of time as a message; one beyond protobuf's range as the longest it can say.
pub fn encode_duration(duration: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let nanos = i32::try_from(duration.subsec_nanos()).unwrap_or_default();
    prost_types::Duration { seconds, nanos }
}

/// A scope as a message.
pub fn encode_scope(scope: &Scope) -> proto::WatchScope {
    use proto::watch_scope::Scope as Wire;
    proto::WatchScope {
        scope: Some(match scope {
            Scope::Node(name) => Wire::Node(proto::NodeScope {
                name: name.to_string(),
            }),
            Scope::Services(services) => Wire::Services(proto::ServiceScope {
                namespaces: services
                    .namespaces
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                names: services.names.iter().map(encode_name).collect(),
                selector: Some(encode_filter(&services.selector)),
            }),
        }),
    }
}

/// A scope; an absent one is every service.
///
/// # Errors
/// A node scope without a name, names without a part, names and namespaces longer than any can be,
/// selectors that are not legal.
pub fn decode_scope(scope: Option<proto::WatchScope>) -> Decoded<Scope> {
    use proto::watch_scope::Scope as Wire;
    let mut faults = Faults::default();
    match scope.and_then(|scope| scope.scope) {
        None => Ok(Scope::all()),
        Some(Wire::Node(node)) if node.name.is_empty() => required("node.name", "say which node"),
        Some(Wire::Node(node)) => {
            let mut own = Faults::default();
            check_lengths(&mut own, "", &node.name);
            faults.take(|| "node".to_owned(), own.finish(()));
            faults.finish(Scope::Node(node.name.into()))
        }
        Some(Wire::Services(services)) => {
            faults.take(
                || "services.namespaces".to_owned(),
                check_namespaces(&services.namespaces),
            );
            let decoded = ServiceScope {
                namespaces: services.namespaces.into_iter().map(SmolStr::from).collect(),
                names: faults.list("services.names", services.names, decode_name),
                selector: faults
                    .take(
                        || "services.selector".to_owned(),
                        decode_filter(services.selector.as_ref()),
                    )
                    .unwrap_or_else(crate::selector::Selector::everything),
            };
            faults.finish(Scope::Services(decoded))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_scope_is_longer_than_a_name_can_be() {
        use proto::watch_scope::Scope as Wire;
        let fault = |scope: Wire| {
            let faults = decode_scope(Some(proto::WatchScope { scope: Some(scope) })).unwrap_err();
            let paths: Vec<_> = faults.into_iter().map(|fault| fault.path).collect();
            paths.join(" ")
        };
        let node = |length: usize| {
            Wire::Node(proto::NodeScope {
                name: "n".repeat(length),
            })
        };
        assert!(
            decode_scope(Some(proto::WatchScope {
                scope: Some(node(253))
            }))
            .is_ok()
        );
        assert_eq!(fault(node(254)), "node.name");
        let services = proto::ServiceScope {
            namespaces: vec!["default".to_owned(), "n".repeat(64)],
            names: vec![proto::ObjectName {
                namespace: "default".to_owned(),
                name: "n".repeat(254),
            }],
            selector: None,
        };
        assert_eq!(
            fault(Wire::Services(services)),
            "services.namespaces[1] services.names[0].name"
        );
    }
}
