use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::model::{IpFamily, ObjectName};

use super::{Claims, Conflict, PortRules, UdpKey};

/// One way of keeping a node's service rules in the kernel.
///
/// For each sync: [`Backend::begin`], then [`Backend::set`] for each service that changed, then
/// [`Backend::write`]. Synchronous: it waits for the kernel, in the network namespace of the thread it
/// runs on, which has to be the same one each time: sockets stay open.
pub trait Backend: fmt::Debug + Send {
    /// Which way it is.
    fn mode(&self) -> Mode;

    /// Reads the kernel's rules, unless they are known to be what was last written: the first time, after
    /// a failure, and when [`Backend::check`] found that somebody else wrote.
    ///
    /// # Errors
    /// When the rules cannot be read.
    fn begin(&mut self, report: &mut Report) -> Result<(), SyncError>;

    /// Whether there are rules for any service in what [`Backend::begin`] has read for the first sync.
    fn found_services(&self) -> bool;

    /// What the ports of one service are to be, as [`Claims`] were settled; empty: the service is gone.
    /// Writes nothing. The work is that of the service's ports and endpoints, and the logarithm of all.
    fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>);

    /// Makes the kernel's rules what was set. A service whose rules the kernel refuses keeps those it
    /// had, or has none if they are refused again, and is named in [`Report::refused`]; `claims` are then
    /// that it wants what it keeps, and what it had to do without.
    ///
    /// # Errors
    /// When nothing could be written. What was set is kept for the next time.
    fn write(&mut self, claims: &mut Claims, report: &mut Report) -> Result<(), SyncError>;

    /// Whether somebody else changed rules since the last write, or may have. If so, the next sync reads
    /// and compares.
    fn check(&mut self) -> bool;

    /// When [`Backend::sweep`] has something to do; none: never yet.
    fn sweep_at(&self) -> Option<Instant>;

    /// Takes away what earlier writes left empty. What the kernel does not let go of is tried again the
    /// next time.
    ///
    /// # Errors
    /// When it could not be taken away. The rules are none the less what they are to be.
    fn sweep(&mut self) -> Result<(), SyncError>;

    /// The whole rules as text for the kernel's tool, as if nothing were there.
    fn print(&self) -> String;

    /// How much each of its tables holds.
    fn sizes(&self) -> Vec<TableSize>;
}

/// The ways of keeping rules that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Two tables of nftables.
    Nftables,
    /// Chains in iptables' tables, of both families.
    Iptables,
}

/// How much a table holds, and how much of it the last write wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSize {
    /// Its family.
    pub family: IpFamily,
    /// Its name.
    pub table: &'static str,
    /// What it is to hold: rules, and what counts as such (of nftables: chains, sets and elements).
    pub held: usize,
    /// How many of those the last write put in or took out.
    pub written: usize,
}

/// What one sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines given to the kernel's tool; 0: nothing had to be written.
    pub lines: usize,
    /// Elements of sets and maps added and deleted.
    pub elements: usize,
    /// Rules added.
    pub rules: usize,
    /// Whether what was written were elements alone, which the kernel was given without its tool between.
    pub direct: bool,
    /// Whether the kernel's rules were read and compared, and not only written what changed.
    pub read: bool,
    /// Services whose rules were refused now, and why.
    pub refused: Vec<(ObjectName, String)>,
    /// Who lacks an address and port, or a node port, that another has, and did not lack it before.
    pub conflicts: Vec<Conflict>,
    /// Where UDP services were that nobody wants any more, as far as rules of an earlier process told.
    pub gone: Vec<UdpKey>,
    /// Writes that the kernel refused, and that were followed by another that it did not.
    pub failures: usize,
    /// How long the kernel and its tool took.
    pub kernel_time: Duration,
}

impl Report {
    /// Whether a service's rules were refused already.
    pub(super) fn has_refused(&self, service: &ObjectName) -> bool {
        self.refused.iter().any(|(name, _)| name == service)
    }

    /// A service's rules were refused; the first reason counts.
    pub(super) fn refuse(&mut self, service: &ObjectName, why: String) {
        if !self.has_refused(service) {
            self.refused.push((service.clone(), why));
        }
    }
}

/// Why the kernel's rules could not be made what they are to be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The rules could not be read.
    #[error("cannot read the rules")]
    Read(#[source] Box<dyn Error + Send + Sync>),
    /// The rules could not be written.
    #[error("cannot write the rules{}", of(.service.as_ref()))]
    Write {
        /// The service that the line in question is of, where it is known.
        service: Option<ObjectName>,
        /// What the kernel's tool said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

fn of(service: Option<&ObjectName>) -> String {
    service.map_or_else(String::new, |service| format!(" of service {service}"))
}
