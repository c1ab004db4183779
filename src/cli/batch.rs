//! Many operations in as few transactions as a server's limits allow.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ResourceInfo, StatusExt as _};

use crate::client::{CallError, Client, Committed};
use crate::engine::ObjectResult;
use crate::model::{Kind, Operation, PatchTarget, Revision, Transaction};
use crate::runtime::TransactionBounds;
use crate::wire::{encode_operation, proto};

use super::failure::{left_nothing, uncommitted};

/// Most operations that a server takes at once, unless told otherwise.
const MAX_OPERATIONS: usize = 10_000;
/// Most bytes of a message that a server takes, unless told otherwise, less room for what is around
/// the operations.
const MAX_BYTES: usize = (4 << 20) - (64 << 10);
/// Bytes that an operation costs besides its own: tags and lengths.
const OVERHEAD: usize = 16;
/// Fewer objects than this are done before a bar could be read.
const MANY: usize = 2_000;

/// Whether one command may become several transactions where its server's store bounds them.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct ChunkArgs {
    /// Split what is more than the server's store takes in one transaction, as etcd does from some 127
    /// objects on. Each part is applied whole or not at all, all of it together is not
    #[arg(long)]
    pub(super) chunk: bool,
}

/// What one transaction may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Most {
    operations: usize,
    bytes: usize,
}

impl Most {
    /// What a server takes unless told otherwise; of a store that takes less, that, if it is asked for.
    pub(super) async fn of(client: &Client, args: ChunkArgs) -> anyhow::Result<Most> {
        let mut most = Most {
            operations: MAX_OPERATIONS,
            bytes: MAX_BYTES,
        };
        if args.chunk {
            let status = client.status().await?;
            most.narrow(status.max_transaction_objects, status.max_transaction_bytes);
        }
        Ok(most)
    }

    /// What a server's own writes may come to: so many operations, and what its store bounds.
    pub(super) fn within(operations: usize, bounds: Option<TransactionBounds>) -> Most {
        let mut most = Most {
            operations,
            bytes: usize::MAX,
        };
        if let Some(bounds) = bounds {
            most.narrow(bounds.objects as u64, bounds.bytes as u64);
        }
        most
    }

    /// To a store's bounds; 0: it has none.
    fn narrow(&mut self, objects: u64, bytes: u64) {
        let bound = |number: u64| match usize::try_from(number) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(number) => number,
        };
        self.operations = self.operations.min(bound(objects));
        // Names and conditions travel with the objects.
        self.bytes = self.bytes.min(bound(bytes) / 2);
    }
}

/// Cuts a list of operations, in order, into transactions that fit.
pub(super) fn batches(operations: Vec<Operation>, most: Most) -> Vec<Vec<Operation>> {
    split(operations, most.operations, most.bytes, |operation| {
        if most.bytes == usize::MAX {
            return 0;
        }
        proto::Operation {
            operation: Some(encode_operation(operation)),
        }
        .encoded_len()
    })
}

/// Says of a command that was split what that means.
pub(super) fn note(parts: usize) {
    if parts > 1 {
        eprintln!(
            "note: in {parts} transactions; each is applied whole or not at all, all of them together are not atomic"
        );
    }
}

/// The order in which kinds are written. What others refer to comes first, so that nothing is
/// published before it is complete: a pod's node, and with it the zone, before the pod.
pub(super) fn order(kind: Kind) -> usize {
    Kind::ALL
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(usize::MAX)
}

