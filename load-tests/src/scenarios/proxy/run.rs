use crate::context::Context;
use crate::report::Section;

use super::cluster::{Cluster, Size};
use super::kube_proxy::{KubeProxy, Program};
use super::measure::{Costs, Plan, measure};
use super::needs;
use super::sides::Cost;
use super::way::Way;
use super::{curves, notes, rows};

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
    let building = context.progress("building kube-proxy", 1);
    let program = match Program::build() {
        Ok(program) => Some(program),
        Err(error) => {
            section.note(format!(
                "kube-proxy itself was left out, and what stands beside selectord is its layout: {error:#}"
            ));
            None
        }
    };
    building.finish_and_clear();
    let mut plans = Vec::new();
    for way in ways {
        let itself = program
            .as_ref()
            .is_some_and(|program| works(program, way, section));
        plans.extend(self::plans(context, way, itself));
    }
    for plan in plans.iter().filter(|p| p.way.is_long_for_theirs(p.size)) {
        section.note(format!(
            "{}, {}: without kube-proxy, which takes minutes to write it",
            plan.way.name(),
            plan.size
        ));
    }
    let steps: usize = plans.iter().map(Plan::steps).sum();
    let progress = context.progress("rules written", steps as u64);
    let mut found: Vec<(Plan, Costs)> = Vec::new();
    for plan in plans {
        let costs = measure(plan, program.as_ref(), context.args.seed, &progress)?;
        rows::of_size(section, plan, &costs, program.as_ref());
        found.push((plan, costs));
    }
    progress.finish_and_clear();
    curves::curves(section, &found, program.as_ref());
    rows::connects(section, &found, program.as_ref());
    notes::notes(section, context, program.as_ref());
    Ok(())
}

/// Whether kube-proxy itself can write rules in this way here; why not is noted.
fn works(program: &Program, way: Way, section: &mut Section) -> bool {
    let one = Cluster::new(Size {
        services: 1,
        endpoints: 1,
        dual: false,
    });
    let tried = KubeProxy::first(program, way, &one, &mut Cost::default());
    if let Err(error) = &tried {
        section.note(format!(
            "{}: kube-proxy itself was left out: {error:#}",
            way.name()
        ));
    }
    tried.is_ok()
}

/// What is measured of one way, and whether kube-proxy itself is.
fn plans(context: &Context, way: Way, itself: bool) -> Vec<Plan> {
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
            // It is written of IPv4 alone.
            (true, _) => 0,
            _ if way.is_long_for_theirs(size) => 0,
            (false, true) => first.min(1),
            (false, false) => first.min(3),
        };
        // Its layout of iptables says nothing that it does not say itself; that of nftables is a newer one.
        let layout = !itself || way == Way::Nftables;
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
            first,
            their_first: if layout { theirs } else { 0 },
            itself_first: if itself { theirs } else { 0 },
            changes,
            // Each of them takes it seconds.
            itself_changes: if large { changes.min(3) } else { changes },
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
