use smol_str::SmolStr;
use tonic::Request;

use crate::engine::GroupBy;
use crate::model::{ObjectName, Revision};
use crate::selector::Selector;
use crate::wire::{self, proto};

use super::answer::{At, Grouped, NodeItem, PodItem, ServiceEndpoints, ServiceItem};
use super::convert;
use super::{CallError, Client, Malformed, Pages};

/// Which objects a listing asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Objects whose labels match.
    pub selector: Selector,
    /// In these namespaces; empty: in all.
    pub namespaces: Vec<SmolStr>,
    /// Most objects in the whole answer; 0: all.
    pub limit: u64,
    /// Most objects in one page; 0: the server's default.
    pub page_size: u32,
    /// Where an earlier answer to the same listing ended, or empty.
    pub page_token: String,
    /// The answer waits until this revision is applied.
    pub at_least: Revision,
}

impl Default for Listing {
    fn default() -> Self {
        Listing {
            selector: Selector::everything(),
            namespaces: Vec::new(),
            limit: 0,
            page_size: 0,
            page_token: String::new(),
            at_least: 0,
        }
    }
}

impl Listing {
    fn page(&self) -> Option<proto::PageRequest> {
        Some(proto::PageRequest {
            page_size: self.page_size,
            limit: self.limit,
            page_token: self.page_token.clone(),
        })
    }
}

impl Client {
    pub(super) fn queries(&self) -> proto::query_client::QueryClient<tonic::transport::Channel> {
        proto::query_client::QueryClient::new(self.channel.clone())
            .max_decoding_message_size(self.options.max_message_bytes)
    }

