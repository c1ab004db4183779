//! Which cluster is followed: a member that lost what it had, and came back as a cluster of its own, is not
//! taken for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::EtcdError;
use super::calls::{Calls, PAUSE, Session};
use super::failure::{Failure, Next};
use super::keys::Keys;
use super::members::Member;
use super::proto::TxnRequest;
use super::request::{look_there, read};

/// The cluster that is followed; none before a member has answered. Clones are the same one, so that who
/// connects again knows whom to believe.
///
/// A member that answers as another cluster is left, as long as one that is listed answers, in the time that a
/// call may take, as the one that is followed. If none does, the etcd was replaced, and is followed as it is.
#[derive(Debug, Clone, Default)]
pub struct FollowedCluster(Arc<Followed>);

#[derive(Debug, Default)]
struct Followed {
    known: Mutex<Known>,
    /// Held by whoever asks the other members: who comes meanwhile waits for what comes of it.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    cluster: Option<u64>,
    /// Members that are left, and the clusters that they answer as: each is told of once.
    strangers: HashMap<usize, u64>,
}

impl FollowedCluster {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cluster that is followed, which is this one if none was before.
    fn or_this(&self, cluster: u64) -> u64 {
        *self.known().cluster.get_or_insert(cluster)
    }

    /// A member answers as the one that is followed.
    fn met(&self, member: usize) {
        self.known().strangers.remove(&member);
    }
}

impl Calls {
    /// Finds out which cluster is followed, if that is not known yet: the one of all members that answer.
    ///
    /// # Errors
    /// [`EtcdError::Clusters`].
    pub(super) async fn agree(&self) -> Result<(), EtcdError> {
        let followed = &self.options.cluster;
        if self.members.len() < 2 || followed.known().cluster.is_some() {
            return Ok(());
        }
        let mut answered: Vec<(&String, u64)> = Vec::new();
        for (number, address) in self.options.address.members().iter().enumerate() {
            let cluster = self.cluster_of(number).await;
            answered.extend(cluster.map(|cluster| (address, cluster)));
        }
        answered.retain(|(_, cluster)| *cluster != 0);
        let clusters: BTreeSet<u64> = answered.iter().map(|(_, cluster)| *cluster).collect();
        if clusters.len() > 1 {
            let each = answered
                .iter()
                .map(|(address, cluster)| format!("{address} of {cluster:x}"));
            let members = each.collect::<Vec<_>>().join(", ");
            return Err(EtcdError::Clusters { members });
        }
        if let Some(cluster) = clusters.first() {
            followed.or_this(*cluster);
        }
        Ok(())
    }

    /// Whether what a member answers, as this cluster, is to be believed; else the member is left.
    pub(super) async fn check_cluster(&self, cluster: u64, member: &Member) -> Result<(), Failure> {
        let followed = &self.options.cluster;
        // What stands between may leave it out, as etcd's own gRPC proxy does of watches.
        if cluster == 0 || followed.or_this(cluster) == cluster {
            followed.met(member.number);
            return Ok(());
        }
        let _first = followed.0.asking.lock().await;
        let known = followed.or_this(cluster);
        if known == cluster {
            return Ok(());
        }
        if !self.is_elsewhere(known, member.number).await {
            warn!(
                "no listed member of etcd answers as cluster {known:x} any more, and {} answers as {cluster:x}: it is taken for the one that replaced it",
                member.address
            );
            *followed.known() = Known {
                cluster: Some(cluster),
                ..Known::default()
            };
            return Ok(());
        }
        let told = followed.known().strangers.insert(member.number, cluster);
        if told != Some(cluster) {
            warn!(
                "the member of etcd at {} answers as cluster {cluster:x}, and others are still of {known:x}, which is followed: it is left. If it lost its data, remove it (etcdctl member remove) and add it again, with an empty directory and --initial-cluster-state existing",
                member.address
            );
        }
        self.members.leave(member);
        let address = &member.address;
        Err(Failure {
            error: self.members.unavailable(format!(
                "{address}: it is of cluster {cluster:x}, and not of {known:x} as the others"
            )),
            maybe_done: false,
            next: Next::Again,
        })
    }

    /// What is final when the cluster that is followed says it is not when another does: a refusal does not
    /// say whose it is, so that it is asked for.
    pub(super) async fn check_refusal(&self, failure: Failure, session: &Session) -> Failure {
        if failure.next != Next::GiveUp || self.members.len() < 2 {
            return failure;
        }
        match self.cluster_of(session.member.number).await {
            Some(cluster) => match self.check_cluster(cluster, &session.member).await {
                Ok(()) => failure,
                Err(stranger) => stranger,
            },
            None if matches!(failure.error, EtcdError::HistoryChanged { .. }) => {
                Failure::before_sending(self.silent(&session.member))
            }
            None => failure,
        }
    }

    /// Whether one of the other members is of this cluster; those that do not answer are asked again as long as
    /// a call may take.
    async fn is_elsewhere(&self, cluster: u64, but: usize) -> bool {
        let until = Instant::now() + self.options.timeout;
        loop {
            let mut are_silent = false;
            for other in (0..self.members.len()).filter(|number| *number != but) {
                match self.cluster_of(other).await {
                    Some(theirs) if theirs == cluster => return true,
                    Some(_) => {}
                    None => are_silent = true,
                }
            }
            if !are_silent || Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Which cluster a member says that it is of, whether that has a quorum or not; none: it does not say.
    async fn cluster_of(&self, number: usize) -> Option<u64> {
        let key = Keys::new(self.options.address.prefix()).format();
        let request = read(vec![look_there(key)]);
        let mut patience = self.patience();
        loop {
            match self.ask(&request, number, patience.left()).await {
                Ok(cluster) => return Some(cluster),
                // A token that has run out is renewed.
                Err(failure) if failure.next == Next::LogIn => {
                    if !patience.tries_again(&failure).await {
                        return None;
                    }
                }
                Err(_) => return None,
            }
        }
    }

    async fn ask(
        &self,
        request: &TxnRequest,
        number: usize,
        within: Duration,
    ) -> Result<u64, Failure> {
        let member = self.members.at(number, within).await;
        let session = self.session_with(member, within).await?;
        Ok(self.send(request, &session, within).await?.cluster)
    }
}
