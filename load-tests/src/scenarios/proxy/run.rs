use crate::context::Context;
use crate::report::Section;

use super::cluster::Size;
use super::measure::{Costs, Plan, measure};
use super::needs;
use super::rows;
use super::way::Way;

/// Services whose count the curves are over, of so many endpoints each.
const COUNTS: [u32; 3] = [100, 1_000, 10_000];
const ENDPOINTS: u32 = 10;

/// Measures each way of keeping rules that there is here; see the module's page.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let ways = match needs::ways(section) {
        Ok(ways) => ways,
        Err(reason) => {
            section.note(format!("nothing was measured: {reason}"));
            return Ok(());
        }
    };
    let plans: Vec<Plan> = ways
        .into_iter()
        .flat_map(|way| plans(context, way))
        .collect();
    let (plans, left_out): (Vec<Plan>, Vec<Plan>) =
        plans.into_iter().partition(|plan| plan.first > 0);
    for plan in left_out {
        section.note(format!(
            "{}, {}: left out, because writing it takes minutes",
            plan.way.name(),
            plan.size
        ));
    }
    let steps: usize = plans.iter().map(Plan::steps).sum();
    let progress = context.progress("rules written", steps as u64);
    let mut found: Vec<(Plan, Costs)> = Vec::new();
    for plan in plans {
        let costs = measure(plan, context.args.seed, &progress)?;
        rows::of_size(section, plan, &costs);
        found.push((plan, costs));
    }
    progress.finish_and_clear();
    rows::curves(section, &found);
    rows::connects(section, &found);
    rows::notes(section, context);
    Ok(())
}

/// What is measured of one way.
fn plans(context: &Context, way: Way) -> Vec<Plan> {
    let quick = context.args.quick;
    let plan = |services, endpoints, dual, connects| {
        let size = Size {
            services,
            endpoints,
            dual,
        };
        let iptables = way != Way::Nftables;
        let large = services > 1_000;
        let first = match quick && iptables && services > 100 {
            true => 1,
            false if iptables && large && endpoints > 2 => 2,
            false => context.runs(if large { 3 } else { 5 }),
        };
        let theirs = match (dual, large) {
            // Its layout is written of IPv4 alone.
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 3,
        };
        let changes = match (quick, iptables && large) {
            (true, _) => 3,
            // Each of them takes iptables a second or so.
            (false, true) if endpoints > 2 => 2,
            (false, true) => 5,
            (false, false) => 11,
        };
        Plan {
            way,
            size,
            first: first.min(way.most(size)),
            their_first: first.min(theirs).min(way.most(size)),
            changes,
            connects,
        }
    };
    let mut plans: Vec<Plan> = COUNTS
        .iter()
        .filter(|count| !quick || **count <= 1_000)
        .map(|count| plan(*count, ENDPOINTS, false, false))
        .collect();
    plans.push(plan(10_000, 2, false, true));
    if !quick && way == Way::Nftables {
        plans.push(plan(10_000, 2, true, false));
    }
    plans
}
