use smol_str::SmolStr;

use crate::engine::{Membership, Reason};
use crate::labels::LabelSet;
use crate::model::ObjectName;
use crate::wire::{self, proto};

use super::answer::{At, Plan, PlanStep};
use super::convert;
use super::{CallError, Client, Listing, Malformed};

impl Client {
    /// The services that select this pod, by name.
    ///
    /// # Errors
    /// `NotFound` when the pod is not there.
    pub async fn services_of_pod(
        &self,
        pod: &ObjectName,
    ) -> Result<At<Vec<ObjectName>>, CallError> {
        self.matching(proto::matching_services_request::Subject::Pod(
            wire::encode_name(pod),
        ))
        .await
    }

    /// The services that would select a pod with these labels, by name.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn services_of_labels(
        &self,
        namespace: &str,
        labels: &LabelSet,
    ) -> Result<At<Vec<ObjectName>>, CallError> {
        let subject = proto::matching_services_request::PodLabels {
            namespace: namespace.to_owned(),
            labels: wire::encode_labels(labels),
        };
        self.matching(proto::matching_services_request::Subject::Labels(subject))
            .await
    }

    async fn matching(
        &self,
        subject: proto::matching_services_request::Subject,
    ) -> Result<At<Vec<ObjectName>>, CallError> {
        let request = proto::MatchingServicesRequest {
            subject: Some(subject),
            at_least_revision: 0,
        };
        let answer = self
            .queries()
            .matching_services(self.timed(request))
            .await?
            .into_inner();
        let services = answer
            .services
            .into_iter()
            .map(|name| ObjectName::new(name.namespace, name.name))
            .collect();
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: services,
        })
    }

    /// How a selector is evaluated, and what that costs.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn explain(&self, listing: &Listing) -> Result<At<Plan>, CallError> {
        use proto::explain_query_response::Answer;
        let subject =
            proto::explain_query_request::Subject::Selector(wire::encode_filter(&listing.selector));
        let answer = self.explained(Some(subject), &listing.namespaces).await?;
        let Some(Answer::Plan(plan)) = answer.answer else {
            return Err(Malformed::missing("plan").into());
        };
        let step = |step: proto::query_plan::Step| PlanStep {
            term: step.term,
            action: step.action,
            estimated: step.estimated,
            remaining: step.remaining,
            postings: step.postings,
        };
        let plan = Plan {
            selector: plan.selector,
            steps: plan.steps.into_iter().map(step).collect(),
            count: plan.count,
            elapsed: convert::duration(plan.elapsed),
        };
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: plan,
        })
    }

    /// Why a pod is, or is not, an endpoint of a service of its namespace.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn explain_membership(
        &self,
        pod: &ObjectName,
        service: &str,
    ) -> Result<At<Membership>, CallError> {
        use proto::explain_query_response::Answer;
        let membership = proto::explain_query_request::Membership {
            namespace: pod.namespace.to_string(),
            pod: pod.name.to_string(),
            service: service.to_owned(),
        };
        let subject = proto::explain_query_request::Subject::Membership(membership);
        let answer = self.explained(Some(subject), &[]).await?;
        let Some(Answer::Membership(membership)) = answer.answer else {
            return Err(Malformed::missing("membership").into());
        };
        let reason = |reason: proto::membership_reasons::Reason| Reason {
            met: reason.met,
            condition: reason.condition,
            found: reason.found,
        };
        let reasons = membership.reasons.into_iter().map(reason).collect();
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: Membership {
                endpoint: membership.endpoint,
                reasons,
            },
        })
    }

    async fn explained(
        &self,
        subject: Option<proto::explain_query_request::Subject>,
        namespaces: &[SmolStr],
    ) -> Result<proto::ExplainQueryResponse, CallError> {
        let request = proto::ExplainQueryRequest {
            subject,
            scope: convert::scope(namespaces),
            at_least_revision: 0,
        };
        Ok(self
            .queries()
            .explain_query(self.timed(request))
            .await?
            .into_inner())
    }
}
