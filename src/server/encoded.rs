//! The Watch service's way onto HTTP/2. Its messages are encoded before they come here, and shared by
//! all who are sent the same, so that the generated server, which encodes structs into a buffer of
//! each stream, cannot carry them. What is on the wire is the same.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use tokio_stream::Stream as _;
use tonic::Status;
use tonic::Streaming;
use tonic::body::Body;
use tonic::codec::BufferSettings;
use tonic::metadata::GRPC_CONTENT_TYPE;
use tonic_prost::ProstCodec;

use crate::wire::EncodedMessage;

use super::drawn::Drawn;

/// Bytes that a stream's reader of requests begins with: they are small and few.
const REQUEST_BUFFER: usize = 256;
/// How a client says that its messages are compressed.
const ENCODING: &str = "grpc-encoding";

/// The requests of a stream.
///
/// # Errors
/// They are compressed.
pub(super) fn requests<M>(request: Request<Body>, max_bytes: usize) -> Result<Streaming<M>, Status>
where
    M: prost::Message + Default + Send + 'static,
{
    if let Some(encoding) = request.headers().get(ENCODING)
        && encoding != "identity"
    {
        let mut status = Status::unimplemented("requests may not be compressed: use identity");
        let accepted = tonic::metadata::MetadataValue::from_static("identity");
        status
            .metadata_mut()
            .insert("grpc-accept-encoding", accepted);
        return Err(status);
    }
    let settings = BufferSettings::new(REQUEST_BUFFER, REQUEST_BUFFER);
    let decoder = ProstCodec::<M, M>::raw_decoder(settings);
    Ok(Streaming::new_request(
        decoder,
        request.into_body(),
        None,
        Some(max_bytes),
    ))
}

/// A stream of encoded messages as an answer.
pub(super) fn answer(messages: Drawn<EncodedMessage>) -> Response<Body> {
    let body = EncodedBody {
        messages,
        parts: Default::default(),
        ended: false,
    };
    let mut response = Response::new(Body::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    response
}

/// Messages, part by part, and the status in the trailers.
struct EncodedBody {
    messages: Drawn<EncodedMessage>,
    /// What is left of the message that is being sent.
    parts: [Bytes; 3],
    ended: bool,
}

impl http_body::Body for EncodedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(part) = self.parts.iter_mut().find(|part| !part.is_empty()) {
                return Poll::Ready(Some(Ok(Frame::data(mem::take(part)))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let end = match ready!(Pin::new(&mut self.messages).poll_next(cx)) {
                Some(Ok(message)) => {
                    self.parts = message.parts;
                    continue;
                }
                Some(Err(status)) => status,
                None => Status::ok(""),
            };
            self.ended = true;
            let mut trailers = HeaderMap::new();
            if end.add_header(&mut trailers).is_err() {
                trailers.insert("grpc-status", HeaderValue::from_static("13"));
            }
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.parts.iter().all(Bytes::is_empty)
    }
}
