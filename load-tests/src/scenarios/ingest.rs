//! The whole cluster into a server, over one gRPC stream.

use std::time::Duration;

use tokio::runtime::Builder;

use crate::cluster::{LOADED_AT_ONCE, Way};
use crate::context::Context;
use crate::measure::{Process, Samples, Usage};
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc;
use crate::scenarios::engine::loaded;
use crate::server::Server;

/// Loads a fresh server some times; beside it, the engine in this process.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let client = Builder::new_current_thread().enable_all().build()?;
    let pods = f64::from(context.pods());
    let (mut rates, mut beside) = (Samples::default(), Samples::default());
    let (mut server_cpu, mut client_cpu) = (Samples::default(), Samples::default());
    let (mut memory, mut peak) = (Samples::default(), Samples::default());
    let mut bytes = Samples::default();
    let mut waves = Vec::new();
    let runs = if context.args.server.is_some() {
        section.note(Server::NOT_OURS);
        section.note("the server given was loaded once: a second load would replace what is there");
        1
    } else {
        context.runs(3)
    };
    for _ in 0..runs {
        let server = Server::start(context, &[])?;
        let usage = || Some((server.process()?.usage()?, Process::own().usage()?));
        waves.clear();
        let before = usage();
        let ingested = client.block_on(async {
            let channel = rpc::connect(&server.address).await?;
            let mut known = 0;
            rpc::load(context, &channel, |wave| {
                known += wave.operations;
                waves.push((
                    known as f64,
                    wave.operations as f64 / wave.elapsed.as_secs_f64(),
                ));
            })
            .await
        })?;
        if let (Some((server_before, client_before)), Some((server_after, client_after))) =
            (before, usage())
        {
            let spent = |before: Usage, after: Usage| {
                after.cpu.saturating_sub(before.cpu).as_nanos() as f64 / pods
            };
            server_cpu.push(spent(server_before, server_after));
            client_cpu.push(spent(client_before, client_after));
            memory.push(server_after.resident as f64 / pods);
            peak.push(server_after.peak as f64 / pods);
        }
        rates.push(ingested.operations as f64 / ingested.elapsed.as_secs_f64());
        bytes.push(ingested.bytes as f64 / pods);
        drop(server);
        let mut in_process = Duration::ZERO;
        drop(loaded(
            &context.corpus,
            LOADED_AT_ONCE,
            Way::Whole,
            |took, _| in_process += took,
        ));
        beside.push(pods / in_process.as_secs_f64());
    }
    section.row(
        Row::new(
            "bulk ingest over gRPC, 1,000 to a transaction",
            Unit::Rate("pods"),
            &rates,
        )
        .at_least(450_000.0)
        .beside(
            "the same resolved and applied by the library, in this process",
            Unit::Rate("pods"),
            &beside,
        ),
    );
    section.row(Row::new(
        "server's processor time a pod",
        Unit::Time,
        &server_cpu,
    ));
    section.row(Row::new(
        "client's processor time a pod, encoding included",
        Unit::Time,
        &client_cpu,
    ));
    section.row(Row::new("bytes on the wire a pod", Unit::Bytes, &bytes));
    section.row(
        Row::new(
            "server's resident memory a pod, all in",
            Unit::Bytes,
            &memory,
        )
        .beside("the most it was", Unit::Bytes, &peak),
    );
    section.note(
        "messages are encoded before they are sent, wave by wave; the rate is of sending them until the \
         last is acknowledged, client and server on the same cores",
    );
    section.curve(
        Curve::new(
            "rate",
            "Ingest rate while the cluster fills",
            Axis::linear("pods that the server knows", Unit::Number("pods")),
            Axis::linear("pods a second", Unit::Rate("pods")),
        )
        .line("over gRPC", waves)
        .target(450_000.0),
    );
    Ok(())
}
