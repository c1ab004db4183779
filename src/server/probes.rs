//! Health for those who speak HTTP.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::runtime::Readiness;

#[derive(Clone)]
struct Health {
    readiness: Readiness,
    drain: CancellationToken,
}

/// `/healthz`: the process answers. `/readyz`: it should be given work; else what it waits for.
pub(super) fn routes(readiness: Readiness, drain: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Health { readiness, drain })
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    if health.drain.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    match health.readiness.pending().as_slice() {
        [] => (StatusCode::OK, "ok\n".to_owned()),
        pending => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}\n", pending.join(", ")),
        ),
    }
}
