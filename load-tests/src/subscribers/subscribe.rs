use bytes::Bytes;
use prost::Message as _;
use selectord::engine::{Scope, ServiceScope};
use selectord::model::ObjectName;
use selectord::wire::{self, Cursor, proto};

/// The first request of a stream.
pub fn subscribe(scope: &Scope, cursor: Option<&Cursor>, name: &str) -> Bytes {
    use proto::watch_endpoints_request::Request;
    let subscribe = proto::Subscribe {
        scope: Some(wire::encode_scope(scope)),
        cursor: cursor.map(wire::encode_cursor),
        name: name.to_owned(),
        subscription: 0,
        can_offer: false,
    };
    let request = proto::WatchEndpointsRequest {
        request: Some(Request::Subscribe(subscribe)),
    };
    request.encode_to_vec().into()
}

/// The scope of one service.
pub fn named(service: &ObjectName) -> Scope {
    Scope::Services(ServiceScope {
        names: [service.clone()].into(),
        ..ServiceScope::default()
    })
}
