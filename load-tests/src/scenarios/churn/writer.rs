use std::time::{Duration, Instant};

use bytes::Bytes;
use selectord::model::Revision;
use selectord_corpus::Churn;
use tokio::sync::mpsc::unbounded_channel;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;

use crate::cluster::changes;
use crate::measure::{Latencies, Pace};
use crate::rpc::{self, Batch};

use super::follower::Cuts;

/// Encodes so many changes.
pub fn encoded(churn: &mut Churn<'_>, count: usize, at_once: usize) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..count.div_ceil(at_once) {
        batch.push(churn.by_ref().take(at_once).flat_map(changes));
    }
    batch
}

/// A transaction that was sent at a rate.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// When it was to be sent.
    pub due: Instant,
    /// What it became.
    pub revision: Revision,
    /// When that was known here.
    pub acknowledged: Instant,
}

/// What became of all of them.
#[derive(Debug, Default)]
pub struct Paced {
    /// In the order in which they were sent.
    pub sent: Vec<Sent>,
    /// How late the generator itself was, most of the time (p99, nanoseconds).
    pub late: f64,
}

/// Sends transactions at a rate, whether or not the server keeps up.
pub async fn paced(channel: &Channel, batch: Batch, a_second: f64) -> anyhow::Result<Paced> {
    let (messages, outgoing) = unbounded_channel::<Bytes>();
    let batch = batch.into_messages();
    let generator = std::thread::spawn(move || {
        let mut pace = Pace::new(a_second);
        let mut lateness = Latencies::new();
        let mut due_at = Vec::with_capacity(batch.len());
        for message in batch {
            let due = pace.next();
            lateness.record(due.elapsed());
            due_at.push(due);
            if messages.send(message).is_err() {
                break;
            }
        }
        (due_at, lateness.quantile(0.99))
    });
    let mut answers = Vec::new();
    let stream = UnboundedReceiverStream::new(outgoing);
    rpc::send(channel, stream, |revision| {
        answers.push((revision, Instant::now()));
    })
    .await?;
    let (due_at, late) = generator.join().unwrap_or_default();
    let sent = due_at.into_iter().zip(answers);
    let sent = sent.map(|(due, (revision, acknowledged))| Sent {
        due,
        revision,
        acknowledged,
    });
    Ok(Paced {
        sent: sent.collect(),
        late,
    })
}

impl Paced {
    /// From when each was due to when it was acknowledged.
    pub fn to_acknowledged(&self) -> Latencies {
        let mut latencies = Latencies::new();
        for sent in &self.sent {
            latencies.record(sent.acknowledged - sent.due);
        }
        latencies
    }

    /// From when each was due to when a subscriber had folded a state that has it.
    pub fn to_folded(&self, cuts: &Cuts) -> Latencies {
        let mut latencies = Latencies::new();
        let mut cuts = cuts.iter().peekable();
        for sent in &self.sent {
            while cuts.next_if(|cut| cut.0 < sent.revision).is_some() {}
            if let Some((_, at)) = cuts.peek() {
                latencies.record(at.saturating_duration_since(sent.due));
            }
        }
        latencies
    }

    /// From the first due to the last acknowledged.
    pub fn elapsed(&self) -> Duration {
        match (self.sent.first(), self.sent.last()) {
            (Some(first), Some(last)) => last.acknowledged - first.due,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_folded_with_the_first_cut_at_or_behind_it() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let sent = |due, revision| Sent {
            due: at(due),
            revision,
            acknowledged: at(due + 1),
        };
        let paced = Paced {
            sent: vec![sent(0, 5), sent(10, 6), sent(20, 9)],
            late: 0.0,
        };
        // The last is in no cut yet.
        let folded = paced.to_folded(&vec![(4, at(1)), (6, at(30)), (8, at(40))]);
        assert_eq!(folded.count(), 2);
        assert!((folded.max() / 30e6 - 1.0).abs() < 0.01);
        assert_eq!(paced.to_acknowledged().count(), 3);
        assert_eq!(paced.elapsed(), Duration::from_millis(21));
    }
}
