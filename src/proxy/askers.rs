use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Owner;

/// Who asks for one item, with what value: nearly always one, and of a chain that all services with as
/// many endpoints share, thousands. Never empty.
#[derive(Debug)]
pub(super) enum Askers {
    One(Owner, String),
    Many(BTreeMap<Owner, Arc<str>>),
}

impl Askers {
    pub(super) fn of(owner: Owner, value: String) -> Askers {
        Askers::One(owner, value)
    }

    /// Makes an owner's value this. The work is the logarithm of the owners'.
    pub(super) fn put(&mut self, owner: &Owner, value: String) {
        match self {
            Askers::One(only, old) if only == owner => *old = value,
            Askers::One(only, old) => {
                let mut many = BTreeMap::from([(only.clone(), Arc::from(old.as_str()))]);
                put(&mut many, owner, &value);
                *self = Askers::Many(many);
            }
            Askers::Many(many) => put(many, owner, &value),
        }
    }

    /// Takes an owner away. Answers whether anybody is left.
    pub(super) fn remove(&mut self, owner: &Owner) -> bool {
        match self {
            Askers::One(only, _) => only != owner,
            Askers::Many(many) => {
                many.remove(owner);
                !many.is_empty()
            }
        }
    }

    /// The value that the item has, and who asks for it: the first by name.
    pub(super) fn first(&self) -> Option<(&Owner, &str)> {
        match self {
            Askers::One(owner, value) => Some((owner, value)),
            Askers::Many(many) => {
                let (owner, value) = many.first_key_value()?;
                Some((owner, value))
            }
        }
    }
}

/// What all ask for alike is kept once.
fn put(many: &mut BTreeMap<Owner, Arc<str>>, owner: &Owner, value: &str) {
    let same = many.values().next().filter(|first| ***first == *value);
    let value = same.map_or_else(|| Arc::from(value), Arc::clone);
    many.insert(owner.clone(), value);
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
    fn the_value_is_that_of_the_first_by_name() {
        let mut askers = Askers::of(owner(5), "a".to_owned());
        askers.put(&owner(5), "b".to_owned());
        assert_eq!(askers.first(), Some((&owner(5), "b")));
        askers.put(&owner(3), "c".to_owned());
        askers.put(&owner(9), "b".to_owned());
        assert_eq!(askers.first(), Some((&owner(3), "c")));
        for (gone, first) in [(4, 3), (7, 3), (3, 5), (9, 5)] {
            assert!(askers.remove(&owner(gone)), "{gone}");
            assert_eq!(askers.first().unwrap().0, &owner(first), "{gone}");
        }
        assert!(!askers.remove(&owner(5)));
    }

    /// What many share costs one more of them little, and keeps its text once.
    #[test]
    fn one_more_among_many_costs_as_much_as_among_few() {
        let text = "x".repeat(1_000);
        let mut askers = Askers::of(owner(0), text.clone());
        for number in 1..20_000 {
            let (owner, text) = (owner(number), text.clone());
            let cost = allocation_counter::measure(|| askers.put(&owner, text));
            assert!(cost.bytes_total < 8_000, "{number}: {cost:?}");
        }
        let Askers::Many(many) = &askers else {
            panic!("{askers:?}");
        };
        let (first, last) = (many.values().next(), many.values().next_back());
        assert!(Arc::ptr_eq(first.unwrap(), last.unwrap()));
        assert_eq!(many.len(), 20_000);
    }
}
