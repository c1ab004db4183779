use bytes::Bytes;

/// Whether rules are to be what a server says.
///
/// A server that holds its state in memory and was started again has another history, and nothing in it
/// until somebody fills it. To believe that would be to take every service of the node away, with nobody
/// having deleted one. A history that is known may come to have no service; one that begins with none
/// is not gone by until it has one. Who has just been started knows no history: rules that are there say
/// that there was another.
#[derive(Debug, Default)]
pub(super) struct Belief {
    epoch: Option<Bytes>,
    is_bare: bool,
}

impl Belief {
    /// Looks at a cut: of which history it is, and whether it comes to no service at all. If it is the first
    /// of all and does, `finds_services` tells whether there are rules of some. Answers whether this is the
    /// first cut of another history that begins so.
    pub(super) fn see(
        &mut self,
        epoch: &Bytes,
        is_empty: bool,
        finds_services: impl FnOnce() -> bool,
    ) -> bool {
        let is_new = match self.epoch.replace(epoch.clone()) {
            Some(before) => before != *epoch,
            None => is_empty && finds_services(),
        };
        self.is_bare = is_empty && (is_new || self.is_bare);
        self.is_bare && is_new
    }

    /// Goes by what is said, though it be nothing.
    pub(super) fn believe(&mut self) {
        self.is_bare = false;
    }

    /// Whether rules have to stay as they are.
    pub(super) fn is_bare(&self) -> bool {
        self.is_bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_begins_with_nothing_is_not_gone_by() {
        let [a, b] = [Bytes::from_static(b"a"), Bytes::from_static(b"b")];
        let mut belief = Belief::default();
        for (epoch, is_empty, is_bare) in [
            (&a, true, false),
            (&a, false, false),
            // Somebody deleted the last one.
            (&a, true, false),
            (&b, true, true),
            (&b, true, true),
            (&a, true, true),
            (&b, false, false),
            (&a, false, false),
        ] {
            belief.see(epoch, is_empty, || false);
            assert_eq!(belief.is_bare(), is_bare, "{epoch:?} {is_empty}");
        }
    }

    #[test]
    fn rules_that_are_found_are_of_a_history_before() {
        let epoch = Bytes::from_static(b"a");
        let mut belief = Belief::default();
        assert!(belief.see(&epoch, true, || true));
        assert!(belief.is_bare());
        belief.see(&epoch, true, || unreachable!("it is not the first cut"));
        assert!(belief.is_bare());
        belief.see(&epoch, false, || unreachable!("there are services"));
        assert!(!belief.is_bare());
    }
}
