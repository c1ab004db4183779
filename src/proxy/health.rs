//! Answers load balancers that ask whether this node has endpoints of a service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::model::IpFamily;

use super::health_listener::{answer, listen};
use super::{Cidr, HealthCheck, Monitor};

/// Listeners for each service with a health-check node port, at the addresses at which node ports answer.
#[derive(Debug)]
pub struct HealthPorts {
    open: BTreeMap<SocketAddr, Open>,
    /// Those that cannot be opened.
    shut: BTreeSet<SocketAddr>,
    /// Whether this node's rules are kept true: while they are not, every check fails.
    monitor: Monitor,
}

#[derive(Debug)]
struct Open {
    check: watch::Sender<HealthCheck>,
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HealthPorts {
    /// None yet.
    pub fn new(monitor: Monitor) -> HealthPorts {
        HealthPorts {
            open: BTreeMap::new(),
            shut: BTreeSet::new(),
            monitor,
        }
    }

    /// Answers these checks and no others from now on, at these addresses ([`health_addresses`]). A port
    /// that cannot be opened is logged once, and tried again each time. If two services want a port, the
    /// first by name has it.
    pub async fn set(&mut self, checks: Vec<HealthCheck>, addresses: &[IpAddr]) {
        let mut wanted: BTreeMap<SocketAddr, HealthCheck> = BTreeMap::new();
        for check in checks {
            for address in addresses {
                let socket = SocketAddr::new(*address, check.port);
                wanted.entry(socket).or_insert_with(|| check.clone());
            }
        }
        self.open.retain(|socket, _| wanted.contains_key(socket));
        self.shut.retain(|socket| wanted.contains_key(socket));
        for (socket, check) in wanted {
            if let Some(open) = self.open.get(&socket) {
                open.check.send_replace(check);
                continue;
            }
            match listen(socket).await {
                Ok(listener) => {
                    let (sender, receiver) = watch::channel(check);
                    let monitor = self.monitor.clone();
                    let page = move || page(&receiver.borrow(), monitor.health().healthy);
                    let task = tokio::spawn(answer(listener, page)).abort_handle();
                    let check = sender;
                    self.open.insert(socket, Open { check, task });
                    if self.shut.remove(&socket) {
                        tracing::info!(%socket, "the health-check node port is open now");
                    }
                }
                Err(error) if self.shut.insert(socket) => {
                    tracing::warn!(service = %check.service, %socket, %error, "cannot open the health-check node port");
                }
                Err(_) => {}
            }
        }
    }
}

/// Where health-check node ports answer: at every address, or at those of the node's own that lie in a
/// range, as its node ports do. A family of which no range is given has all.
pub fn health_addresses(ranges: &[Cidr], own: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
    let of = |family| ranges.iter().filter(move |range| range.family() == family);
    let all = |family| of(family).count() == 0 || of(family).any(Cidr::is_everything);
    let all_v4 = all(IpFamily::V4);
    if all_v4 && all(IpFamily::V6) {
        // Of both families.
        return vec![Ipv6Addr::UNSPECIFIED.into()];
    }
    let chosen = |ip: &&IpAddr| {
        let family = IpFamily::of(ip);
        all(family) || of(family).any(|range| range.contains(**ip))
    };
    // What listens everywhere over IPv6 would have all of IPv4 too.
    let named = own.iter().filter(|ip| !(all_v4 && ip.is_ipv4()));
    let everywhere = all_v4.then_some(IpAddr::from(Ipv4Addr::UNSPECIFIED));
    everywhere
        .into_iter()
        .chain(named.filter(chosen).copied())
        .collect()
}

fn page(check: &HealthCheck, healthy: bool) -> Response<String> {
    let status = match healthy && check.local_endpoints > 0 {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = json!({
        "service": { "namespace": check.service.namespace.as_str(), "name": check.service.name.as_str() },
        "localEndpoints": check.local_endpoints,
        "serviceProxyHealthy": healthy,
    });
    let weight = HeaderName::from_static("x-load-balancing-endpoint-weight");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (weight, HeaderValue::from(check.local_endpoints)),
    ];
    let mut page = Response::new(body.to_string());
    *page.status_mut() = status;
    page.headers_mut().extend(headers);
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectName;

    #[test]
    fn a_node_without_ready_endpoints_or_true_rules_is_to_be_left_out() {
        for (endpoints, healthy, status) in [(2, true, 200), (0, true, 503), (2, false, 503)] {
            let check = HealthCheck {
                service: ObjectName::new("a", "b"),
                port: 1,
                local_endpoints: endpoints,
            };
            let page = page(&check, healthy);
            assert_eq!(page.status().as_u16(), status);
            assert_eq!(page.headers()["x-content-type-options"], "nosniff");
            let body: serde_json::Value = serde_json::from_str(page.body()).unwrap();
            assert_eq!(body["service"]["namespace"], "a");
            assert_eq!(body["localEndpoints"], endpoints);
            assert_eq!(body["serviceProxyHealthy"], healthy);
        }
    }

    #[test]
    fn they_answer_where_node_ports_do() {
        let own = ["192.0.2.1", "10.0.0.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
        let own: BTreeSet<IpAddr> = own.into();
        for (ranges, addresses) in [
            (&[][..], "::"),
            (&["0.0.0.0/0", "::/0"], "::"),
            (&["192.0.2.0/24"], "192.0.2.1 2001:db8::1"),
            (&["192.0.2.0/24", "2001:db8:1::/64"], "192.0.2.1"),
            (&["2001:db8::/64"], "0.0.0.0 2001:db8::1"),
            (&["198.51.100.0/24", "::/0"], "2001:db8::1"),
        ] {
            let parsed: Vec<Cidr> = ranges.iter().map(|r| r.parse().unwrap()).collect();
            let found = health_addresses(&parsed, &own);
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(texts.join(" "), addresses, "{ranges:?}");
        }
    }
}
