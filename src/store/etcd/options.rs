use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{EtcdAddress, FollowedCluster};

/// What is needed to reach an etcd, and what it allows.
#[derive(Debug, Clone)]
pub struct EtcdOptions {
    /// Where its members are, and under which prefix of its keys the objects stand.
    pub address: EtcdAddress,
    /// TLS, for `https` and for members that ask for a certificate; none: no TLS.
    pub tls: Option<EtcdTls>,
    /// Whom to be, if the etcd asks; tokens are renewed when they have run out.
    pub login: Option<EtcdLogin>,
    /// Most operations of one transaction, as the server's `--max-txn-ops`: 128 there, if not said
    /// otherwise. The objects of a transaction and its preconditions, one for the history, and one for a
    /// request id.
    pub max_txn_ops: usize,
    /// Most bytes of one transaction, as the server's `--max-request-bytes`: 1.5 MiB there, if not said
    /// otherwise.
    pub max_request_bytes: usize,
    /// How long a call may take, with all its attempts at all members.
    pub timeout: Duration,
    /// How often a follower asks whether the store is still there.
    pub heartbeat: Duration,
    /// Which cluster is followed, for all who connect with clones of these options, one after another too.
    pub cluster: FollowedCluster,
}

impl EtcdOptions {
    /// What an etcd with its own defaults asks for, at this address.
    pub fn new(address: EtcdAddress) -> EtcdOptions {
        EtcdOptions {
            address,
            tls: None,
            login: None,
            max_txn_ops: 128,
            max_request_bytes: 1_536 << 10,
            timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(1),
            cluster: FollowedCluster::default(),
        }
    }
}

/// Files with what TLS needs, in PEM; read at every connection, so that they may be renewed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EtcdTls {
    /// Who vouches for the members; none: the system's authorities.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key, for members that ask for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A user of the etcd and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdLogin {
    /// The user's name.
    pub user: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for EtcdLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EtcdLogin({:?})", self.user)
    }
}
