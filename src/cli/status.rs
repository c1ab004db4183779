use std::fmt::Write as _;
use std::io::Write;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tonic::Code;

use crate::client::{ServerStatus, Subscriber, Verified};

use super::age::short;
use super::failure::Done;
use super::print::print_data;
use super::table::{Columns, or_none};
use super::target::{DataArgs, EarlyArgs, ServerArgs};

/// Show a server's revision, sizes and subscribers, and how far each of them is
///
/// A subscriber lags when it has not been sent, or has not reported as applied, the newest revision.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord status
  selectord status -o json
  selectord status --verify --server unix:/run/selectord.sock")]
pub(super) struct Args {
    /// Have the server recompute everything the slow way, and compare: holds up writes meanwhile
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    output: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let client = args.server.connect(early).await?;
    let status = client.status().await?;
    let subscribers = match client.subscribers().await {
        Ok(listed) => listed.answer,
        // Before there is a state nobody can listen to it.
        Err(error) if error.code() == Code::Unavailable && !status.unready.is_empty() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let verified = if args.verify {
        Some(client.verify().await?.answer)
    } else {
        None
    };
    match args.output.output {
        Some(format) => print_data(out, format, &data(&status, &subscribers, verified.as_ref()))?,
        None => {
            writeln!(out, "selectord {} at {}", status.version, client.address())?;
            out.write_all(facts(&status, SystemTime::now()).as_bytes())?;
            subscribers_table(&subscribers, out)?;
            if let Some(verified) = &verified {
                print_verified(verified, out)?;
            }
        }
    }
    let agrees = verified.is_none_or(|verified| verified.discrepancies.is_empty());
    Ok(if agrees { Done::Well } else { Done::Partly })
}

fn facts(status: &ServerStatus, now: SystemTime) -> String {
    let ago = |time: Option<SystemTime>| {
        let age = time.and_then(|time| now.duration_since(time).ok());
        age.map_or_else(|| "never".to_owned(), |age| format!("{} ago", short(age)))
    };
    let mut facts = vec![
        (
            "revision",
            format!("{}, committed {}", status.revision, ago(status.commit_time)),
        ),
        ("epoch", hex(&status.epoch)),
        ("started", ago(status.started)),
        ("store", or_none(status.store.as_str())),
        ("missing node", or_none(status.missing_node.as_str())),
    ];
    if status.source_age > Duration::ZERO {
        facts.push((
            "source",
            format!("last heard of {} ago", short(status.source_age)),
        ));
    }
    if !status.unready.is_empty() {
        facts.push(("not ready", status.unready.clone()));
    }
    if !status.store_fault.is_empty() {
        facts.push(("store fault", status.store_fault.clone()));
    }
    let sizes = status
        .sizes
        .iter()
        .map(|(name, number)| (*name, number.to_string()));
    let mut text = String::new();
    for (name, value) in facts.into_iter().chain(sizes) {
        let _ = writeln!(text, "{:20} {value}", name.replace('_', " "));
    }
    text
}

fn subscribers_table(subscribers: &[Subscriber], out: &mut dyn Write) -> anyhow::Result<()> {
    if subscribers.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let row = |s: &Subscriber| {
        vec![
            s.id.to_string(),
            or_none(s.name.as_str()),
            or_none(s.peer.as_str()),
            s.scope.clone(),
            s.sent.to_string(),
            if s.applied == 0 {
                "<none>".to_owned()
            } else {
                s.applied.to_string()
            },
            if s.behind.is_zero() {
                "-".to_owned()
            } else {
                short(s.behind)
            },
        ]
    };
    let rows = subscribers.iter().map(row).collect();
    let header = vec![
        "SUBSCRIBER",
        "NAME",
        "PEER",
        "SCOPE",
        "SENT",
        "APPLIED",
        "BEHIND",
    ];
    Ok(Columns::new(header).print(out, rows)?)
}

fn print_verified(verified: &Verified, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out)?;
    if verified.discrepancies.is_empty() {
        writeln!(
            out,
            "verified in {}: everything agrees",
            short(verified.elapsed)
        )?;
    }
    for discrepancy in &verified.discrepancies {
        writeln!(out, "disagrees: {discrepancy}")?;
    }
    Ok(())
}

fn data(
    status: &ServerStatus,
    subscribers: &[Subscriber],
    verified: Option<&Verified>,
) -> serde_json::Value {
    let unix = |time: Option<SystemTime>| {
        time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .map(|age| age.as_secs_f64())
    };
    let numbers = |numbers: &[(&str, u64)]| -> serde_json::Map<String, serde_json::Value> {
        numbers
            .iter()
            .map(|(name, number)| (camel(name), (*number).into()))
            .collect()
    };
    let subscribers: Vec<_> = subscribers
        .iter()
        .map(|s| {
            json!({
                "id": s.id,
                "name": s.name,
                "peer": s.peer,
                "scope": s.scope,
                "sentRevision": s.sent,
                "appliedRevision": s.applied,
                "sinceUnixSeconds": unix(s.since),
                "behindSeconds": s.behind.as_secs_f64(),
            })
        })
        .collect();
    let discrepancies = verified.map(|verified| verified.discrepancies.as_slice());
    json!({
        "version": status.version,
        "revision": status.revision,
        "epoch": hex(&status.epoch),
        "startedUnixSeconds": unix(status.started),
        "commitUnixSeconds": unix(status.commit_time),
        "sourceAgeSeconds": status.source_age.as_secs_f64(),
        "unready": status.unready,
        "storeFault": status.store_fault,
        "store": status.store,
        "missingNode": status.missing_node,
        "sizes": numbers(&status.sizes),
        "work": numbers(&status.work),
        "subscribers": subscribers,
        // Null where nobody asked.
        "discrepancies": discrepancies,
    })
}

/// A protocol's name as JSON has it: `label_keys` becomes `labelKeys`.
pub(super) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(part.len().min(1));
        text.push_str(&first.to_ascii_uppercase());
        text.push_str(rest);
    }
    text
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_line_up() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let status = ServerStatus {
            version: "0.1.0".into(),
            epoch: vec![0xab, 0x01].into(),
            revision: 7,
            started: Some(SystemTime::UNIX_EPOCH),
            commit_time: Some(now - Duration::from_secs(3)),
            source_age: Duration::ZERO,
            store: "memory".into(),
            missing_node: "admit".into(),
            sizes: vec![("pods", 3), ("label_keys", 12)],
            work: vec![],
            unready: String::new(),
            store_fault: "the thread has ended".into(),
            max_transaction_objects: 0,
            max_transaction_bytes: 0,
        };
        assert_eq!(
            facts(&status, now),
            "\
revision             7, committed 3s ago
epoch                ab01
started              16m40s ago
store                memory
missing node         admit
store fault          the thread has ended
pods                 3
label keys           12
"
        );
        assert_eq!(camel("live_query_bytes"), "liveQueryBytes");
    }
}
