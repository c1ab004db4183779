//! Random worlds, saved, restored, read back, and saved again.

use std::fs;

use selectord::engine::{Engine, EngineOptions, MissingNode};
use selectord::model::Revision;
use selectord::snapshot::{SnapshotReader, load};
use selectord::store::{EmbeddedOptions, EmbeddedStore, Store as _};

use crate::support::generate::{Mix, World};
use crate::support::random::{Random, seeds};
use crate::worlds::{Facts, body, engine, facts, snapshot};

/// What an engine says of its services, whatever the revisions.
fn endpoints(engine: &Engine) -> Vec<String> {
    let everything = selectord::selector::Selector::everything();
    let services = engine.services(
        &everything,
        &selectord::engine::Namespaces::all(),
        None,
        1_000,
    );
    let of = |name| engine.endpoints(name).unwrap();
    let names = services.iter().map(|service| &service.object.name);
    names
        .map(|name| format!("{name}: {:?}", of(name)))
        .collect()
}

fn held(engine: &Engine) -> (Facts, Vec<Revision>) {
    let all = engine.objects(None, usize::MAX);
    let revisions = all.iter().map(|stored| stored.revision).collect();
    let facts = all.into_iter().map(|stored| (stored.object, stored.source));
    (facts.collect(), revisions)
}

#[test]
fn what_is_restored_is_what_was_saved_and_is_saved_again_as_the_same_bytes() {
    for seed in seeds(81_000, 20) {
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        let mut random = Random::new(seed);
        let missing_node = random.pick(&[MissingNode::Admit, MissingNode::Withhold]);
        let transactions = random.pick(&[0, 1, 5, 300]);
        let (original, mirror) = engine(seed, transactions, missing_node);
        assert_eq!(held(&original).0, mirror.facts());

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapshot");
        let bytes = snapshot(&original, b"before");
        fs::write(&file, &bytes).unwrap();
        assert_eq!(facts(&file), mirror.facts());

        let mut reader = SnapshotReader::open(&file, &mut |_, _| ()).unwrap();
        assert_eq!(reader.header().missing_node, missing_node);
        let rules = EngineOptions {
            missing_node,
            ..EngineOptions::default()
        };
        let loaded = load(&mut reader, rules, &mut |_| ()).unwrap();
        let (restored, revisions) = held(&loaded);
        assert_eq!(loaded.head(), original.head());
        assert_eq!(restored, mirror.facts());
        assert!(
            revisions
                .iter()
                .all(|revision| *revision == original.head())
        );
        assert_eq!(endpoints(&loaded), endpoints(&original));
        assert_eq!(loaded.verify(), vec![]);

        let directory = folder.path().join("data");
        let new = EmbeddedStore::create(&directory, false).unwrap();
        let history = new.fill(&loaded, None, &mut |_, _| ()).unwrap();
        let open = || {
            let options = EmbeddedOptions::default();
            EmbeddedStore::open(&directory, rules, options, &mut |_| ()).unwrap()
        };
        let (mut store, mut opened) = open();
        assert_eq!(store.history(), history);
        assert_eq!(opened.dump(), loaded.dump());
        assert_eq!(opened.verify(), vec![]);
        let again = snapshot(&opened, b"another");
        assert_ne!(again, bytes);
        assert_eq!(body(&again), body(&bytes));

        // It goes on as the one that was loaded would.
        let mut loaded = loaded;
        let mut world = World::new(seed + 1, Mix::ALL);
        for _ in 0..50 {
            let group = [world.transaction()];
            let [revision] = store.append(&group).unwrap()[..] else {
                panic!("one transaction has one revision");
            };
            store.sync().unwrap();
            let [transaction] = group;
            loaded.apply(revision, transaction.clone()).unwrap();
            opened.apply(revision, transaction).unwrap();
            store.applied(&mut opened);
        }
        drop(store);
        assert_eq!(open().1.dump(), loaded.dump());
    }
}
