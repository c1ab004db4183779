use anyhow::{Context as _, bail};
use selectord::client::{Client, WatchOptions};
use selectord::engine::{Scope, View};
use selectord::model::ObjectName;

/// Services that are asked for one by one.
const ASKED: usize = 500;

/// Compares what was folded with what a fresh subscriber is sent, whole, and with what the server
/// answers for some services. Nobody may write meanwhile. Answers how many services are the same.
pub async fn whole(client: &Client, folded: &View) -> anyhow::Result<usize> {
    let mut fresh = client.watch(Scope::all(), WatchOptions::default());
    fresh.next().await?;
    let services = fresh.view().services();
    for (name, service) in services {
        if folded.services().get(name) != Some(service) {
            bail!("{name}: what was folded is not what a fresh subscriber is sent");
        }
    }
    if let Some(name) = folded
        .services()
        .keys()
        .find(|name| !services.contains_key(*name))
    {
        bail!("{name} was folded, and a fresh subscriber is sent none of it");
    }
    let step = (services.len() / ASKED).max(1);
    for name in services.keys().step_by(step) {
        one(client, folded, name).await?;
    }
    Ok(services.len())
}

/// Compares what was folded of one service with what the server answers.
pub async fn one(client: &Client, folded: &View, name: &ObjectName) -> anyhow::Result<()> {
    let view = folded.services().get(name);
    let view = view.with_context(|| format!("{name} is not among what was folded"))?;
    let answer = client.endpoints(name).await?.answer;
    if *view.entry.service != answer.service || !view.endpoints.values().eq(&answer.endpoints) {
        bail!("{name}: what was folded is not what the server answers");
    }
    Ok(())
}
