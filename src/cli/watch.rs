use std::io::Write;

use crate::client::{Client, WatchOptions, WatchPodsOptions};
use crate::engine::{Scope, ServiceScope};
use crate::selector::Selector;

use super::age::warn;
use super::failure::{Done, Misused};
use super::get::wanted;
use super::lines::{EndpointLines, PodLines};
use super::resource::{self, Group, Resource};
use super::target::{EarlyArgs, NamespaceArgs, Place, SelectorArgs, ServerArgs};

/// Follow endpoints or pods as they change
///
/// Prints the state, then every change: '+' came, '~' changed, '-' went. What stands before a
/// '= checkpoint' line is one consistent step. Reconnects by itself, and goes on where it was. With
/// -o json each line is one object, with the type RESET, REPLACE, UPDATE, REMOVE or CHECKPOINT.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord watch endpoints rng
  selectord watch endpoints -A -l tier=backend -o json
  selectord watch pods -l 'app=rng,active!=yes'")]
pub(super) struct Args {
    /// What to follow: endpoints [SERVICE…] or pods [NAME…]
    #[arg(value_name = "TYPE", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    selector: SelectorArgs,
    #[command(flatten)]
    namespace: NamespaceArgs,
    /// How to print it
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<LineFormat>,
    /// What the server lists this subscriber as
    #[arg(long, value_name = "NAME", default_value = "selectord watch")]
    subscriber: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LineFormat {
    /// One JSON object a line
    Json,
}

/// What is followed.
struct Ask<'a> {
    place: Place,
    selector: Selector,
    group: &'a Group,
    subscriber: String,
    json: bool,
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let groups =
        resource::parse(&args.words).map_err(|error| Misused::of("watch", error.to_string()))?;
    let place = args.namespace.place(early);
    let [group] = groups.as_slice() else {
        return Err(Misused::of(
            "watch",
            "one resource type at a time can be followed",
        ));
    };
    if !group.names.is_empty() && place.is_all() {
        return Err(Misused::of(
            "watch",
            "names mean objects of one namespace: use -n instead of -A",
        ));
    }
    let ask = Ask {
        place,
        selector: args.selector.selector("watch")?,
        group,
        subscriber: args.subscriber.clone(),
        json: args.output == Some(LineFormat::Json),
    };
    match group.resource {
        Resource::Endpoints | Resource::EndpointSlices | Resource::Services => {
            endpoints(&args.server.connect(early).await?, ask, out).await
        }
        Resource::Pods => pods(&args.server.connect(early).await?, ask, out).await,
        Resource::Nodes => Err(Misused::of(
            "watch",
            "nodes cannot be watched; endpoints and pods can",
        )),
    }
}

async fn endpoints(client: &Client, ask: Ask<'_>, out: &mut dyn Write) -> anyhow::Result<Done> {
    let scope = Scope::Services(ServiceScope {
        namespaces: ask.place.namespaces().into_iter().collect(),
        names: ask
            .group
            .names
            .iter()
            .filter_map(|name| ask.place.object(name))
            .collect(),
        selector: ask.selector,
    });
    let options = WatchOptions {
        name: ask.subscriber,
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(scope, options);
    let mut lines = EndpointLines::default();
    loop {
        let cut = watcher.next().await?;
        warn(cut.source_age);
        if ask.json {
            lines.json(&cut, out)?;
        } else {
            lines.text(&cut, out)?;
        }
        out.flush()?;
        watcher.applied(cut.revision);
    }
}

async fn pods(client: &Client, ask: Ask<'_>, out: &mut dyn Write) -> anyhow::Result<Done> {
    let options = WatchPodsOptions {
        name: ask.subscriber,
        ..WatchPodsOptions::default()
    };
    let mut watcher = client.watch_pods(ask.selector, ask.place.namespaces(), options);
    let wanted = wanted(&ask.group.names);
    let mut lines = PodLines::default();
    loop {
        let mut cut = watcher.next().await?;
        warn(cut.source_age);
        if let Some(names) = &wanted {
            lines.keep(&mut cut, |name| names.contains(name.name.as_str()));
        }
        if ask.json {
            lines.json(&cut, out)?;
        } else {
            lines.text(&cut, out)?;
        }
        out.flush()?;
    }
}
