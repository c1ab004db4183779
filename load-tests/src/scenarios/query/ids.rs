use std::hint::black_box;

use selectord::engine::{Engine, Namespaces};

use crate::cluster;
use crate::context::Context;
use crate::measure::{Samples, nanos};
use crate::report::{Row, Section, Unit};

use super::questions::BROAD;

/// Seven tenths of the pods.
const MOST: &str = "active=yes,tier!=cache";
const PAGE: usize = 500;

/// Answers as ids.
pub fn measure(context: &Context, section: &mut Section, engine: &Engine) {
    let all = Namespaces::all();
    let (broad, most) = (cluster::selector(BROAD), cluster::selector(MOST));
    let mut ids = Vec::new();
    let (mut pages, mut whole, mut copied) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..context.runs(11) {
        pages.push(nanos(20, || {
            black_box(engine.pod_ids_by_name(black_box(&broad), &all, None, PAGE));
        }));
        whole.push(nanos(5, || {
            engine.pod_ids(black_box(&most), &all, &mut ids);
            black_box(&ids);
        }));
        let mut copy = vec![0u32; ids.len()];
        copied.push(nanos(5, || black_box(&mut copy).copy_from_slice(&ids)));
    }
    let found = ids.len();
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
