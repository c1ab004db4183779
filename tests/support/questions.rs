//! Everything the engine answers, asked of the engine and of the oracle.

use std::collections::BTreeSet;

use selectord::engine::{Engine, GroupBy, Retention};
use selectord::model::{Kind, Object, ObjectName, ObjectRef, ResolvedTransaction};
use smol_str::SmolStr;

use super::oracle::{Oracle, Within};
use super::random::Random;
use super::{build, generate};

/// Asks about all endpoints, the objects of the last transaction, and much at random.
pub fn ask_all(
    engine: &Engine,
    oracle: &Oracle,
    transaction: &ResolvedTransaction,
    seed: u64,
) -> Result<(), String> {
    let random = Random::new(seed);
    Questions {
        engine,
        oracle,
        random,
    }
    .ask_all(transaction)
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: impl FnOnce() -> String,
    engine: T,
    oracle: T,
) -> Result<(), String> {
    if engine == oracle {
        return Ok(());
    }
    Err(format!(
        "{}\n  engine: {engine:?}\n  oracle: {oracle:?}",
        what()
    ))
}

struct Questions<'a> {
    engine: &'a Engine,
    oracle: &'a Oracle,
    random: Random,
}

impl Questions<'_> {
    fn ask_all(&mut self, transaction: &ResolvedTransaction) -> Result<(), String> {
        same(|| "head".into(), self.engine.head(), self.oracle.head())?;
        self.endpoints()?;
        for change in transaction.changes() {
            self.object(&change.object_ref())?;
        }
        self.sizes()?;
        for _ in 0..2 {
            self.pods()?;
        }
        self.groups()?;
        self.services_and_nodes()?;
        self.matching_services()?;
        self.membership()?;
        self.unmentioned()
    }

    fn endpoints(&self) -> Result<(), String> {
        for (name, view) in &self.oracle.now().services {
            let expected: Vec<_> = view.endpoints.values().cloned().collect();
            let total = expected.len() as u64;
            let ready = expected
                .iter()
                .filter(|endpoint| endpoint.conditions.ready)
                .count() as u64;
            let found = self
                .engine
                .endpoints(name)
                .ok_or(format!("{name} has no endpoints"))?;
            same(|| format!("endpoints of {name}"), found, expected)?;
            let counts = self
                .engine
                .endpoint_counts(name)
                .map(|counts| (counts.total, counts.ready));
            same(
                || format!("endpoint counts of {name}"),
                counts,
                Some((total, ready)),
            )?;
        }
        let unknown = ObjectName::new("blue", "nobody");
        same(
            || "endpoints of no service".into(),
            self.engine.endpoints(&unknown),
            None,
        )
    }

    fn object(&self, object: &ObjectRef) -> Result<(), String> {
        let expected = self.oracle.get(object).cloned();
        same(
            || format!("{object}"),
            self.engine.get(object),
            expected.clone(),
        )?;
        let found = match object.kind {
            Kind::Pod => self.engine.pod(&object.name).map(|found| {
                (
                    Object::Pod(Box::new(found.object)),
                    found.revision,
                    found.source,
                )
            }),
            Kind::Service => self.engine.service(&object.name).map(|found| {
                (
                    Object::Service(Box::new(found.object.as_ref().clone())),
                    found.revision,
                    found.source,
                )
            }),
            Kind::Node => self.engine.node(&object.name.name).map(|found| {
                (
                    Object::Node(Box::new(found.object.as_ref().clone())),
                    found.revision,
                    found.source,
                )
            }),
            Kind::Endpoints | Kind::EndpointSlice => return Ok(()),
        };
        let expected = expected.map(|stored| (stored.object, stored.revision, stored.source));
        same(|| format!("{object} by its own kind"), found, expected)
    }

    fn sizes(&self) -> Result<(), String> {
        let stats = self.engine.stats();
        let now = self.oracle.now();
        let endpoints: usize = now.services.values().map(|view| view.endpoints.len()).sum();
        let pods = || now.pods.values().map(|(pod, _)| pod);
        let labels = || pods().flat_map(|pod| pod.labels.iter());
        let namespaces: BTreeSet<_> = pods().map(|pod| &pod.name.namespace).collect();
        let keys: BTreeSet<_> = labels().map(|(key, _)| key).collect();
        let pairs: BTreeSet<_> = labels().collect();
        let expected = [
            ("pods", stats.pods, now.pods.len()),
            ("services", stats.services, now.services.len()),
            ("nodes", stats.nodes, now.nodes.len()),
            ("endpoints", stats.endpoints, endpoints),
            ("namespaces", stats.namespaces, namespaces.len()),
            ("label keys", stats.label_keys, keys.len()),
            ("label pairs", stats.label_pairs, pairs.len()),
        ];
        for (what, found, expected) in expected {
            same(|| format!("number of {what}"), found, expected as u64)?;
        }
        self.records()
    }

    /// The log holds each thing once, a service in up to four places, and remembers no more of what is
    /// gone than it may.
    fn records(&self) -> Result<(), String> {
        let stats = self.engine.stats();
        let there = stats.endpoints + stats.nodes + stats.remembered_removals;
        let (least, most) = (stats.services + there, 4 * stats.services + there);
        if !(least..=most).contains(&stats.log_records) {
            let records = stats.log_records;
            return Err(format!("{records} records, not {least} to {most}"));
        }
        let Retention {
            removals,
            deleted_names,
            share,
        } = self.engine.options().retention;
        let allowed = |least: usize, live: u64| {
            (least as u64).max(live.checked_div(share as u64).unwrap_or_default())
        };
        let services = self.oracle.now().services.values();
        let of_services: u64 = services
            .map(|view| allowed(removals, view.endpoints.len() as u64))
            .sum();
        let most = of_services + allowed(deleted_names, stats.services + stats.nodes);
        if stats.remembered_removals > most {
            let remembered = stats.remembered_removals;
            return Err(format!("{remembered} removals remembered, not {most}"));
        }
        Ok(())
    }

    /// A count, its explanation, and all pages of one selector.
    fn pods(&mut self) -> Result<(), String> {
        let selector = generate::selector(&mut self.random);
        let within = generate::within(&mut self.random);
        let namespaces = within.namespaces();
        let expected = self.oracle.pods_matching(&selector, &within);
        let what = |verb: &str| format!("{verb} of `{selector}` within {within:?}");
        let total = expected.len() as u64;
        same(
            || what("count"),
            self.engine.count(&selector, &namespaces),
            total,
        )?;
        same(
            || what("explained count"),
            self.engine.explain(&selector, &namespaces).count,
            total,
        )?;

        let limit = self.random.between(1, 7);
        let mut found = Vec::new();
        let mut after: Option<ObjectName> = None;
        loop {
            let page = self
                .engine
                .pods(&selector, &namespaces, after.as_ref(), limit);
            let Some(last) = page.last() else { break };
            let full = page.len() == limit;
            after = Some(last.object.name.clone());
            found.extend(
                page.into_iter()
                    .map(|stored| (stored.object, stored.revision)),
            );
            if found.len() > expected.len() {
                return Err(format!("{}: more than there is", what("listing")));
            }
            if !full && found.len() != expected.len() {
                return Err(format!(
                    "{}: a page is not full, and not the last",
                    what("listing")
                ));
            }
        }
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(pod, revision)| (pod.clone(), revision))
            .collect();
        same(
            || format!("{} in pages of {limit}", what("listing")),
            found,
            expected,
        )?;

        // A page may start after a pod that is not there.
        let after = generate::pod_name(&mut self.random);
        let found = self
            .engine
            .pods(&selector, &namespaces, Some(&after), limit);
        let found: Vec<_> = found.into_iter().map(|stored| stored.object.name).collect();
        let expected = self.oracle.pods_matching(&selector, &within).into_iter();
        let expected = expected
            .map(|(pod, _)| pod.name.clone())
            .filter(|name| *name > after);
        same(
            || format!("{} after {after}", what("page")),
            found,
            expected.take(limit).collect(),
        )
    }

    fn groups(&mut self) -> Result<(), String> {
        let selector = generate::selector(&mut self.random);
        let within = generate::within(&mut self.random);
        let by = match self.random.below(4) {
            0 => GroupBy::Namespace,
            1 => GroupBy::Node,
            2 => GroupBy::Label(build::key("tier")),
            _ => GroupBy::Label(build::key("app")),
        };
        let found = self.engine.group(&selector, &within.namespaces(), &by);
        let expected = self.oracle.group(&selector, &within, &by);
        same(
            || format!("`{selector}` within {within:?} grouped by {by:?}"),
            (found.groups, found.without),
            expected,
        )
    }

    fn services_and_nodes(&mut self) -> Result<(), String> {
        let selector = generate::selector(&mut self.random);
        let within = generate::within(&mut self.random);
        let limit = self.random.between(1, 4);

        let mut found = Vec::new();
        let mut after: Option<ObjectName> = None;
        loop {
            let page = self
                .engine
                .services(&selector, &within.namespaces(), after.as_ref(), limit);
            let Some(last) = page.last() else { break };
            after = Some(last.object.name.clone());
            found.extend(
                page.into_iter()
                    .map(|stored| (stored.object, stored.revision)),
            );
        }
        let mut expected = self.oracle.services_matching(&selector);
        expected.retain(|(service, _)| within.contains(&service.name));
        same(
            || format!("services `{selector}` within {within:?}"),
            found,
            expected,
        )?;

        let mut found: Vec<SmolStr> = Vec::new();
        loop {
            let page = self
                .engine
                .nodes(&selector, found.last().map(SmolStr::as_str), limit);
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|stored| stored.object.name.clone()));
        }
        same(
            || format!("nodes `{selector}`"),
            found,
            self.oracle.nodes_matching(&selector),
        )?;

        let node = self.random.pick(&["n0", "n1", "n9"]);
        let on_node = self
            .oracle
            .pods()
            .filter(|(pod, _)| pod.node_name == node)
            .count() as u64;
        same(
            || format!("pods on node {node}"),
            self.engine.pods_on_node(node),
            on_node,
        )
    }

    fn matching_services(&mut self) -> Result<(), String> {
        let labels = generate::label_set(&mut self.random);
        let namespace = self.random.pick(&["blue", "green", "red", "empty"]);
        let found = self.engine.matching_services(namespace, &labels);
        let expected = self.oracle.matching_services(namespace, &labels);
        same(
            || format!("services of {namespace} that select {labels}"),
            found,
            expected,
        )
    }

    fn membership(&mut self) -> Result<(), String> {
        let service = generate::service_name(&mut self.random);
        let mut pod = generate::pod_name(&mut self.random);
        if self.random.chance(80) {
            pod.namespace = service.namespace.clone();
        }
        let found = self.engine.explain_membership(&service, &pod);
        let expected = self.oracle.computes(&service, &pod);
        same(
            || format!("whether {pod} is in {service} ({:?})", found.reasons),
            found.endpoint,
            expected,
        )?;
        if found.reasons.iter().all(|reason| reason.met) != found.endpoint {
            return Err(format!(
                "whether {pod} is in {service} and the reasons disagree: {found:?}"
            ));
        }
        Ok(())
    }

    fn unmentioned(&mut self) -> Result<(), String> {
        let source = self.random.pick(&["east", "west"]);
        let kinds: BTreeSet<Kind> = Kind::ALL
            .into_iter()
            .filter(|_| self.random.chance(60))
            .collect();
        let within = generate::within(&mut self.random);
        let began = self
            .oracle
            .head()
            .saturating_sub(self.random.below(20) as u64);
        let mentioned = |object: &ObjectRef| object.name.name.ends_with('1');
        let mut found =
            self.engine
                .unmentioned(source, &kinds, &within.namespaces(), began, &mentioned);
        found.sort();
        let expected = self.oracle.objects().filter(|(object, stored)| {
            stored.source == source
                && kinds.contains(&object.kind)
                && match object.kind.is_namespaced() {
                    true => within.contains(&object.name),
                    // Who speaks for some namespaces does not speak for nodes.
                    false => within == Within::All,
                }
                && stored.revision <= began
                && !mentioned(object)
        });
        let expected: Vec<ObjectRef> = expected.map(|(object, _)| object.clone()).collect();
        same(
            || format!("unmentioned of {source} {kinds:?} {within:?} since {began}"),
            found,
            expected,
        )
    }
}
