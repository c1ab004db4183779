//! `get --watch`: what is there, then every change as it comes.

use std::io::Write;

use crate::client::{Client, PodItem, WatchOptions, WatchPodsOptions};
use crate::engine::{Event, PodEvent, View};
use crate::model::ObjectName;

use super::age::warn;
use super::failure::Done;
use super::get::{Ask, wanted};
use super::print::print_data;
use super::resource::{Group, Resource};
use super::rows::Item;
use super::table::Columns;
use super::target::{DataFormat, Format};

/// What the server lists this subscriber as.
const SUBSCRIBER: &str = "selectord get --watch";

pub(super) async fn run(
    client: &Client,
    ask: &Ask,
    group: &Group,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let columns = ask.columns(group.resource);
    let printer = Printer { ask, columns, out };
    match group.resource {
        Resource::Pods => pods(client, ask, group, printer).await,
        _ => services(client, ask, group, printer).await,
    }
}

async fn pods(
    client: &Client,
    ask: &Ask,
    group: &Group,
    mut printer: Printer<'_>,
) -> anyhow::Result<Done> {
    let options = WatchPodsOptions {
        name: SUBSCRIBER.to_owned(),
        ..WatchPodsOptions::default()
    };
    let mut watcher = client.watch_pods(ask.selector.clone(), ask.place.namespaces(), options);
    let wanted = wanted(&group.names);
    let is_wanted = |name: &ObjectName| {
        wanted
            .as_ref()
            .is_none_or(|names| names.contains(name.name.as_str()))
    };
    loop {
        let cut = watcher.next().await?;
        warn(cut.source_age);
        let mut changes = Vec::new();
        for event in cut.events {
            match event {
                PodEvent::Pod { pod, revision } if is_wanted(&pod.name) => {
                    changes.push(Change::Is(Box::new(Item::Pod(PodItem { pod, revision }))));
                }
                PodEvent::Removed(name) if is_wanted(&name) => changes.push(Change::Gone(name)),
                PodEvent::Pod { .. } | PodEvent::Removed(_) | PodEvent::Reset => {}
            }
        }
        changes.extend(cut.dropped.into_iter().filter(&is_wanted).map(Change::Gone));
        printer.print("pod", changes)?;
    }
}

async fn services(
    client: &Client,
    ask: &Ask,
    group: &Group,
    mut printer: Printer<'_>,
) -> anyhow::Result<Done> {
    let options = WatchOptions {
        name: SUBSCRIBER.to_owned(),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(ask.scope(&group.names), options);
    loop {
        let cut = watcher.next().await?;
        warn(cut.source_age);
        let mut names: Vec<ObjectName> = cut.events.iter().filter_map(service_of).collect();
        names.extend(cut.dropped);
        names.sort();
        names.dedup();
        let changes = names
            .into_iter()
            .map(|name| change(watcher.view(), group.resource, name))
            .collect();
        printer.print(group.resource.kind().singular(), changes)?;
    }
}

fn service_of(event: &Event) -> Option<ObjectName> {
    match event {
        Event::Replace(entry) | Event::Entry(entry) => Some(entry.service.name.clone()),
        Event::Endpoint { service, .. } | Event::Removed { service, .. } => Some(service.clone()),
        Event::Remove(name) => Some(name.clone()),
        Event::Reset | Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => None,
    }
}

fn change(view: &View, resource: Resource, name: ObjectName) -> Change {
    match view.services().get(&name) {
        None => Change::Gone(name),
        Some(service) if resource == Resource::Services => {
            Change::Is(Box::new(Item::service_of_view(service)))
        }
        Some(service) => Change::Is(Box::new(Item::of_view(service))),
    }
}

/// What became of an object.
enum Change {
    Is(Box<Item>),
    Gone(ObjectName),
}

struct Printer<'a> {
    ask: &'a Ask,
    columns: Columns,
    out: &'a mut dyn Write,
}

impl Printer<'_> {
    /// Prints the changes of one cut, and lets them be seen.
    fn print(&mut self, kind: &str, changes: Vec<Change>) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for change in changes {
            match (change, self.ask.format) {
                (Change::Is(item), Some(Format::Name)) => {
                    writeln!(self.out, "{}", item.typed_name())?
                }
                (Change::Is(item), Some(Format::Json)) => self.data(DataFormat::Json, &item)?,
                (Change::Is(item), Some(Format::Yaml)) => self.data(DataFormat::Yaml, &item)?,
                (Change::Is(item), Some(Format::Wide) | None) => {
                    rows.push(self.ask.shape.row(&item))
                }
                (Change::Gone(name), Some(Format::Wide) | None) => {
                    self.columns.print(self.out, std::mem::take(&mut rows))?;
                    writeln!(self.out, "{kind} {name} is gone")?;
                }
                // The other forms show objects, and there is none.
                (Change::Gone(_), Some(Format::Name | Format::Json | Format::Yaml)) => {}
            }
        }
        self.columns.print(self.out, rows)?;
        self.out.flush()?;
        Ok(())
    }

    fn data(&mut self, format: DataFormat, item: &Item) -> anyhow::Result<()> {
        for value in item.values() {
            if format == DataFormat::Yaml {
                writeln!(self.out, "---")?;
            }
            print_data(self.out, format, &value)?;
        }
        Ok(())
    }
}
