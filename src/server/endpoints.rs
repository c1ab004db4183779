use prost::Message as _;

use crate::model::{Endpoint, Revision, Service};
use crate::wire::{self, proto};

use super::outflow::Outlet;

/// Most bytes of an element's tag and length.
const FRAMING: usize = 6;

/// Sends a service and its endpoints in as many messages as it takes to keep each below a size.
pub(super) async fn send_endpoints(
    revision: Revision,
    service: &Service,
    endpoints: &[Endpoint],
    max_bytes: usize,
    outlet: &Outlet<proto::GetEndpointsResponse>,
) {
    let mut message = proto::GetEndpointsResponse {
        revision,
        service: Some(wire::encode_service(service)),
        endpoints: Vec::new(),
    };
    let mut bytes = message.encoded_len();
    for endpoint in endpoints {
        let endpoint = wire::encode_endpoint(endpoint, &service.name.namespace);
        let len = endpoint.encoded_len().saturating_add(FRAMING);
        if bytes.saturating_add(len) > max_bytes && !message.endpoints.is_empty() {
            let next = proto::GetEndpointsResponse {
                revision,
                service: None,
                endpoints: Vec::new(),
            };
            if outlet
                .send(std::mem::replace(&mut message, next))
                .await
                .is_err()
            {
                return;
            }
            bytes = 0;
        }
        bytes = bytes.saturating_add(len);
        message.endpoints.push(endpoint);
    }
    // Nobody is left to be told if this fails.
    let _ = outlet.send(message).await;
}
