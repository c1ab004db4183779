//! Health for those who speak HTTP.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::runtime::{Readiness, Runtime};

use super::context::current;

#[derive(Clone)]
struct Health {
    readiness: Readiness,
    drain: CancellationToken,
    /// None before there is one.
    runtime: Option<(Runtime, Duration)>,
}

/// `/livez`, `/healthz`: the process answers. `/readyz`: it should be given work; else what it waits for.
///
/// Of a runtime, it is looked at whether its source has been heard of within the time given.
pub(super) fn routes(
    readiness: Readiness,
    drain: CancellationToken,
    runtime: Option<(Runtime, Duration)>,
) -> Router {
    Router::new()
        .route("/livez", get(alive))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(Health {
            readiness,
            drain,
            runtime,
        })
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    if health.drain.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    let mut pending: Vec<String> = health
        .readiness
        .pending()
        .into_iter()
        .map(Into::into)
        .collect();
    let lagging = health
        .runtime
        .as_ref()
        .map(|(runtime, lag)| current(runtime, *lag));
    pending.extend(lagging.and_then(Result::err));
    if pending.is_empty() {
        // It still answers as it should, and who follows it goes on.
        let fault = health.runtime.as_ref().and_then(|it| it.0.store_fault());
        let said = fault.map_or_else(
            || "ok\n".to_owned(),
            |fault| format!("ok, with a store fault: {fault}\n"),
        );
        return (StatusCode::OK, said);
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {}\n", pending.join(", ")),
    )
}
