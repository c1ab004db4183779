use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use selectord::model::ObjectName;
use selectord_corpus::{Change, Churn};

use crate::cluster::changes;
use crate::measure::Latencies;
use crate::rpc::Batch;
use crate::scenarios::churn::writer;
use crate::subscribers::{Arrival, Crowd};

use super::population::Population;
use super::{Cluster, State};

/// Changes of a cluster, and which services each of them concerns, as far as that is known beforehand.
pub struct Changes<'c> {
    churn: Churn<'c>,
    services_of: HashMap<ObjectName, Vec<u32>>,
    /// Pods that were relabelled or replaced: their services are not known any more.
    moved: HashSet<ObjectName>,
}

/// What a run at a rate came to.
pub struct Run {
    /// From when a change was due to its arrival at each subscriber whom it concerns.
    pub latencies: Latencies,
    /// How late the generator itself was (p99, nanoseconds).
    pub late: f64,
    /// Cores that the server and this process kept busy.
    pub cores: Option<(f64, f64)>,
    /// Messages to all subscribers.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// From the first change due to the last acknowledged.
    pub elapsed: Duration,
    /// The last revision.
    pub revision: u64,
}

impl<'c> Changes<'c> {
    /// From a state on.
    pub fn new(churn: Churn<'c>, state: &State) -> Changes<'c> {
        let mut services_of: HashMap<ObjectName, Vec<u32>> = HashMap::new();
        for (number, service) in state.view.services().values().enumerate() {
            for identity in service.endpoints.keys() {
                if let Some(pod) = &identity.pod {
                    let services = services_of.entry(pod.clone()).or_default();
                    services.push(number as u32);
                }
            }
        }
        Changes {
            churn,
            services_of,
            moved: HashSet::new(),
        }
    }

    /// The changes to come, for who does not ask whom they concern.
    pub fn churn(&mut self) -> &mut Churn<'c> {
        &mut self.churn
    }

    /// Encodes so many, one a transaction, and tells which services each concerns.
    fn encode(&mut self, count: usize) -> (Batch, Vec<Vec<u32>>) {
        let (mut batch, mut concerned) = (Batch::default(), Vec::with_capacity(count));
        for change in self.churn.by_ref().take(count) {
            let pod = match &change {
                Change::Readiness(pod) | Change::Relabel(pod) => {
                    ObjectName::new(&*pod.namespace, &*pod.name)
                }
                Change::Replace {
                    namespace, deleted, ..
                } => ObjectName::new(&**namespace, &**deleted),
            };
            if matches!(change, Change::Readiness(_)) && !self.moved.contains(&pod) {
                let services = self.services_of.get(&pod);
                concerned.push(services.cloned().unwrap_or_default());
            } else {
                self.moved.insert(pod);
                concerned.push(Vec::new());
            }
            batch.push(changes(change));
        }
        (batch, concerned)
    }

    /// Sends changes at a rate for a time, and waits until everybody who has all is there.
    pub fn run(
        &mut self,
        cluster: &Cluster,
        crowd: &Crowd,
        population: &Population,
        a_second: f64,
        time: Duration,
    ) -> anyhow::Result<Run> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let count = (a_second * time.as_secs_f64()).ceil().max(1.0) as usize;
        let (batch, concerned) = self.encode(count);
        crowd.arrivals();
        let (before, (messages, bytes)) = (cluster.usage(), crowd.total());
        let start = Instant::now();
        let sending = writer::paced(&cluster.channel, batch, a_second);
        let paced = cluster.calls.block_on(sending)?;
        let revision = paced.sent.last().map_or(0, |sent| sent.revision);
        crowd.reach_by(revision, PATIENCE, |number| population.has_all(number))?;
        let after = cluster.usage();
        let wall = start.elapsed().as_secs_f64();
        let cores = before.zip(after).map(|(before, after)| {
            let busy = |before: Duration, after: Duration| {
                after.saturating_sub(before).as_secs_f64() / wall
            };
            (
                busy(before.0.cpu, after.0.cpu),
                busy(before.1.cpu, after.1.cpu),
            )
        });
        let total = crowd.total();
        let sent = paced.sent.iter().zip(&concerned);
        let due = sent.map(|(sent, services)| (sent.revision, (sent.due, services.as_slice())));
        let latencies = latencies(&crowd.arrivals(), population, &due.collect());
        Ok(Run {
            latencies,
            late: paced.late,
            cores,
            messages: total.0 - messages,
            bytes: total.1 - bytes,
            elapsed: paced.elapsed(),
            revision,
        })
    }
}

/// From when each change was due to the first checkpoint at or behind it, at each subscriber whom it
/// concerns.
fn latencies(
    arrivals: &[Arrival],
    population: &Population,
    due: &HashMap<u64, (Instant, &[u32])>,
) -> Latencies {
    let mut latencies = Latencies::new();
    let Some(first) = due.keys().min() else {
        return latencies;
    };
    let mut known = vec![*first - 1; population.len()];
    for arrival in arrivals {
        let number = arrival.stream as usize;
        let Some(known) = known.get_mut(number) else {
            continue;
        };
        for revision in *known + 1..=arrival.revision {
            if let Some((due, services)) = due.get(&revision)
                && !services.is_empty()
                && population.is_concerned(number, services)
            {
                latencies.record(arrival.at.saturating_duration_since(*due));
            }
        }
        *known = (*known).max(arrival.revision);
    }
    latencies
}
