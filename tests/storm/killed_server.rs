//! A server that is killed in the midst of a storm and started again with the same manifests: what it
//! held beside them is gone, and subscribers find that out by themselves.

use std::path::Path;

use selectord::client::{Client, Cursor, WatchOptions, Watcher};
use selectord::engine::{Event, Scope};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::process::Server;
use crate::state::{State, patiently, scopes};
use crate::support::random::{Random, seeds};
use crate::writer::{Progress, Writer};

/// How often the server is killed.
const KILLS: u64 = 3;
/// The last storm is seen to its end.
const TRANSACTIONS: usize = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_of_a_killed_server_come_to_what_its_successor_holds() {
    for seed in seeds(1, 1) {
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        lives(seed).await;
    }
}

async fn lives(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let manifests = folder.path().join("manifests");
    export(seed, &manifests).await;
    // A path stays free while nobody listens there; a port might not.
    let socket = format!("unix:{}", folder.path().join("selectord.sock").display());
    let start = || Server::start_at(&socket, &["--manifests", manifests.to_str().unwrap()]);

    let mut server = start();
    let client = Client::connect(&socket).await.unwrap();
    let loaded = client.status().await.unwrap().revision;
    let (goal, _) = watch::channel(None);
    let mut subscribers = JoinSet::new();
    let mut positions = Vec::new();
    for scope in scopes() {
        let at_first = State::asked(&client, &scope, loaded).await;
        let (position, seen) = watch::channel(None);
        positions.push(seen);
        let watcher = client.watch(scope.clone(), WatchOptions::default());
        subscribers.spawn(follow(watcher, scope, at_first, position, goal.subscribe()));
    }
    let mut random = Random::new(seed);
    for life in 0..KILLS {
        let mut storm = begin(&socket, seed, life, &mut positions).await;
        let end = random.between(20, 150);
        let mut progress = storm.progress.subscribe();
        let writing = tokio::spawn(async move { storm.run(usize::MAX).await });
        patiently(progress.wait_for(|progress| progress.transactions >= end))
            .await
            .unwrap();
        drop(server);
        let broken_off = patiently(writing).await.unwrap();
        assert!(broken_off.is_err(), "nobody can have answered");
        server = start();
    }
    let mut storm = begin(&socket, seed, KILLS, &mut positions).await;
    let last = storm.run(TRANSACTIONS).await.unwrap();
    let client = Client::connect(&socket).await.unwrap();
    let epoch = client.status().await.unwrap().epoch;
    goal.send_replace(Some((epoch, last)));
    while let Some(done) = patiently(subscribers.join_next()).await {
        let (watcher, scope, histories) = done.unwrap();
        let right = State::asked(&client, &scope, last).await;
        State::of(watcher.view()).must_be(&right, &scope.to_string());
        assert_eq!(histories, KILLS + 1, "{scope}");
        assert!(watcher.reconnects() >= KILLS, "{scope}");
    }
}

/// Writes a cluster down as a user would: `get -o json`, a file a kind.
async fn export(seed: u64, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let server = Server::start(&[]);
    let client = Client::connect(&server.address).await.unwrap();
    let everything = Cluster::new(seed).populate();
    client.commit(everything, "").await.unwrap();
    for kind in ["nodes", "services", "pods"] {
        let list = server.ok(&["get", kind, "-A", "-o", "json"]);
        std::fs::write(folder.join(format!("{kind}.json")), list).unwrap();
    }
}

struct Storm {
    cluster: Cluster,
    writer: Writer,
    progress: watch::Sender<Progress>,
}

/// Gets ready to write to a server that has just begun, once every subscriber has found it.
async fn begin(
    socket: &str,
    seed: u64,
    life: u64,
    positions: &mut [watch::Receiver<Option<Cursor>>],
) -> Storm {
    let client = Client::connect(socket).await.unwrap();
    let epoch = client.status().await.unwrap().epoch;
    for position in positions {
        let found = |cursor: &Option<Cursor>| cursor.as_ref().is_some_and(|it| it.epoch == epoch);
        patiently(position.wait_for(found))
            .await
            .expect("the subscriber goes on");
    }
    let mut cluster = Cluster::new(seed);
    // What the manifests say; what follows is another storm each time.
    cluster.populate();
    cluster.random = Random::new(seed * 1_000 + life);
    let progress = watch::Sender::new(Progress::default());
    Storm {
        cluster,
        writer: Writer::start(&client, progress.clone()).await,
        progress,
    }
}

impl Storm {
    async fn run(&mut self, transactions: usize) -> Result<u64, selectord::client::CallError> {
        self.writer
            .storm(&mut self.cluster, |progress| {
                progress.transactions >= transactions
            })
            .await
    }
}

/// Follows one server after another, up to the revision of the goal. Answers how many there were.
async fn follow(
    mut watcher: Watcher,
    scope: Scope,
    at_first: State,
    position: watch::Sender<Option<Cursor>>,
    mut goal: watch::Receiver<Option<(bytes::Bytes, u64)>>,
) -> (Watcher, Scope, u64) {
    let mut histories = 0;
    loop {
        let there = position
            .borrow()
            .as_ref()
            .map(|it| (it.epoch.clone(), it.revision));
        let is_there = |goal: &Option<(bytes::Bytes, u64)>| match (goal, &there) {
            (Some((epoch, revision)), Some((own, at))) => epoch == own && at >= revision,
            _ => false,
        };
        let cut = tokio::select! {
            cut = patiently(watcher.next()) => cut.unwrap(),
            reached = goal.wait_for(is_there) => {
                reached.expect("the test goes on");
                return (watcher, scope, histories);
            }
        };
        let before = position.borrow().clone();
        let another = before
            .as_ref()
            .is_none_or(|before| before.epoch != cut.cursor.epoch);
        assert_eq!(
            cut.events.contains(&Event::Reset),
            before.is_none(),
            "{scope}: a reset comes first; another history is offered what is held"
        );
        if another {
            histories += 1;
            // Nobody writes before everybody is here: this is what the manifests say, all of it.
            State::of(watcher.view()).must_be(&at_first, &scope.to_string());
        }
        position.send_replace(Some(cut.cursor));
    }
}
