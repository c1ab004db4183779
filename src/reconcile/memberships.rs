use smallvec::SmallVec;

use crate::model::{IpFamily, Sequence};

use super::services::ServiceId;

/// One computed endpoint of a pod: in which service, of which family, and where its record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) service: ServiceId,
    pub(crate) family: IpFamily,
    pub(crate) position: Sequence,
}

/// The computed endpoints, by pod: a pod is in few services, a service may have many pods.
#[derive(Debug, Default)]
pub(crate) struct Memberships(Vec<SmallVec<[Membership; 1]>>);

impl Memberships {
    pub(crate) fn of(&self, pod: u32) -> &[Membership] {
        self.0
            .get(pod as usize)
            .map(SmallVec::as_slice)
            .unwrap_or_default()
    }

    pub(crate) fn find(
        &self,
        pod: u32,
        service: ServiceId,
        family: IpFamily,
    ) -> Option<&Membership> {
        self.of(pod)
            .iter()
            .find(|m| m.service == service && m.family == family)
    }

    /// Records where an endpoint's record stands now; answers where it stood.
    pub(crate) fn set(&mut self, pod: u32, membership: Membership) -> Option<Sequence> {
        if self.0.len() <= pod as usize {
            self.0.resize_with(pod as usize + 1, SmallVec::new);
        }
        let slot = self.0.get_mut(pod as usize)?;
        let known = slot
            .iter_mut()
            .find(|m| m.service == membership.service && m.family == membership.family);
        match known {
            Some(known) => Some(std::mem::replace(known, membership).position),
            None => {
                slot.push(membership);
                None
            }
        }
    }

    /// Forgets an endpoint; answers where its record stood.
    pub(crate) fn clear(
        &mut self,
        pod: u32,
        service: ServiceId,
        family: IpFamily,
    ) -> Option<Sequence> {
        let slot = self.0.get_mut(pod as usize)?;
        let at = slot
            .iter()
            .position(|m| m.service == service && m.family == family)?;
        Some(slot.swap_remove(at).position)
    }

    /// Whether the pod still has an endpoint in the service.
    pub(crate) fn any(&self, pod: u32, service: ServiceId) -> bool {
        self.of(pod).iter().any(|m| m.service == service)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Membership)> {
        self.0
            .iter()
            .zip(0u32..)
            .flat_map(|(of, pod)| of.iter().map(move |m| (pod, m)))
    }
}
