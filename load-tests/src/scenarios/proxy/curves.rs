use crate::report::{Axis, Curve, Section, Unit};

use super::kube_proxy::Program;
use super::measure::{Costs, Plan};
use super::rows::ONE;
use super::way::Way;

/// Cost by how many services there are, of the sizes with as many endpoints as most.
pub fn curves(section: &mut Section, found: &[(Plan, Costs)], program: Option<&Program>) {
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
        let name = |who: &str| format!("{who}, {}", way.name());
        let ours = name("selectord");
        first = first.line(&ours, points(|costs| costs.first.ours.whole.median()));
        one = one.line(ours, points(|costs| costs.changes[0].ours.whole.median()));
        if of_way.iter().any(|(plan, _)| plan.their_first > 0) {
            let theirs = name("kube-proxy's layout");
            first = first.line(&theirs, points(|costs| costs.first.layout.whole.median()));
            one = one.line(
                theirs,
                points(|costs| costs.changes[0].layout.whole.median()),
            );
        }
        let itself = of_way.iter().any(|(plan, _)| plan.itself_first > 0);
        if let Some(program) = program.filter(|_| itself) {
            let itself = name(&program.name);
            first = first.line(&itself, points(|costs| costs.first.itself.whole.median()));
            one = one.line(
                itself,
                points(|costs| costs.changes[0].itself.whole.median()),
            );
        }
    }
    section.curve(first);
    section.curve(one);
}
