//! Members, replicas and writers together.

use std::collections::BTreeMap;
use std::mem;

use bytes::Bytes;
use selectord::client::Client;
use selectord::model::Revision;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::task::JoinHandle;

use crate::member::there_is_etcd;
use crate::members::Members;
use crate::patience::{patiently, until};
use crate::replica::{Replica, connect};
use crate::workload::{Account, Group, common};
use crate::writer::{Progress, Writer};

/// How many replicas there are.
pub const REPLICAS: usize = 3;
/// Writers, two at each replica.
pub const WRITERS: usize = 6;

/// One test at a time: each wants the machine for itself.
static ALONE: Mutex<()> = Mutex::const_new(());

pub struct World {
    pub members: Members,
    pub replicas: Vec<Replica>,
    writers: Writers,
    pub progress: watch::Sender<Progress>,
    pub folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

enum Writers {
    Idle(Vec<Writer>),
    Busy(watch::Sender<bool>, Vec<JoinHandle<Writer>>),
}

impl World {
    /// Starts everything and writes every group once. None where there is no etcd, which it says.
    pub async fn start(seed: u64) -> Option<World> {
        if !there_is_etcd() {
            return None;
        }
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        let alone = ALONE.lock().await;
        let members = Members::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut replicas = Vec::new();
        for index in 0..REPLICAS {
            let name = format!("replica{index}");
            replicas.push(Replica::start(&members, folder.path(), &name).await);
        }
        for replica in &mut replicas {
            replica.ready().await;
        }
        let mut world = World {
            members,
            replicas,
            writers: Writers::Idle(Vec::new()),
            progress: watch::Sender::new(Progress::default()),
            folder,
            _alone: alone,
        };
        world.populate(seed).await;
        Some(world)
    }

    async fn populate(&mut self, seed: u64) {
        let client = self.replicas[0].client().await;
        for transaction in common() {
            // Who has just begun to lead may not lead for long.
            until("a first write", async || {
                let committed = client.commit(transaction.clone(), "").await;
                committed.map(drop).map_err(|error| error.to_string())
            })
            .await;
        }
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let (addresses, progress) = (self.addresses(), self.progress.clone());
            let mut writer = Writer::new(number, seed, addresses, progress);
            writers.push(tokio::spawn(async move {
                writer.populate().await;
                writer
            }));
        }
        let mut idle = Vec::new();
        for writer in writers {
            idle.push(writer.await.unwrap());
        }
        self.writers = Writers::Idle(idle);
    }

    /// Where the replicas are.
    pub fn addresses(&self) -> Vec<String> {
        self.replicas.iter().map(|it| it.address.clone()).collect()
    }

    /// Connections to all of them.
    pub async fn clients(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        for address in self.addresses() {
            clients.push(connect(&address).await);
        }
        clients
    }

    /// Lets all writers write.
    pub fn write(&mut self) {
        let enough = watch::Sender::new(false);
        let busy = Writers::Busy(enough.clone(), Vec::new());
        if let Writers::Idle(idle) = mem::replace(&mut self.writers, busy) {
            let run = |it: Writer| tokio::spawn(it.run(enough.subscribe()));
            let running = idle.into_iter().map(run).collect();
            self.writers = Writers::Busy(enough, running);
        }
    }

    /// Has all writers finish what they are at.
    pub async fn pause(&mut self) {
        if let Writers::Busy(enough, running) =
            mem::replace(&mut self.writers, Writers::Idle(Vec::new()))
        {
            enough.send_replace(true);
            let mut idle = Vec::new();
            for writer in running {
                let writer = patiently("a writer's last answer", writer).await;
                idle.push(writer.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic())));
            }
            self.writers = Writers::Idle(idle);
        }
    }

    fn idle(&mut self) -> &mut [Writer] {
        match &mut self.writers {
            Writers::Idle(idle) => idle,
            Writers::Busy(..) => panic!("the writers write"),
        }
    }

    /// The writer of some groups, while it is idle.
    pub fn writer(&mut self, number: usize) -> &mut Writer {
        &mut self.idle()[number]
    }

    /// What is known of every group. While writers are idle.
    pub fn accounts(&mut self) -> BTreeMap<Group, Account> {
        let accounts = self.idle().iter().flat_map(|it| it.accounts.clone());
        accounts.collect()
    }

    /// What is known of every group is what was known then.
    pub fn go_back(&mut self, accounts: &BTreeMap<Group, Account>) {
        for (number, writer) in self.idle().iter_mut().enumerate() {
            let own = accounts.iter().filter(|(group, _)| group.writer == number);
            writer.go_back(own.map(|(group, it)| (*group, it.clone())).collect());
        }
    }

    /// Waits until so many more transactions are acknowledged.
    pub async fn acknowledged(&mut self, more: u64) {
        let end = self.progress.borrow().acknowledged + more;
        self.reach("acknowledged writes", |all| all.acknowledged >= end)
            .await;
    }

    /// Waits until so many more transactions are refused for want of a quorum.
    pub async fn refused(&mut self, more: u64) {
        let end = self.progress.borrow().unavailable + more;
        self.reach("refused writes", |all| all.unavailable >= end)
            .await;
    }

    async fn reach(&mut self, what: &str, is_there: impl Fn(&Progress) -> bool) {
        self.must_stand();
        let mut progress = self.progress.subscribe();
        let mut is_there = |all: &Progress| is_there(all);
        patiently(what, progress.wait_for(&mut is_there))
            .await
            .unwrap();
        self.must_stand();
    }

    /// Fails if a replica or a writer has failed.
    pub fn must_stand(&mut self) {
        self.replicas.iter_mut().for_each(Replica::must_run);
        if let Writers::Busy(_, running) = &self.writers {
            let failed = running.iter().any(JoinHandle::is_finished);
            assert!(!failed, "a writer ended without being told to");
        }
    }

    /// While nobody writes: waits until every replica has applied everything that etcd has, and answers
    /// the history and the revision that they are at.
    pub async fn settled(&mut self) -> (Bytes, Revision) {
        self.members.ready().await;
        for replica in &mut self.replicas {
            replica.ready().await;
        }
        // What was sent and not answered may still be on its way to etcd. One more write at each replica
        // comes behind it.
        let clients = self.clients().await;
        let mut last = 0;
        for (index, client) in clients.iter().enumerate() {
            let mark = crate::workload::mark(&format!("settled-{index}-{last}"));
            last = until("the last write", async || {
                let committed = client.commit(mark.clone(), "").await;
                committed
                    .map(|it| it.revision)
                    .map_err(|error| error.to_string())
            })
            .await;
        }
        let mut epochs = Vec::new();
        for client in &clients {
            let status = until("a replica at the last revision", async || {
                let status = client.status().await.map_err(|error| error.to_string())?;
                if status.revision < last {
                    return Err(format!("it is at {} of {last}", status.revision));
                }
                Ok(status)
            })
            .await;
            assert_eq!(status.store, "etcd");
            epochs.push(status.epoch);
        }
        epochs.dedup();
        assert_eq!(epochs.len(), 1, "the replicas are of one history");
        (epochs.remove(0), last)
    }
}
