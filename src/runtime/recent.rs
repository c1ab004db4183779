use std::collections::{HashMap, VecDeque};

use smol_str::SmolStr;

use super::command::Committed;

/// Most transactions remembered by their request ids.
const MAX_REMEMBERED: usize = 4096;
/// Most object results remembered with them, so that large transactions do not pile up.
const MAX_RESULTS: usize = 262_144;

/// The last transactions that were applied under a request id, and how each was answered.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: HashMap<SmolStr, Committed>,
    oldest_first: VecDeque<SmolStr>,
    results: usize,
}

impl Recent {
    /// How the transaction with this id was answered.
    pub(super) fn get(&self, request_id: &str) -> Option<&Committed> {
        self.answers.get(request_id)
    }

    /// Remembers an answer, and forgets the oldest beyond the bounds. A transaction without an id
    /// cannot be asked for again.
    pub(super) fn insert(&mut self, request_id: SmolStr, answer: Committed) {
        if request_id.is_empty() {
            return;
        }
        self.results = self.results.saturating_add(answer.results.len());
        if let Some(old) = self.answers.insert(request_id.clone(), answer) {
            self.results = self.results.saturating_sub(old.results.len());
        } else {
            self.oldest_first.push_back(request_id);
        }
        while self.oldest_first.len() > MAX_REMEMBERED
            || (self.results > MAX_RESULTS && self.oldest_first.len() > 1)
        {
            let Some(oldest) = self.oldest_first.pop_front() else {
                break;
            };
            if let Some(old) = self.answers.remove(&oldest) {
                self.results = self.results.saturating_sub(old.results.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(revision: u64) -> Committed {
        Committed {
            revision,
            results: [].into(),
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for i in 0..=MAX_REMEMBERED {
            recent.insert(i.to_string().into(), answer(i as u64));
        }
        assert!(recent.get("0").is_none());
        assert_eq!(recent.get("1").map(|answer| answer.revision), Some(1));
    }

    #[test]
    fn transactions_without_an_id_are_not_remembered() {
        let mut recent = Recent::default();
        recent.insert("".into(), answer(1));
        assert!(recent.get("").is_none());
    }
}
