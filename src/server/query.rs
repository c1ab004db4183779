//! The Query service.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::engine::{Engine, GroupBy, Namespaces};
use crate::labels::FieldError;
use crate::model::{Kind, ObjectName, ObjectRef};
use crate::selector::Selector;
use crate::wire::{self, proto, status};
use proto::explain_query_request::Subject as ExplainSubject;
use proto::explain_query_response::Answer;
use proto::group_pods_request::By;
use proto::matching_services_request::Subject;

use super::context::{Context, namespaces, valid};
use super::drawn::Drawn;
use super::endpoints::endpoints;
use super::explain::{encode_membership, explain};
use super::list::pages;
use super::listings::{Nodes, Pods, Services, counted, node_item, peopled, pod_item, service_item};
use super::page::{Paging, page_size};

pub(super) struct QueryService(pub Arc<Context>);

#[tonic::async_trait]
impl proto::query_server::Query for QueryService {
    type ListPodsStream = Drawn<proto::ListPodsResponse>;
    type ListServicesStream = Drawn<proto::ListServicesResponse>;
    type ListNodesStream = Drawn<proto::ListNodesResponse>;
    type GetEndpointsStream = Drawn<proto::GetEndpointsResponse>;

    async fn list_pods(
        &self,
        request: Request<proto::ListPodsRequest>,
    ) -> Result<Response<Self::ListPodsStream>, Status> {
        let request = request.into_inner();
        let filter = Filter::new(request.selector.as_ref(), request.scope)?;
        let paging = Paging::new(request.page, &self.0.limits, &filter.describe("pods"))?;
        self.0.reach(request.at_least_revision).await?;
        let listing = Pods {
            selector: filter.selector,
            namespaces: namespaces(filter.namespaces),
        };
        Ok(Response::new(pages(Arc::clone(&self.0), listing, paging)))
    }

    async fn list_services(
        &self,
        request: Request<proto::ListServicesRequest>,
    ) -> Result<Response<Self::ListServicesStream>, Status> {
        let request = request.into_inner();
        let filter = Filter::new(request.selector.as_ref(), request.scope)?;
        let paging = Paging::new(request.page, &self.0.limits, &filter.describe("services"))?;
        self.0.reach(request.at_least_revision).await?;
        let listing = Services {
            selector: filter.selector,
            namespaces: namespaces(filter.namespaces),
        };
        Ok(Response::new(pages(Arc::clone(&self.0), listing, paging)))
    }

    async fn list_nodes(
        &self,
        request: Request<proto::ListNodesRequest>,
    ) -> Result<Response<Self::ListNodesStream>, Status> {
        let request = request.into_inner();
        let filter = Filter::new(request.selector.as_ref(), None)?;
        let paging = Paging::new(request.page, &self.0.limits, &filter.describe("nodes"))?;
        self.0.reach(request.at_least_revision).await?;
        Ok(Response::new(pages(
            Arc::clone(&self.0),
            Nodes {
                selector: filter.selector,
            },
            paging,
        )))
    }

    async fn count_pods(
        &self,
        request: Request<proto::CountPodsRequest>,
    ) -> Result<Response<proto::CountPodsResponse>, Status> {
        let request = request.into_inner();
        let (selector, namespaces) =
            Filter::new(request.selector.as_ref(), request.scope)?.into_parts();
        let question = move |engine: &Engine| engine.count(&selector, &namespaces);
        let (revision, count) = self.0.read(request.at_least_revision, question).await?;
        Ok(Response::new(proto::CountPodsResponse {
            revision,
            count,
            source_age: self.0.source_age(),
        }))
    }

