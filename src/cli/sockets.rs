//! What a service selects and where its endpoints listen, in words.

use std::net::IpAddr;

use crate::model::{Endpoint, Service};

/// Addresses and ports, at most `most` of them: `10.1.0.4:80,10.1.0.5:80 + 3 more...`.
pub(super) fn listed(service: &Service, endpoints: &[&Endpoint], most: usize) -> String {
    let mut sockets = endpoints
        .iter()
        .flat_map(|endpoint| sockets(service, endpoint));
    let mut text = sockets.by_ref().take(most).collect::<Vec<_>>().join(",");
    let more = sockets.count();
    if more > 0 {
        text.push_str(&format!(" + {more} more..."));
    }
    text
}

/// Every address of an endpoint with every port, or alone where it has no port.
pub(super) fn sockets(service: &Service, endpoint: &Endpoint) -> Vec<String> {
    let ports = service.endpoint_ports(&endpoint.ports);
    let mut sockets = Vec::new();
    for address in &endpoint.identity.addresses {
        let mut any = false;
        for number in ports.iter().filter_map(|port| port.number) {
            any = true;
            sockets.push(match address {
                IpAddr::V4(v4) => format!("{v4}:{number}"),
                IpAddr::V6(v6) => format!("[{v6}]:{number}"),
            });
        }
        if !any {
            sockets.push(address.to_string());
        }
    }
    sockets
}

/// What a service selects.
pub(super) fn selector_of(service: &Service) -> String {
    match service.selector.selector() {
        None => "<none>".to_owned(),
        Some(selector) if selector.is_everything() => "<everything>".to_owned(),
        Some(selector) => selector.to_string(),
    }
}
