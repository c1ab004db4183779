//! The Cluster service.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::labels::FieldError;
use crate::model::Operation;
use crate::runtime::Committed;
use crate::wire::{self, WriteRequest, proto, status};

use super::context::{Context, uncommitted, valid};
use super::ingest;
use super::outflow::Outflow;

pub(super) struct ClusterService(pub Arc<Context>);

#[tonic::async_trait]
impl proto::cluster_server::Cluster for ClusterService {
    async fn commit(
        &self,
        request: Request<proto::CommitRequest>,
    ) -> Result<Response<proto::CommitResponse>, Status> {
        let write = decode_write(&self.0, request.into_inner().transaction)?;
        let committed = self
            .0
            .runtime
            .commit(write.transaction, write.request_id)
            .await;
        let Committed { revision, results } = committed.map_err(|error| uncommitted(&error))?;
        let results = results.iter().map(wire::encode_result).collect();
        Ok(Response::new(proto::CommitResponse { revision, results }))
    }

    type IngestStream = Outflow<proto::IngestResponse>;

    async fn ingest(
        &self,
        request: Request<Streaming<proto::IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        let context = Arc::clone(&self.0);
        Ok(Response::new(Outflow::spawn(|outlet| {
            ingest::run(context, request.into_inner(), outlet)
        })))
    }
}

/// A transaction that is legal and within the server's limits.
pub(super) fn decode_write(
    context: &Context,
    transaction: Option<proto::Transaction>,
) -> Result<WriteRequest, Status> {
    let Some(transaction) = transaction else {
        return Err(status::invalid(&[FieldError::required(
            "transaction",
            "say what to change",
        )]));
    };
    let write = valid("transaction", wire::decode_transaction(transaction))?;
    let max = context.limits.max_labels;
    let too_many: Vec<FieldError> = write
        .transaction
        .operations
        .iter()
        .enumerate()
        .filter_map(|(i, operation)| {
            let labels = match operation {
                Operation::Put(object) => object.labels().len(),
                Operation::PatchLabels(patch) => patch.set.len(),
                Operation::Delete(_) => 0,
            };
            let detail = || format!("{labels} labels, and the server's limit max_labels is {max}");
            (labels > max)
                .then(|| FieldError::too_many(format!("transaction.operations[{i}]"), detail()))
        })
        .collect();
    if too_many.is_empty() {
        Ok(write)
    } else {
        Err(status::invalid(&too_many))
    }
}
