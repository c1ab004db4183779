//! The log against an ordered map.

use std::collections::BTreeMap;

use super::log::{Log, Record};
use crate::model::{Revision, Sequence};

/// A small generator: numbers below `n`.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[derive(Default)]
struct Model {
    log: Log,
    records: BTreeMap<Sequence, (Revision, Record)>,
    order: Vec<Sequence>,
    revision: Revision,
}

impl Model {
    fn begin(&mut self, revision: Revision) {
        self.revision = revision;
        self.log.begin(revision);
    }

    fn append(&mut self, record: Record) {
        let at = self.log.append(record);
        assert!(self.order.last().is_none_or(|last| *last < at));
        self.records.insert(at, (self.revision, record));
        self.order.push(at);
    }

    fn drop_at(&mut self, at: Sequence) {
        self.log.drop_at(at);
        self.records.remove(&at);
    }

    fn check(&self, random: &mut Random, seed: u64) {
        assert_eq!(self.log.len(), self.records.len(), "seed {seed}");
        let behind = |at: Sequence| {
            self.records
                .range(at.next()..)
                .map(|(at, (_, record))| (*at, *record))
        };
        assert!(
            self.log.after(Sequence::START).eq(behind(Sequence::START)),
            "seed {seed}"
        );
        for _ in 0..20 {
            let at = Sequence(random.below(self.log.last().0 + 2));
            assert!(
                self.log.after(at).take(9).eq(behind(at).take(9)),
                "seed {seed}: after {at:?}"
            );
            let there = self.records.get(&at);
            if let Some((revision, _)) = there {
                assert_eq!(self.log.revision_of(at), Some(*revision), "seed {seed}");
            }
            let revision = there.map_or(random.below(self.revision + 2), |(revision, _)| *revision);
            let end = self.log.end_of(revision);
            for (at, (written, _)) in &self.records {
                assert_eq!(*at <= end, *written <= revision, "seed {seed}: {at:?}");
            }
        }
    }
}

#[test]
fn the_log_is_an_ordered_map_of_its_records() {
    for seed in 1..=6 {
        let mut random = Random(seed);
        let mut model = Model::default();
        // Some logs lose all but a few of their old records, some hardly any.
        let losses = [1, 90, 98][seed as usize % 3];
        for round in 0..40_000u32 {
            match random.below(200) {
                0 => model.begin(model.revision + 1 + random.below(3)),
                1 if round % 5_000 == 7 => model.begin(model.revision + (1 << 33)),
                _ => {}
            }
            model.append(Record::Removal(round));
            if random.below(100) < losses {
                let recent = random.below(2) == 0;
                let among = model.order.len() as u64;
                let among = if recent { among.min(50) } else { among };
                let index = model.order.len() - 1 - random.below(among) as usize;
                let at = model.order.remove(index);
                model.drop_at(at);
            } else if random.below(50) == 0 {
                let at = model.order[random.below(model.order.len() as u64) as usize];
                model.log.replace_at(at, Record::Service(round));
                let (revision, _) = model.records[&at];
                model.records.insert(at, (revision, Record::Service(round)));
            }
            if round % 9_000 == 0 {
                model.check(&mut random, seed);
            }
        }
        while let Some(at) = model.order.pop() {
            model.drop_at(at);
        }
        model.check(&mut random, seed);
    }
}

#[test]
fn a_distant_revision_begins_a_segment() {
    let mut model = Model::default();
    for revision in [1, 2, 1 << 32, (1 << 32) + 1, 1 << 40] {
        model.begin(revision);
        model.append(Record::Service(7));
        model.append(Record::Removal(8));
    }
    model.check(&mut Random(1), 0);
}

/// A few records that never change, among millions that do.
#[test]
fn a_record_among_those_that_are_gone_costs_little() {
    let mut log = Log::default();
    let (mut kept, mut last) = (0, None);
    for revision in 1..=244 * 8_192 + 100 {
        log.begin(revision);
        let at = log.append(Record::Service(0));
        if revision % 8_192 == 0 {
            kept += 1;
        } else if let Some(left) = last.replace(at) {
            log.drop_at(left);
        }
    }
    let bytes = log.bytes();
    // The segment that is being written has room for all its slots.
    let open = 16 * 8_192 + 4_096;
    assert!(bytes < open + kept * 256, "{bytes} bytes for {kept}");
    assert_eq!(log.len() as u64, kept + 1);
}
