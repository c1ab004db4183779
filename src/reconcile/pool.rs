use std::collections::BTreeSet;
use std::sync::Arc;

/// Values that many objects have in common, each kept once while somebody holds it.
#[derive(Debug)]
pub(crate) struct Pool<T>(BTreeSet<Arc<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool(BTreeSet::new())
    }
}

impl<T: Ord> Pool<T> {
    /// The shared one that equals `value`.
    pub(crate) fn share(&mut self, value: T) -> Arc<T> {
        if let Some(shared) = self.0.get(&value) {
            return shared.clone();
        }
        let shared = Arc::new(value);
        self.0.insert(shared.clone());
        shared
    }

    /// Gives one back; the last holder's frees it.
    pub(crate) fn release(&mut self, shared: Arc<T>) {
        // The pool itself holds one.
        if Arc::strong_count(&shared) <= 2 {
            self.0.remove(&*shared);
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_value_once_and_only_while_it_is_held() {
        let mut pool = Pool::default();
        let (a, b) = (pool.share("web"), pool.share("web"));
        assert!(Arc::ptr_eq(&a, &b));
        pool.release(a);
        assert_eq!(pool.len(), 1);
        pool.release(b);
        assert_eq!(pool.len(), 0);
    }
}
