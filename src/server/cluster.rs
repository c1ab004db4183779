//! The Cluster service.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::labels::FieldError;
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
        let write = decode_write(request.into_inner().transaction)?;
        let committed = self
            .0
            .runtime
            .commit(write.transaction, write.request_id)
            .await;
        let committed = committed.map_err(|error| uncommitted(&error))?;
        Ok(Response::new(proto::CommitResponse {
            revision: committed.revision,
            results: committed.results.iter().map(wire::encode_result).collect(),
            resolved_revision: committed.resolved_at,
        }))
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

/// A transaction whose objects and selectors keep the rules.
pub(super) fn decode_write(
    transaction: Option<proto::Transaction>,
) -> Result<WriteRequest, Status> {
    let Some(transaction) = transaction else {
        return Err(status::invalid(&[FieldError::required(
            "transaction",
            "say what to change",
        )]));
    };
    valid("transaction", wire::decode_transaction(transaction))
}
