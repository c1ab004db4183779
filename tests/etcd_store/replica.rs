//! An engine that follows an etcd, and what a writer beside it proposes.

use selectord::engine::{Engine, EngineOptions};
use selectord::model::{
    Change, Kind, Object, ObjectName, ObjectRef, ResolvedTransaction, Revision,
};
use selectord::store::etcd::{
    Contact, EtcdError, EtcdStore, Follow, Followed, Proposal, Submitted,
};

use crate::etcd::patiently;
use crate::support::build::{self, IntoObject, Labelled as _};

/// An engine, and what it is fed by.
pub struct Replica {
    pub store: EtcdStore,
    pub engine: Engine,
    pub follow: Follow,
    /// What it was told beside transactions, by name, since it was last looked at.
    pub told: Vec<&'static str>,
    pub contact: Option<Contact>,
    /// How often it was told that it does not go on as it is not let in.
    pub denied: usize,
}

impl Replica {
    /// Lists, and follows from there on.
    pub async fn start(store: &EtcdStore) -> Replica {
        let mut engine = Engine::new(EngineOptions::default());
        let listing = store.list(&mut |_| ()).await.unwrap();
        let follow = store.follow(listing.read_at());
        listing.apply_to(&mut engine).unwrap();
        Replica {
            store: store.clone(),
            engine,
            follow,
            told: Vec::new(),
            contact: None,
            denied: 0,
        }
    }

    /// Takes the next that it is told; the error that ended it, if it has ended.
    pub async fn next(&mut self) -> Result<(), EtcdError> {
        let told = patiently("something to follow", self.follow.next()).await;
        match told.expect("it has not ended") {
            Followed::Transaction {
                revision, changes, ..
            } => {
                self.engine.apply_replicated(revision, changes).unwrap();
            }
            Followed::Listed(listing) => {
                listing.apply_to(&mut self.engine).unwrap();
                self.told.push("listed");
            }
            Followed::Contact(contact) => self.contact = Some(contact),
            Followed::Lost(error) => {
                assert!(
                    error.is_transient()
                        || matches!(
                            error,
                            EtcdError::Foreign { .. }
                                | EtcdError::FormatMissing { .. }
                                | EtcdError::Denied { .. }
                        ),
                    "{error}"
                );
                self.denied += usize::from(matches!(error, EtcdError::Denied { .. }));
                self.told.push("lost");
            }
            Followed::Ended(error) => return Err(error),
        }
        Ok(())
    }

    /// Follows up to a revision.
    pub async fn until(&mut self, revision: Revision) {
        while self.engine.head() < revision {
            self.next().await.unwrap();
        }
    }

    /// Follows until it was told this.
    pub async fn until_told(&mut self, what: &str) {
        while !self.told.contains(&what) {
            self.next().await.unwrap();
        }
        self.told.clear();
    }

    /// Follows until a quorum answers that was asked later.
    pub async fn until_contact(&mut self) -> Contact {
        self.contact = None;
        loop {
            self.next().await.unwrap();
            if let Some(contact) = self.contact {
                return contact;
            }
        }
    }

    /// What a transaction would be written as.
    pub fn proposal(&self, transaction: ResolvedTransaction) -> Proposal {
        let objects = transaction.changes().iter().map(Change::object_ref);
        let expected = objects.map(|object| {
            let revision = self.engine.revision_of(&object);
            (object, revision)
        });
        let expected = expected.collect();
        Proposal::new(expected, transaction, |object| {
            let known = self.engine.get(object);
            known.map(|known| known.source).unwrap_or_default()
        })
    }

    /// Writes a transaction, and follows until it is here.
    pub async fn write(&mut self, transaction: ResolvedTransaction) -> Revision {
        let proposal = self.proposal(transaction);
        match self.store.submit(&proposal).await {
            Ok(Submitted::Written(revision)) => {
                self.until(revision).await;
                revision
            }
            other => panic!("not written: {other:?}"),
        }
    }

    /// Writes some pods.
    pub async fn put(&mut self, pods: &[&str]) -> Revision {
        self.write(puts(pods)).await
    }

    /// The names of its pods.
    pub fn pods(&self) -> Vec<String> {
        let everything = selectord::selector::Selector::everything();
        let pods = self.engine.pods(
            &everything,
            &selectord::engine::Namespaces::all(),
            None,
            100_000,
        );
        pods.iter()
            .map(|pod| pod.object.name.name.to_string())
            .collect()
    }
}

/// A pod that is called so.
pub fn pod(name: &str) -> Object {
    build::pod(&format!("blue/{name}"))
        .labelled("app=web")
        .into_object()
}

pub fn pod_ref(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::Pod, ObjectName::new("blue", name))
}

/// A transaction that puts pods.
pub fn puts(pods: &[&str]) -> ResolvedTransaction {
    ResolvedTransaction::new(pods.iter().map(|name| Change::Put(pod(name))), "test")
}

/// A transaction that deletes a pod.
pub fn deletes(name: &str) -> ResolvedTransaction {
    ResolvedTransaction::new([Change::Delete(pod_ref(name))], "")
}
