//! The work for a change is set by what changed, never by how much there is (design promise:
//! proportional). Counted, not timed: postings touched, selectors tested, endpoints visited, records
//! written and read, and bytes allocated, of the same change in a small cluster and in one a hundred
//! or a thousand times larger. `.ci/instructions` does the same with instructions executed.

mod cluster;

use cluster::{
    CHANGES, ChangeKind, Cluster, MANY_ENDPOINTS, MANY_PODS, MANY_SERVICES, SMALL, Size,
};

/// Changes that are made before any is measured: they fill caches and free lists.
const WARM_UP: u32 = 8;
/// How much dearer a change may be in the large cluster.
const RATIO: f64 = 1.5;

/// Tables grow in pieces: so many bytes at most, and of the measured changes at most so many meet it.
const PIECE: u64 = 512 * 1024;
const GROWTHS: usize = 3;

/// What is counted, summed over the changes of one kind; the dearest [`GROWTHS`] of each are left out
/// where bytes are counted, as a piece is paid for by the many that it has room for.
const COSTS: [&str; 7] = [
    "postings touched",
    "selectors tested",
    "endpoints visited",
    "records written",
    "bytes allocated",
    "records read by a subscriber one change behind",
    "bytes allocated for that subscriber",
];

fn costs(cluster: &mut Cluster, kind: ChangeKind) -> [u64; COSTS.len()] {
    let mut all: [Vec<u64>; COSTS.len()] = Default::default();
    cluster.begin(kind);
    for number in 0..CHANGES {
        if number % 2 == 0 {
            cluster.forget_matches(number);
        }
        let prepared = cluster.prepare(kind, number);
        let (mut work, mut read) = (Default::default(), 0);
        let applying = allocation_counter::measure(|| work = cluster.apply(prepared));
        let telling = allocation_counter::measure(|| read = cluster.catch_up(1));
        assert_eq!(work.records_written, kind.records(), "{kind:?} {number}");
        if number >= WARM_UP {
            let costs = [
                work.postings_touched,
                work.selectors_tested,
                work.endpoints_visited,
                work.records_written,
                applying.bytes_total,
                read,
                telling.bytes_total,
            ];
            all.iter_mut()
                .zip(costs)
                .for_each(|(all, cost)| all.push(cost));
        }
    }
    let mut sums = [0; COSTS.len()];
    for (sum, (what, costs)) in sums.iter_mut().zip(COSTS.iter().zip(&mut all)) {
        costs.sort_unstable();
        let growths = if what.starts_with("bytes") {
            GROWTHS
        } else {
            0
        };
        let (usual, grown) = costs.split_at(costs.len() - growths);
        assert!(
            grown.iter().all(|bytes| *bytes <= PIECE),
            "{kind:?}: {what} {grown:?}"
        );
        *sum = usual.iter().sum();
    }
    sums
}

/// Makes every kind of change in both clusters and compares what it cost.
fn compare(large: Size) {
    let (mut small, mut large) = (Cluster::new(SMALL), Cluster::new(large));
    let mut dearer = Vec::new();
    for kind in ChangeKind::ALL {
        let (little, much) = (costs(&mut small, kind), costs(&mut large, kind));
        for (what, (little, much)) in COSTS.iter().zip(little.into_iter().zip(much)) {
            println!("{kind:?}: {what} {little} -> {much}");
            if much as f64 > little as f64 * RATIO {
                dearer.push(format!("{kind:?}: {what} {little} -> {much}"));
            }
        }
    }
    assert!(
        dearer.is_empty(),
        "dearer by more than {RATIO}:\n{}",
        dearer.join("\n")
    );
}

#[test]
fn a_change_costs_the_same_among_ten_thousand_services() {
    compare(MANY_SERVICES);
}

#[test]
fn a_change_costs_the_same_among_a_hundred_thousand_pods() {
    compare(MANY_PODS);
}

#[test]
fn a_change_costs_the_same_in_a_service_of_a_hundred_thousand_endpoints() {
    compare(MANY_ENDPOINTS);
}
