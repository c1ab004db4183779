//! What the Watch service does.

use std::future::pending;
use std::sync::Arc;

use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};

use crate::engine::Scope;
use crate::labels::FieldError;
use crate::wire::proto::watch_endpoints_request::Request as Asked;
use crate::wire::{self, Cursor, EncodedMessage, proto, status};

use super::context::{Context, namespaces, peer, unopened, valid};
use super::drawn::{Drawn, Tap};
use super::feed::{EndpointsFeed, PodsFeed};
use super::follow::{Follower, resume};
use super::listeners::Interest;
use super::offers::{Offering, offers};
use super::page::fingerprint;
use super::subscribers::Subscription;

/// Longest name of a subscriber, in bytes.
const MAX_NAME: usize = 253;
/// Most names and namespaces in the scope of one stream.
const MAX_SCOPE_NAMES: usize = 10_000;
/// Most bytes of the selector of one stream.
const MAX_SELECTOR: usize = 64 << 10;

pub(super) async fn watch_pods(
    context: Arc<Context>,
    request: Request<proto::WatchPodsRequest>,
) -> Result<Response<Drawn<proto::WatchPodsResponse>>, Status> {
    let peer = peer(&request);
    let request = request.into_inner();
    check_name(&request.name, "name")?;
    check_scope(0, request.selector.as_ref(), "")?;
    let selector = valid("selector", wire::decode_filter(request.selector.as_ref()))?;
    let mut names = request.scope.unwrap_or_default().namespaces;
    valid("scope.namespaces", wire::check_namespaces(&names))?;
    names.sort_unstable();
    names.dedup();
    let scope = describe_pods(&names, &selector.to_string());
    let fingerprint = fingerprint(&scope);
    context.current()?;
    let cursor = context
        .believed(request.cursor.map(wire::decode_cursor))
        .await;
    let from = resume(&context, cursor, fingerprint);
    let subscription = Subscription::new(&context, request.name, peer, scope)?;
    let query = context
        .runtime
        .open_live_query(selector, namespaces(names))
        .await
        .map_err(unopened)?;
    let changed = query.changed().clone();
    let feed = PodsFeed::new(query, from, context.limits.stream_message_bytes);
    Ok(Response::new(Drawn::new(move |tap| async move {
        let seat = context.audience.join(Interest::Pods(changed));
        let follower = Follower::new(context, &subscription, seat, &tap, feed, fingerprint, from);
        follower.run(pending()).await
    })))
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
    can_offer: bool,
}

impl Wanted {
    fn new(subscribe: proto::Subscribe) -> Result<Self, Status> {
        check_name(&subscribe.name, "subscribe.name")?;
        if let Some(proto::watch_scope::Scope::Services(services)) =
            subscribe.scope.as_ref().and_then(|s| s.scope.as_ref())
        {
            let path = "subscribe.scope.services";
            let names = services
                .names
                .len()
                .saturating_add(services.namespaces.len());
            check_scope(names, services.selector.as_ref(), path)?;
        }
        Ok(Wanted {
            scope: valid("subscribe.scope", wire::decode_scope(subscribe.scope))?,
            cursor: subscribe.cursor.map(wire::decode_cursor),
            name: subscribe.name,
            subscription: subscribe.subscription,
            can_offer: subscribe.can_offer,
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

/// A scope is kept, and looked at with every change, for as long as its stream is open.
fn check_scope(names: usize, selector: Option<&proto::Selector>, path: &str) -> Result<(), Status> {
    let mut faults = Vec::new();
    if names > MAX_SCOPE_NAMES {
        let detail =
            format!("may have at most {MAX_SCOPE_NAMES} names and namespaces, has {names}");
        faults.push(FieldError::invalid(path, detail));
    }
    let bytes = selector.map_or(0, proto::Selector::encoded_len);
    if bytes > MAX_SELECTOR {
        let detail = format!("may have at most {MAX_SELECTOR} bytes, has {bytes}");
        faults.push(FieldError::invalid("selector", detail).under(path));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(status::invalid(&faults))
    }
}

pub(super) async fn watch_endpoints(
    context: Arc<Context>,
    peer: String,
    mut requests: Streaming<proto::WatchEndpointsRequest>,
    tap: Tap<EncodedMessage>,
) -> Result<(), Status> {
    context.current()?;
    let subscription = Subscription::new(&context, String::new(), peer, String::new())?;
    let first = tokio::select! {
        biased;
        first = requests.message() => first.map_err(|error| context.unreadable(error))?,
        () = context.drain.cancelled() => return Err(status::draining()),
        () = tokio::time::sleep(context.limits.subscribe_wait) => {
            return Err(status::unsubscribed(context.limits.subscribe_wait));
        }
    };
    let mut wanted = match first.and_then(|first| first.request) {
        Some(Asked::Subscribe(subscribe)) => Wanted::new(subscribe)?,
        Some(Asked::AppliedRevision(_) | Asked::Offer(_)) | None => {
            let detail = "the first request of a stream subscribes";
            return Err(status::invalid(&[FieldError::required(
                "subscribe",
                detail,
            )]));
        }
    };
    subscription.rescoped(wanted.name.clone(), wanted.scope.to_string());
    let _watching = context.runtime.tail().watch();
    loop {
        let fingerprint = wanted.scope.fingerprint();
        let cursor = context.believed(wanted.cursor).await;
        let from = resume(&context, cursor, fingerprint);
        let scope = Arc::new(wanted.scope);
        let seat = (context.audience).join(Interest::Endpoints(Arc::clone(&scope)));
        let bytes = context.limits.stream_message_bytes;
        let (mut offering, offers) = offers();
        let offers = wanted.can_offer.then_some(offers);
        let feed = EndpointsFeed::new(scope, from, bytes, wanted.subscription, offers);
        let follower = Follower::new(
            Arc::clone(&context),
            &subscription,
            seat,
            &tap,
            feed,
            fingerprint,
            from,
        );
        wanted = follower
            .run(next_subscribe(
                &context,
                &subscription,
                &mut requests,
                &mut offering,
            ))
            .await?;
        subscription.rescoped(wanted.name.clone(), wanted.scope.to_string());
    }
}

/// Notes what the subscriber reports, and takes what it offers, until it wants something else. A client
/// that has said all it will say still listens.
async fn next_subscribe(
    context: &Context,
    subscription: &Subscription,
    requests: &mut Streaming<proto::WatchEndpointsRequest>,
    offering: &mut Offering,
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
            Some(proto::WatchEndpointsRequest {
                request: Some(Asked::Offer(offer)),
            }) => offering.give(offer).await?,
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
