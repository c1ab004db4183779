//! The Admin service.

use std::sync::Arc;
use std::time::Instant;

use tonic::{Request, Response, Status};

use crate::engine::{Engine, MissingNode, Stats};
use crate::runtime::Totals;
use crate::wire::{self, proto};

use super::context::{Context, stopped};
use super::outflow::Outflow;
use super::save::save;

/// Most discrepancies that are told.
const MAX_DISCREPANCIES: usize = 100;

pub(super) struct AdminService(pub Arc<Context>);

#[tonic::async_trait]
impl proto::admin_server::Admin for AdminService {
    type SaveSnapshotStream = Outflow<proto::SaveSnapshotResponse>;

    async fn save_snapshot(
        &self,
        _: Request<proto::SaveSnapshotRequest>,
    ) -> Result<Response<Self::SaveSnapshotStream>, Status> {
        // What is only half there is not to be taken for the whole.
        self.0.ready()?;
        Ok(Response::new(save(&self.0).await?))
    }

    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        let context = &self.0;
        let runtime = &context.runtime;
        // The head moves on the engine's thread alone, so there it is the engine's.
        let head = runtime.watch_head();
        let (stats, head) = runtime
            .query(move |engine| (engine.stats(), *head.borrow()))
            .await
            .map_err(stopped)?;
        Ok(Response::new(proto::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: runtime.epoch().as_bytes().to_vec().into(),
            revision: head.revision,
            started: Some(wire::encode_time(context.started)),
            commit_time: head.commit_time.map(wire::encode_time),
            source_age: context.source_age(),
            store: runtime.store_kind().to_owned(),
            missing_node: match runtime.missing_node() {
                MissingNode::Admit => "admit",
                MissingNode::Withhold => "withhold",
            }
            .to_owned(),
            sizes: Some(encode_sizes(&stats, context.subscribers.len() as u64)),
            work: Some(encode_work(&runtime.totals())),
            unready: context.unready(),
            store_fault: runtime.store_fault().unwrap_or_default().to_owned(),
            max_transaction_objects: runtime.bounds().map_or(0, |bounds| bounds.objects as u64),
            max_transaction_bytes: runtime.bounds().map_or(0, |bounds| bounds.bytes as u64),
        }))
    }

    async fn list_subscribers(
        &self,
        request: Request<proto::ListSubscribersRequest>,
    ) -> Result<Response<proto::ListSubscribersResponse>, Status> {
        let revision = self.0.runtime.head().revision;
        let after_id = request.into_inner().after_id;
        let (subscribers, next_after_id) =
            self.0
                .subscribers
                .list(&self.0.audience, revision, after_id);
        Ok(Response::new(proto::ListSubscribersResponse {
            revision,
            subscribers,
            next_after_id,
            source_age: self.0.source_age(),
        }))
    }

    async fn verify(
        &self,
        _: Request<proto::VerifyRequest>,
    ) -> Result<Response<proto::VerifyResponse>, Status> {
        let verify = |engine: &Engine| {
            let started = Instant::now();
            let discrepancies: Vec<String> = engine
                .verify()
                .iter()
                .take(MAX_DISCREPANCIES)
                .map(ToString::to_string)
                .collect();
            (discrepancies, started.elapsed())
        };
        let (revision, (discrepancies, elapsed)) = self.0.read(0, verify).await?;
        let elapsed = Some(wire::encode_duration(elapsed));
        Ok(Response::new(proto::VerifyResponse {
            revision,
            discrepancies,
            elapsed,
            source_age: self.0.source_age(),
        }))
    }
}

fn encode_sizes(stats: &Stats, subscribers: u64) -> proto::get_status_response::Sizes {
    proto::get_status_response::Sizes {
        pods: stats.pods,
        services: stats.services,
        nodes: stats.nodes,
        namespaces: stats.namespaces,
        manual_endpoints: stats.manual_endpoints,
        endpoints: stats.endpoints,
        label_keys: stats.label_keys,
        label_pairs: stats.label_pairs,
        label_sets: stats.label_sets,
        classes: stats.classes,
        log_records: stats.log_records,
        remembered_removals: stats.remembered_removals,
        live_queries: stats.live_queries,
        subscribers,
        live_query_bytes: stats.live_query_bytes,
    }
}

fn encode_work(totals: &Totals) -> proto::get_status_response::Work {
    proto::get_status_response::Work {
        transactions: totals.transactions,
        changes: totals.work.changes,
        postings_touched: totals.work.postings_touched,
        selectors_tested: totals.work.selectors_tested,
        endpoints_visited: totals.work.endpoints_visited,
        records_written: totals.work.records_written,
    }
}
