//! The real server, killed in the midst of a storm and started again on its directory.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use selectord::client::{Client, WatchOptions, Watcher};
use selectord::engine::{Event, Scope};
use selectord::model::{Kind, Pod, Transaction};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::process::{Lines, Server};
use crate::support::build::*;
use crate::support::random::{Random, seeds};

const WRITERS: usize = 4;
/// How often the server is killed, unless SELECTORD_TEST_KILLS says how often.
const KILLS: u64 = 30;

/// The answer, unless it takes so long that it will not come.
async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(180);
    tokio::time::timeout(patience, answer)
        .await
        .expect("no answer")
}

/// What a writer has been told is written, and what it may have written.
#[derive(Default)]
struct Account {
    acknowledged: AtomicU64,
    sent: AtomicU64,
    /// With which revision it was told so.
    revision: AtomicU64,
}

fn request_id(writer: usize, number: u64) -> String {
    format!("writer-{writer}-{number}")
}

fn member(writer: usize, which: &str, number: u64) -> Pod {
    let pod = pod(&format!("storm/w{writer}-{which}"))
        .label("writer", &writer.to_string())
        .label("number", &number.to_string())
        .ip(&format!("10.0.{writer}.{}", which.len()));
    if number.is_multiple_of(3) {
        pod
    } else {
        pod.ready()
    }
}

/// The writer's transaction of this number: three pods that agree on it, and one that is there for odd
/// numbers only.
fn transaction(writer: usize, number: u64) -> Transaction {
    let mut operations: Vec<_> = ["a", "bb", "ccc"]
        .into_iter()
        .map(|which| put_op(member(writer, which, number)))
        .collect();
    operations.push(if !number.is_multiple_of(2) {
        put_op(member(writer, "dddd", number))
    } else {
        delete_op(Kind::Pod, &format!("storm/w{writer}-dddd"))
    });
    // Every now and then a service goes and comes again.
    let service = format!("storm/w{writer}");
    if number % 17 == 5 {
        operations.push(delete_op(Kind::Service, &service));
    } else if number % 17 == 6 || number == 1 {
        let selects = service_of(writer);
        operations.push(put_op(service_named(&service, &selects)));
    }
    Transaction {
        operations,
        ..Transaction::default()
    }
}

fn service_of(writer: usize) -> String {
    format!("writer={writer}")
}

fn service_named(name: &str, selects: &str) -> selectord::model::Service {
    service(name).selects(selects)
}

async fn write(client: Client, writer: usize, account: Arc<Account>, total: watch::Sender<u64>) {
    loop {
        let number = account.acknowledged.load(Ordering::SeqCst) + 1;
        account.sent.store(number, Ordering::SeqCst);
        let id = request_id(writer, number);
        match patiently(client.commit(transaction(writer, number), &id)).await {
            Ok(committed) => {
                account.acknowledged.store(number, Ordering::SeqCst);
                account.revision.store(committed.revision, Ordering::SeqCst);
                total.send_modify(|total| *total += 1);
            }
            Err(_) => return,
        }
    }
}

/// All of a writer's pods agree on a number: that of what it was told of last, or the one behind it.
async fn must_be_whole(client: &Client, writer: usize, account: &Account) {
    let acknowledged = account.acknowledged.load(Ordering::SeqCst);
    let sent = account.sent.load(Ordering::SeqCst);
    let number = async |which: &str| -> Option<u64> {
        let name = name(&format!("storm/w{writer}-{which}"));
        let pod = patiently(client.pod(&name)).await.ok()?.answer.pod;
        let number = pod.labels.get("number")?;
        number.as_str().parse().ok()
    };
    let numbers = [number("a").await, number("bb").await, number("ccc").await];
    let held = numbers[0].unwrap_or(0);
    assert!(
        numbers.iter().all(|number| number.unwrap_or(0) == held),
        "writer {writer}: half a transaction: {numbers:?}"
    );
    assert!(
        held == acknowledged || held == sent,
        "writer {writer}: {held} is there, {acknowledged} was acknowledged and {sent} sent"
    );
    // What was answered is answered as it was, and not applied again.
    let told = account.revision.load(Ordering::SeqCst);
    if acknowledged > 0 {
        let id = request_id(writer, acknowledged);
        let again = patiently(client.commit(transaction(writer, acknowledged), &id)).await;
        assert_eq!(again.unwrap().revision, told, "writer {writer}");
    }
    if held > acknowledged {
        let id = request_id(writer, held);
        let again = patiently(client.commit(transaction(writer, held), &id)).await;
        let revision = again.unwrap().revision;
        assert!(revision > told, "writer {writer}");
        account.revision.store(revision, Ordering::SeqCst);
    }
    let odd = number("dddd").await;
    let right = (held % 2 == 1).then_some(held);
    assert_eq!(odd, right, "writer {writer}: half of transaction {held}");
    account.acknowledged.store(held, Ordering::SeqCst);
}

