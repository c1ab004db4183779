//! The Watch service.

use std::future::pending;
use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::engine::Scope;
use crate::labels::FieldError;
use crate::wire::proto::watch_endpoints_request::Request as Asked;
use crate::wire::{self, Cursor, proto, status};

use super::context::{Context, namespaces, peer, unopened, valid};
use super::feed::{EndpointsFeed, PodsFeed};
use super::follow::{Ended, Follower, resume};
use super::outflow::{Outflow, Outlet};
use super::page::fingerprint;
use super::subscribers::Subscription;

/// Longest name of a subscriber, in bytes.
const MAX_NAME: usize = 253;

pub(super) struct WatchService(pub Arc<Context>);

#[tonic::async_trait]
impl proto::watch_server::Watch for WatchService {
    type WatchEndpointsStream = Outflow<proto::WatchEndpointsResponse>;
    type WatchPodsStream = Outflow<proto::WatchPodsResponse>;

    async fn watch_endpoints(
        &self,
        request: Request<Streaming<proto::WatchEndpointsRequest>>,
    ) -> Result<Response<Self::WatchEndpointsStream>, Status> {
        let peer = peer(&request);
        let context = Arc::clone(&self.0);
        // The answer begins before the first request is there: some clients wait for it.
        Ok(Response::new(Outflow::spawn(|outlet| {
            watch_endpoints(context, peer, request.into_inner(), outlet)
        })))
    }

    async fn watch_pods(
        &self,
        request: Request<proto::WatchPodsRequest>,
    ) -> Result<Response<Self::WatchPodsStream>, Status> {
        let peer = peer(&request);
        let request = request.into_inner();
        let context = Arc::clone(&self.0);
        check_name(&request.name, "name")?;
        let selector = valid("selector", wire::decode_filter(request.selector.as_ref()))?;
        let mut names = request.scope.unwrap_or_default().namespaces;
        names.sort_unstable();
        names.dedup();
        let scope = describe_pods(&names, &selector.to_string());
        let fingerprint = fingerprint(&scope);
        let from = resume(
            &context,
            request.cursor.map(wire::decode_cursor),
            fingerprint,
        );
        let subscription = Subscription::new(&context, request.name, peer, scope)?;
        let query = context
            .runtime
            .open_live_query(selector, namespaces(names))
            .await
            .map_err(unopened)?;
        let feed = PodsFeed::new(query, from, context.limits.stream_message_bytes);
        Ok(Response::new(Outflow::spawn(move |outlet| async move {
            let follower = Follower::new(context, &subscription, &outlet, feed, fingerprint, from);
            end(follower.run(pending::<Result<(), Status>>()).await)
        })))
    }
}

/// What a live query is of, in words that are the same wherever the same is asked.
fn describe_pods(namespaces: &[String], selector: &str) -> String {
    let mut text = "pods".to_owned();
    if !namespaces.is_empty() {
        text.push_str(" in ");
        text.push_str(&namespaces.join(","));
    }
    if !selector.is_empty() {
        text.push_str(" matching ");
        text.push_str(selector);
    }
    text
}

/// What a Subscribe asks.
struct Wanted {
    scope: Scope,
    cursor: Option<Cursor>,
    name: String,
    subscription: u64,
}

impl Wanted {
    fn new(subscribe: proto::Subscribe) -> Result<Self, Status> {
        check_name(&subscribe.name, "subscribe.name")?;
        Ok(Wanted {
            scope: valid("subscribe.scope", wire::decode_scope(subscribe.scope))?,
            cursor: subscribe.cursor.map(wire::decode_cursor),
            name: subscribe.name,
            subscription: subscribe.subscription,
        })
    }
}

fn check_name(name: &str, path: &str) -> Result<(), Status> {
    if name.len() > MAX_NAME {
        let detail = format!("must be no more than {MAX_NAME} bytes, is {}", name.len());
        return Err(status::invalid_field(path, detail));
    }
    Ok(())
}

async fn watch_endpoints(
    context: Arc<Context>,
    peer: String,
    mut requests: Streaming<proto::WatchEndpointsRequest>,
    outlet: Outlet<proto::WatchEndpointsResponse>,
) -> Result<(), Status> {
    let first = tokio::select! {
        biased;
        first = requests.message() => first.map_err(|error| context.unreadable(error))?,
        () = context.drain.cancelled() => return Err(status::draining()),
        () = outlet.gone() => return Ok(()),
    };
    let mut wanted = match first.and_then(|first| first.request) {
        Some(Asked::Subscribe(subscribe)) => Wanted::new(subscribe)?,
        Some(Asked::AppliedRevision(_)) | None => {
            let detail = "the first request of a stream subscribes";
            return Err(status::invalid(&[FieldError::required(
                "subscribe",
                detail,
            )]));
        }
    };
    let subscription = Subscription::new(
        &context,
        wanted.name.clone(),
        peer,
        wanted.scope.to_string(),
    )?;
    loop {
        let fingerprint = wanted.scope.fingerprint();
        let from = resume(&context, wanted.cursor, fingerprint);
        let feed = EndpointsFeed::new(
            wanted.scope,
            from,
            context.limits.stream_message_bytes,
            wanted.subscription,
        );
        let follower = Follower::new(
            Arc::clone(&context),
            &subscription,
            &outlet,
            feed,
            fingerprint,
            from,
        );
        wanted = match follower
            .run(next_subscribe(&context, &subscription, &mut requests))
            .await
        {
            Ended::Changed(next) => next,
            ended => return end(ended),
        };
        subscription.rescoped(wanted.name.clone(), wanted.scope.to_string());
    }
}

/// Notes what the subscriber reports, until it wants something else. A client that has said all it
/// will say still listens.
async fn next_subscribe(
    context: &Context,
    subscription: &Subscription,
    requests: &mut Streaming<proto::WatchEndpointsRequest>,
) -> Result<Wanted, Status> {
    loop {
        match requests
            .message()
            .await
            .map_err(|error| context.unreadable(error))?
        {
            Some(proto::WatchEndpointsRequest {
                request: Some(Asked::Subscribe(subscribe)),
            }) => {
                return Wanted::new(subscribe);
            }
            Some(proto::WatchEndpointsRequest {
                request: Some(Asked::AppliedRevision(revision)),
            }) => {
                subscription.applied(revision);
            }
            Some(proto::WatchEndpointsRequest { request: None }) => {
                return Err(status::invalid(&[FieldError::required(
                    "subscribe",
                    "say what to do",
                )]));
            }
            None => pending().await,
        }
    }
}

fn end<C>(ended: Ended<C>) -> Result<(), Status> {
    match ended {
        Ended::With(status) => Err(status),
        Ended::Gone | Ended::Changed(_) => Ok(()),
    }
}
