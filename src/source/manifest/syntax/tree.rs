use std::collections::HashSet;

use smol_str::SmolStr;

use super::plain::{self, Reading};

/// Above this many entries a mapping under construction keeps a set of its keys.
const SCAN_LIMIT: usize = 16;

/// Where something begins in its file, counted from 1; JSON is read without places, which leaves
/// both at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The line, or 0.
    pub line: u32,
    /// The column in characters, or 0.
    pub column: u32,
}

impl Place {
    /// Whether the place is known.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

/// YAML or JSON as it was written: nothing is resolved to a type yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    pub place: Place,
    pub data: Data,
}

/// The three shapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    Scalar(Scalar),
    Sequence(Vec<Tree>),
    Mapping(Mapping),
}

/// A scalar: text for certain when quoted, and whatever [`super::plain`] reads in it when plain.
///
/// JSON fits in: its strings are quoted, and its numbers, `true`, `false` and `null` read the same
/// as plain YAML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scalar {
    pub text: SmolStr,
    pub plain: bool,
}

impl Scalar {
    /// What a field that is not there counts as.
    pub const NULL: Scalar = Scalar {
        text: SmolStr::new_static(""),
        plain: true,
    };

    /// What YAML reads in it: text if quoted.
    pub fn reading(&self) -> Reading {
        if self.plain {
            plain::read(&self.text)
        } else {
            Reading::Text
        }
    }
}

/// A key and what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Scalar,
    pub place: Place,
    pub value: Tree,
}

/// A mapping in the order written, each key once; made by [`MappingBuilder`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping(Vec<Entry>);

impl Mapping {
    /// What a key stands for. Linear: an object has few fields.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.0.iter().find(|e| e.key.text == key).map(|e| &e.value)
    }

    /// The entries in the order written.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.0.iter()
    }
}

/// A mapping under construction. Each insertion is O(1), however many there are.
#[derive(Debug, Default)]
pub struct MappingBuilder {
    entries: Vec<Entry>,
    /// Every key, once there are more than [`SCAN_LIMIT`].
    keys: HashSet<SmolStr>,
}

impl MappingBuilder {
    /// Adds an entry.
    ///
    /// # Errors
    /// When its key is there already: the place of the first.
    pub fn insert(&mut self, entry: Entry) -> Result<(), Place> {
        if self.contains(&entry.key.text) {
            let first = self.entries.iter().find(|e| e.key.text == entry.key.text);
            return Err(first.map_or_else(Place::default, |e| e.place));
        }
        if self.entries.len() == SCAN_LIMIT {
            self.keys
                .extend(self.entries.iter().map(|e| e.key.text.clone()));
        }
        if self.entries.len() >= SCAN_LIMIT {
            self.keys.insert(entry.key.text.clone());
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &str) -> bool {
        if self.entries.len() > SCAN_LIMIT {
            self.keys.contains(key)
        } else {
            self.entries.iter().any(|e| e.key.text == key)
        }
    }

    /// The mapping.
    pub fn finish(self) -> Mapping {
        Mapping(self.entries)
    }
}

/// How much a tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many nodes, keys included.
    pub size: usize,
    /// How many collections stand within each other.
    pub depth: usize,
}

impl Tree {
    /// How much the tree holds: what an alias to it costs. Linear.
    pub fn extent(&self) -> Extent {
        let around = |inner: Extent, child: Extent| Extent {
            size: inner.size + child.size,
            depth: inner.depth.max(child.depth + 1),
        };
        match &self.data {
            Data::Scalar(_) => Extent { size: 1, depth: 0 },
            Data::Sequence(items) => items
                .iter()
                .map(Tree::extent)
                .fold(Extent { size: 1, depth: 1 }, around),
            Data::Mapping(mapping) => {
                let own = Extent {
                    size: 1 + mapping.0.len(),
                    depth: 1,
                };
                mapping.iter().map(|e| e.value.extent()).fold(own, around)
            }
        }
    }
}
