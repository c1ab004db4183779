use crate::model::Revision;

/// Most gaps that are remembered.
const MAX_GAPS: usize = 16;

/// Revisions that were passed over: of what happened then, only what it came to is known.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Vec<Gap>);

/// What happened behind `after` and before `until` was not seen.
#[derive(Debug, Clone, Copy)]
struct Gap {
    after: Revision,
    until: Revision,
}

impl Gaps {
    /// Adds the newest. Where that is one too many, the oldest is forgotten, and its end answered: nothing
    /// before it can be told apart any more.
    pub(crate) fn add(&mut self, after: Revision, until: Revision) -> Option<Revision> {
        self.0.push(Gap { after, until });
        (self.0.len() > MAX_GAPS).then(|| self.0.remove(0).until)
    }

    /// Whether a revision was passed over.
    pub(crate) fn contain(&self, revision: Revision) -> bool {
        let holds = |gap: &Gap| gap.after < revision && revision < gap.until;
        self.0.iter().any(holds)
    }
}
