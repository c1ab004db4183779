use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// Whether everything that has to be done before serving is done. Each task takes a guard under
/// its name and drops it when it is done; who waits can say what is still missing.
#[derive(Debug, Clone)]
pub struct Readiness {
    pending: Arc<watch::Sender<BTreeMap<&'static str, usize>>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Readiness {
            pending: Arc::new(watch::Sender::new(BTreeMap::new())),
        }
    }
}

impl Readiness {
    /// Ready, until a guard is taken.
    pub fn new() -> Self {
        Readiness::default()
    }

    /// Not ready until the guard is dropped.
    #[must_use = "dropping the guard says that it is done"]
    pub fn guard(&self, task: &'static str) -> ReadinessGuard {
        self.pending.send_modify(|pending| {
            let tasks = pending.entry(task).or_default();
            *tasks = tasks.saturating_add(1);
        });
        ReadinessGuard {
            task,
            readiness: self.clone(),
        }
    }

    /// Whether nothing is pending.
    pub fn is_ready(&self) -> bool {
        self.pending.borrow().is_empty()
    }

    /// The names of what is pending, sorted.
    pub fn pending(&self) -> Vec<&'static str> {
        self.pending.borrow().keys().copied().collect()
    }

    /// Waits until nothing is pending.
    pub async fn ready(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.pending.subscribe().wait_for(BTreeMap::is_empty).await;
    }
}

/// Something that has to be done before serving; dropping it says that it is.
#[derive(Debug)]
pub struct ReadinessGuard {
    task: &'static str,
    readiness: Readiness,
}

impl Drop for ReadinessGuard {
    fn drop(&mut self) {
        self.readiness
            .pending
            .send_modify(|pending| match pending.get_mut(self.task) {
                Some(tasks) if *tasks > 1 => *tasks -= 1,
                _ => {
                    pending.remove(self.task);
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_every_guard_is_dropped() {
        let readiness = Readiness::new();
        let (first, second) = (readiness.guard("manifests"), readiness.guard("manifests"));
        drop(first);
        assert_eq!(readiness.pending(), ["manifests"]);
        drop(second);
        assert!(readiness.is_ready());
    }
}
