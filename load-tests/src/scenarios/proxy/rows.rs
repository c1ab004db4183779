use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::cluster::Change;
use super::measure::{Costs, Plan};
use super::way::Way;

/// What 10,000 services of two endpoints are to take, in nanoseconds: all of them, and one endpoint.
const FIRST: f64 = 1e9;
const ONE: f64 = 20e6;

/// One size of one way.
pub fn of_size(section: &mut Section, plan: Plan, costs: &Costs) {
    let (way, size) = (plan.way, plan.size);
    let time = |what: &str, samples: &Samples| {
        Row::new(
            format!("{}, {size}: {what}", way.name()),
            Unit::Time,
            samples,
        )
    };
    let targeted =
        way == Way::Nftables && size.services == 10_000 && size.endpoints == 2 && !size.dual;
    let held_to = |row: Row, bound: Option<f64>| match bound {
        Some(bound) if targeted => row.at_most(bound),
        _ => row,
    };

    let first = time("first sync", &costs.first.whole);
    let first = beside(
        first,
        "kube-proxy's layout, all of it",
        &costs.their_first.whole,
    );
    section.row(held_to(first, Some(FIRST)));
    section.row(time("of it selectord itself", &costs.first.own));

    for (change, (ours, theirs)) in Change::ALL.into_iter().zip(&costs.changes) {
        let row = time(change.what(), &ours.whole);
        let row = beside(row, "kube-proxy's layout, a partial sync", &theirs.whole);
        section.row(held_to(row, change.is_of_endpoint().then_some(ONE)));
        if change == Change::Replaced {
            if ours.in_force.runs() > 0 {
                let row = time("of it until it is in force", &ours.in_force);
                section.row(beside(row, "kube-proxy's layout", &theirs.in_force));
            }
            section.row(time("of it selectord itself", &ours.own));
        }
    }
    if costs.netlink.runs() > 0 {
        let row = time(
            "an endpoint's two elements given to the kernel, and nothing else",
            &costs.netlink,
        );
        let (ours, _) = &costs.changes[0];
        section.row(beside(row, "one endpoint replaced", &ours.whole));
    }

    let restart = time(
        "restart: read, compared, nothing written",
        &costs.restart.whole,
    );
    section.row(beside(restart, "a first sync", &costs.first.whole));
    section.row(time("of it selectord itself", &costs.restart.own));
    section.row(time(
        "asking whether somebody else wrote, when nobody did",
        &costs.quiet_check,
    ));
    if costs.reread.whole.runs() > 0 {
        section.row(time(
            "after somebody else's write: read, compared",
            &costs.reread.whole,
        ));
    }
    section.row(time(
        "one rule that somebody took away: read, compared, repaired",
        &costs.repair.whole,
    ));
}

fn beside(row: Row, name: &str, samples: &Samples) -> Row {
    match samples.runs() {
        0 => row,
        _ => row.beside(name, Unit::Time, samples),
    }
}

/// Cost by how many services there are, of the sizes with as many endpoints as most.
pub fn curves(section: &mut Section, found: &[(Plan, Costs)]) {
    let endpoints = found.first().map_or(0, |(plan, _)| plan.size.endpoints);
    let services = || Axis::log("services", Unit::Number(""));
    let mut first = Curve::new(
        "first",
        format!("First sync, by services of {endpoints} endpoints"),
        services(),
        Axis::log("time", Unit::Time),
    );
    let mut one = Curve::new(
        "endpoint",
        format!("One endpoint replaced, by services of {endpoints} endpoints"),
        services(),
        Axis::log("time", Unit::Time),
    );
    one = one.target(ONE);
    for way in Way::ALL {
        let of_way: Vec<&(Plan, Costs)> = found
            .iter()
            .filter(|(plan, _)| plan.way == way && plan.size.endpoints == endpoints)
            .collect();
        if of_way.is_empty() {
            continue;
        }
        let points = |figure: fn(&Costs) -> f64| -> Vec<(f64, f64)> {
            let points = of_way
                .iter()
                .map(|(plan, costs)| (f64::from(plan.size.services), figure(costs)));
            points.filter(|(_, figure)| figure.is_finite()).collect()
        };
        let (ours, theirs) = (
            format!("selectord, {}", way.name()),
            format!("kube-proxy's layout, {}", way.name()),
        );
        first = first
            .line(&ours, points(|costs| costs.first.whole.median()))
            .line(&theirs, points(|costs| costs.their_first.whole.median()));
        one = one
            .line(ours, points(|costs| costs.changes[0].0.whole.median()))
            .line(theirs, points(|costs| costs.changes[0].1.whole.median()));
    }
    section.curve(first);
    section.curve(one);
}

/// Connections through the first service and the last.
pub fn connects(section: &mut Section, found: &[(Plan, Costs)]) {
    for (plan, costs) in found {
        let Some([ours, theirs]) = &costs.connects else {
            continue;
        };
        for (which, here, there) in [
            ("first", &ours.first, &theirs.first),
            ("last", &ours.last, &theirs.last),
        ] {
            let what = format!(
                "{}, {}: connection through the {which} service",
                plan.way.name(),
                plan.size
            );
            let row = Row::new(what, Unit::Time, here);
            section.row(row.beside("kube-proxy's layout", Unit::Time, there));
        }
        let what = format!(
            "{}, {}: connection to no service, past the rules of all",
            plan.way.name(),
            plan.size
        );
        let row = Row::new(what, Unit::Time, &ours.straight);
        section.row(row.beside("kube-proxy's layout", Unit::Time, &theirs.straight));
    }
}

/// What has to be known to read the rows.
pub fn notes(section: &mut Section, context: &Context) {
    section.note(
        "IPv4 where nothing else is said; each way in network namespaces of its own, selectord and \
         kube-proxy's layout in turn; a time is from what the stream says to the tool's end; of it \
         selectord itself: without nft or iptables-restore and the kernel",
    );
    section.note(
        "kube-proxy's layout is the same state as it writes it, through the same tool, without the \
         time of kube-proxy itself: for the first sync everything, for a change what its partial sync \
         writes (of nftables: the service's chain anew and the elements that differ; of iptables: the \
         chains that list all services, and those of the one)",
    );
    section.note(
        "before its time is told, what the kernel has is compared: the endpoints of every service with \
         the cluster's, and every line with what a fresh sync writes",
    );
    section.note(
        "selectord gives elements alone to the kernel over a socket that stays open; nft gives it its text \
         within a few milliseconds, and waits the rest of its time to close its socket, until nobody can look \
         at what was deleted any more (a grace period of the kernel, whatever the number of services)",
    );
    if context.args.quick {
        section.note("--quick: without 10,000 services × 10 and dual stack");
    }
    section.note("--size is of no matter here");
}
