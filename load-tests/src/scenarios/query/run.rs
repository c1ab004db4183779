use crate::cluster::loaded;
use crate::context::Context;
use crate::report::Section;

use super::{beside_writer, counts, ids, unary};

/// Measures queries: see the module's page.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let progress = context.progress("load", 1);
    let engine = loaded(&context.corpus);
    progress.finish_and_clear();
    counts::measure(context, section, &engine)?;
    ids::measure(context, section, &engine);
    drop(engine);
    beside_writer::measure(context, section)?;
    unary::measure(context, section)
}
