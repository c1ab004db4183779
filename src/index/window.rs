/// A set of ids that lie close together, at least one: the first, and a bit for each of it and those
/// behind it.
///
/// Pods of a workload are created together and get ids one behind the other, so that most sets of a
/// few pods are one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(super) first: u32,
    /// That of the first is set.
    pub(super) bits: u64,
}

impl Window {
    /// Ids that a window can span.
    pub(super) const SPAN: usize = u64::BITS as usize;

    /// The window of one id.
    pub(super) fn new(id: u32) -> Window {
        Window { first: id, bits: 1 }
    }

    /// The window of sorted ids, if they lie close enough, and there are any.
    pub(super) fn of(ids: &[u32]) -> Option<Window> {
        let (first, last) = (*ids.first()?, *ids.last()?);
        (last.checked_sub(first)? < u64::BITS).then(|| {
            let window = Window::new(first);
            let bits = ids.iter().filter_map(|id| window.bit(*id));
            Window {
                first,
                bits: bits.fold(0, |all, bit| all | bit),
            }
        })
    }

    /// The window with one id more, if that lies close enough.
    pub(super) fn with(self, id: u32) -> Option<Window> {
        if let Some(bit) = self.bit(id) {
            return Some(Window {
                bits: self.bits | bit,
                ..self
            });
        }
        let before = self.first.checked_sub(id)?;
        (before <= self.bits.leading_zeros()).then(|| Window {
            first: id,
            bits: self.bits.checked_shl(before).unwrap_or_default() | 1,
        })
    }

    /// The window with one id less, if any are left.
    pub(super) fn without(self, id: u32) -> Option<Window> {
        let bits = self.bits & !self.bit(id).unwrap_or_default();
        let gone = bits.trailing_zeros();
        (bits != 0).then(|| Window {
            first: self.first.saturating_add(gone),
            bits: bits >> gone,
        })
    }

    pub(super) fn contains(self, id: u32) -> bool {
        self.bit(id).is_some_and(|bit| self.bits & bit != 0)
    }

    /// The ids, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        let mut left = self.bits;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros();
            left &= left.checked_sub(1)?;
            Some(self.first.saturating_add(bit))
        })
    }

    /// The bit of an id that is not before the first, nor too far behind it.
    fn bit(self, id: u32) -> Option<u64> {
        1u64.checked_shl(id.checked_sub(self.first)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ends_where_ids_end() {
        let window = Window::of(&[u32::MAX - 63, u32::MAX]);
        assert_eq!(
            window.map(|window| window.iter().collect()),
            Some(vec![u32::MAX - 63, u32::MAX])
        );
        assert_eq!(window.and_then(|window| window.with(u32::MAX - 64)), None);
        assert_eq!(
            window.and_then(|window| window.without(u32::MAX - 63)),
            Some(Window::new(u32::MAX))
        );
    }

    proptest! {
        #[test]
        fn is_a_set_of_what_lies_close(steps in prop::collection::vec((any::<bool>(), 900u32..1000), 1..300)) {
            let mut window = Window::new(950);
            let mut model = BTreeSet::from([950]);
            for (grow, id) in steps {
                if grow {
                    model.insert(id);
                } else if model.len() > 1 {
                    model.remove(&id);
                }
                let ids: Vec<u32> = model.iter().copied().collect();
                let changed = if grow { window.with(id) } else { window.without(id) };
                prop_assert_eq!(Window::of(&ids).is_some(), model.last().zip(model.first()).is_some_and(|(last, first)| last - first < u64::BITS));
                match changed {
                    Some(changed) => window = changed,
                    // Too far apart: as if it had not been asked for; or the last id.
                    None if grow => { model.remove(&id); }
                    None => {}
                }
                let ids: Vec<u32> = model.iter().copied().collect();
                prop_assert_eq!(Some(window), Window::of(&ids));
                prop_assert_eq!(window.iter().collect::<Vec<_>>(), ids);
                (890..1010).try_for_each(|id| { prop_assert_eq!(window.contains(id), model.contains(&id)); Ok(()) })?;
            }
        }
    }
}
