use std::io::Write;

use crate::client::Client;
use crate::engine::{ObjectResult, Outcome};
use crate::model::{
    Expectation, Kind, LabelPatch, Object, ObjectName, ObjectRef, Operation, PatchTarget,
    Precondition, Revision, Transaction,
};
use crate::selector::Selector;

use super::batch::{self, ChunkArgs, Gone, Most};
use super::changes::{self, LabelChanges};
use super::failure::{Done, Misused, uncommitted};
use super::files::FileArgs;
use super::labelled::{Current, matching, named};
use super::resource;
use super::target::{
    DryRun, EarlyArgs, NamespaceArgs, Place, ReportFormat, SelectorArgs, ServerArgs,
};

/// Add, change and remove labels, by name or by selector
///
/// KEY=VALUE sets a label, KEY- removes it. Without --overwrite, a key that has another value is an
/// error and nothing is changed at all: however many objects there are, it is one transaction, unless
/// --chunk is said.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord label pods rng-a active=yes
  selectord label pods -l app=rng active=yes
  selectord label pods -l app=rng,pod-template-hash active-
  selectord label service rng tier=backend --overwrite
  selectord label pods --all canary- --dry-run=client
  selectord label pod rng-a --list")]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…, then the changes: KEY=VALUE, KEY-
    #[arg(value_name = "TYPE", allow_hyphen_values = false)]
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
    /// Replace values that are there
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    chunk: ChunkArgs,
    /// Only if the object was last written at this revision; for one object
    #[arg(long, value_name = "REVISION", conflicts_with = "chunk")]
    resource_version: Option<Revision>,
    /// Show the labels as they would be; change nothing
    #[arg(long, conflicts_with = "output")]
    list: bool,
    /// Only say what would be changed
    #[arg(long, value_enum, value_name = "MODE", default_value_t, num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
    /// Print names only
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<ReportFormat>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Whose labels are meant.
enum Targets {
    Named(Vec<ObjectRef>),
    Matching {
        kind: Kind,
        place: Place,
        selector: Selector,
    },
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let (targets, changes) = check(args, early)?;
    let client = args.server.connect(early).await?;
    let local = args.list || args.dry_run == DryRun::Client;
    let current = match &targets {
        Targets::Named(objects) => Some(named(&client, objects).await?),
        Targets::Matching {
            kind,
            place,
            selector,
        } if local => Some(matching(&client, *kind, place, selector).await?),
        Targets::Matching { .. } => None,
    };
    if let Some(current) = &current {
        note_missing(&changes, current);
        if local {
            return preview(args, &changes, current, out);
        }
        let unchanged =
            |it: &Current| changes.apply(&it.labels, args.overwrite).as_ref() == Ok(&it.labels);
        if current.iter().all(unchanged) {
            // As with kubectl, nothing is sent, so that a --resource-version is not looked at either.
            return current
                .iter()
                .try_for_each(|it| report(args, out, &it.object, changes.done(false)))
                .map(|()| Done::Well);
        }
    }
    let results = if args.chunk.chunk {
        in_parts(&client, args, targets, current, &changes).await?
    } else {
        client
            .commit(transaction(args, targets, &changes), "")
            .await
            .map_err(uncommitted)?
            .results
    };
    if results.is_empty() {
        eprintln!("No objects match.");
    }
    for ObjectResult {
        object, outcome, ..
    } in &results
    {
        report(
            args,
            out,
            object,
            changes.done(*outcome != Outcome::Unchanged),
        )?;
    }
    Ok(Done::Well)
}

/// Labels what is named, or matches now, in as many transactions as the server's store asks for.
async fn in_parts(
    client: &Client,
    args: &Args,
    targets: Targets,
    current: Option<Vec<Current>>,
    changes: &LabelChanges,
) -> anyhow::Result<Vec<ObjectResult>> {
    let current = match (current, &targets) {
        (Some(current), _) => current,
        (
            None,
            Targets::Matching {
                kind,
                place,
                selector,
            },
        ) => matching(client, *kind, place, selector).await?,
        (None, Targets::Named(objects)) => named(client, objects).await?,
    };
    let objects = current.into_iter().map(|it| it.object).collect();
    let operations = transaction(args, Targets::Named(objects), changes).operations;
    let batches = batch::batches(operations, Most::of(client, args.chunk).await?);
    batch::note(batches.len());
    // What matched may be gone by now; what was named has to be there.
    let gone = match targets {
        Targets::Matching { .. } => Gone::IsPassedOver,
        Targets::Named(_) => Gone::Fails,
    };
    let mut results = Vec::new();
    batch::send(client, batches, gone, |part| {
        results.extend(part);
        Ok(())
    })
    .await?;
    Ok(results)
}

