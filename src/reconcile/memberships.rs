use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::index::Paged;
use crate::model::{IpFamily, Sequence};

use super::services::ServiceId;

/// One computed endpoint of a pod: in which service, of which family, and where its record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) service: ServiceId,
    pub(crate) family: IpFamily,
    pub(crate) position: Sequence,
}

/// Set in [`Entry::of`] for IPv6; service ids stay below.
const V6: u32 = 1 << 31;
/// Of [`Entry::of`]: no endpoint. Of [`Entry::next`]: no other.
const NONE: u32 = u32::MAX;
/// Of [`Entry::of`]: they stand in a map.
const MANY: u32 = u32::MAX - 1;

/// Longest chain.
const CHAIN: usize = 16;
/// As many, and a map is a chain again.
const FEW: usize = CHAIN / 2;

/// A membership in 16 bytes.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Service and family.
    of: u32,
    /// Another one of the same pod.
    next: u32,
    position: Sequence,
}

const VACANT: Entry = Entry {
    of: NONE,
    next: NONE,
    position: Sequence::START,
};

fn packed(service: ServiceId, family: IpFamily) -> u32 {
    match family {
        IpFamily::V4 => service,
        IpFamily::V6 => service | V6,
    }
}

impl Entry {
    fn membership(&self) -> Membership {
        Membership {
            service: self.of & !V6,
            family: if self.of & V6 == 0 {
                IpFamily::V4
            } else {
                IpFamily::V6
            },
            position: self.position,
        }
    }
}

/// The computed endpoints, by pod: a pod is in few services, a service may have many pods.
///
/// The first one of a pod stands at its id, so that most pods cost one look; some others are chained
/// behind it. Those of a pod that is in many services stand in a map, so that a change of it costs
/// little more for each of them.
#[derive(Debug)]
pub(crate) struct Memberships {
    first: Paged<Entry>,
    others: Paged<Entry>,
    /// Of pods whose first entry is [`MANY`].
    many: FxHashMap<u32, BTreeMap<u32, Sequence>>,
    /// The chain of those of `others` that are free.
    free: u32,
}

impl Default for Memberships {
    fn default() -> Self {
        Memberships {
            first: Paged::default(),
            others: Paged::default(),
            many: FxHashMap::default(),
            free: NONE,
        }
    }
}

impl Memberships {
    pub(crate) fn of(&self, pod: u32) -> impl Iterator<Item = Membership> {
        let many = self.map(pod).into_iter().flatten().map(|(of, position)| {
            let entry = Entry {
                of: *of,
                position: *position,
                ..VACANT
            };
            entry.membership()
        });
        self.chain(pod).map(Entry::membership).chain(many)
    }

    /// Those that do not stand in a map.
    fn chain(&self, pod: u32) -> impl Iterator<Item = &Entry> {
        let first = self.first.get(pod);
        let first = first.filter(|entry| entry.of != NONE && entry.of != MANY);
        std::iter::successors(first, |entry| self.others.get(entry.next))
    }

    fn map(&self, pod: u32) -> Option<&BTreeMap<u32, Sequence>> {
        let first = self.first.get(pod).filter(|entry| entry.of == MANY);
        first.and_then(|_| self.many.get(&pod))
    }

    pub(crate) fn find(
        &self,
        pod: u32,
        service: ServiceId,
        family: IpFamily,
    ) -> Option<Membership> {
        let of = packed(service, family);
        let position = match self.map(pod) {
            Some(map) => map.get(&of).copied(),
            None => self
                .chain(pod)
                .find(|entry| entry.of == of)
                .map(|entry| entry.position),
        };
        position.map(|position| Membership {
            service,
            family,
            position,
        })
    }

    /// Whether the pod has an endpoint in the service.
    pub(crate) fn any(&self, pod: u32, service: ServiceId) -> bool {
        [IpFamily::V4, IpFamily::V6]
            .into_iter()
            .any(|family| self.find(pod, service, family).is_some())
    }

    /// Records where an endpoint's record stands now; answers where it stood.
    pub(crate) fn set(&mut self, pod: u32, membership: Membership) -> Option<Sequence> {
        while self.first.len() <= pod as usize {
            self.first.push(VACANT);
        }
        let position = membership.position;
        let of = packed(membership.service, membership.family);
        let first = self.first.get_mut(pod)?;
        if first.of == of {
            return Some(std::mem::replace(&mut first.position, position));
        }
        if first.of == NONE {
            *first = Entry {
                of,
                position,
                ..VACANT
            };
            return None;
        }
        if first.of == MANY {
            return self.many.entry(pod).or_default().insert(of, position);
        }
        let head = first.next;
        let mut at = head;
        let mut length = 1;
        while let Some(entry) = self.others.get_mut(at) {
            if entry.of == of {
                return Some(std::mem::replace(&mut entry.position, position));
            }
            at = entry.next;
            length += 1;
        }
        if length == CHAIN {
            let mut map = self.take_chain(pod);
            map.insert(of, position);
            self.many.insert(pod, map);
            *self.first.get_mut(pod)? = Entry { of: MANY, ..VACANT };
            return None;
        }
        let at = self.add(Entry {
            of,
            next: head,
            position,
        });
        if let Some(first) = self.first.get_mut(pod) {
            first.next = at;
        }
        None
    }

