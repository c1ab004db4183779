use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use crate::client::{CallError, Client, Listing, Page, Pages, WatchOptions};
use crate::engine::{Scope, ServiceScope};
use crate::model::ObjectName;
use crate::selector::Selector;

use super::age::{fresh, warn};
use super::failure::{Done, Misused};
use super::get_watch;
use super::print::{ListPrinter, print_data};
use super::resource::{self, Group, Resource};
use super::rows::{Item, Shape};
use super::table::Columns;
use super::target::{
    DataFormat, EarlyArgs, Format, NamespaceArgs, Place, SelectorArgs, ServerArgs,
};

/// Show pods, services, endpoints or nodes
///
/// TYPE is pods (po), services (svc), endpoints (ep) or nodes (no); names may follow, or stand behind
/// it as in pod/rng-a. Endpoints are what each service's selector makes of the pods right now.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord get pods
  selectord get pods -l 'app=rng,active!=yes' -o wide
  selectord get ep rng
  selectord get endpoints rng -o json
  selectord get pod/rng-a service/rng -o yaml
  selectord get pods -A --watch")]
pub(super) struct Args {
    /// What to show: TYPE [NAME…] or TYPE/NAME…
    #[arg(value_name = "TYPE", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    selector: SelectorArgs,
    #[command(flatten)]
    namespace: NamespaceArgs,
    /// How to print it
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    /// Show what is there, then every change as it comes
    #[arg(long, short)]
    watch: bool,
    /// Show the labels too
    #[arg(long)]
    show_labels: bool,
    /// Leave out the line of column names
    #[arg(long)]
    no_headers: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// What is asked, checked.
pub(super) struct Ask {
    pub(super) place: Place,
    pub(super) selector: Selector,
    pub(super) format: Option<Format>,
    pub(super) shape: Shape,
    pub(super) headers: bool,
}

impl Ask {
    pub(super) fn columns(&self, resource: Resource) -> Columns {
        let columns = Columns::new(self.shape.header(resource));
        if self.headers {
            columns
        } else {
            columns.without_header()
        }
    }

    /// Services whose endpoints are meant.
    pub(super) fn scope(&self, names: &[String]) -> Scope {
        Scope::Services(ServiceScope {
            namespaces: self.place.namespaces().into_iter().collect(),
            names: names
                .iter()
                .filter_map(|name| self.place.object(name))
                .collect(),
            selector: self.selector.clone(),
        })
    }
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let groups =
        resource::parse(&args.words).map_err(|error| Misused::of("get", error.to_string()))?;
    let named = groups.iter().any(|group| !group.names.is_empty());
    let place = args.namespace.place(early);
    if named && args.selector.is_given() {
        return Err(Misused::of("get", "give names or -l, not both"));
    }
    if named && place.is_all() {
        return Err(Misused::of(
            "get",
            "names mean objects of one namespace: use -n instead of -A",
        ));
    }
    let ask = Ask {
        shape: Shape {
            namespace: place.is_all(),
            wide: args.output == Some(Format::Wide),
            labels: args.show_labels,
            typed: groups.len() > 1,
        },
        place,
        selector: args.selector.selector("get")?,
        format: args.output,
        headers: !args.no_headers,
    };
    if args.watch {
        let [group] = groups.as_slice() else {
            return Err(Misused::of(
                "get",
                "--watch follows one resource type at a time",
            ));
        };
        if group.resource == Resource::Nodes {
            return Err(Misused::of(
                "get",
                "nodes cannot be watched; pods, services and endpoints can",
            ));
        }
        let client = args.server.connect(early).await?;
        return get_watch::run(&client, &ask, group, out).await;
    }
    let client = args.server.connect(early).await?;
    show(&client, &ask, &groups, out).await
}

async fn show(
    client: &Client,
    ask: &Ask,
    groups: &[Group],
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let mut done = Done::Well;
    let mut list = ask.data_format().map(ListPrinter::new);
    let single =
        matches!(groups, [group] if group.names.len() == 1 && !group.resource.is_endpoints());
    for (i, group) in groups.iter().enumerate() {
        let mut rows = Vec::new();
        let mut found = false;
        let mut source = Source::open(client, ask, group).await?;
        while let Some(items) = source.next().await? {
            for item in items {
                found = true;
                match (ask.format, &mut list) {
                    (Some(Format::Name), _) => writeln!(out, "{}", item.typed_name())?,
                    (_, Some(list)) => {
                        for value in item.values() {
                            if single {
                                print_data(out, list.format(), &value)?;
                            } else {
                                list.item(out, &value)?;
                            }
                        }
                    }
                    _ => rows.push(ask.shape.row(&item)),
                }
            }
        }
        for name in source.missing() {
            done = Done::Partly;
            eprintln!("error: {} {name} not found", group.resource.kind());
        }
        if !rows.is_empty() && i > 0 {
            writeln!(out)?;
        }
        ask.columns(group.resource).print(out, rows)?;
        if !found && group.names.is_empty() && list.is_none() {
            match &ask.place {
                Place::Namespace(namespace) if group.resource != Resource::Nodes => {
                    eprintln!(
                        "No {} found in namespace {namespace}.",
                        group.resource.plural()
                    );
                }
                _ => eprintln!("No {} found.", group.resource.plural()),
            }
        }
    }
    if let Some(list) = list.filter(|_| !single) {
        list.finish(out)?;
    }
    Ok(done)
}

impl Ask {
    fn data_format(&self) -> Option<DataFormat> {
        match self.format {
            Some(Format::Json) => Some(DataFormat::Json),
            Some(Format::Yaml) => Some(DataFormat::Yaml),
            Some(Format::Wide | Format::Name) | None => None,
        }
    }
}

/// Where the items of one group come from, some at a time.
enum Source<'a> {
    Pods(Pages<crate::client::PodItem>),
    Services(Pages<crate::client::ServiceItem>),
    Nodes(Pages<crate::client::NodeItem>),
    /// Endpoints of every service, from one consistent cut.
    Cut(Option<Vec<Item>>),
    Names {
        client: &'a Client,
        ask: &'a Ask,
        resource: Resource,
        names: std::slice::Iter<'a, String>,
        missing: Vec<ObjectName>,
    },
}

