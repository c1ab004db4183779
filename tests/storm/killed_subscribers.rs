//! Subscribers that are killed and started again in the midst of a storm.

use selectord::client::{Client, Cursor, Cut, Resume, WatchOptions, Watcher};
use selectord::engine::{Event, Scope, View};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cluster::{APPS, Cluster, NAMESPACES};
use crate::process::Server;
use crate::state::{State, patiently, scopes, size};
use crate::support::random::{Random, seeds};
use crate::writer::{Progress, Writer};

/// Subscribers of each scope.
const EACH: usize = 2;
/// How often each is killed.
const KILLS: usize = 8;
/// The storm lasts at least this long, and until everybody has been killed often enough.
const TRANSACTIONS: usize = 400;

/// What a subscriber keeps on its disk, and what it has been told.
struct Subscriber {
    name: String,
    scope: Scope,
    random: Random,
    saved: Option<(Cursor, View)>,
    /// Of the first cut after each start from something saved: how many events it had, and how many
    /// a subscriber with nothing would have been sent.
    resumptions: Vec<(usize, usize)>,
    cuts: usize,
}

impl Subscriber {
    fn start(&self, client: &Client) -> Watcher {
        let options = WatchOptions {
            name: self.name.clone(),
            resume: self
                .saved
                .clone()
                .map_or_else(Resume::default, Resume::from),
            ..WatchOptions::default()
        };
        client.watch(self.scope.clone(), options)
    }

    /// Notes a cut, as a program does that will want to go on from it.
    fn keep(&mut self, watcher: &Watcher, cut: Cut, first: bool) {
        if let Some((cursor, _)) = &self.saved {
            assert!(
                cut.revision >= cursor.revision,
                "{} was taken back",
                self.name
            );
            assert!(
                !cut.events.contains(&Event::Reset) && cut.dropped.is_empty(),
                "{} had a cursor of this history, and was reset",
                self.name
            );
            if first {
                self.resumptions
                    .push((cut.events.len(), size(watcher.view())));
            }
        }
        assert_eq!(
            watcher.reconnects(),
            0,
            "{} lost a stream by itself",
            self.name
        );
        self.cuts += 1;
        self.saved = Some((cut.cursor, watcher.view().clone()));
    }

    /// Follows the storm until it has been killed often enough.
    async fn live(mut self, address: String, mut progress: watch::Receiver<Progress>) -> Self {
        let mut client = Client::connect(&address).await.unwrap();
        for life in 0..KILLS {
            // Every other one may end before anything has come of it.
            let lives_to_see_a_cut = life % 2 == 0;
            let killed_at = later(&mut progress, &mut self.random, 30);
            let mut watcher = self.start(&client);
            let mut first = true;
            // Whatever was on its way when the end came is lost with the watcher.
            loop {
                tokio::select! {
                    cut = patiently(watcher.next()) => {
                        self.keep(&watcher, cut.unwrap(), first);
                        first = false;
                    }
                    () = reached(&mut progress, killed_at), if !(first && lives_to_see_a_cut) => break,
                }
            }
            drop(watcher);
            if self.random.chance(50) {
                client = Client::connect(&address).await.unwrap();
            }
            let started_at = later(&mut progress, &mut self.random, 12);
            reached(&mut progress, started_at).await;
        }
        self
    }

    /// Goes on to a revision, and answers the watcher.
    async fn finish(&mut self, client: &Client, revision: u64) -> Watcher {
        let mut watcher = self.start(client);
        let mut first = true;
        loop {
            let cut = patiently(watcher.next()).await.unwrap();
            let done = cut.revision >= revision;
            self.keep(&watcher, cut, first);
            first = false;
            if done {
                return watcher;
            }
        }
    }
}

/// A number of transactions within the next `most`.
fn later(progress: &mut watch::Receiver<Progress>, random: &mut Random, most: usize) -> usize {
    progress.borrow_and_update().transactions + random.between(1, most)
}

async fn reached(progress: &mut watch::Receiver<Progress>, transactions: usize) {
    let reached = progress.wait_for(|progress| progress.transactions >= transactions);
    patiently(reached).await.expect("the writer goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_killed_in_a_storm_go_on_from_what_they_saved() {
    for seed in seeds(1, 1) {
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        storm(seed).await;
    }
}

async fn storm(seed: u64) {
    let server = Server::start(&[]);
    let client = Client::connect(&server.address).await.unwrap();
    let mut cluster = Cluster::new(seed);
    let progress = watch::Sender::new(Progress::default());
    let mut writer = Writer::start(&client, progress.clone()).await;
    writer.write(cluster.populate()).await.unwrap();

    let mut living = JoinSet::new();
    for (number, scope) in scopes().into_iter().cycle().take(4 * EACH).enumerate() {
        let subscriber = Subscriber {
            name: format!("{number}: {scope}"),
            scope,
            random: Random::new(seed * 1_000 + number as u64),
            saved: None,
            resumptions: Vec::new(),
            cuts: 0,
        };
        living.spawn(subscriber.live(server.address.clone(), progress.subscribe()));
    }
    let mut subscribers: Vec<Subscriber> = Vec::new();
    let mut defect = None;
    let last = writer
        .storm(&mut cluster, |progress| {
            while let Some(done) = living.try_join_next() {
                match done {
                    Ok(subscriber) => subscribers.push(subscriber),
                    Err(error) => defect = Some(error),
                }
            }
            defect.is_some() || progress.transactions >= TRANSACTIONS && living.is_empty()
        })
        .await
        .unwrap();
    if let Some(error) = defect {
        std::panic::resume_unwind(error.into_panic());
    }

    for subscriber in &mut subscribers {
        let watcher = subscriber.finish(&client, last).await;
        let right = State::asked(&client, &subscriber.scope, last).await;
        State::of(watcher.view()).must_be(&right, &subscriber.name);
        assert!(
            subscriber.resumptions.len() >= KILLS / 2,
            "{}: {:?}",
            subscriber.name,
            subscriber.resumptions
        );
        println!(
            "{}: {} cuts; events after each start, of those from nothing: {:?}",
            subscriber.name, subscriber.cuts, subscriber.resumptions
        );
    }
    let transactions = progress.borrow().transactions;
    println!("{transactions} transactions, revision {last}");

    // Everybody is gone while one pod changes: whoever comes back is sent that and nothing else. At
    // most, it is in every service of its namespace.
    let flipped = writer.write(cluster.flip_one(NAMESPACES[0])).await.unwrap();
    for subscriber in &mut subscribers {
        let watcher = subscriber.finish(&client, flipped).await;
        let right = State::asked(&client, &subscriber.scope, flipped).await;
        State::of(watcher.view()).must_be(&right, &subscriber.name);
        let (events, whole) = *subscriber.resumptions.last().expect("it has just resumed");
        let far_fewer = events * 5 < whole || subscriber.scope != Scope::all();
        assert!(
            events <= APPS.len() && far_fewer,
            "{}: {events} events for one pod, of {whole}",
            subscriber.name
        );
    }
}
