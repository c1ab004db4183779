use super::state::Engine;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Pods.
    pub pods: u64,
    /// Services.
    pub services: u64,
    /// Nodes.
    pub nodes: u64,
    /// Namespaces that have pods.
    pub namespaces: u64,
    /// Hand-made Endpoints and EndpointSlice objects.
    pub manual_endpoints: u64,
    /// Endpoints of all services.
    pub endpoints: u64,
    /// Distinct label keys of pods.
    pub label_keys: u64,
    /// Distinct label pairs of pods.
    pub label_pairs: u64,
    /// Distinct label sets of pods, each counted once in a namespace.
    pub label_sets: u64,
    /// Classes remembered.
    pub classes: u64,
    /// Records in the log.
    pub log_records: u64,
    /// Removals that are remembered: endpoints, services and nodes.
    pub remembered_removals: u64,
    /// Live queries that are open.
    pub live_queries: u64,
    /// Approximate bytes they take.
    pub live_query_bytes: u64,
}

impl Engine {
    /// Counts what there is. Linear in services and live queries.
    pub fn stats(&self) -> Stats {
        let services = &self.reconciler.services;
        let records = || services.iter().map(|(_, record)| record);
        Stats {
            pods: self.index.len(),
            services: services.len() as u64,
            nodes: self.reconciler.nodes.len() as u64,
            namespaces: self.index.namespace_count(),
            manual_endpoints: self.reconciler.manual.len() as u64,
            endpoints: records().map(|record| record.set.total).sum(),
            label_keys: self.index.key_count(),
            label_pairs: self.index.pair_count(),
            label_sets: self.index.template_count(),
            classes: self.reconciler.classes.len(),
            log_records: self.log.len() as u64,
            remembered_removals: records()
                .map(|record| record.set.removals.len() as u64)
                .sum::<u64>()
                + self.log.deletion_count() as u64,
            live_queries: self.live_queries.len(),
            live_query_bytes: self.live_queries.bytes(),
        }
    }
}
