use crate::wire::proto;

use super::answer::{At, ServerStatus, Subscriber, Verified};
use super::convert;
use super::{CallError, Client};

impl Client {
    pub(super) fn admin(&self) -> proto::admin_client::AdminClient<tonic::transport::Channel> {
        proto::admin_client::AdminClient::new(self.channel.clone())
            .max_decoding_message_size(self.options.max_message_bytes)
    }

    /// What the server holds.
    ///
    /// # Errors
    /// Whatever keeps the answer from coming.
    pub async fn status(&self) -> Result<ServerStatus, CallError> {
        let answer = self
            .admin()
            .get_status(self.timed(proto::GetStatusRequest {}))
            .await?
            .into_inner();
        Ok(ServerStatus {
            sizes: sizes(&answer.sizes.unwrap_or_default()),
            work: work(&answer.work.unwrap_or_default()),
            version: answer.version,
            epoch: answer.epoch,
            revision: answer.revision,
            started: convert::time(answer.started),
            commit_time: convert::time(answer.commit_time),
            source_age: convert::duration(answer.source_age),
            store: answer.store,
            missing_node: answer.missing_node,
            unready: answer.unready,
            store_fault: answer.store_fault,
            max_transaction_objects: answer.max_transaction_objects,
            max_transaction_bytes: answer.max_transaction_bytes,
        })
    }

    /// The streams that are open now.
    ///
    /// # Errors
    /// Whatever keeps the answer from coming.
    pub async fn subscribers(&self) -> Result<At<Vec<Subscriber>>, CallError> {
        let subscriber = |s: proto::list_subscribers_response::Subscriber| Subscriber {
            id: s.id,
            name: s.name,
            peer: s.peer,
            scope: s.scope,
            sent: s.sent_revision,
            applied: s.applied_revision,
            since: convert::time(s.since),
            behind: convert::duration(s.behind),
        };
        let mut subscribers = Vec::new();
        let mut after_id = 0;
        loop {
            let request = self.timed(proto::ListSubscribersRequest { after_id });
            let answer = self.admin().list_subscribers(request).await?.into_inner();
            subscribers.extend(answer.subscribers.into_iter().map(subscriber));
            if answer.next_after_id <= after_id {
                return Ok(At {
                    revision: answer.revision,
                    source_age: convert::duration(answer.source_age),
                    answer: subscribers,
                });
            }
            after_id = answer.next_after_id;
        }
    }

    /// Has the server recompute everything the slow way, and compare. There is no deadline.
    ///
    /// # Errors
    /// Whatever keeps the answer from coming.
    pub async fn verify(&self) -> Result<At<Verified>, CallError> {
        let answer = self
            .admin()
            .verify(proto::VerifyRequest {})
            .await?
            .into_inner();
        let verified = Verified {
            discrepancies: answer.discrepancies,
            elapsed: convert::duration(answer.elapsed),
        };
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: verified,
        })
    }
}

fn sizes(sizes: &proto::get_status_response::Sizes) -> Vec<(&'static str, u64)> {
    vec![
        ("pods", sizes.pods),
        ("services", sizes.services),
        ("nodes", sizes.nodes),
        ("namespaces", sizes.namespaces),
        ("manual_endpoints", sizes.manual_endpoints),
        ("endpoints", sizes.endpoints),
        ("label_keys", sizes.label_keys),
        ("label_pairs", sizes.label_pairs),
        ("label_sets", sizes.label_sets),
        ("classes", sizes.classes),
        ("log_records", sizes.log_records),
        ("remembered_removals", sizes.remembered_removals),
        ("live_queries", sizes.live_queries),
        ("live_query_bytes", sizes.live_query_bytes),
        ("subscribers", sizes.subscribers),
    ]
}

fn work(work: &proto::get_status_response::Work) -> Vec<(&'static str, u64)> {
    vec![
        ("transactions", work.transactions),
        ("changes", work.changes),
        ("postings_touched", work.postings_touched),
        ("selectors_tested", work.selectors_tested),
        ("endpoints_visited", work.endpoints_visited),
        ("records_written", work.records_written),
    ]
}
