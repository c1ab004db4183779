use crate::context::Context;
use crate::report::Section;

use super::{changes, load, memory, ratios, stall};

/// Measures the engine: see the module's page.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    section
        .note("one thread; objects are made outside of what is timed, and results dropped within; a write is resolved and applied, and a store gives back what was resolved");
    memory::measure(context, section)?;
    load::bulk(context, section);
    stall::measure(context, section)?;
    let mut engine = load::in_small_transactions(context, section);
    let costs = changes::measure(context, section, &mut engine);
    drop(engine);
    ratios::of_size(context, section, &costs);
    ratios::of_services(context, section);
    ratios::of_endpoints(context, section);
    Ok(())
}
