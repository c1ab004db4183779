use std::time::Duration;

use crate::context::Context;
use crate::report::{Row, Section, Unit};
use crate::server::Server;

use super::load::Changes;
use super::{Cluster, crowded, latency, memory, single};

/// For how long subscribers are waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// As many streams on a connection, and as many in all, as the phases need.
pub const FLAGS: &[&str] = &[
    "--max-streams-per-connection",
    "2048",
    "--max-subscribers",
    "20000",
];

/// Everything about many subscribers.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    {
        let cluster = Cluster::start(context, FLAGS)?;
        let state = cluster.state()?;
        let churn = context.corpus.churn(context.args.seed);
        let mut changes = Changes::new(churn, &state);
        latency::measure(context, section, &cluster, &state, &mut changes)?;
        crowded::measure(context, section, &cluster, &mut changes)?;
        single::measure(context, section, &cluster, changes.churn())?;
        let (rate, _) = cluster.echo(context.duration() / 10)?;
        section.row(Row::one(
            "yardstick: empty unary echoes on one connection",
            Unit::Rate("calls"),
            rate,
        ));
        if cluster.server.process().is_none() {
            section.note(Server::NOT_OURS);
        }
    }
    memory::measure(context, section)
}
