//! Saves beside a writer that changes everything, over and over.

use std::collections::VecDeque;

use prost::Message as _;
use selectord::engine::ObjectPlace;
use selectord::model::{Change, Operation, ResolvedTransaction, Transaction};
use selectord::runtime::{Runtime, RuntimeOptions, SaveError, SaveOptions, SaveSession, start};
use selectord::store::MemoryStore;
use selectord::wire::{decode_stored, proto};

use crate::support::build::*;
use crate::support::generate::{Mix, World};
use crate::support::random::{Random, seeds};
use crate::worlds::{Facts, Mirror};

const TRANSACTIONS: usize = 1_500;

fn runtime(saves: SaveOptions) -> Runtime {
    let options = RuntimeOptions {
        saves,
        ..RuntimeOptions::default()
    };
    let (runtime, _) = start(Box::new(MemoryStore::new().unwrap()), options).unwrap();
    runtime
}

async fn commit(runtime: &Runtime, transaction: ResolvedTransaction) -> u64 {
    let (changes, source) = transaction.into_parts();
    let operations = changes.into_iter().map(|change| match change {
        Change::Put(object) => Operation::Put(object),
        Change::Delete(object) => Operation::Delete(object),
    });
    let transaction = Transaction {
        operations: operations.collect(),
        source,
        ..Transaction::default()
    };
    let committed = runtime.commit(transaction, "".into()).await;
    committed.unwrap().revision
}

struct Saving {
    session: SaveSession,
    right: Facts,
    told: Facts,
}

impl Saving {
    async fn begin(runtime: &Runtime, mirror: &Mirror) -> Saving {
        let session = runtime.save().await.unwrap();
        let (contents, right) = (session.contents(), mirror.facts());
        assert_eq!(contents.revision, runtime.head().revision);
        assert_eq!(contents.objects.iter().sum::<u64>(), right.len() as u64);
        Saving {
            session,
            right,
            told: Vec::new(),
        }
    }

    /// Takes a piece; whether there is more.
    async fn go_on(&mut self) -> bool {
        let Some(piece) = self.session.next().await.unwrap() else {
            return false;
        };
        self.told.extend(piece.into_iter().map(|object| {
            let message = proto::StoredObject::decode(object.encode()).unwrap();
            decode_stored(message).unwrap()
        }));
        true
    }

    fn must_be_right(&self) {
        let places = self.told.iter().map(|(object, _)| object.object_ref());
        assert!(places.map(ObjectPlace::from).is_sorted_by(|a, b| a < b));
        for (told, right) in self.told.iter().zip(&self.right) {
            assert_eq!(told, right);
        }
        assert_eq!(self.told.len(), self.right.len());
    }
}

async fn storm(seed: u64) {
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    let mix = random.pick(&[Mix::ALL, Mix::ALL, Mix::SERVICES, Mix::PODS]);
    let mut world = World::new(seed, mix);
    let mut mirror = Mirror::default();
    let runtime = runtime(SaveOptions {
        max_saves: 3,
        piece: random.pick(&[1, 1, 2, 3, 7, 30]),
        piece_endpoints: random.pick(&[1, 3, 4_096]),
        ..SaveOptions::default()
    });
    let (mut saves, mut whole, mut left) = (VecDeque::new(), 0, 0);
    for _ in 0..TRANSACTIONS {
        for _ in 0..random.pick(&[0, 1, 1, 2, 6]) {
            let transaction = world.transaction();
            mirror.apply(&transaction);
            commit(&runtime, transaction).await;
        }
        if saves.len() < 3 && random.chance(10) {
            saves.push_back(Saving::begin(&runtime, &mirror).await);
        }
        let Some(mut saving) = saves.pop_front() else {
            continue;
        };
        if saving.go_on().await {
            // Some are left before their end.
            if random.chance(99) {
                saves.push_back(saving);
            } else {
                left += 1;
            }
        } else {
            saving.must_be_right();
            whole += 1;
        }
    }
    for mut saving in saves {
        while saving.go_on().await {}
        saving.must_be_right();
    }
    println!("{whole} saves were whole, {left} were left");
    assert!(whole > 0);
}

#[tokio::test]
async fn what_is_saved_is_the_state_at_the_revision_at_which_it_began() {
    for seed in seeds(80_000, 24) {
        storm(seed).await;
    }
}

#[tokio::test]
async fn what_comes_and_goes_far_ahead_of_a_walk_is_not_saved() {
    let runtime = runtime(SaveOptions {
        piece: 2,
        ..SaveOptions::default()
    });
    let first = resolved([
        put(pod("a/first")),
        put(pod("b/second")),
        put(pod("c/last")),
    ]);
    let mut mirror = Mirror::default();
    mirror.apply(&first);
    commit(&runtime, first).await;
    let mut saving = Saving::begin(&runtime, &mirror).await;
    let many = (0..500).map(|i| put(pod(&format!("b/{i:04}"))));
    commit(&runtime, resolved(many)).await;
    let gone = (0..500).map(|i| delete(selectord::model::Kind::Pod, &format!("b/{i:04}")));
    commit(&runtime, resolved(gone)).await;
    while saving.go_on().await {}
    saving.must_be_right();
}

#[tokio::test]
async fn a_piece_is_bounded_by_the_endpoints_of_what_is_made_by_hand_too() {
    let runtime = runtime(SaveOptions {
        piece_endpoints: 250,
        ..SaveOptions::default()
    });
    let made = |i: usize| {
        let addresses = (0..100).map(|j| format!("10.{i}.0.{j}"));
        addresses.fold(slice(&format!("d/s{i:02}"), "s"), |slice, address| {
            slice.with(&address, "")
        })
    };
    let all = resolved((0..40).map(|i| put(made(i))));
    let mut mirror = Mirror::default();
    mirror.apply(&all);
    commit(&runtime, all).await;
    let mut saving = Saving::begin(&runtime, &mirror).await;
    let mut before = 0;
    while saving.go_on().await {
        let now = saving.told.len();
        assert!(now - before <= 3, "{} slices at once", now - before);
        before = now;
    }
    saving.must_be_right();
}

#[tokio::test]
async fn a_save_that_would_keep_too_much_is_broken_off_and_nobody_else_is() {
    let runtime = runtime(SaveOptions {
        max_kept_bytes: 20_000,
        piece: 1,
        ..SaveOptions::default()
    });
    let labelled =
        |i: usize, round: usize| put(pod(&format!("a/{i:04}")).label("round", &round.to_string()));
    let all = |round| resolved((0..200).map(move |i| labelled(i, round)));
    commit(&runtime, all(0)).await;
    let mut slow = runtime.save().await.unwrap();
    slow.next().await.unwrap();
    commit(&runtime, all(1)).await;
    let failed = loop {
        match slow.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it was told everything"),
            Err(failed) => break failed,
        }
    };
    assert!(
        matches!(failed, SaveError::TooFarBehind { limit: 20_000 }),
        "{failed}"
    );
    let mut mirror = Mirror::default();
    mirror.apply(&all(1));
    let mut saving = Saving::begin(&runtime, &mirror).await;
    while saving.go_on().await {}
    saving.must_be_right();
}

#[tokio::test]
async fn so_many_saves_at_a_time() {
    let runtime = runtime(SaveOptions::default());
    let first = runtime.save().await.unwrap();
    let _second = runtime.save().await.unwrap();
    let refused = runtime.save().await.unwrap_err();
    assert!(
        matches!(refused, SaveError::TooMany { limit: 2 }),
        "{refused}"
    );
    drop(first);
    runtime.save().await.unwrap();
}
