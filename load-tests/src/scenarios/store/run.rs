use crate::context::Context;
use crate::report::Section;

use super::etcd::Etcd;
use super::{rates, recovery};

/// Rates, then recovery.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    if context.args.server.is_some() {
        section
            .note("a server that is given cannot be started with each store: nothing was measured");
        return Ok(());
    }
    let etcd = Etcd::start(context)?;
    match &etcd {
        Some(etcd) => section.note(format!(
            "etcd {}, one member on the same cores and the same disk, with its own defaults but for \
             {} operations and {} bytes a transaction; a cluster of three writes everything three times",
            etcd.version,
            Etcd::MAX_TXN_OPS,
            Etcd::MAX_REQUEST_BYTES
        )),
        None => section.note(
            "there is no etcd here (Debian: etcd-server): nothing of it, and nothing beside it, was measured",
        ),
    }
    rates::measure(context, section, etcd.as_ref())?;
    drop(etcd);
    recovery::measure(context, section)
}
