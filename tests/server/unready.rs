//! A server that is still loading shows nobody the half it has.

use selectord::engine::Scope;
use selectord::runtime::Readiness;
use selectord::wire::proto;
use selectord::wire::proto::watch_endpoints_request::Request as Asked;
use tonic::Code;

use crate::harness::{Setup, patiently, pod, service, write};
use crate::subscriber::Subscriber;

const RNG: &[(&str, &str)] = &[("app", "rng")];

#[tokio::test]
async fn only_admin_answers_before_everything_is_loaded() {
    let readiness = Readiness::new();
    let loading = readiness.guard("loading manifests");
    let mut setup = Setup::default();
    setup.server.readiness = readiness;
    let server = setup.start().await;

    let subscribe = proto::WatchEndpointsRequest {
        request: Some(Asked::Subscribe(proto::Subscribe::default())),
    };
    let refusals = [
        patiently(
            server
                .watch()
                .watch_endpoints(tokio_stream::once(subscribe)),
        )
        .await
        .unwrap_err(),
        patiently(
            server
                .watch()
                .watch_pods(proto::WatchPodsRequest::default()),
        )
        .await
        .unwrap_err(),
        patiently(
            server
                .query()
                .count_pods(proto::CountPodsRequest::default()),
        )
        .await
        .unwrap_err(),
        server.try_commit(write([])).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(
            (refusal.code(), refusal.message()),
            (Code::Unavailable, "not ready: loading manifests; try again")
        );
    }
    let mut admin = server.admin();
    let status = patiently(admin.get_status(proto::GetStatusRequest {})).await;
    assert!(status.is_ok());

    drop(loading);
    let last = server
        .commit([service("rng", RNG), pod("rng-1", 1, RNG)])
        .await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    subscriber.until(last).await;
    assert_eq!(subscriber.pods_of("rng"), ["rng-1"]);
    server.stop().await;
}
