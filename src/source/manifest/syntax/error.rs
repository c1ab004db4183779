use smol_str::SmolStr;
use thiserror::Error;

use super::Place;

/// Text that is neither YAML nor JSON, or more than a manifest may be.
#[derive(Debug, Error)]
#[error("{cause}")]
pub struct SyntaxError {
    /// Which document of the text, counted from 1.
    pub document: usize,
    /// Where in the text.
    pub place: Place,
    /// What is wrong.
    #[source]
    pub cause: SyntaxCause,
}

/// What is wrong with a text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyntaxCause {
    /// The text is not YAML.
    #[error("not YAML: {info}")]
    Yaml {
        /// In the parser's words.
        info: String,
    },
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A key stands twice in one mapping.
    #[error("key {key:?} stands here twice, first in line {}: keep one", first.line)]
    DuplicateKey {
        /// The key.
        key: SmolStr,
        /// Where it stands first.
        first: Place,
    },
    /// A key is a sequence or a mapping.
    #[error("a key must be text; put one that begins with '[', '{{' or '?' in quotes")]
    KeyIsNotScalar,
    /// Sequences and mappings stand within each other too deep.
    #[error("nested deeper than {limit} levels, which no Kubernetes object is")]
    TooDeep {
        /// How many levels are allowed.
        limit: usize,
    },
    /// An alias names no anchor of its document.
    #[error("the alias stands before its anchor, within it, or in another document")]
    UnknownAlias,
    /// Aliases stand for too much.
    #[error("the aliases of one document stand for more than {limit} values: write them out")]
    AliasesTooLarge {
        /// How many values they may stand for.
        limit: usize,
    },
    /// A merge key `<<` has something else than mappings to merge.
    #[error(
        "the merge key '<<' takes a mapping or a list of mappings; in quotes it is a key like any other"
    )]
    MergeIsNotMapping,
    /// A tag other than those of the core schema.
    #[error("tag {tag} has no meaning in a manifest: leave it out")]
    UnknownTag {
        /// The tag.
        tag: String,
    },
}
