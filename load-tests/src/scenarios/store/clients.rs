//! Clients that wait for each answer before they write again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use selectord::model::{Change, Pod, ReadyCondition};
use selectord::store::etcd::{EtcdStore, Proposal, Submitted};
use selectord::wire::{self, WriteRequest, proto};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::cluster::{self, put_pod, transaction, unresolved};
use crate::context::Context;
use crate::rpc::Call;

const COMMIT: &str = "/selectord.v1.Cluster/Commit";
/// Pods of one client.
const PODS: usize = 8;

/// What each client puts: its pods, one after another, and the next time round each the other way, so
/// that each put changes something.
pub struct Flips {
    clients: Vec<Vec<Pod>>,
}

impl Flips {
    /// For so many clients, each with pods of the corpus that are its own.
    pub fn of(context: &Context, clients: usize) -> Flips {
        let mut pods = context.corpus.pods().map(cluster::pod);
        let clients = (0..clients).map(|_| {
            let pods: Vec<Pod> = pods.by_ref().take(PODS).collect();
            let with = |ready: ReadyCondition| {
                pods.clone()
                    .into_iter()
                    .map(move |pod| Pod { ready, ..pod })
            };
            with(ReadyCondition::True)
                .chain(with(ReadyCondition::False))
                .collect()
        });
        Flips {
            clients: clients.collect(),
        }
    }

    /// Of each round, what every client puts in it.
    pub fn rounds(&self) -> impl Iterator<Item = impl Iterator<Item = Change>> {
        let of_round = |round: usize| {
            let pods = self.clients.iter().filter_map(move |own| own.get(round));
            pods.cloned().map(put_pod)
        };
        (0..2 * PODS).map(of_round)
    }
}

/// Each client on one of the connections; answers transactions acknowledged a second.
pub async fn commit_flat_out(
    channels: &[Channel],
    flips: &Flips,
    time: Duration,
) -> anyhow::Result<f64> {
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    for (own, channel) in flips.clients.iter().zip(channels.iter().cycle()) {
        let call = |pod: &Pod| {
            let write = WriteRequest {
                transaction: unresolved([put_pod(pod.clone())]),
                request_id: "".into(),
            };
            let request = proto::CommitRequest {
                transaction: Some(wire::encode_transaction(&write)),
            };
            Call::new(channel, COMMIT, &request)
        };
        let calls: Vec<Call> = own.iter().map(call).collect();
        tasks.spawn(async move {
            let mut made = 0u64;
            for call in calls.iter().cycle() {
                if began.elapsed() >= time {
                    break;
                }
                call.clone().make().await.context("a transaction")?;
                made += 1;
            }
            anyhow::Ok(made)
        });
    }
    rate(tasks, began).await
}

/// The same puts without a server, straight into etcd.
pub async fn submit_flat_out(
    store: &EtcdStore,
    flips: &Flips,
    time: Duration,
) -> anyhow::Result<f64> {
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    for own in &flips.clients {
        let put = |pod: &Pod| {
            let transaction = transaction([put_pod(pod.clone())]);
            Proposal::new(Vec::new(), transaction, |_| "".into())
        };
        let (proposals, store): (Vec<Proposal>, _) = (own.iter().map(put).collect(), store.clone());
        tasks.spawn(async move {
            let mut made = 0u64;
            for proposal in proposals.iter().cycle() {
                if began.elapsed() >= time {
                    break;
                }
                match store.submit(proposal).await? {
                    Submitted::Written(_) => made += 1,
                    Submitted::Conflict { at, .. } => bail!("a conflict at {at}"),
                }
            }
            Ok(made)
        });
    }
    rate(tasks, began).await
}

async fn rate(mut tasks: JoinSet<anyhow::Result<u64>>, began: Instant) -> anyhow::Result<f64> {
    let mut made = 0;
    while let Some(ended) = tasks.join_next().await {
        made += ended??;
    }
    Ok(made as f64 / began.elapsed().as_secs_f64())
}