    async fn group_pods(
        &self,
        request: Request<proto::GroupPodsRequest>,
    ) -> Result<Response<proto::GroupPodsResponse>, Status> {
        let request = request.into_inner();
        let (selector, namespaces) =
            Filter::new(request.selector.as_ref(), request.scope)?.into_parts();
        let by = match request.by {
            Some(By::LabelKey(key)) => {
                GroupBy::Label(valid("label_key", wire::decode_group_key(&key))?)
            }
            Some(By::Node(true)) => GroupBy::Node,
            Some(By::Namespace(true)) => GroupBy::Namespace,
            Some(By::Node(false) | By::Namespace(false)) | None => {
                return Err(status::invalid(&[FieldError::required(
                    "label_key",
                    "say what to group by: a label key, `node` or `namespace`",
                )]));
            }
        };
        let limit = page_size(request.limit, &self.0.limits, "limit")?;
        let (revision, found) = self
            .0
            .read(request.at_least_revision, move |engine| {
                engine.group(&selector, &namespaces, &by)
            })
            .await?;
        let beyond = found.groups.get(limit..).unwrap_or_default();
        Ok(Response::new(proto::GroupPodsResponse {
            revision,
            source_age: self.0.source_age(),
            others: beyond.iter().map(|(_, count)| count).sum(),
            other_groups: beyond.len() as u64,
            without: found.without,
            groups: found
                .groups
                .iter()
                .take(limit)
                .map(|(value, count)| proto::group_pods_response::Group {
                    value: value.to_string(),
                    count: *count,
                })
                .collect(),
        }))
    }

    async fn get_pod(
        &self,
        request: Request<proto::GetPodRequest>,
    ) -> Result<Response<proto::GetPodResponse>, Status> {
        let proto::GetPodRequest {
            namespace,
            name,
            at_least_revision,
        } = request.into_inner();
        let name = object_name(namespace, name)?;
        let wanted = name.clone();
        let (revision, pod) = self
            .0
            .read(at_least_revision, move |engine| engine.pod(&wanted))
            .await?;
        let pod = pod.ok_or_else(|| status::not_found(&ObjectRef::new(Kind::Pod, name)))?;
        Ok(Response::new(proto::GetPodResponse {
            revision,
            pod: Some(pod_item(&pod)),
            source_age: self.0.source_age(),
        }))
    }

    async fn get_service(
        &self,
        request: Request<proto::GetServiceRequest>,
    ) -> Result<Response<proto::GetServiceResponse>, Status> {
        let proto::GetServiceRequest {
            namespace,
            name,
            at_least_revision,
        } = request.into_inner();
        let name = object_name(namespace, name)?;
        let wanted = name.clone();
        let (revision, service) = self
            .0
            .read(at_least_revision, move |engine| {
                engine
                    .service(&wanted)
                    .map(|service| counted(engine, service))
            })
            .await?;
        let service =
            service.ok_or_else(|| status::not_found(&ObjectRef::new(Kind::Service, name)))?;
        Ok(Response::new(proto::GetServiceResponse {
            revision,
            service: Some(service_item(&service)),
            source_age: self.0.source_age(),
        }))
    }

    async fn get_node(
        &self,
        request: Request<proto::GetNodeRequest>,
    ) -> Result<Response<proto::GetNodeResponse>, Status> {
        let proto::GetNodeRequest {
            name,
            at_least_revision,
        } = request.into_inner();
        let node = ObjectRef::new(Kind::Node, ObjectName::cluster(name.as_str()));
        if name.is_empty() {
            return Err(status::invalid(&[FieldError::required(
                "name",
                "say which object is meant",
            )]));
        }
        let (revision, found) = self
            .0
            .read(at_least_revision, move |engine| {
                engine.node(&name).map(|node| peopled(engine, node))
            })
            .await?;
        let found = found.ok_or_else(|| status::not_found(&node))?;
        Ok(Response::new(proto::GetNodeResponse {
            revision,
            node: Some(node_item(&found)),
            source_age: self.0.source_age(),
        }))
    }

    async fn get_endpoints(
        &self,
        request: Request<proto::GetEndpointsRequest>,
    ) -> Result<Response<Self::GetEndpointsStream>, Status> {
        let proto::GetEndpointsRequest {
            namespace,
            name,
            at_least_revision,
        } = request.into_inner();
        let name = object_name(namespace, name)?;
        let answer = endpoints(&self.0, name, at_least_revision).await?;
        Ok(Response::new(answer))
    }

