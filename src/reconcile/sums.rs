use std::sync::OnceLock;

use crate::index::Posting;
use crate::model::{Digest, EndpointIdentity};

use super::endpoint_set::EndpointSet;

/// Pods, or hand-made endpoints, of a part when it is made.
const PART: usize = 1_024;
/// Endpoints by which a part may grow. A pod has two at most, so a part never has more than 4,096.
const GROWTH: i32 = 2_048;

/// What is remembered of a service's digest: nothing until somebody asks, and only what has not changed
/// since. A change costs a look whether there is something to forget; it hashes nothing.
///
/// What is remembered is filled in through a shared reference, so that a reader can.
#[derive(Debug, Default)]
pub(crate) struct Sums(OnceLock<Box<Remembered>>);

/// The digest of a service, or the parts of one that has many endpoints.
#[derive(Debug)]
pub(crate) enum Remembered {
    Whole(Digest),
    Parts(Parts),
}

/// Partial sums, so that a change of one endpoint leaves most of them.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Of the service's own fields.
    pub(crate) fields: OnceLock<Digest>,
    /// Of the endpoints of pods, by the ids of the pods.
    pub(crate) pods: Ranges<u32>,
    /// Of hand-made endpoints.
    pub(crate) manual: Ranges<EndpointIdentity>,
}

/// Sums of endpoints in ranges of what they are known by. The ranges hold about as many endpoints each,
/// however far apart these are.
#[derive(Debug)]
pub(crate) struct Ranges<K>(Box<[Range<K>]>);

#[derive(Debug)]
struct Range<K> {
    /// The least key in it; none in the first, in which everything below the second is.
    from: Option<K>,
    digest: OnceLock<Digest>,
    /// By how many endpoints it has grown.
    grown: i32,
}

impl Sums {
    /// What is remembered.
    pub(crate) fn get(&self) -> Option<&Remembered> {
        self.0.get().map(Box::as_ref)
    }

    /// Remembers something of a service of which nothing was remembered; answers what is.
    pub(crate) fn begin(&self, remembered: Remembered) -> &Remembered {
        self.0.get_or_init(|| Box::new(remembered))
    }

    /// Whether there is anything to forget.
    pub(crate) fn is_any(&self) -> bool {
        self.0.get().is_some()
    }

    /// An endpoint of this pod came, changed or went: so many are more.
    pub(crate) fn forget_pod(&mut self, pod: u32, more: i32) {
        self.forget(|parts| parts.pods.forget(&pod, more));
    }

    /// A hand-made endpoint came, changed or went: so many are more.
    pub(crate) fn forget_manual(&mut self, identity: &EndpointIdentity, more: i32) {
        self.forget(|parts| parts.manual.forget(identity, more));
    }

    /// A field of the service changed.
    pub(crate) fn forget_fields(&mut self) {
        self.forget(|parts| {
            parts.fields.take();
            true
        });
    }

    /// Forgets a part, or everything: where there are no parts, or one has grown too large.
    fn forget(&mut self, part: impl FnOnce(&mut Parts) -> bool) {
        let is_forgotten = match self.0.get_mut().map(Box::as_mut) {
            None => true,
            Some(Remembered::Whole(_)) => false,
            Some(Remembered::Parts(parts)) => part(parts),
        };
        if !is_forgotten {
            self.0.take();
        }
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> u64 {
        match self.get() {
            None => 0,
            Some(remembered) => {
                let parts = match remembered {
                    Remembered::Whole(_) => 0,
                    Remembered::Parts(Parts { pods, manual, .. }) => {
                        size_of_val(&*pods.0) + size_of_val(&*manual.0)
                    }
                };
                (size_of::<Remembered>() + parts) as u64
            }
        }
    }
}

impl Parts {
    /// Of a service's endpoints as they are. Costs a look for each part, and a step for each hand-made
    /// endpoint.
    pub(crate) fn new(set: &EndpointSet) -> Parts {
        Parts {
            fields: OnceLock::new(),
            pods: Ranges::new(starts(&set.members)),
            manual: Ranges::new(set.manual.keys().step_by(PART).skip(1).cloned()),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let ranges = self.pods.0.len().saturating_add(self.manual.0.len());
        ranges.saturating_add(1)
    }
}

/// The pods at which ranges begin, behind the first.
fn starts(members: &Posting) -> impl Iterator<Item = u32> {
    let ranks = (PART as u64..members.len()).step_by(PART);
    ranks.filter_map(|rank| members.nth(u32::try_from(rank).ok()?))
}

impl<K: Ord> Ranges<K> {
    fn new(starts: impl Iterator<Item = K>) -> Ranges<K> {
        let starts = std::iter::once(None).chain(starts.map(Some));
        let ranges = starts.map(|from| Range {
            from,
            digest: OnceLock::new(),
            grown: 0,
        });
        Ranges(ranges.collect())
    }

