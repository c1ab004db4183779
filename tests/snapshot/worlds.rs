//! Random worlds, and snapshots of them.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message as _;
use selectord::engine::{Engine, MissingNode, ObjectPlace};
use selectord::model::{Change, Object, ObjectRef, ResolvedTransaction};
use selectord::snapshot::{Header, SnapshotReader, SnapshotWriter};
use selectord::wire::encode_stored;
use smol_str::SmolStr;

use crate::support::generate::{Mix, World};

/// Objects with their sources, in the order of a snapshot.
pub type Facts = Vec<(Object, SmolStr)>;

/// What there is, looked up object by object.
#[derive(Default)]
pub struct Mirror(BTreeMap<ObjectRef, (Object, SmolStr)>);

impl Mirror {
    pub fn apply(&mut self, transaction: &ResolvedTransaction) {
        for change in transaction.changes() {
            match change {
                Change::Put(object) => {
                    let known = self.0.remove(&object.object_ref());
                    // A writer without a name leaves an object whose it was.
                    let source = match transaction.source() {
                        source if source.is_empty() => known.map(|it| it.1).unwrap_or_default(),
                        source => source.clone(),
                    };
                    self.0.insert(object.object_ref(), (object.clone(), source));
                }
                Change::Delete(object) => {
                    self.0.remove(object);
                }
            }
        }
    }

    pub fn facts(&self) -> Facts {
        let mut facts: Facts = self.0.values().cloned().collect();
        facts.sort_by_key(|(object, _)| ObjectPlace::from(object.object_ref()));
        facts
    }
}

/// An engine of a random world.
pub fn engine(seed: u64, transactions: u64, missing_node: MissingNode) -> (Engine, Mirror) {
    let mut world = World::new(seed, Mix::ALL);
    let mut mirror = Mirror::default();
    let mut engine = Engine::new(selectord::engine::EngineOptions {
        missing_node,
        ..Default::default()
    });
    for revision in 1..=transactions {
        let transaction = world.transaction();
        mirror.apply(&transaction);
        engine.apply(revision, transaction).unwrap();
    }
    (engine, mirror)
}

/// What an engine holds, as a snapshot's bytes.
pub fn snapshot(engine: &Engine, epoch: &'static [u8]) -> Vec<u8> {
    let header = Header {
        revision: engine.head(),
        epoch: epoch.into(),
        time: None,
        commit_time: None,
        version: "test".into(),
        missing_node: engine.options().missing_node,
        objects: engine.object_counts(),
    };
    let mut writer = SnapshotWriter::new(&header);
    for stored in engine.objects(None, usize::MAX) {
        let message = encode_stored(&stored.object, &stored.source);
        writer.push(&message.encode_to_vec()).unwrap();
    }
    writer.finish().unwrap()
}

/// What a snapshot holds.
pub fn facts(path: &Path) -> Facts {
    let mut snapshot = SnapshotReader::open(path, &mut |_, _| ()).unwrap();
    snapshot.objects().unwrap().map(Result::unwrap).collect()
}

/// A snapshot's bytes without what depends on when and where it was saved: its header and check sum.
pub fn body(bytes: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap());
    &bytes[16 + length as usize..bytes.len() - 32]
}
