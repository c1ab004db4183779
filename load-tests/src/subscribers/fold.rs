use std::collections::BTreeSet;
use std::mem;

use anyhow::{Context as _, bail};
use prost::Message as _;
use selectord::engine::{Event, Scope, View};
use selectord::model::ObjectName;
use selectord::wire::{self, Cursor, Delta, proto};

/// Two states of the same server: one that subscribers begin with, and one that they are to come to.
#[derive(Debug)]
pub struct Base<'v> {
    first: &'v View,
    last: &'v View,
    /// Services that are not the same in both.
    changed: Vec<ObjectName>,
}

impl<'v> Base<'v> {
    /// Compares the two, of every service.
    pub fn new(first: &'v View, last: &'v View) -> Base<'v> {
        let names = first.services().keys().chain(last.services().keys());
        let names: BTreeSet<&ObjectName> = names.collect();
        let differs =
            |name: &&&ObjectName| first.services().get(**name) != last.services().get(**name);
        let changed = names.iter().filter(differs).copied().cloned().collect();
        Base {
            first,
            last,
            changed,
        }
    }

    /// Services that are not the same in both.
    pub fn changed(&self) -> &[ObjectName] {
        &self.changed
    }
}

/// What one subscriber is told, gathered and applied at each checkpoint, as a client does. Of the state
/// that it began with only what it is told of is copied.
#[derive(Debug)]
pub struct Fold<'b> {
    base: &'b Base<'b>,
    scope: Scope,
    /// It holds what `base` had, but for what was touched.
    from_base: bool,
    touched: BTreeSet<ObjectName>,
    view: View,
    gathered: Vec<Event>,
    cursor: Option<Cursor>,
    /// Differences applied.
    pub events: u64,
    /// Times at which everything held was put in doubt.
    pub resets: u64,
}

impl<'b> Fold<'b> {
    /// A subscriber that has the scope's part of the first state, or nothing.
    pub fn new(base: &'b Base<'b>, scope: Scope, from_base: bool) -> Fold<'b> {
        Fold {
            base,
            scope,
            from_base,
            touched: BTreeSet::new(),
            view: View::default(),
            gathered: Vec::new(),
            cursor: None,
            events: 0,
            resets: 0,
        }
    }

    /// Of the newest checkpoint.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// The connection is lost, and with it what came since the last checkpoint.
    pub fn lost(&mut self) {
        self.gathered.clear();
    }

    /// Takes a message, without its prefix.
    ///
    /// # Errors
    /// It cannot be understood, or goes back behind a checkpoint before it.
    pub fn message(&mut self, body: &[u8]) -> anyhow::Result<()> {
        let message = proto::WatchEndpointsResponse::decode(body)?;
        for event in message.events {
            let delta = wire::decode_event(event)
                .map_err(|faults| anyhow::anyhow!("the server's event is none: {faults:?}"))?;
            match delta {
                Delta::Events(events) => self.gathered.extend(events),
                Delta::Offer => self.gathered.clear(),
                Delta::Checkpoint(checkpoint) => {
                    let before = self.cursor.as_ref().map_or(0, |cursor| cursor.revision);
                    if checkpoint.cursor.revision < before {
                        bail!(
                            "a checkpoint at revision {} came after one at {before}",
                            checkpoint.cursor.revision
                        );
                    }
                    self.cursor = Some(checkpoint.cursor);
                    for event in mem::take(&mut self.gathered) {
                        self.apply(event);
                    }
                    self.view.checkpoint();
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.events += 1;
        let name = match &event {
            Event::Reset => {
                self.resets += 1;
                self.from_base = false;
                self.touched.clear();
                None
            }
            Event::Replace(entry) | Event::Entry(entry) => Some(&entry.service.name),
            Event::Endpoint { service, .. }
            | Event::Removed { service, .. }
            | Event::Rewritten { service, .. } => Some(service),
            Event::Remove(name) => Some(name),
            Event::Node(_) | Event::NodeRemoved(_) => None,
        };
        if self.from_base
            && let Some(name) = name
            && self.touched.insert(name.clone())
            && let Some(held) = self.base.first.services().get(name)
            && self.scope.contains(&held.entry.service)
        {
            self.view.apply(Event::Replace(held.entry.clone()));
            for endpoint in held.endpoints.values().cloned() {
                let service = name.clone();
                self.view.apply(Event::Endpoint { service, endpoint });
            }
        }
        self.view.apply(event);
    }

    /// Compares what is held with the scope's part of the last state.
    ///
    /// # Errors
    /// A service is not the same.
    pub fn compare(&self) -> anyhow::Result<()> {
        let last = self.base.last.services();
        let expected = |name: &ObjectName| {
            let found = last.get(name);
            found.filter(|found| self.scope.contains(&found.entry.service))
        };
        let is_same = |name: &ObjectName| {
            if self.view.services().get(name) != expected(name) {
                bail!(
                    "{}: what was folded of {name} is not what is there",
                    self.scope
                );
            }
            Ok(())
        };
        self.view.services().keys().try_for_each(is_same)?;
        if self.from_base {
            self.touched.iter().try_for_each(is_same)?;
            // What nothing was told of is as it was at first.
            let untold = |name: &&ObjectName| !self.touched.contains(*name);
            for name in self.base.changed.iter().filter(untold) {
                let was = self.base.first.services().get(name);
                let was = was.filter(|was| self.scope.contains(&was.entry.service));
                if was != expected(name) {
                    bail!("{}: nothing was told of a change of {name}", self.scope);
                }
            }
            return Ok(());
        }
        same(&self.scope, &self.view, self.base.last)
    }

    /// Whether every service that was told of is in a list; names the first that is not.
    ///
    /// # Errors
    /// One is not.
    pub fn told_only(&self, names: &[ObjectName]) -> anyhow::Result<()> {
        let other = self.touched.iter().find(|name| !names.contains(name));
        other
            .map_or(Ok(()), |name| Err(anyhow::anyhow!("was told of {name}")))
            .context("a subscriber of other services")
    }
}

/// Compares what a subscriber holds with its scope's part of a state.
///
/// # Errors
/// A service is not the same.
pub fn same(scope: &Scope, held: &View, state: &View) -> anyhow::Result<()> {
    let there = state.services().iter();
    let there = there.filter(|(_, service)| scope.contains(&service.entry.service));
    let mut count = 0;
    for (name, service) in there {
        count += 1;
        if held.services().get(name) != Some(service) {
            bail!("{scope}: what was folded of {name} is not what is there");
        }
    }
    if held.services().len() != count {
        bail!(
            "{scope}: {} services were folded, and there are {count}",
            held.services().len()
        );
    }
    Ok(())
}