    /// Forgets the sum of the range that a key is in; false if it has grown too large.
    fn forget(&mut self, key: &K, more: i32) -> bool {
        let behind = |range: &Range<K>| range.from.as_ref().is_none_or(|from| from <= key);
        let at = self.0.partition_point(behind).saturating_sub(1);
        let Some(range) = self.0.get_mut(at) else {
            return false;
        };
        range.digest.take();
        range.grown = range.grown.saturating_add(more);
        range.grown <= GROWTH
    }

    /// The sums in order, each with the least key of its range and of the next one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&K>, Option<&K>, &OnceLock<Digest>)> {
        let ends = self.0.iter().skip(1).map(|next| next.from.as_ref());
        let ends = ends.chain(std::iter::once(None));
        let ranges = self.0.iter().zip(ends);
        ranges.map(|(range, until)| (range.from.as_ref(), until, &range.digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pods: impl IntoIterator<Item = u32>) -> EndpointSet {
        let mut set = EndpointSet::default();
        for pod in pods {
            set.members.insert(pod);
        }
        set
    }

    /// How many of the pods are in each range.
    fn sizes(set: &EndpointSet) -> Vec<usize> {
        let parts = Parts::new(set);
        let sizes = parts.pods.iter().map(|(from, until, _)| {
            let mut size = 0;
            let range = from.copied().unwrap_or(0)..until.copied().unwrap_or(u32::MAX);
            set.members.for_each_in(range, |_| size += 1);
            size
        });
        sizes.collect()
    }

    #[test]
    fn ranges_hold_as_many_however_far_apart_pods_are() {
        let far = |i: u32| i * 400_000;
        let worlds: [&[u32]; 6] = [
            &[],
            &[7],
            &(0..5_000).collect::<Vec<_>>(),
            &(0..5_000).map(far).collect::<Vec<_>>(),
            &(0..5_000).chain([4_000_000_000]).collect::<Vec<_>>(),
            &(0..5_000)
                .map(|i| i * 7 + 1_000_000_000)
                .collect::<Vec<_>>(),
        ];
        for pods in worlds {
            let sizes = sizes(&set(pods.iter().copied()));
            assert_eq!(sizes.iter().sum::<usize>(), pods.len());
            assert_eq!(sizes.len(), pods.len().div_ceil(PART).max(1));
            assert!(sizes.iter().all(|size| *size <= PART), "{sizes:?}");
        }
    }

    /// Which parts are remembered: that of the fields, and those of pods.
    fn known(sums: &Sums) -> Option<(bool, Vec<bool>)> {
        match sums.get() {
            Some(Remembered::Parts(parts)) => {
                let pods = parts.pods.iter().map(|(_, _, sum)| sum.get().is_some());
                Some((parts.fields.get().is_some(), pods.collect()))
            }
            _ => None,
        }
    }

    fn remembered() -> Sums {
        let sums = Sums::default();
        let parts = Parts::new(&set(0..3_000));
        parts.fields.set(Digest::default()).unwrap();
        for (_, _, sum) in parts.pods.iter() {
            sum.set(Digest::default()).unwrap();
        }
        sums.begin(Remembered::Parts(parts));
        sums
    }

    #[test]
    fn what_changed_is_forgotten_and_nothing_else() {
        let mut sums = Sums::default();
        sums.forget_pod(7, 1);
        sums.forget_fields();
        assert!(!sums.is_any());
        let mut sums = remembered();
        sums.forget_pod(2_047, 0);
        assert_eq!(known(&sums), Some((true, vec![true, false, true])));
        sums.forget_fields();
        assert_eq!(known(&sums), Some((false, vec![true, false, true])));
        // Beyond those that there were.
        sums.forget_pod(99_999, 1);
        assert_eq!(known(&sums), Some((false, vec![true, false, false])));
        let mut sums = Sums::default();
        sums.begin(Remembered::Whole(Digest::default()));
        sums.forget_pod(7, 0);
        assert!(!sums.is_any());
    }

    #[test]
    fn all_is_forgotten_where_a_range_has_grown_too_large() {
        let mut sums = remembered();
        // What comes and goes does not add up.
        for pod in 0..10_000 {
            sums.forget_pod(5_000 + pod, 1);
            sums.forget_pod(5_000 + pod, -1);
        }
        for pod in 0..GROWTH as u32 {
            sums.forget_pod(5_000 + pod, 1);
        }
        assert!(sums.is_any());
        sums.forget_pod(4_000, 1);
        assert!(!sums.is_any());
    }
}