    /// Takes a pod's chain apart.
    fn take_chain(&mut self, pod: u32) -> BTreeMap<u32, Sequence> {
        let mut map = BTreeMap::new();
        let mut next = None;
        if let Some(first) = self.first.get_mut(pod) {
            map.insert(first.of, first.position);
            next = Some(first.next);
            *first = VACANT;
        }
        while let Some(at) = next
            && let Some(entry) = self.others.get(at).copied()
        {
            map.insert(entry.of, entry.position);
            self.free(at);
            next = Some(entry.next);
        }
        map
    }

    /// Forgets an endpoint; answers where its record stood.
    pub(crate) fn clear(
        &mut self,
        pod: u32,
        service: ServiceId,
        family: IpFamily,
    ) -> Option<Sequence> {
        let of = packed(service, family);
        let first = *self.first.get(pod)?;
        if first.of == MANY {
            return self.clear_of_many(pod, of);
        }
        if first.of == of {
            let second = self.others.get(first.next).copied();
            self.free(first.next);
            *self.first.get_mut(pod)? = second.unwrap_or(VACANT);
            return Some(first.position);
        }
        let mut before = None;
        let mut at = first.next;
        while let Some(entry) = self.others.get(at).copied() {
            if entry.of == of {
                let before = match before {
                    None => self.first.get_mut(pod),
                    Some(before) => self.others.get_mut(before),
                };
                before?.next = entry.next;
                self.free(at);
                return Some(entry.position);
            }
            before = Some(at);
            at = entry.next;
        }
        None
    }

    fn clear_of_many(&mut self, pod: u32, of: u32) -> Option<Sequence> {
        let map = self.many.get_mut(&pod)?;
        let position = map.remove(&of);
        if map.len() <= FEW {
            let few = self.many.remove(&pod).unwrap_or_default();
            *self.first.get_mut(pod)? = VACANT;
            for (of, position) in few {
                let membership = Entry {
                    of,
                    position,
                    ..VACANT
                }
                .membership();
                self.set(pod, membership);
            }
        }
        position
    }

    pub(crate) fn bytes(&self) -> u64 {
        let pair = size_of::<(u32, Sequence)>();
        let many: usize = self.many.values().map(|map| map.len() * pair).sum();
        (self.first.bytes() + self.others.bytes() + many) as u64
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Membership)> {
        let pods = 0..u32::try_from(self.first.len()).unwrap_or(u32::MAX);
        pods.flat_map(|pod| self.of(pod).map(move |membership| (pod, membership)))
    }

    fn add(&mut self, entry: Entry) -> u32 {
        let at = self.free;
        if let Some(freed) = self.others.get_mut(at) {
            self.free = freed.next;
            *freed = entry;
            return at;
        }
        self.others.push(entry);
        self.others.len() as u32 - 1
    }

    fn free(&mut self, at: u32) {
        if let Some(entry) = self.others.get_mut(at) {
            *entry = Entry {
                next: self.free,
                ..VACANT
            };
            self.free = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_a_map_by_pod_service_and_family(
            steps in prop::collection::vec((0u32..4, 0u32..16, any::<bool>(), 0u8..5), 0..600)
        ) {
            let mut memberships = Memberships::default();
            let mut model = BTreeMap::new();
            for (at, (pod, service, v6, toss)) in (1u64..).zip(steps) {
                // Runs of mostly one or the other, so that maps come and go.
                let set = (toss == 0) != (at / 100 % 2 == 0);
                let pod = pod * 50;
                let family = if v6 { IpFamily::V6 } else { IpFamily::V4 };
                let position = Sequence(at);
                let key = (pod, service, family);
                if set {
                    let membership = Membership { service, family, position };
                    prop_assert_eq!(memberships.set(pod, membership), model.insert(key, position));
                } else {
                    prop_assert_eq!(memberships.clear(pod, service, family), model.remove(&key));
                }
                let found = memberships.find(pod, service, family).map(|m| m.position);
                prop_assert_eq!(found, model.get(&key).copied());
                let stands = |family| model.contains_key(&(pod, service, family));
                let any = stands(IpFamily::V4) || stands(IpFamily::V6);
                prop_assert_eq!(memberships.any(pod, service), any);
                if at % 32 == 0 {
                    let all: BTreeMap<_, _> = memberships
                        .iter()
                        .map(|(pod, m)| ((pod, m.service, m.family), m.position))
                        .collect();
                    prop_assert_eq!(&all, &model);
                }
            }
            // What is freed is used again.
            prop_assert!(memberships.others.len() <= 4 * CHAIN);
        }
    }
}
