use std::ops::Range;
use std::sync::OnceLock;

use crate::model::Digest;

/// Pod ids in one bucket, as a power of two, unless the pods of a service lie far apart.
const BUCKET: u32 = 12;
/// At most one bucket for so many endpoints.
const SPARSE: u64 = 8;

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
    /// Of the service's own fields and its hand-made endpoints.
    pub(crate) own: OnceLock<Digest>,
    /// Of the endpoints of pods, by the ids of the pods.
    buckets: Box<[OnceLock<Digest>]>,
    shift: u32,
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

    /// An endpoint of this pod came, changed or went.
    pub(crate) fn forget_pod(&mut self, pod: u32) {
        let Some(remembered) = self.0.get_mut() else {
            return;
        };
        if let Remembered::Parts(parts) = &mut **remembered
            && let Some(bucket) = (parts.buckets).get_mut((u64::from(pod) >> parts.shift) as usize)
        {
            bucket.take();
            return;
        }
        self.0.take();
    }

    /// A field of the service, or a hand-made endpoint of it, changed.
    pub(crate) fn forget_own(&mut self) {
        match self.0.get_mut().map(Box::as_mut) {
            None => {}
            Some(Remembered::Parts(parts)) => drop(parts.own.take()),
            Some(Remembered::Whole(_)) => drop(self.0.take()),
        }
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> u64 {
        match self.get() {
            None => 0,
            Some(remembered) => {
                let buckets = match remembered {
                    Remembered::Whole(_) => 0,
                    Remembered::Parts(parts) => size_of_val(&*parts.buckets),
                };
                (size_of::<Remembered>() + buckets) as u64
            }
        }
    }
}

impl Parts {
    /// Of a service with so many endpoints, whose pods have no greater id than `last`. At most a bucket
    /// for eight endpoints: their sums take four bytes an endpoint, and mostly a hundredth of one.
    pub(crate) fn new(endpoints: u64, last: u32) -> Parts {
        let most = (endpoints / SPARSE).max(1);
        let mut shift = BUCKET;
        while u64::from(last) >> shift >= most {
            shift += 1;
        }
        let buckets = (0..=u64::from(last) >> shift).map(|_| OnceLock::new());
        Parts {
            own: OnceLock::new(),
            buckets: buckets.collect(),
            shift,
        }
    }

    /// The buckets, each with the ids of its pods.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Range<u32>, &OnceLock<Digest>)> {
        let shift = self.shift;
        // A service has fewer pods than there are ids: the end of the last bucket may be past them.
        let start = move |i: usize| u32::try_from((i as u64) << shift).unwrap_or(u32::MAX);
        let buckets = self.buckets.iter().enumerate();
        buckets.map(move |(i, bucket)| (start(i)..start(i + 1), bucket))
    }

    /// How many buckets there are.
    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(endpoints: u64, last: u32) -> Vec<Range<u32>> {
        let parts = Parts::new(endpoints, last);
        parts.buckets().map(|(range, _)| range).collect()
    }

    #[test]
    fn there_is_no_bucket_for_few_endpoints() {
        assert_eq!(ranges(5_000, 4_095).len(), 1);
        assert_eq!(ranges(5_000, 4_096), [0..4_096, 4_096..8_192]);
        for (endpoints, last) in [(5_000, 10_000_000), (100_000, u32::MAX - 1), (1, 1 << 20)] {
            let ranges = ranges(endpoints, last);
            assert!(ranges.len() as u64 <= (endpoints / 8).max(1));
            assert!(ranges.last().unwrap().end > last);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn what_changed_is_forgotten_and_nothing_else() {
        let mut sums = Sums::default();
        sums.forget_pod(7);
        sums.forget_own();
        let Remembered::Parts(parts) = sums.begin(Remembered::Parts(Parts::new(99_999, 9_999)))
        else {
            panic!("parts are remembered");
        };
        parts.own.set(Digest::default()).unwrap();
        for (_, bucket) in parts.buckets() {
            bucket.set(Digest::default()).unwrap();
        }
        let known = |sums: &Sums| match sums.get() {
            Some(Remembered::Parts(parts)) => {
                let known = parts.buckets().map(|(_, bucket)| bucket.get().is_some());
                Some((parts.own.get().is_some(), known.collect::<Vec<_>>()))
            }
            _ => None,
        };
        sums.forget_pod(5_000);
        assert_eq!(known(&sums), Some((true, vec![true, false, true])));
        sums.forget_own();
        assert_eq!(known(&sums), Some((false, vec![true, false, true])));
        // A pod beyond those that there were.
        sums.forget_pod(99_999);
        assert!(sums.get().is_none());
        sums.begin(Remembered::Whole(Digest::default()));
        sums.forget_pod(7);
        assert!(sums.get().is_none());
    }
}
