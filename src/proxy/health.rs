//! Answers load balancers that ask whether this node has endpoints of a service.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::HealthCheck;

/// One listener for each service with a health-check node port.
#[derive(Debug, Default)]
pub struct HealthPorts {
    open: BTreeMap<u16, Open>,
    /// Whether this node's rules are kept true.
    healthy: Arc<AtomicBool>,
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
    /// Says whether this node's rules are kept true. While they are not, every check fails.
    pub fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    /// Answers these checks and no others from now on. A port that cannot be opened is logged, and
    /// tried again the next time. If two services want a port, the first by name has it.
    pub async fn set(&mut self, checks: Vec<HealthCheck>) {
        let mut wanted: BTreeMap<u16, HealthCheck> = BTreeMap::new();
        for check in checks {
            wanted.entry(check.port).or_insert(check);
        }
        self.open.retain(|port, _| wanted.contains_key(port));
        for (port, check) in wanted {
            if let Some(open) = self.open.get(&port) {
                open.check.send_replace(check);
                continue;
            }
            match listen(port).await {
                Ok(listener) => {
                    let (sender, receiver) = watch::channel(check);
                    let healthy = self.healthy.clone();
                    let task = tokio::spawn(answer(listener, receiver, healthy)).abort_handle();
                    let check = sender;
                    self.open.insert(port, Open { check, task });
                }
                Err(error) => {
                    tracing::warn!(service = %check.service, port, %error, "cannot open the health-check node port");
                }
            }
        }
    }
}

/// Both families, or what there is of them.
async fn listen(port: u16) -> std::io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await,
    }
}

async fn answer(
    listener: TcpListener,
    check: watch::Receiver<HealthCheck>,
    healthy: Arc<AtomicBool>,
) {
    let page = move || {
        let answer = page(&check.borrow(), healthy.load(Ordering::Relaxed));
        async move { answer }
    };
    let pages = Router::new().fallback(get(page));
    if let Err(error) = axum::serve(listener, pages).await {
        tracing::warn!(%error, "a health-check node port is not answered any more");
    }
}

fn page(check: &HealthCheck, healthy: bool) -> (StatusCode, HeaderMap, String) {
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
    let headers = HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (weight, HeaderValue::from(check.local_endpoints)),
    ]);
    (status, headers, body.to_string())
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
            let (answered, headers, body) = page(&check, healthy);
            assert_eq!(answered.as_u16(), status);
            assert_eq!(headers["x-content-type-options"], "nosniff");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["service"]["namespace"], "a");
            assert_eq!(body["localEndpoints"], endpoints);
            assert_eq!(body["serviceProxyHealthy"], healthy);
        }
    }
}
