use std::time::{Duration, Instant};

use anyhow::bail;
use selectord::client::{Client, Listing};
use selectord::model::ObjectName;

use crate::cluster;
use crate::measure::Latencies;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
const SELECTORS: [&str; 5] = [
    "tier=web,env=prod",
    "run=rng,active!=yes",
    "team in (team-1,team-2),active=yes",
    "!job-name,zone",
    "version>100",
];

/// Asks one question after another until `until`; answers how long each took.
pub async fn ask(
    client: Client,
    services: Vec<ObjectName>,
    until: Instant,
    seed: u64,
) -> anyhow::Result<Latencies> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut latencies = Latencies::new();
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
        latencies.record(start.elapsed());
        if at < revision {
            bail!("an answer at revision {at} came after one at {revision}");
        }
        revision = at;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latencies)
}
