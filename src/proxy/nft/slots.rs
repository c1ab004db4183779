use std::collections::BTreeSet;

use super::super::Target;

/// The places of a port's endpoints: a random number below their count is looked up among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots {
    /// Of the endpoints that the policy Cluster reaches.
    pub cluster: Vec<Target>,
    /// Of those that the policy Local reaches.
    pub local: Vec<Target>,
}

/// Gives each endpoint that is wanted a place from 0 on, none left free. Whoever has a place below
/// their count keeps it, so that as few places change as are new or have to be filled.
pub fn place(before: &[Target], wanted: &BTreeSet<Target>) -> Vec<Target> {
    let mut kept = BTreeSet::new();
    let mut places: Vec<Option<Target>> = vec![None; wanted.len()];
    for (place, target) in places.iter_mut().zip(before) {
        if wanted.contains(target) && kept.insert(*target) {
            *place = Some(*target);
        }
    }
    let mut others = wanted.iter().filter(|target| !kept.contains(target));
    places
        .into_iter()
        .filter_map(|place| place.or_else(|| others.next().copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(numbers: &[u16]) -> Vec<Target> {
        let target = |port: &u16| Target {
            ip: "10.0.0.1".parse().unwrap(),
            port: *port,
        };
        numbers.iter().map(target).collect()
    }

    #[test]
    fn as_few_places_change_as_can() {
        for (before, wanted, after) in [
            (&[][..], &[1, 2][..], &[1, 2][..]),
            (&[3, 1, 2], &[1, 2, 3, 4], &[3, 1, 2, 4]),
            (&[3, 1, 2], &[1, 2], &[2, 1]),
            (&[3, 1, 2], &[2, 3], &[3, 2]),
            (&[3, 1, 2], &[1, 2, 9], &[9, 1, 2]),
            (&[1, 1, 2], &[1, 2], &[1, 2]),
            (&[5], &[], &[]),
        ] {
            let wanted = targets(wanted).into_iter().collect();
            assert_eq!(
                place(&targets(before), &wanted),
                targets(after),
                "{before:?}"
            );
        }
    }
}