fn split<T>(
    items: Vec<T>,
    max_items: usize,
    max_bytes: usize,
    len: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0usize;
    for item in items {
        let size = len(&item).saturating_add(OVERHEAD);
        if !batch.is_empty() && (batch.len() >= max_items || bytes.saturating_add(size) > max_bytes)
        {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// What became of all the transactions.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) transactions: usize,
    pub(super) revision: Revision,
}

/// Commits one transaction after another, handing each one's results over as they come. Label patches of
/// objects that are gone by then are passed over, if `gone` says so.
///
/// When one fails, those before it stand; the error says how many.
pub(super) async fn send(
    client: &Client,
    batches: Vec<Vec<Operation>>,
    gone: Gone,
    mut each: impl FnMut(Vec<ObjectResult>) -> anyhow::Result<()>,
) -> anyhow::Result<Sent> {
    let objects: usize = batches.iter().map(Vec::len).sum();
    let bar = bar(objects);
    let total = batches.len();
    let mut sent = Sent::default();
    for operations in batches {
        let number = operations.len();
        let committed = commit(client, operations, gone).await;
        let committed = committed.map_err(|failed| match sent.transactions {
            0 => uncommitted(failed),
            done => {
                let then = match left_nothing(&failed) {
                    true => "then one failed",
                    false => "and of the next this is known",
                };
                let applied = format!("{done} of {total} transactions were applied, {then}");
                anyhow::Error::from(failed).context(applied)
            }
        })?;
        sent.transactions = sent.transactions.saturating_add(1);
        sent.revision = committed.revision;
        bar.inc(u64::try_from(number).unwrap_or(u64::MAX));
        bar.suspend(|| each(committed.results))?;
    }
    bar.finish_and_clear();
    Ok(sent)
}

/// What is made of a patch of an object that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Fails,
    IsPassedOver,
}

async fn commit(
    client: &Client,
    mut operations: Vec<Operation>,
    gone: Gone,
) -> Result<Committed, CallError> {
    loop {
        let transaction = Transaction {
            operations: operations.clone(),
            ..Transaction::default()
        };
        let refused = match client.commit(transaction, "").await {
            Err(refused) if gone == Gone::IsPassedOver && refused.code() == Code::NotFound => {
                refused
            }
            committed => return committed,
        };
        let before = operations.len();
        let missing = refused.status().and_then(Status::get_details_resource_info);
        operations.retain(|operation| !names(operation, missing.as_ref()));
        if operations.len() == before {
            return Err(refused);
        }
    }
}

/// Whether an operation patches that object.
fn names(operation: &Operation, missing: Option<&ResourceInfo>) -> bool {
    match (operation, missing) {
        (Operation::PatchLabels(patch), Some(missing)) => match &patch.target {
            PatchTarget::Object(object) => object.name.to_string() == missing.resource_name,
            PatchTarget::Selector { .. } => false,
        },
        _ => false,
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar(objects: usize) -> ProgressBar {
    if objects < MANY || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = u64::try_from(objects).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(
        "{bar:32} {human_pos}/{human_len} objects, {per_sec}, {eta} to go",
    );
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_refer_to_comes_first() {
        assert!(order(Kind::Node) < order(Kind::Service));
        assert!(order(Kind::Service) < order(Kind::Pod));
        assert!(order(Kind::Pod) < order(Kind::Endpoints));
    }

    #[test]
    fn a_store_narrows_what_a_transaction_may_come_to() {
        let mut most = Most {
            operations: MAX_OPERATIONS,
            bytes: MAX_BYTES,
        };
        most.narrow(0, 0);
        assert_eq!((most.operations, most.bytes), (MAX_OPERATIONS, MAX_BYTES));
        most.narrow(127, 1_536 << 10);
        assert_eq!((most.operations, most.bytes), (127, 768 << 10));
    }

    #[test]
    fn batches_are_as_few_as_fit_and_keep_the_order() {
        let sizes = |items: Vec<usize>, max_items, max_bytes| {
            split(items, max_items, max_bytes, |n| *n - OVERHEAD)
        };
        assert_eq!(sizes(vec![], 3, 100), Vec::<Vec<usize>>::new());
        assert_eq!(
            sizes(vec![20, 20, 20, 20], 3, 1_000),
            [vec![20, 20, 20], vec![20]]
        );
        assert_eq!(
            sizes(vec![50, 50, 20, 90], 9, 100),
            [vec![50, 50], vec![20], vec![90]]
        );
        assert_eq!(
            sizes(vec![500, 20], 9, 100),
            [vec![500], vec![20]],
            "too large is for the server to say"
        );
    }
}
