//! Random transactions: after each of them everything the engine answers is what the oracle
//! computes by scanning all objects.

mod support;

use selectord::engine::{Engine, EngineOptions, MissingNode, Retention};
use selectord::model::{ResolvedTransaction, Revision};

use support::build;
use support::generate::{Mix, World};
use support::oracle::{Oracle, Within};
use support::questions::ask_all;
use support::random::seeds;
use support::shrink::check_or_shrink;

/// One transaction, and the seed of the questions asked after it.
#[derive(Debug, Clone)]
struct Step {
    transaction: ResolvedTransaction,
    questions: u64,
}

fn history(seed: u64, mix: Mix, steps: usize) -> Vec<Step> {
    let mut world = World::new(seed, mix);
    (0..steps)
        .map(|_| Step {
            transaction: world.transaction(),
            questions: world.random.number(),
        })
        .collect()
}

fn run(seed: u64, mix: Mix, missing_node: MissingNode) {
    check_or_shrink(seed, history(seed, mix, 700), |steps| {
        agrees(steps, missing_node)
    });
}

#[test]
fn answers_as_the_oracle_does() {
    for seed in seeds(1_000, 3) {
        run(seed, Mix::ALL, MissingNode::Admit);
    }
}

#[test]
fn answers_as_the_oracle_does_withholding_pods_of_unknown_nodes() {
    for seed in seeds(2_000, 2) {
        run(seed, Mix::ALL, MissingNode::Withhold);
    }
}

#[test]
fn answers_as_the_oracle_does_while_services_come_and_go() {
    for seed in seeds(3_000, 2) {
        run(seed, Mix::SERVICES, MissingNode::Admit);
    }
}

/// The same transactions give the same answers, whatever the retention.
fn agrees(steps: &[Step], missing_node: MissingNode) -> Result<(), String> {
    let retention = Retention {
        removals: 1,
        deleted_names: 1,
        share: 0,
    };
    let mut engine = Engine::new(EngineOptions {
        missing_node,
        retention,
    });
    let mut oracle = Oracle::new(missing_node);
    let mut revision: Revision = 0;
    for (i, step) in steps.iter().enumerate() {
        revision += 1 + step.questions % 2;
        oracle.apply(revision, &step.transaction);
        engine
            .apply(revision, step.transaction.clone())
            .map_err(|error| format!("revision {revision} is refused: {error}"))?;
        ask_all(&engine, &oracle, &step.transaction, step.questions)
            .map_err(|why| format!("at revision {revision}: {why}"))?;
        if i % 16 == 0 || i + 1 == steps.len() {
            let found = engine.verify();
            if let Some(first) = found.first() {
                return Err(format!(
                    "verify() at revision {revision}: {} findings, first {first}",
                    found.len()
                ));
            }
        }
    }
    Ok(())
}

/// A revision that is not above the head is refused, and changes nothing.
#[test]
fn refuses_a_revision_that_is_not_new() {
    let mut engine = Engine::new(EngineOptions::default());
    let mut oracle = Oracle::new(MissingNode::default());
    let first = build::resolved([build::put(build::pod("ns/a"))]);
    oracle.apply(7, &first);
    engine.apply(7, first).expect("7 is above nothing");
    for stale in [0, 6, 7] {
        let second = build::resolved([build::put(build::pod("ns/b"))]);
        assert!(
            engine.apply(stale, second).is_err(),
            "revision {stale} after 7"
        );
    }
    let everything = build::selector("");
    assert_eq!(engine.count(&everything, &Within::All.namespaces()), 1);
    assert_eq!(engine.head(), oracle.head());
}
