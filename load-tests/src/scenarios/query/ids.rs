use std::hint::black_box;

use selectord::engine::Namespaces;
use selectord::index::Index;

use crate::cluster;
use crate::context::Context;
use crate::measure::{Samples, nanos};
use crate::report::{Row, Section, Unit};

use super::questions::BROAD;

/// Seven tenths of the pods.
const MOST: &str = "active=yes,tier!=cache";
const PAGE: usize = 500;
/// Ids that are taken out of an answer at once.
const AT_ONCE: usize = 4_096;

/// Answers as ids, on an index alone.
pub fn measure(context: &Context, section: &mut Section) {
    let mut index = Index::default();
    for pod in context.corpus.pods() {
        index.put(cluster::pod(pod), 1, "".into());
    }
    let all = Namespaces::all();
    let (broad, most) = (cluster::selector(BROAD), cluster::selector(MOST));
    let mut ids = vec![0u32; context.pods() as usize];
    let (mut pages, mut whole, mut copied) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut found = 0;
    for _ in 0..context.runs(11) {
        pages.push(nanos(20, || {
            black_box(index.page(black_box(&broad), &all, None, PAGE));
        }));
        whole.push(nanos(5, || {
            let answer = index.select(black_box(&most), &all);
            let mut answer = answer.iter();
            found = 0;
            for room in ids.chunks_mut(AT_ONCE) {
                found += answer.next_many(room).len();
            }
            black_box(&ids);
        }));
        let mut copy = vec![0u32; found];
        copied.push(nanos(5, || {
            black_box(&mut copy).copy_from_slice(&ids[..found])
        }));
    }
    section.row(
        Row::new(
            "first 500 ids of a large answer, in order of names",
            Unit::Time,
            &pages,
        )
        .at_most(50_000.0),
    );
    // Stated for an answer of 700k.
    let bound = 1e6 * (found as f64 / 700_000.0).max(1.0);
    section.row(
        Row::new(
            format!("all {found} ids of an answer, into a reused buffer"),
            Unit::Time,
            &whole,
        )
        .at_most(bound)
        .beside("memcpy of as many ids", Unit::Time, &copied),
    );
}
