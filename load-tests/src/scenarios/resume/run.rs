use crate::context::Context;
use crate::report::Section;
use crate::scenarios::fanout::Cluster;
use crate::server::Server;

use super::{changed, killed, lost, snapshot};

/// First snapshots, then resumes.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let cluster = Cluster::start(context, &[])?;
    if cluster.server.process().is_none() {
        section.note(Server::NOT_OURS);
    }
    let mut churn = context.corpus.churn(context.args.seed);
    snapshot::measure(context, section, &cluster)?;
    killed::measure(context, section, &cluster, &mut churn)?;
    changed::measure(context, section, &cluster, &mut churn)?;
    if cluster.server.process().is_some() {
        drop(cluster);
        lost::measure(context, section)?;
    }
    Ok(())
}
