//! A client that is killed over and over, and goes on from its last checkpoint.

use std::time::Duration;

use anyhow::bail;
use selectord::engine::Scope;
use selectord_corpus::Churn;
use tokio::sync::watch;

use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};
use crate::scenarios::churn::writer;
use crate::scenarios::fanout::Cluster;
use crate::subscribers::{Base, Connection, Fold, Scan, Scratch, WIDE, subscribe};

use super::reader::read;

const RATE: f64 = 2_000.0;
/// Changes in one transaction.
const AT_ONCE: usize = 4;
/// A client lives for at most so long.
const LIFE: Duration = Duration::from_millis(60);
/// Or until it has read so many bytes.
const BYTES: u64 = 64 << 10;

/// What one life brought.
struct Life {
    messages: Vec<Vec<u8>>,
    bytes: u64,
    reached: u64,
}

/// Under churn; beside it, one that stays.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    churn: &mut Churn<'_>,
) -> anyhow::Result<()> {
    let first = cluster.state()?;
    let count = (RATE * context.duration().as_secs_f64() / 2.0) as usize;
    let batch = writer::encoded(churn, count, AT_ONCE);
    let (tell, until) = watch::channel(None);
    let address = cluster.server.address.clone();
    let mut random = fastrand::Rng::with_seed(context.args.seed);
    let (lives, stayed) = cluster.calls.block_on(async {
        let write = async {
            let paced = writer::paced(&cluster.channel, batch, RATE / AT_ONCE as f64).await?;
            let last = paced.sent.last().map_or(0, |sent| sent.revision);
            tell.send_replace(Some(last));
            anyhow::Ok(last)
        };
        let stay = async {
            // Whoever stays is sent to until all is written.
            let mut total = 0;
            let mut scan = Scan::new(false);
            let mut scratch = Scratch::default();
            let request = subscribe(&Scope::all(), Some(&first.cursor), "stays");
            let mut connection = Connection::open(&address, WIDE, [request]).await?;
            let mut reached = 0;
            while until.borrow().is_none_or(|until| reached < until) {
                let more = tokio::time::timeout(LIFE, connection.readable()).await;
                if more.is_ok() {
                    connection
                        .follow(&mut scratch, &mut scan, |message, _| {
                            total += message.bytes as u64;
                            reached = message.checkpoint.unwrap_or(reached);
                        })
                        .await?;
                }
            }
            anyhow::Ok(total)
        };
        let die = async {
            let mut lives: Vec<Life> = Vec::new();
            let mut cursor = first.cursor.clone();
            let mut longer = 1;
            while until.borrow().is_none_or(|until| cursor.revision < until) {
                let life = live(&address, &cursor, &mut random, longer).await?;
                if life.reached > 0 {
                    cursor.revision = life.reached;
                    longer = 1;
                } else {
                    // What it has missed may be more than it lived to read.
                    longer = (longer * 2).min(64);
                }
                lives.push(life);
            }
            anyhow::Ok(lives)
        };
        let (_, stayed, lives) = tokio::try_join!(write, stay, die)?;
        anyhow::Ok((lives, stayed))
    })?;

    let last = cluster.state()?;
    let base = Base::new(&first.view, &last.view);
    let mut fold = Fold::new(&base, Scope::all(), true);
    let mut bytes = 0;
    for life in &lives {
        fold.lost();
        for message in &life.messages {
            fold.message(message)?;
        }
        bytes += life.bytes;
    }
    // What it missed when it was killed for the last time.
    if let Some(cursor) = fold.cursor().cloned() {
        let until = last.cursor.revision;
        let all = Scope::all();
        let rest = read(&address, &all, Some(&cursor), until, true);
        fold.lost();
        for message in cluster.calls.block_on(rest)?.bodies {
            fold.message(&message)?;
        }
    }
    fold.compare()?;
    if fold.resets > 0 {
        bail!("a client that came back with a good cursor was told to begin anew");
    }
    let eventless = lives.iter().filter(|life| life.reached == 0).count();
    section.row(
        Row::one(
            format!(
                "a client killed {} times under 2,000 changes/s: bytes sent to it",
                lives.len()
            ),
            Unit::Bytes,
            bytes as f64,
        )
        .beside(
            "to one that stays connected",
            Unit::Bytes,
            &Samples::one(stayed as f64),
        )
        .ratio_at_most(2.0),
    );
    section.note(format!(
        "the client is killed, within a message or not, after at most {} or {}, or longer \
         when that brought no checkpoint, which was so {eventless} times; it began anew not once, and what it folded is the server's state",
        Unit::Time.show(LIFE.as_nanos() as f64),
        Unit::Bytes.show(BYTES as f64),
    ));
    Ok(())
}

/// Connects with a cursor, reads for a while, and is killed. Of what it read only whole messages are
/// known to it.
async fn live(
    address: &str,
    cursor: &selectord::wire::Cursor,
    random: &mut fastrand::Rng,
    longer: u32,
) -> anyhow::Result<Life> {
    let mut life = Life {
        messages: Vec::new(),
        bytes: 0,
        reached: 0,
    };
    let life_span = LIFE.mul_f64(random.f64()) * longer;
    let enough = random.u64(1..BYTES) * u64::from(longer);
    let request = subscribe(&Scope::all(), Some(cursor), "is killed");
    let mut connection = Connection::open(address, WIDE, [request]).await?;
    let mut scan = Scan::new(true);
    let mut scratch = Scratch::default();
    let reading = async {
        while life.bytes < enough {
            connection
                .follow(&mut scratch, &mut scan, |message, body| {
                    life.bytes += message.bytes as u64;
                    life.messages.extend(body);
                    life.reached = message.checkpoint.unwrap_or(life.reached);
                })
                .await?;
        }
        std::io::Result::Ok(())
    };
    match tokio::time::timeout(life_span, reading).await {
        Ok(Err(error)) => Err(error.into()),
        _ => Ok(life),
    }
}