/// Sorts out what the words and flags mean together.
fn check(args: &Args, early: &EarlyArgs) -> anyhow::Result<(Targets, LabelChanges)> {
    let misused = |message: &str| Misused::of("label", message);
    let (words, changes) =
        changes::split(&args.words).map_err(|error| Misused::of("label", error.to_string()))?;
    if changes.is_empty() && !args.list {
        return Err(misused(
            "say what to change: KEY=VALUE sets a label, KEY- removes it; --list shows them",
        ));
    }
    if args.all && args.selector.is_given() {
        return Err(misused("give -l or --all, not both"));
    }
    let place = args.namespace.place(early);
    let selector = args.selector.selector("label")?;
    let targets = if args.files.is_given() {
        if !words.is_empty() || args.all || args.selector.is_given() {
            return Err(misused("give -f alone, or name objects without it"));
        }
        let default = place.namespaces().first().cloned().unwrap_or_default();
        let objects = args.files.read("label", None, &default)?;
        Targets::Named(objects.iter().map(Object::object_ref).collect())
    } else {
        let groups =
            resource::parse(words).map_err(|error| Misused::of("label", error.to_string()))?;
        if let [group] = groups.as_slice()
            && group.names.is_empty()
        {
            if !args.all && !args.selector.is_given() {
                return Err(misused("say which: a name, -l SELECTOR, or --all"));
            }
            Targets::Matching {
                kind: group.resource.kind(),
                place,
                selector,
            }
        } else {
            if args.all || args.selector.is_given() {
                return Err(misused("give names, or -l, or --all: only one of them"));
            }
            if place.is_all() {
                return Err(misused(
                    "names mean objects of one namespace: use -n instead of -A",
                ));
            }
            let object = |kind: Kind, name: &String| {
                let name = if kind.is_namespaced() {
                    place.object(name).unwrap_or_default()
                } else {
                    ObjectName::cluster(name.as_str())
                };
                ObjectRef::new(kind, name)
            };
            Targets::Named(
                groups
                    .iter()
                    .flat_map(|g| g.names.iter().map(|name| object(g.resource.kind(), name)))
                    .collect(),
            )
        }
    };
    let kinds = match &targets {
        Targets::Named(objects) => objects.iter().map(|object| object.kind).collect(),
        Targets::Matching { kind, .. } => vec![*kind],
    };
    if kinds
        .iter()
        .any(|kind| matches!(kind, Kind::Endpoints | Kind::EndpointSlice))
    {
        return Err(misused(
            "endpoints made by hand cannot be labeled: apply the object instead",
        ));
    }
    if args.resource_version.is_some()
        && !matches!(&targets, Targets::Named(objects) if objects.len() == 1)
    {
        return Err(misused(
            "--resource-version is for one object, given by its name",
        ));
    }
    Ok((targets, changes))
}

fn note_missing(changes: &LabelChanges, current: &[Current]) {
    for it in current {
        for key in changes.missing(&it.labels) {
            eprintln!(
                "label \"{key}\" not found on {}/{}.",
                it.object.kind, it.object.name.name
            );
        }
    }
}

/// What would be, worked out here.
fn preview(
    args: &Args,
    changes: &LabelChanges,
    current: &[Current],
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    if current.is_empty() {
        eprintln!("No objects match.");
    }
    let mut done = Done::Well;
    for it in current {
        let (kind, name) = (it.object.kind, &it.object.name.name);
        match changes.apply(&it.labels, args.overwrite) {
            Err(conflict) => {
                done = Done::Partly;
                eprintln!("error: {}: {conflict}", it.object);
            }
            Ok(labels) if args.list => {
                let indent = if current.len() > 1 { " " } else { "" };
                if current.len() > 1 {
                    writeln!(out, "Listing labels for {kind}/{name}:")?;
                }
                for (key, value) in &labels {
                    writeln!(out, "{indent}{key}={value}")?;
                }
            }
            Ok(labels) => {
                let word = format!("{} (dry run)", changes.done(labels != it.labels));
                report(args, out, &it.object, &word)?;
            }
        }
    }
    Ok(done)
}

fn transaction(args: &Args, targets: Targets, changes: &LabelChanges) -> Transaction {
    let patch = |target: PatchTarget| {
        Operation::PatchLabels(LabelPatch {
            target,
            set: changes
                .set
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            remove: changes.remove.clone(),
            overwrite: args.overwrite,
        })
    };
    let mut preconditions = Vec::new();
    let operations = match targets {
        Targets::Named(objects) => {
            if let (Some(revision), Some(object)) = (args.resource_version, objects.first()) {
                preconditions.push(Precondition {
                    object: object.clone(),
                    expect: Expectation::Revision(revision),
                });
            }
            objects
                .into_iter()
                .map(|object| patch(PatchTarget::Object(object)))
                .collect()
        }
        Targets::Matching {
            kind,
            place,
            selector,
        } => {
            // Nodes are in no namespace.
            let namespaces = if kind.is_namespaced() {
                place.namespaces()
            } else {
                Vec::new()
            };
            vec![patch(PatchTarget::Selector {
                kind,
                namespaces,
                selector,
            })]
        }
    };
    Transaction {
        preconditions,
        operations,
        ..Transaction::default()
    }
}

fn report(args: &Args, out: &mut dyn Write, object: &ObjectRef, word: &str) -> anyhow::Result<()> {
    match args.output {
        Some(ReportFormat::Name) => writeln!(out, "{}/{}", object.kind, object.name.name)?,
        None => writeln!(out, "{}/{} {word}", object.kind, object.name.name)?,
    }
    Ok(())
}
