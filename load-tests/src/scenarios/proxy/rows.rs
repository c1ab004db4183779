use crate::measure::Samples;
use crate::report::{Row, Section, Unit};

use super::cluster::Change;
use super::kube_proxy::Program;
use super::measure::{Beside, Costs, Plan};
use super::sides::Cost;
use super::way::Way;

/// What 10,000 services of two endpoints are to take, in nanoseconds: all of them, and one endpoint.
const FIRST: f64 = 1e9;
pub const ONE: f64 = 20e6;

/// What kube-proxy's layout is called as a yardstick.
const LAYOUT_ALL: &str = "kube-proxy's layout, all of it";
const LAYOUT_PART: &str = "kube-proxy's layout, a partial sync";

/// Which part of a cost.
type Figure = fn(&Cost) -> &Samples;

/// One size of one way.
pub fn of_size(section: &mut Section, plan: Plan, costs: &Costs, program: Option<&Program>) {
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

    let whole: Figure = |cost| &cost.whole;
    compared(
        section,
        &costs.first,
        program,
        whole,
        LAYOUT_ALL,
        |samples| held_to(time("first sync", samples), Some(FIRST)),
    );
    section.row(time("of it selectord itself", &costs.first.ours.own));

    for (change, cost) in Change::ALL.into_iter().zip(&costs.changes) {
        let bound = change.is_of_endpoint().then_some(ONE);
        compared(section, cost, program, whole, LAYOUT_PART, |samples| {
            held_to(time(change.what(), samples), bound)
        });
        if change == Change::Replaced {
            if let Some(program) = program.filter(|_| cost.itself.write.runs() > 0) {
                let row = time(change.what(), &cost.ours.whole);
                let name = format!("{}, its write alone", program.name);
                section.row(beside(row, &name, &cost.itself.write));
            }
            if cost.ours.in_force.runs() > 0 {
                let in_force: Figure = |cost| &cost.in_force;
                compared(section, cost, program, in_force, LAYOUT_PART, |samples| {
                    time("of it until it is in force", samples)
                });
            }
            section.row(time("of it selectord itself", &cost.ours.own));
        }
    }
    if costs.netlink.runs() > 0 {
        let row = time(
            "an endpoint's two elements given to the kernel, and nothing else",
            &costs.netlink,
        );
        let ours = &costs.changes[0].ours;
        section.row(beside(row, "one endpoint replaced", &ours.whole));
    }

    let restart = time(
        "restart: read, compared, nothing written",
        &costs.restart.whole,
    );
    section.row(beside(restart, "a first sync", &costs.first.ours.whole));
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

/// A row beside kube-proxy itself, and one beside its layout, of what was measured.
fn compared(
    section: &mut Section,
    cost: &Beside,
    program: Option<&Program>,
    figure: Figure,
    layout: &str,
    row: impl Fn(&Samples) -> Row,
) {
    let ours = figure(&cost.ours);
    let (itself, theirs) = (figure(&cost.itself), figure(&cost.layout));
    if let Some(program) = program.filter(|_| itself.runs() > 0) {
        section.row(beside(row(ours), &program.name, itself));
    }
    if theirs.runs() > 0 || itself.runs() == 0 {
        section.row(beside(row(ours), layout, theirs));
    }
}

fn beside(row: Row, name: &str, samples: &Samples) -> Row {
    match samples.runs() {
        0 => row,
        _ => row.beside(name, Unit::Time, samples),
    }
}

/// Connections through the first service and the last.
pub fn connects(section: &mut Section, found: &[(Plan, Costs)], program: Option<&Program>) {
    for (plan, costs) in found {
        let Some([ours, theirs]) = &costs.connects else {
            continue;
        };
        let itself = program.filter(|_| plan.itself_first > 0);
        let name = itself.map_or("kube-proxy's layout", |program| &program.name);
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
            section.row(row.beside(name, Unit::Time, there));
        }
        let what = format!(
            "{}, {}: connection to no service, past the rules of all",
            plan.way.name(),
            plan.size
        );
        let row = Row::new(what, Unit::Time, &ours.straight);
        section.row(row.beside(name, Unit::Time, &theirs.straight));
    }
}
