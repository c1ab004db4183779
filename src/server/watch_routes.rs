use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::wire::proto;
use crate::wire::proto::watch_server::SERVICE_NAME;

use super::context::Context;
use super::drawn::Drawn;
use super::encoded::{answer, requests};
use super::watch::{watch_endpoints, watch_pods};

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// The Watch service.
#[derive(Clone)]
pub(super) struct WatchRoutes(pub Arc<Context>);

impl NamedService for WatchRoutes {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<Request<Body>> for WatchRoutes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Poller<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let context = Arc::clone(&self.0);
        let max = context.limits.max_message_bytes;
        match request.uri().path().strip_prefix("/selectord.v1.Watch/") {
            Some("WatchEndpoints") => Box::pin(async move { Ok(endpoints(context, request, max)) }),
            Some("WatchPods") => Box::pin(async move {
                let mut grpc =
                    Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(max), None);
                Ok(grpc.server_streaming(Pods(context), request).await)
            }),
            _ => Box::pin(async { Ok(Status::new(Code::Unimplemented, "").into_http()) }),
        }
    }
}

/// The answer begins before the first request is there: some clients wait for it.
fn endpoints(context: Arc<Context>, request: Request<Body>, max: usize) -> Response<Body> {
    let peer = request.extensions().get::<TcpConnectInfo>();
    let peer = peer
        .and_then(TcpConnectInfo::remote_addr)
        .map_or_else(|| "unix".to_owned(), |address| address.to_string());
    match requests(request, max) {
        Ok(requests) => answer(Drawn::new(|tap| {
            watch_endpoints(context, peer, requests, tap)
        })),
        Err(refused) => refused.into_http(),
    }
}

struct Pods(Arc<Context>);

impl ServerStreamingService<proto::WatchPodsRequest> for Pods {
    type Response = proto::WatchPodsResponse;
    type ResponseStream = Drawn<proto::WatchPodsResponse>;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<proto::WatchPodsRequest>) -> Self::Future {
        Box::pin(watch_pods(Arc::clone(&self.0), request))
    }
}