impl<'a> Source<'a> {
    async fn open(
        client: &'a Client,
        ask: &'a Ask,
        group: &'a Group,
    ) -> anyhow::Result<Source<'a>> {
        if !group.names.is_empty() {
            let names = group.names.iter();
            return Ok(Source::Names {
                client,
                ask,
                resource: group.resource,
                names,
                missing: Vec::new(),
            });
        }
        let listing = Listing {
            selector: ask.selector.clone(),
            namespaces: ask.place.namespaces(),
            ..Listing::default()
        };
        Ok(match group.resource {
            Resource::Pods => Source::Pods(client.pods(&listing).await?),
            Resource::Services => Source::Services(client.services(&listing).await?),
            Resource::Nodes => Source::Nodes(client.nodes(&listing).await?),
            Resource::Endpoints | Resource::EndpointSlices => {
                let options = WatchOptions {
                    name: "selectord get".to_owned(),
                    ..WatchOptions::default()
                };
                let mut watcher = client.watch(ask.scope(&[]), options);
                warn(watcher.next().await?.source_age);
                Source::Cut(Some(
                    watcher
                        .view()
                        .services()
                        .values()
                        .map(Item::of_view)
                        .collect(),
                ))
            }
        })
    }

    async fn next(&mut self) -> anyhow::Result<Option<Vec<Item>>> {
        fn items<T>(page: Option<Page<T>>, item: fn(T) -> Item) -> Option<Vec<Item>> {
            page.map(|page| {
                warn(page.source_age);
                page.items.into_iter().map(item).collect()
            })
        }
        Ok(match self {
            Source::Pods(pages) => items(pages.next_page().await?, Item::Pod),
            Source::Services(pages) => items(pages.next_page().await?, Item::Service),
            Source::Nodes(pages) => items(pages.next_page().await?, Item::Node),
            Source::Cut(cut) => cut.take(),
            Source::Names {
                client,
                ask,
                resource,
                names,
                missing,
            } => {
                let Some(name) = names.next() else {
                    return Ok(None);
                };
                let object = match resource {
                    Resource::Nodes => ObjectName::cluster(name.as_str()),
                    _ => ask.place.object(name).unwrap_or_default(),
                };
                match one(client, *resource, &object).await {
                    Ok(item) => Some(vec![item]),
                    Err(error) if error.code() == tonic::Code::NotFound => {
                        missing.push(object);
                        Some(Vec::new())
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        })
    }

    fn missing(self) -> Vec<ObjectName> {
        match self {
            Source::Names { missing, .. } => missing,
            _ => Vec::new(),
        }
    }
}

async fn one(client: &Client, resource: Resource, name: &ObjectName) -> Result<Item, CallError> {
    Ok(match resource {
        Resource::Pods => Item::Pod(fresh(client.pod(name).await?)),
        Resource::Services => Item::Service(fresh(client.service(name).await?)),
        Resource::Endpoints | Resource::EndpointSlices => {
            let answer = fresh(client.endpoints(name).await?);
            Item::Endpoints {
                service: Arc::new(answer.service),
                endpoints: answer.endpoints,
            }
        }
        Resource::Nodes => Item::Node(fresh(client.node(&name.name).await?)),
    })
}

/// Names that a listing of names asks for, as a set.
pub(super) fn wanted(names: &[String]) -> Option<BTreeSet<&str>> {
    (!names.is_empty()).then(|| names.iter().map(String::as_str).collect())
}
