//! The digest of a service: what a subscriber that holds it would offer.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::ops::Range;
use std::sync::OnceLock;

use crate::model::{Digest, EndpointIdentity, IpFamily, ObjectName, RecordHasher};
use crate::reconcile::{Parts, Remembered, ServiceId, ServiceRecord};

use super::state::Engine;

/// A service of more endpoints is hashed in parts, none of more than so many.
const AT_ONCE: u64 = 4_096;

/// What was found of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Digest(Digest),
    /// There is more to hash.
    Part,
    /// The service changes as fast as it is hashed. It is taken to differ from whatever somebody holds of
    /// it.
    No,
}

impl Engine {
    /// The sum of the hashes of a service's records: what [`super::View::held`] has of it where the view
    /// is up to date. What was asked for before and has not changed since is remembered; else linear in
    /// the service's endpoints.
    pub fn service_digest(&self, name: &ObjectName) -> Option<Digest> {
        let id = self.reconciler.services.id(name)?;
        let record = self.reconciler.services.get(id)?;
        let (mut left, mut parts) = (usize::MAX, 0);
        match self.find_digest(id, record, &mut left, &mut parts) {
            Found::Digest(digest) => Some(digest),
            Found::Part | Found::No => Some(self.rehash(id, record)),
        }
    }

    /// Goes on with the digest of a service: hashes about `left` records, what is begun to its end, and
    /// counts in `parts` how many parts were hashed for the same subscriber.
    pub(super) fn find_digest(
        &self,
        id: ServiceId,
        record: &ServiceRecord,
        left: &mut usize,
        parts: &mut usize,
    ) -> Found {
        let set = &record.set;
        let remembered = match set.sums.get() {
            Some(remembered) => remembered,
            None if set.total <= AT_ONCE => {
                spend(left, set.total);
                let whole = self.rehash(id, record);
                set.sums.begin(Remembered::Whole(whole))
            }
            None => {
                // Where parts begin is found by a walk along the hand-made ones.
                spend(left, set.manual.len() as u64);
                set.sums.begin(Remembered::Parts(Parts::new(set)))
            }
        };
        match remembered {
            Remembered::Whole(digest) => Found::Digest(*digest),
            Remembered::Parts(all) => self.find_parts(id, record, all, left, parts),
        }
    }

    fn find_parts(
        &self,
        id: ServiceId,
        record: &ServiceRecord,
        all: &Parts,
        left: &mut usize,
        parts: &mut usize,
    ) -> Found {
        // Each part twice: what changes as fast as that is not waited for.
        let most = all.len().saturating_mul(2);
        let mut sum = Digest::default();
        // Whatever is allowed, each call gets on.
        let mut got_on = false;
        let mut part = |known: &OnceLock<Digest>, hash: &dyn Fn() -> (u64, Digest)| {
            if let Some(digest) = known.get() {
                sum = sum + *digest;
                return None;
            }
            if *parts >= most {
                return Some(Found::No);
            }
            if got_on && *left == 0 {
                return Some(Found::Part);
            }
            got_on = true;
            *parts = parts.saturating_add(1);
            let (count, digest) = hash();
            spend(left, count.max(1));
            sum = sum + *known.get_or_init(|| digest);
            None
        };
        if let Some(found) = part(&all.fields, &|| (1, fields_digest(record))) {
            return found;
        }
        for (from, until, known) in all.pods.iter() {
            let hash = || self.pods_digest(id, record, pods(from, until));
            if let Some(found) = part(known, &hash) {
                return found;
            }
        }
        for (from, until, known) in all.manual.iter() {
            let hash = || self.manual_digest(record, from, until);
            if let Some(found) = part(known, &hash) {
                return found;
            }
        }
        Found::Digest(sum)
    }

    /// The digest, from nothing that is remembered.
    fn rehash(&self, id: ServiceId, record: &ServiceRecord) -> Digest {
        let (_, pods) = self.pods_digest(id, record, pods(None, None));
        let (_, manual) = self.manual_digest(record, None, None);
        fields_digest(record) + pods + manual
    }

    /// Of the hand-made endpoints from one on and before another, and how many there are.
    fn manual_digest(
        &self,
        record: &ServiceRecord,
        from: Option<&EndpointIdentity>,
        until: Option<&EndpointIdentity>,
    ) -> (u64, Digest) {
        let mut hasher = RecordHasher::default();
        let name = record.service.name();
        let range = (
            from.map_or(Unbounded, Included),
            until.map_or(Unbounded, Excluded),
        );
        let (mut count, mut sum) = (0, Digest::default());
        for (identity, _) in record.set.manual.range::<EndpointIdentity, _>(range) {
            if let Some(endpoint) = self.reconciler.manual.endpoint(&name, identity) {
                count += 1;
                sum = sum + hasher.endpoint(endpoint, &name.namespace);
            }
        }
        (count, sum)
    }

    /// Of the endpoints of pods with these ids, and how many there are.
    fn pods_digest(
        &self,
        id: ServiceId,
        record: &ServiceRecord,
        pods: Range<u32>,
    ) -> (u64, Digest) {
        let mut hasher = RecordHasher::default();
        let home = record.service.namespace();
        let (mut count, mut sum) = (0, Digest::default());
        record.set.members.for_each_in(pods, |pod| {
            for family in [IpFamily::V4, IpFamily::V6] {
                if self.reconciler.memberships.find(pod, id, family).is_some()
                    && let Some(endpoint) =
                        (self.reconciler).computed(&self.index, record, pod, family)
                {
                    count += 1;
                    sum = sum + hasher.endpoint(&endpoint, home);
                }
            }
        });
        (count, sum)
    }

    /// Compares every sum that is remembered with the same from nothing.
    pub(super) fn verify_digests(&self, report: &mut dyn FnMut(String)) {
        for (id, record) in self.reconciler.services.iter() {
            let right = match record.set.sums.get() {
                None => true,
                Some(Remembered::Whole(digest)) => *digest == self.rehash(id, record),
                Some(Remembered::Parts(parts)) => self.verify_parts(id, record, parts),
            };
            if !right {
                let name = record.service.name();
                report(format!("service {name} is remembered with a wrong digest"));
            }
        }
    }

    fn verify_parts(&self, id: ServiceId, record: &ServiceRecord, parts: &Parts) -> bool {
        let right = |known: &OnceLock<Digest>, (count, digest): (u64, Digest)| {
            count <= AT_ONCE && known.get().is_none_or(|known| *known == digest)
        };
        let fields = right(&parts.fields, (1, fields_digest(record)));
        let mut all_pods = parts.pods.iter();
        let mut manual = parts.manual.iter();
        fields
            && all_pods.all(|(from, until, known)| {
                right(known, self.pods_digest(id, record, pods(from, until)))
            })
            && manual
                .all(|(from, until, known)| right(known, self.manual_digest(record, from, until)))
    }
}

/// Of a service's fields.
fn fields_digest(record: &ServiceRecord) -> Digest {
    RecordHasher::default().service(&record.service.whole())
}

/// Pods from one on and before another. There are fewer than there are ids.
fn pods(from: Option<&u32>, until: Option<&u32>) -> Range<u32> {
    from.copied().unwrap_or(0)..until.copied().unwrap_or(u32::MAX)
}

fn spend(left: &mut usize, records: u64) {
    *left = left.saturating_sub(usize::try_from(records).unwrap_or(usize::MAX));
}
