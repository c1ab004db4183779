use std::collections::BTreeMap;

use selectord::model::ObjectName;
use selectord_corpus::{Change, Selector};

use crate::cluster::{apply, changes, loaded, transaction};
use crate::context::Context;
use crate::report::Section;

use super::answers::{all_same, endpoints};
use super::files::{write_changes, write_corpus};
use super::go::Peers;

/// After changes of every kind, the endpoints of every service: in the slices that Kubernetes' own
/// reconciler wrote, and here.
pub fn compare(context: &Context, section: &mut Section, peers: &Peers) -> anyhow::Result<()> {
    let progress = context.progress("endpoints after a churn", 1);
    let share = if context.args.quick { 20 } else { 5 };
    let churn = context.corpus.churn(context.args.seed);
    let churn: Vec<Change> = churn.take(context.pods() as usize / share).collect();
    let [cluster, changed] = ["churn-cluster", "churn"].map(|name| peers.path(name));
    write_corpus(&cluster, &context.corpus)?;
    write_changes(&changed, &churn)?;
    let kubernetes = peers.run(
        "slices",
        &[cluster.as_os_str(), changed.as_os_str(), "once".as_ref()],
    )?;
    let mut engine = loaded(&context.corpus);
    let count = churn.len();
    for change in churn {
        apply(&mut engine, transaction(changes(change)));
    }
    let known = context
        .corpus
        .services()
        .filter(|s| matches!(s.selector, Selector::Pairs(_)));
    let mut ours = BTreeMap::new();
    for service in known {
        let name = ObjectName::new(&*service.namespace, service.name);
        ours.insert(name.to_string(), endpoints(&engine, &name)?);
    }
    all_same("Kubernetes", &kubernetes.by_item(), &ours)?;
    let total: usize = ours.values().map(Vec::len).sum();
    section.note(format!(
        "after {count} changes the EndpointSlices of all {} services that Kubernetes can have hold the same \
         {total} endpoints, to every field",
        ours.len()
    ));
    progress.finish_and_clear();
    Ok(())
}
