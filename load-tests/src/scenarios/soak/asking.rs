use std::time::{Duration, Instant};

use anyhow::bail;
use selectord::client::{Client, Listing};
use selectord::model::ObjectName;

use crate::cluster;
use crate::measure::Latencies;
use crate::rpc::Call;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
const SELECTORS: [&str; 5] = [
    "tier=web,env=prod",
    "run=rng,active!=yes",
    "team in (team-1,team-2),active=yes",
    "!job-name,zone",
    "version>100",
];

/// How long answers took.
#[derive(Debug, Default)]
pub struct Asked {
    /// Those of questions.
    pub queries: Latencies,
    /// Those of empty echoes, each sent after a question: what is the machine's and not the engine's.
    pub echoes: Latencies,
}

/// Asks one question after another until `until`.
pub async fn ask(
    client: Client,
    echo: Call,
    services: Vec<ObjectName>,
    until: Instant,
    seed: u64,
) -> anyhow::Result<Asked> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut asked = Asked::default();
    let mut revision = 0;
    while Instant::now() < until {
        let start = Instant::now();
        let at = match random.choice(&services) {
            Some(service) if random.bool() => client.endpoints(service).await?.revision,
            _ => {
                let text = random.choice(SELECTORS).unwrap_or_default();
                let listing = Listing {
                    selector: cluster::selector(text),
                    ..Listing::default()
                };
                client.count(&listing).await?.revision
            }
        };
        asked.queries.record(start.elapsed());
        if at < revision {
            bail!("an answer at revision {at} came after one at {revision}");
        }
        revision = at;
        let start = Instant::now();
        echo.clone().make().await?;
        asked.echoes.record(start.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(asked)
}