    /// A request that fails when the answer takes too long.
    pub(super) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.options.call_timeout);
        request
    }

    /// Pods that match, in (namespace, name) order, page by page.
    ///
    /// # Errors
    /// What the server refuses, and whatever keeps the answer from coming.
    pub async fn pods(&self, listing: &Listing) -> Result<Pages<PodItem>, CallError> {
        let request = proto::ListPodsRequest {
            selector: Some(wire::encode_filter(&listing.selector)),
            scope: convert::scope(&listing.namespaces),
            page: listing.page(),
            at_least_revision: listing.at_least,
        };
        let pages = self.queries().list_pods(request).await?.into_inner();
        Ok(Pages::new(
            pages,
            self.options.call_timeout,
            convert::pods_page,
        ))
    }

    /// Services whose own labels match, in (namespace, name) order, page by page.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn services(&self, listing: &Listing) -> Result<Pages<ServiceItem>, CallError> {
        let request = proto::ListServicesRequest {
            selector: Some(wire::encode_filter(&listing.selector)),
            scope: convert::scope(&listing.namespaces),
            page: listing.page(),
            at_least_revision: listing.at_least,
        };
        let pages = self.queries().list_services(request).await?.into_inner();
        Ok(Pages::new(
            pages,
            self.options.call_timeout,
            convert::services_page,
        ))
    }

    /// Nodes that match, by name, page by page. A listing's namespaces mean nothing here.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn nodes(&self, listing: &Listing) -> Result<Pages<NodeItem>, CallError> {
        let request = proto::ListNodesRequest {
            selector: Some(wire::encode_filter(&listing.selector)),
            page: listing.page(),
            at_least_revision: listing.at_least,
        };
        let pages = self.queries().list_nodes(request).await?.into_inner();
        Ok(Pages::new(
            pages,
            self.options.call_timeout,
            convert::nodes_page,
        ))
    }

    /// How many pods match. Of a listing only the selector, the namespaces and the revision count.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn count(&self, listing: &Listing) -> Result<At<u64>, CallError> {
        let request = proto::CountPodsRequest {
            selector: Some(wire::encode_filter(&listing.selector)),
            scope: convert::scope(&listing.namespaces),
            at_least_revision: listing.at_least,
        };
        let answer = self
            .queries()
            .count_pods(self.timed(request))
            .await?
            .into_inner();
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: answer.count,
        })
    }

    /// How many pods match, by label value, node or namespace; the largest `limit` groups, or the
    /// server's default for 0.
    ///
    /// # Errors
    /// As [`Client::pods`].
    pub async fn group(
        &self,
        listing: &Listing,
        by: &GroupBy,
        limit: u32,
    ) -> Result<At<Grouped>, CallError> {
        use proto::group_pods_request::By as Wire;
        let request = proto::GroupPodsRequest {
            selector: Some(wire::encode_filter(&listing.selector)),
            scope: convert::scope(&listing.namespaces),
            by: Some(match by {
                GroupBy::Label(key) => Wire::LabelKey(key.to_string()),
                GroupBy::Node => Wire::Node(true),
                GroupBy::Namespace => Wire::Namespace(true),
            }),
            limit,
            at_least_revision: listing.at_least,
        };
        let answer = self
            .queries()
            .group_pods(self.timed(request))
            .await?
            .into_inner();
        let grouped = Grouped {
            groups: answer
                .groups
                .into_iter()
                .map(|group| (group.value, group.count))
                .collect(),
            without: answer.without,
            others: answer.others,
            other_groups: answer.other_groups,
        };
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: grouped,
        })
    }

    /// One pod.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn pod(&self, name: &ObjectName) -> Result<At<PodItem>, CallError> {
        let request = proto::GetPodRequest {
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
            at_least_revision: 0,
        };
        let answer = self
            .queries()
            .get_pod(self.timed(request))
            .await?
            .into_inner();
        let item = answer.pod.ok_or_else(|| Malformed::missing("pod"))?;
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: convert::pod_item(item)?,
        })
    }

    /// One service.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn service(&self, name: &ObjectName) -> Result<At<ServiceItem>, CallError> {
        let request = proto::GetServiceRequest {
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
            at_least_revision: 0,
        };
        let answer = self
            .queries()
            .get_service(self.timed(request))
            .await?
            .into_inner();
        let item = answer
            .service
            .ok_or_else(|| Malformed::missing("service"))?;
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: convert::service_item(item)?,
        })
    }

    /// One node.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn node(&self, name: &str) -> Result<At<NodeItem>, CallError> {
        let request = proto::GetNodeRequest {
            name: name.to_owned(),
            at_least_revision: 0,
        };
        let answer = self
            .queries()
            .get_node(self.timed(request))
            .await?
            .into_inner();
        let item = answer.node.ok_or_else(|| Malformed::missing("node"))?;
        Ok(At {
            revision: answer.revision,
            source_age: convert::duration(answer.source_age),
            answer: convert::node_item(item)?,
        })
    }

    /// A service with its endpoints, whole.
    ///
    /// # Errors
    /// `NotFound` when the service is not there.
    pub async fn endpoints(&self, name: &ObjectName) -> Result<At<ServiceEndpoints>, CallError> {
        let request = proto::GetEndpointsRequest {
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
            at_least_revision: 0,
        };
        let mut parts = self
            .queries()
            .get_endpoints(self.timed(request))
            .await?
            .into_inner();
        let first = parts
            .message()
            .await?
            .ok_or_else(|| Malformed::missing("service"))?;
        let revision = first.revision;
        let source_age = convert::duration(first.source_age);
        let service = first.service.ok_or_else(|| Malformed::missing("service"))?;
        let service = wire::decode_service(service).map_err(Malformed::from)?;
        let mut endpoints = Vec::new();
        let mut part = first.endpoints;
        loop {
            for endpoint in part {
                endpoints.push(convert::endpoint(&service, endpoint)?);
            }
            match parts.message().await? {
                Some(next) => part = next.endpoints,
                None => {
                    return Ok(At {
                        revision,
                        source_age,
                        answer: ServiceEndpoints { service, endpoints },
                    });
                }
            }
        }
    }
}
