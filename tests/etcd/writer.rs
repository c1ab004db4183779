//! A writer: sends one transaction after another, at whichever replica answers, and keeps account of
//! what it was told.

use std::collections::BTreeMap;

use selectord::client::{CallError, Client};
use selectord::model::Revision;
use tokio::sync::watch;
use tonic::Code;

use crate::patience::{Patience, rest};
use crate::replica::connect;
use crate::support::random::Random;
use crate::workload::{Account, Group, mark};

/// Of so many transactions one marks what all writers share.
const MARKS: usize = 12;

/// How far all writers together are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Transactions that were acknowledged.
    pub acknowledged: u64,
    /// Those that were refused with UNAVAILABLE, or not answered.
    pub unavailable: u64,
    /// Those that lost five times against others.
    pub aborted: u64,
    /// The newest revision that was acknowledged.
    pub revision: Revision,
}

pub struct Writer {
    number: usize,
    random: Random,
    /// Where the replicas are.
    addresses: Vec<String>,
    clients: BTreeMap<usize, Client>,
    /// The replica it writes at.
    at: usize,
    /// The greatest number it has sent.
    sent: u64,
    pub accounts: BTreeMap<Group, Account>,
    progress: watch::Sender<Progress>,
}

impl Writer {
    pub fn new(
        number: usize,
        seed: u64,
        addresses: Vec<String>,
        progress: watch::Sender<Progress>,
    ) -> Writer {
        Writer {
            number,
            random: Random::new(seed * 1_000 + number as u64),
            at: number % addresses.len(),
            addresses,
            clients: BTreeMap::new(),
            sent: 0,
            accounts: Group::of(number)
                .map(|group| {
                    (
                        group,
                        Account {
                            last: Some(None),
                            ..Account::default()
                        },
                    )
                })
                .collect(),
            progress,
        }
    }

    /// Writes each group for the first time.
    pub async fn populate(&mut self) {
        let patience = Patience::begin();
        for group in Group::of(self.number) {
            while let Err(error) = self.write(group).await {
                patience.bear("the first write of a group", error).await;
            }
        }
    }

    /// Writes until it is told that it is enough.
    pub async fn run(mut self, enough: watch::Receiver<bool>) -> Writer {
        while !*enough.borrow() {
            if self.random.chance(2) {
                self.at = self.random.below(self.addresses.len());
            }
            let failed = if self.random.chance(100 / MARKS) {
                self.mark().await.err()
            } else {
                let index = self.random.below(self.accounts.len());
                let group = *self.accounts.keys().nth(index).expect("as many");
                self.write(group).await.err()
            };
            let Some(error) = failed else {
                continue;
            };
            match error.code() {
                // Somebody else was faster, or its own transaction was there after all.
                Code::FailedPrecondition => {}
                Code::Aborted => self.progress.send_modify(|all| all.aborted += 1),
                Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                    self.progress.send_modify(|all| all.unavailable += 1);
                    self.at = (self.at + 1) % self.addresses.len();
                    rest().await;
                }
                code => panic!("writer {}: {code:?}: {error}", self.number),
            }
        }
        self
    }

    async fn client(&mut self) -> Client {
        if !self.clients.contains_key(&self.at) {
            let client = connect(&self.addresses[self.at]).await;
            self.clients.insert(self.at, client);
        }
        self.clients[&self.at].clone()
    }

    /// One transaction of a group, and what became of it.
    pub async fn write(&mut self, group: Group) -> Result<Revision, CallError> {
        let client = self.client().await;
        let account = &self.accounts[&group];
        let is_sure = account.last.is_some() && account.unknown.is_empty();
        let last = match self.accounts[&group].last {
            Some(last) => last,
            None => match client.pod(&group.first_pod()).await {
                Ok(found) => Some(found.answer.revision),
                Err(error) if error.code() == Code::NotFound => None,
                Err(error) => return Err(error),
            },
        };
        self.sent += 1;
        let number = self.sent;
        let (write, id) = (
            group.write(number, last),
            format!("w{}-{number}", self.number),
        );
        let mut answer = client.commit(write.clone(), &id).await;
        if answer.as_ref().is_err_and(is_unknown) {
            // Whoever is asked again, elsewhere, knows what became of it.
            self.at = (self.at + 1) % self.addresses.len();
            let again = self.client().await.commit(write, &id).await;
            // The condition holds until it is done, unless it was read where it was old, or one of before
            // came late.
            let refused = |error: &CallError| error.code() == Code::FailedPrecondition;
            assert!(
                !is_sure || !again.as_ref().is_err_and(refused),
                "{group:?} at {number}: a retry was taken for another write: {again:?}"
            );
            if again.is_ok() {
                answer = again;
            }
        }
        let account = self.accounts.get_mut(&group).expect("its own");
        match answer {
            Ok(committed) => {
                account.acknowledged = number;
                account.unknown.clear();
                account.last = Some(Some(committed.revision));
                self.acknowledged(committed.revision);
                Ok(committed.revision)
            }
            Err(error) => {
                // Whoever is refused for a condition or a conflict has written nothing.
                if is_unknown(&error) {
                    account.unknown.insert(number);
                }
                account.last = None;
                Err(error)
            }
        }
    }

    async fn mark(&mut self) -> Result<(), CallError> {
        let client = self.client().await;
        self.sent += 1;
        let text = format!("w{}-{}", self.number, self.sent);
        let committed = client.commit(mark(&text), "").await?;
        self.acknowledged(committed.revision);
        Ok(())
    }

    fn acknowledged(&self, revision: Revision) {
        self.progress.send_modify(|all| {
            all.acknowledged += 1;
            all.revision = all.revision.max(revision);
        });
    }

    /// The store has gone back to an older state: what was acknowledged since is lost, and known to be.
    pub fn go_back(&mut self, accounts: BTreeMap<Group, Account>) {
        self.accounts = accounts;
        for account in self.accounts.values_mut() {
            account.last = None;
        }
    }
}

/// Whether it may have been done.
fn is_unknown(error: &CallError) -> bool {
    !matches!(error.code(), Code::FailedPrecondition | Code::Aborted)
}