async fn until(watcher: &mut Watcher, revision: u64, resets: &mut usize) {
    while watcher.cursor().is_none_or(|at| at.revision < revision) {
        let cut = patiently(watcher.next()).await.unwrap();
        *resets += cut.events.iter().filter(|e| **e == Event::Reset).count();
    }
}

async fn storms(seed: u64, kills: u64) {
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let directory = directory.to_str().unwrap();
    let socket = format!("unix:{}", folder.path().join("selectord.sock").display());
    let accounts: [Arc<Account>; WRITERS] = Default::default();
    let mut watcher = None;
    let mut resets = 0;
    let mut epoch = None;
    for life in 0..=kills {
        let journal = random.pick(&["1", "2000", "20000", "1000000"]);
        let fsync = random.pick(&["always", "always", "group:2"]);
        let arguments = [
            "--data-dir",
            directory,
            "--journal-bytes",
            journal,
            "--fsync",
            fsync,
            "--disk-reserve",
            "0",
        ];
        if random.chance(30) {
            // Killed while it reads its directory back, or a moment later.
            let all = [
                &["serve", "--listen", &socket, "--http", "off"],
                &arguments[..],
            ]
            .concat();
            let mut early = Lines::start("", &all);
            if random.chance(50) {
                early.next();
            }
        }
        let server = Server::start_at(&socket, &arguments);
        let client = Client::connect(&socket).await.unwrap();
        let status = client.status().await.unwrap();
        assert_eq!(status.store, "embedded");
        assert_eq!(*epoch.get_or_insert(status.epoch.clone()), status.epoch);
        for (writer, account) in accounts.iter().enumerate() {
            must_be_whole(&client, writer, account).await;
        }
        let verified = client.verify().await.unwrap().answer;
        assert_eq!(verified.discrepancies, Vec::<String>::new());

        let watcher =
            watcher.get_or_insert_with(|| client.watch(Scope::all(), WatchOptions::default()));
        until(watcher, status.revision, &mut resets).await;
        let mut fresh = client.watch(Scope::all(), WatchOptions::default());
        until(&mut fresh, status.revision, &mut 0).await;
        assert_eq!(watcher.view(), fresh.view(), "life {life}");
        assert_eq!(
            resets, 1,
            "life {life}: who comes back is told what changed"
        );
        if life == kills {
            return;
        }

        let (total, mut progress) = watch::channel(0);
        let mut writing = JoinSet::new();
        for (writer, account) in accounts.iter().enumerate() {
            let client = Client::connect(&socket).await.unwrap();
            writing.spawn(write(client, writer, Arc::clone(account), total.clone()));
        }
        let end = random.between(1, 200) as u64;
        loop {
            tokio::select! {
                cut = watcher.next() => {
                    let cut = cut.unwrap();
                    resets += cut.events.iter().filter(|e| **e == Event::Reset).count();
                }
                reached = patiently(progress.wait_for(|total| *total >= end)) => {
                    reached.unwrap();
                    break;
                }
            }
        }
        drop(server);
        while patiently(writing.join_next()).await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_killed_server_and_nothing_is_there_in_half() {
    let kills = std::env::var("SELECTORD_TEST_KILLS");
    let kills = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    for seed in seeds(70_000, 1) {
        storms(seed, kills).await;
    }
}
