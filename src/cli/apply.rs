use std::io::Write;

use crate::engine::{ObjectResult, Outcome};
use crate::model::Operation;

use super::batch::{self, ChunkArgs, Gone, Most};
use super::failure::{Done, Misused};
use super::files::FileArgs;
use super::target::{DryRun, EarlyArgs, OneNamespaceArgs, ReportFormat, ServerArgs};

/// Create or replace what Kubernetes YAML or JSON describes
///
/// Takes what 'kubectl get pods,services,nodes,endpointslices -A -o json' prints, and what people
/// write. Everything is checked before anything is sent, and sent in as few transactions as fit: each
/// is applied whole or not at all.
///
/// An object is replaced whole: what others set and the file does not have, a label say, is gone
/// (kubectl would keep it). Other kinds are skipped and counted; unknown fields are ignored.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord apply -f examples/rng
  selectord apply -f pods.yaml -f services.yaml --atomic
  selectord apply -f - < cluster.json
  selectord apply -f cluster.json --chunk
  selectord apply -f examples/rng --dry-run=client")]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    namespace: OneNamespaceArgs,
    /// All in one transaction, or not at all
    #[arg(long, conflicts_with = "chunk")]
    atomic: bool,
    #[command(flatten)]
    chunk: ChunkArgs,
    /// Check only; 'client' asks no server
    #[arg(long, value_enum, value_name = "MODE", default_value_t, num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
    /// Print names only
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<ReportFormat>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    if !args.files.is_given() {
        return Err(Misused::of(
            "apply",
            "say what to apply: -f FILE, -f DIR, or -f - for standard input",
        ));
    }
    let namespace = args.namespace.given(early);
    let mut objects = args
        .files
        .read("apply", namespace.as_ref(), &args.namespace.meant(early))?;
    objects.sort_by_cached_key(|object| batch::order(object.object_ref().kind));
    let number = objects.len();
    if number == 0 {
        eprintln!("No objects to apply.");
        return Ok(Done::Well);
    }
    if args.dry_run == DryRun::Client {
        for object in &objects {
            let object = object.object_ref();
            match args.output {
                Some(ReportFormat::Name) => writeln!(out, "{}/{}", object.kind, object.name.name)?,
                None => writeln!(
                    out,
                    "{}/{} checked (dry run)",
                    object.kind, object.name.name
                )?,
            }
        }
        return Ok(Done::Well);
    }
    let operations: Vec<Operation> = objects.into_iter().map(Operation::Put).collect();
    let client = args.server.connect(early).await?;
    let batches = if args.atomic {
        vec![operations]
    } else {
        batch::batches(operations, Most::of(&client, args.chunk).await?)
    };
    if args.chunk.chunk {
        batch::note(batches.len());
    }
    let sent = batch::send(&client, batches, Gone::Fails, |results| {
        results
            .iter()
            .try_for_each(|result| report(out, result, args.output))
    })
    .await?;
    if args.output.is_none() {
        writeln!(out, "{}", summary(number, sent.transactions, sent.revision))?;
    }
    Ok(Done::Well)
}

fn report(
    out: &mut dyn Write,
    result: &ObjectResult,
    format: Option<ReportFormat>,
) -> anyhow::Result<()> {
    let (kind, name) = (result.object.kind, &result.object.name.name);
    match format {
        Some(ReportFormat::Name) => writeln!(out, "{kind}/{name}")?,
        None => writeln!(out, "{kind}/{name} {}", word(result.outcome))?,
    }
    Ok(())
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Configured => "configured",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
        Outcome::NotFound => "not found",
    }
}

fn summary(objects: usize, transactions: usize, revision: u64) -> String {
    let plural = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    format!(
        "{} in {}, revision {revision}",
        plural(objects, "object"),
        plural(transactions, "transaction")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        assert_eq!(summary(1, 1, 4), "1 object in 1 transaction, revision 4");
        assert_eq!(
            summary(25_000, 3, 9),
            "25000 objects in 3 transactions, revision 9"
        );
    }
}
