use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Owner;

/// Who asks for one item, with what value: nearly always one, and of a chain that all services with as
/// many endpoints share, thousands. Never empty.
#[derive(Debug)]
pub(super) enum Claims {
    One(Owner, String),
    Many(Box<Many>),
}

#[derive(Debug, Default)]
pub(super) struct Many {
    owners: BTreeMap<Owner, Arc<str>>,
    /// Each value once, and how many ask for it.
    values: BTreeMap<Arc<str>, usize>,
}

impl Claims {
    pub(super) fn of(owner: Owner, value: String) -> Claims {
        Claims::One(owner, value)
    }

    /// Makes an owner's value this. The work is the logarithm of the owners'.
    pub(super) fn put(&mut self, owner: &Owner, value: String) {
        match self {
            Claims::One(only, old) if only == owner => *old = value,
            Claims::One(only, old) => {
                let mut many = Many::default();
                many.put(only.clone(), old);
                many.put(owner.clone(), &value);
                *self = Claims::Many(Box::new(many));
            }
            Claims::Many(many) => many.put(owner.clone(), &value),
        }
    }

    /// Takes an owner away. Answers whether anybody is left.
    pub(super) fn remove(&mut self, owner: &Owner) -> bool {
        match self {
            Claims::One(only, _) => only != owner,
            Claims::Many(many) => {
                many.remove(owner);
                !many.owners.is_empty()
            }
        }
    }

    /// Who has the item, and with what value: the first by name.
    pub(super) fn first(&self) -> Option<(&Owner, &str)> {
        match self {
            Claims::One(owner, value) => Some((owner, value)),
            Claims::Many(many) => {
                let (owner, value) = many.owners.first_key_value()?;
                Some((owner, value))
            }
        }
    }

    /// The last by name who wants another value than the first has; none: all want the same, which is
    /// known without asking each.
    pub(super) fn last_that_differs(&self) -> Option<&Owner> {
        let Claims::Many(many) = self else {
            return None;
        };
        if many.values.len() < 2 {
            return None;
        }
        let first = many.owners.values().next()?;
        let differs = |(_, value): &(&Owner, &Arc<str>)| *value != first;
        many.owners
            .iter()
            .rev()
            .find(differs)
            .map(|(owner, _)| owner)
    }
}

impl Many {
    fn put(&mut self, owner: Owner, value: &str) {
        let (value, count) = match self.values.get_key_value(value) {
            Some((value, count)) => (value.clone(), *count),
            None => (Arc::from(value), 0),
        };
        self.values.insert(value.clone(), count.saturating_add(1));
        if let Some(old) = self.owners.insert(owner, value) {
            self.forget(&old);
        }
    }

    fn remove(&mut self, owner: &Owner) {
        if let Some(old) = self.owners.remove(owner) {
            self.forget(&old);
        }
    }

    fn forget(&mut self, value: &Arc<str>) {
        if let Some(count) = self.values.get_mut(value) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.values.remove(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IpFamily, ObjectName, Protocol};
    use crate::proxy::PortName;

    fn owner(number: usize) -> Owner {
        Some(Arc::new(PortName {
            family: IpFamily::V4,
            service: ObjectName::new("ns", format!("svc{number:06}")),
            port: "".into(),
            protocol: Protocol::Tcp,
        }))
    }

    #[test]
    fn the_first_by_name_has_it_and_who_differs_is_known() {
        let mut claims = Claims::of(owner(5), "a".to_owned());
        claims.put(&owner(5), "b".to_owned());
        assert_eq!(claims.first(), Some((&owner(5), "b")));
        claims.put(&owner(3), "b".to_owned());
        assert_eq!(claims.last_that_differs(), None);
        claims.put(&owner(4), "c".to_owned());
        claims.put(&owner(9), "b".to_owned());
        assert_eq!(claims.first(), Some((&owner(3), "b")));
        assert_eq!(claims.last_that_differs(), Some(&owner(4)));
        claims.put(&owner(4), "b".to_owned());
        assert_eq!(claims.last_that_differs(), None);
        for (gone, anybody) in [(4, true), (7, true), (3, true), (9, true), (5, false)] {
            assert_eq!(claims.remove(&owner(gone)), anybody, "{gone}");
        }
    }

    /// What many share costs one more of them little, and keeps its text once.
    #[test]
    fn one_more_among_many_costs_as_much_as_among_few() {
        let text = "x".repeat(1_000);
        let mut claims = Claims::of(owner(0), text.clone());
        for number in 1..20_000 {
            let (owner, text) = (owner(number), text.clone());
            let cost = allocation_counter::measure(|| {
                claims.put(&owner, text);
                assert_eq!(claims.last_that_differs(), None);
            });
            assert!(cost.bytes_total < 8_000, "{number}: {cost:?}");
        }
        let Claims::Many(many) = &claims else {
            panic!("{claims:?}");
        };
        assert_eq!((many.owners.len(), many.values.len()), (20_000, 1));
    }
}
