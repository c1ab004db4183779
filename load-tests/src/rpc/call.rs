use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::PathAndQuery;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::RawCodec;

/// A connection of its own, with windows that do not hold up what is measured.
///
/// # Errors
/// Nobody answers there.
pub async fn connect(address: &str) -> anyhow::Result<Channel> {
    const WINDOW: u32 = 4 << 20;
    Endpoint::from_shared(format!("http://{address}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW)
        .connect()
        .await
        .with_context(|| format!("no server answers at {address}"))
}

/// A unary call whose request is encoded already, and whose answer nobody decodes.
#[derive(Debug, Clone)]
pub struct Call {
    channel: Channel,
    path: PathAndQuery,
    request: Bytes,
}

impl Call {
    /// A call of `/package.Service/Method`.
    pub fn new(channel: &Channel, path: &'static str, request: &impl prost::Message) -> Call {
        Call {
            channel: channel.clone(),
            path: PathAndQuery::from_static(path),
            request: request.encode_to_vec().into(),
        }
    }

    /// The yardstick: the standard health check, an empty request and an answer of two bytes.
    pub fn echo(channel: &Channel) -> Call {
        Call::new(channel, "/grpc.health.v1.Health/Check", &())
    }

    /// The same over another connection.
    pub fn over(&self, channel: &Channel) -> Call {
        Call {
            channel: channel.clone(),
            ..self.clone()
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// What the server refuses, and whatever keeps the answer from coming.
    pub async fn make(self) -> Result<Bytes, Status> {
        let mut grpc = Grpc::new(self.channel);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::unavailable(error.to_string()))?;
        let answer = grpc.unary(Request::new(self.request), self.path, RawCodec);
        Ok(answer.await?.into_inner())
    }

    /// Makes it over and over for so long, each of so many callers on each connection as soon as it has
    /// the answer before; answers how many were made.
    ///
    /// # Errors
    /// The first call that failed.
    pub async fn flat_out(
        &self,
        channels: &[Channel],
        callers: usize,
        time: Duration,
    ) -> anyhow::Result<u64> {
        let end = Instant::now() + time;
        let mut tasks = JoinSet::new();
        for channel in channels {
            for _ in 0..callers {
                let call = self.over(channel);
                tasks.spawn(async move {
                    let mut made = 0;
                    while Instant::now() < end {
                        call.clone().make().await?;
                        made += 1;
                    }
                    Ok::<u64, Status>(made)
                });
            }
        }
        let mut made = 0;
        while let Some(ended) = tasks.join_next().await {
            made += ended?.context("a call failed")?;
        }
        Ok(made)
    }
}
