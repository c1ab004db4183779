use super::state::Engine;

impl Engine {
    /// Approximate bytes taken, by part: the index first ([`crate::index::Index::memory`]), of what grows
    /// with the state, without what the allocator adds. Linear in services and what they remember.
    pub fn memory(&self) -> Vec<(&'static str, u64)> {
        let reconciler = &self.reconciler;
        let (members, removals) = reconciler.endpoint_bytes();
        let services = || reconciler.services.iter();
        let digests = services().map(|(_, record)| record.set.sums.bytes()).sum();
        let mut parts = self.index.memory().to_vec();
        parts.extend([
            ("services", reconciler.services.bytes()),
            ("selectors", reconciler.selector_bytes()),
            ("classes", reconciler.classes.bytes()),
            ("memberships", members),
            ("removals", removals),
            ("digests", digests),
            ("log", self.log.bytes()),
            ("live queries", self.live_queries.bytes()),
        ]);
        parts
    }
}