    async fn matching_services(
        &self,
        request: Request<proto::MatchingServicesRequest>,
    ) -> Result<Response<proto::MatchingServicesResponse>, Status> {
        let request = request.into_inner();
        let at_least = request.at_least_revision;
        let (revision, services) = match request.subject {
            Some(Subject::Pod(pod)) => {
                let name = valid("pod", wire::decode_name(pod))?;
                let wanted = name.clone();
                let (revision, services) = self
                    .0
                    .read(at_least, move |engine| {
                        let pod = engine.pod(&wanted)?.object;
                        Some(engine.matching_services(&wanted.namespace, &pod.labels))
                    })
                    .await?;
                (
                    revision,
                    services.ok_or_else(|| status::not_found(&ObjectRef::new(Kind::Pod, name)))?,
                )
            }
            Some(Subject::Labels(would_be)) => {
                if would_be.namespace.is_empty() {
                    let detail = "services select pods of their own namespace";
                    return Err(status::invalid(&[FieldError::required(
                        "labels.namespace",
                        detail,
                    )]));
                }
                let labels = valid("labels.labels", wire::decode_labels(&would_be.labels))?;
                self.0
                    .read(at_least, move |engine| {
                        engine.matching_services(&would_be.namespace, &labels)
                    })
                    .await?
            }
            None => {
                return Err(status::invalid(&[FieldError::required(
                    "pod",
                    "name a pod, or give `labels`",
                )]));
            }
        };
        let services = services.iter().map(wire::encode_name).collect();
        Ok(Response::new(proto::MatchingServicesResponse {
            revision,
            services,
            source_age: self.0.source_age(),
        }))
    }

    async fn explain_query(
        &self,
        request: Request<proto::ExplainQueryRequest>,
    ) -> Result<Response<proto::ExplainQueryResponse>, Status> {
        let request = request.into_inner();
        let at_least = request.at_least_revision;
        let (revision, answer) = match request.subject {
            Some(ExplainSubject::Membership(membership)) => {
                let service = object_name(membership.namespace.clone(), membership.service)?;
                let pod = object_name(membership.namespace, membership.pod)?;
                let (revision, found) = self
                    .0
                    .read(at_least, move |engine| {
                        engine.explain_membership(&service, &pod)
                    })
                    .await?;
                (revision, Answer::Membership(encode_membership(found)))
            }
            subject => {
                let selector = match &subject {
                    Some(ExplainSubject::Selector(selector)) => Some(selector),
                    _ => None,
                };
                let (selector, namespaces) = Filter::new(selector, request.scope)?.into_parts();
                let (revision, plan) = self
                    .0
                    .read(at_least, move |engine| {
                        explain(engine, &selector, &namespaces)
                    })
                    .await?;
                (revision, Answer::Plan(plan))
            }
        };
        Ok(Response::new(proto::ExplainQueryResponse {
            revision,
            answer: Some(answer),
            source_age: self.0.source_age(),
        }))
    }
}

/// What narrows a listing.
struct Filter {
    selector: Selector,
    namespaces: Vec<String>,
}

impl Filter {
    fn new(
        selector: Option<&proto::Selector>,
        scope: Option<proto::Scope>,
    ) -> Result<Self, Status> {
        let mut namespaces = scope.unwrap_or_default().namespaces;
        valid("scope.namespaces", wire::check_namespaces(&namespaces))?;
        namespaces.sort_unstable();
        namespaces.dedup();
        Ok(Filter {
            selector: valid("selector", wire::decode_filter(selector))?,
            namespaces,
        })
    }

    fn into_parts(self) -> (Selector, Namespaces) {
        (self.selector, namespaces(self.namespaces))
    }

    /// Says what is listed, in words that are the same wherever the same is asked.
    fn describe(&self, what: &str) -> String {
        format!(
            "{what} in {} matching {}",
            self.namespaces.join(","),
            self.selector
        )
    }
}

fn object_name(namespace: String, name: String) -> Result<ObjectName, Status> {
    wire::decode_name(proto::ObjectName { namespace, name })
        .map_err(|faults| status::invalid(&faults))
}
