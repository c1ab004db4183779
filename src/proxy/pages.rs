//! What the proxy answers over HTTP about itself.

use std::io;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::routing::get;
use prost_types::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Monitor;

/// Answers `/healthz`, `/livez`, `/readyz` and `/metrics`, until it is asked to end.
///
/// # Errors
/// When the listener fails.
pub async fn serve_pages(
    listener: TcpListener,
    monitor: Monitor,
    shutdown: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, pages(monitor))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

fn pages(monitor: Monitor) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(monitor)
}

/// A page of some kind that is nothing else.
type Page = (StatusCode, [(HeaderName, HeaderValue); 2], String);

fn page(well: bool, kind: &'static str, text: String) -> Page {
    let status = match well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (status, headers, text)
}

async fn healthz(State(monitor): State<Monitor>) -> Page {
    let (healthy, page) = health(&monitor);
    monitor.metrics().healthz().count(healthy);
    page
}

async fn livez(State(monitor): State<Monitor>) -> Page {
    let (healthy, page) = health(&monitor);
    monitor.metrics().livez().count(healthy);
    page
}

fn health(monitor: &Monitor) -> (bool, Page) {
    let health = monitor.health();
    let now = SystemTime::now();
    // While nothing waits, the rules are as new as can be.
    let updated = match health.waiting {
        None if health.ready => Some(now),
        _ => health.updated,
    };
    let body = json!({
        "healthy": health.healthy,
        "lastUpdated": updated.map(written),
        "currentTime": written(now),
        "waitingSeconds": seconds(health.waiting),
        "sourceAgeSeconds": seconds(health.source_age),
        "appliedRevision": health.applied,
        "conflicts": monitor.conflicts(),
    });
    let page = page(health.healthy, "application/json", body.to_string());
    (health.healthy, page)
}

async fn readyz(State(monitor): State<Monitor>) -> Page {
    let ready = monitor.health().ready;
    let text = match ready {
        true => "ok\n",
        false => "not ready: the rules have not been written yet\n",
    };
    page(ready, "text/plain; charset=utf-8", text.to_owned())
}

async fn metrics(State(monitor): State<Monitor>) -> Page {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    page(true, kind, monitor.render())
}

/// As RFC 3339 has it.
fn written(time: SystemTime) -> String {
    Timestamp::from(time).to_string()
}

fn seconds(duration: Option<Duration>) -> Value {
    duration.map_or(Value::Null, |duration| duration.as_secs_f64().into())
}
