use super::pods::Index;

impl Index {
    /// Bytes by part, as the tables count them: what is allocated for them, without what the allocator
    /// adds, and without text too long to stand in place. Linear in terms and groups of names.
    pub fn memory(&self) -> [(&'static str, u64); 5] {
        let (terms, postings) = self.dictionary.bytes();
        let (nodes, on_nodes) = self.nodes.bytes();
        let shared = self.shapes.bytes() + self.sources.bytes() + nodes;
        [
            ("pod records", self.records.bytes() + shared),
            ("pod names", self.names.bytes() + self.namespaces.bytes()),
            ("label sets", self.templates.bytes()),
            ("label terms", terms),
            (
                "postings",
                postings + on_nodes + self.live.serialized_size(),
            ),
        ]
        .map(|(part, bytes)| (part, bytes as u64))
    }
}
