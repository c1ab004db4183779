use std::time::{Duration, Instant};

use selectord::client::{Client, WatchOptions};
use selectord::engine::{Scope, View};
use selectord::wire::Cursor;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Channel;

use crate::context::Context;
use crate::measure::{Process, Samples, Usage};
use crate::rpc::{self, Call};
use crate::server::Server;

/// Echoes on their way at one time.
const CONCURRENT: usize = 32;

/// A server that knows the whole corpus.
pub struct Cluster {
    /// The server.
    pub server: Server,
    /// What this side's calls run on.
    pub calls: Runtime,
    /// A connection for writes.
    pub channel: Channel,
    /// One for questions.
    pub client: Client,
}

/// A state of the server, and the cursor that belongs to it.
pub struct State {
    /// What a new subscriber of every service is sent.
    pub view: View,
    /// Of that subscriber.
    pub cursor: Cursor,
}

impl State {
    /// The cursor of a subscriber of another scope who has its part of this state.
    pub fn cursor(&self, scope: &Scope) -> Cursor {
        Cursor {
            scope: scope.fingerprint(),
            ..self.cursor.clone()
        }
    }
}

impl Cluster {
    /// Starts a server with these flags, and loads the corpus.
    pub fn start(context: &Context, flags: &[&str]) -> anyhow::Result<Cluster> {
        let server = Server::start(context, flags)?;
        let calls = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (channel, client) = calls.block_on(async {
            let channel = rpc::connect(&server.address).await?;
            rpc::load(context, &channel, |_| ()).await?;
            anyhow::Ok((channel, Client::connect(&server.address).await?))
        })?;
        Ok(Cluster {
            server,
            calls,
            channel,
            client,
        })
    }

    /// What there is now, as a new subscriber is sent it.
    pub fn state(&self) -> anyhow::Result<State> {
        self.calls.block_on(async {
            let mut watcher = self.client.watch(Scope::all(), WatchOptions::default());
            let cut = watcher.next().await?;
            Ok(State {
                view: watcher.view().clone(),
                cursor: cut.cursor,
            })
        })
    }

    /// What the server and this process have used so far; none if the server's cannot be told.
    pub fn usage(&self) -> Option<(Usage, Usage)> {
        Some((self.server.process()?.usage()?, Process::own().usage()?))
    }

    /// The server's memory once it has settled.
    pub fn resident(&self) -> Option<f64> {
        let process = self.server.process()?;
        let mut last = process.usage()?.resident;
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(250));
            let now = process.usage()?.resident;
            if now.abs_diff(last) <= last / 2_000 {
                return Some(now as f64);
            }
            last = now;
        }
        Some(last as f64)
    }

    /// The yardstick: empty unary echoes, as many as go. Answers calls a second, and nanoseconds of the
    /// server's processor time for each.
    pub fn echo(&self, time: Duration) -> anyhow::Result<(f64, Samples)> {
        let before = self.usage();
        let start = Instant::now();
        let echo = Call::echo(&self.channel);
        let channels = std::slice::from_ref(&self.channel);
        let made = echo.flat_out(channels, CONCURRENT, time);
        let calls = self.calls.block_on(made)? as f64;
        let busy = before.zip(self.usage()).map(|((before, _), (after, _))| {
            after.cpu.saturating_sub(before.cpu).as_nanos() as f64 / calls
        });
        Ok((
            calls / start.elapsed().as_secs_f64(),
            busy.into_iter().collect(),
        ))
    }
}
