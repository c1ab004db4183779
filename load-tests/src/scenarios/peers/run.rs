use crate::context::Context;
use crate::report::{Row, Section, Unit};
use crate::scenarios::engine::memory_of;

use super::go::{self, Peers};
use super::{churn, flips, queries, relabels, rollout};

/// Runs the peers, where there is a Go to build them; see the module's page.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let go = match go::find() {
        Ok(go) => go,
        Err(reason) => {
            section.note(format!("nothing was compared: {reason}"));
            return Ok(());
        }
    };
    let peers = Peers::new()?;
    let progress = context.progress("building the peers", 2);
    if let Err(error) = peers.build(&go, "peers", &["lister", "slices", "rollout"]) {
        section.note(format!(
            "nothing was compared: Kubernetes' peers could not be built: {error:#}"
        ));
        return Ok(());
    }
    progress.inc(1);
    let calico = peers.build(&go, "peers", &["labelindex"]);
    if let Err(error) = &calico {
        section.note(format!(
            "Calico's index could not be built, and is left out: {error:#}"
        ));
    }
    progress.finish_and_clear();
    section.note("every answer was compared before its time is told; one thread on both sides, GOMAXPROCS=1, Go's collector included");
    let memory = memory_of(context)? as f64 / f64::from(context.pods());
    queries::measure(context, section, &peers, memory)?;
    relabels::measure(context, section, &peers, calico.is_ok().then_some(memory))?;
    flips::measure(context, section, &peers)?;
    churn::compare(context, section, &peers)?;
    rollout::measure(context, section, &peers)
}

/// What selectord takes to hold a pod, to be put beside what a peer takes.
pub fn memory_row(context: &Context, bytes: f64) -> Row {
    Row::one(
        format!(
            "memory a pod of {}, services, endpoints and log included",
            context.pods()
        ),
        Unit::Bytes,
        bytes,
    )
}
