use std::io::Write;

use crate::client::{Client, Listing};
use crate::engine::{ObjectResult, Outcome};
use crate::model::{Kind, Object, ObjectName, ObjectRef, Operation};

use super::age::warn;
use super::batch::{self, ChunkArgs, Gone, Most};
use super::failure::{Done, Misused};
use super::files::FileArgs;
use super::resource::{self, Group};
use super::target::{
    DryRun, EarlyArgs, NamespaceArgs, Place, ReportFormat, SelectorArgs, ServerArgs,
};

/// Delete objects by name, by file or by selector
///
/// TYPE is pods (po), services (svc), nodes (no), or endpoints (ep) and endpointslices for objects
/// made by hand. What is deleted is selectord's knowledge of them; no cluster is touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord delete pod rng-a
  selectord delete pod/rng-a service/rng
  selectord delete -f examples/rng
  selectord delete pods -l app=rng
  selectord delete pods --all -n test")]
pub(super) struct Args {
    /// What to delete: TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all
    #[arg(value_name = "TYPE")]
    words: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    selector: SelectorArgs,
    /// Every object of the type in the namespace
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    namespace: NamespaceArgs,
    /// What is not there is no failure
    #[arg(long)]
    ignore_not_found: bool,
    #[command(flatten)]
    chunk: ChunkArgs,
    /// Only say what would be deleted
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
    let groups = check(args)?;
    let place = args.namespace.place(early);
    let named = groups.iter().any(|group| !group.names.is_empty());
    if named && place.is_all() {
        return Err(Misused::of(
            "delete",
            "names mean objects of one namespace: use -n instead of -A",
        ));
    }
    let selector = args.selector.selector("delete")?;
    let from_files = if args.files.is_given() {
        let default = place.namespaces().first().cloned().unwrap_or_default();
        args.files.read("delete", None, &default)?
    } else {
        Vec::new()
    };
    let client = args.server.connect(early).await?;
    let mut objects: Vec<ObjectRef> = from_files.iter().map(Object::object_ref).collect();
    for group in &groups {
        let kind = group.resource.kind();
        if named {
            objects.extend(
                group
                    .names
                    .iter()
                    .map(|name| ObjectRef::new(kind, object_name(kind, &place, name))),
            );
        } else {
            let listing = Listing {
                selector: selector.clone(),
                namespaces: place.namespaces(),
                ..Listing::default()
            };
            objects.extend(listed(&client, kind, &listing).await?);
        }
    }
    if objects.is_empty() {
        eprintln!("No objects to delete.");
        return Ok(Done::Well);
    }
    if args.dry_run == DryRun::Client {
        for object in &objects {
            report(out, object, " (dry run)", args.output)?;
        }
        return Ok(Done::Well);
    }
    // What a listing found may be gone by now: that is what was wanted.
    let tolerant = args.ignore_not_found || args.all || args.selector.is_given();
    let operations = objects.into_iter().map(Operation::Delete).collect();
    let batches = batch::batches(operations, Most::of(&client, args.chunk).await?);
    if args.chunk.chunk {
        batch::note(batches.len());
    }
    let mut done = Done::Well;
    batch::send(&client, batches, Gone::Fails, |results| {
        for ObjectResult {
            object, outcome, ..
        } in results
        {
            match outcome {
                Outcome::NotFound if tolerant => {}
                Outcome::NotFound => {
                    done = Done::Partly;
                    eprintln!("error: {object} not found");
                }
                _ => report(out, &object, "", args.output)?,
            }
        }
        Ok(())
    })
    .await?;
    Ok(done)
}

/// What the words name, if exactly one way of saying what to delete is used.
fn check(args: &Args) -> anyhow::Result<Vec<Group>> {
    let misused = |message: &str| Err(Misused::of("delete", message));
    if args.words.is_empty() {
        if args.selector.is_given() || args.all {
            return misused("say which type of resource: pods, services or nodes");
        }
        if !args.files.is_given() {
            return misused("say what to delete: TYPE NAME, -f FILE, or TYPE with -l or --all");
        }
        return Ok(Vec::new());
    }
    if args.files.is_given() {
        return misused("name objects or give -f, not both");
    }
    let groups =
        resource::parse(&args.words).map_err(|error| Misused::of("delete", error.to_string()))?;
    let named = groups.iter().any(|group| !group.names.is_empty());
    match (named, args.selector.is_given(), args.all) {
        (true, true, _) | (true, _, true) => {
            misused("give names, or -l, or --all: only one of them")
        }
        (_, true, true) => misused("give -l or --all, not both"),
        (false, false, false) => misused("say which: a name, -l SELECTOR, or --all"),
        (false, ..) if groups.iter().any(|group| group.resource.is_endpoints()) => {
            misused("endpoints made by hand are deleted by name or by file")
        }
        _ => Ok(groups),
    }
}

fn object_name(kind: Kind, place: &Place, name: &str) -> ObjectName {
    if kind.is_namespaced() {
        place.object(name).unwrap_or_default()
    } else {
        ObjectName::cluster(name)
    }
}

/// The names of all objects of a kind that a listing finds.
async fn listed(client: &Client, kind: Kind, listing: &Listing) -> anyhow::Result<Vec<ObjectRef>> {
    let mut objects = Vec::new();
    match kind {
        Kind::Service => {
            let mut pages = client.services(listing).await?;
            while let Some(page) = pages.next_page().await? {
                warn(page.source_age);
                objects.extend(
                    page.items
                        .into_iter()
                        .map(|item| ObjectRef::new(kind, item.service.name)),
                );
            }
        }
        Kind::Node => {
            let mut pages = client.nodes(listing).await?;
            while let Some(page) = pages.next_page().await? {
                warn(page.source_age);
                let name = |item: crate::client::NodeItem| ObjectName::cluster(item.node.name);
                objects.extend(
                    page.items
                        .into_iter()
                        .map(|item| ObjectRef::new(kind, name(item))),
                );
            }
        }
        _ => {
            let mut pages = client.pods(listing).await?;
            while let Some(page) = pages.next_page().await? {
                warn(page.source_age);
                objects.extend(
                    page.items
                        .into_iter()
                        .map(|item| ObjectRef::new(kind, item.pod.name)),
                );
            }
        }
    }
    Ok(objects)
}

fn report(
    out: &mut dyn Write,
    object: &ObjectRef,
    note: &str,
    format: Option<ReportFormat>,
) -> anyhow::Result<()> {
    match format {
        Some(ReportFormat::Name) => writeln!(out, "{}/{}", object.kind, object.name.name)?,
        None => writeln!(
            out,
            "{} \"{}\" deleted{note}",
            object.kind, object.name.name
        )?,
    }
    Ok(())
}
