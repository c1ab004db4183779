use super::{SyntaxError, Tree, json, yaml};

/// One document of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its number within the text, counted from 1.
    pub number: usize,
    /// What it holds.
    pub tree: Tree,
}

/// Which languages a text may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Json,
    Yaml,
    /// It begins like JSON, but may go on like YAML.
    Either,
}

impl Language {
    fn of(name: &str, text: &str) -> Language {
        if name.ends_with(".json") {
            Language::Json
        } else {
            // A `{` without a quoted key behind it is the flow style of YAML.
            let inside = text.trim_start().strip_prefix('{').map(str::trim_start);
            if inside.is_some_and(|inside| inside.starts_with('"')) {
                Language::Either
            } else {
                Language::Yaml
            }
        }
    }
}

/// The documents of a text, whose `name` ends in `.json` when it can only be JSON. Linear in the
/// text and in what its aliases stand for, which is bounded.
pub fn documents(name: &str, text: &str) -> Result<Vec<Document>, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Language::of(name, text) {
        Language::Json => json::documents(text),
        Language::Yaml => yaml::documents(text),
        // Text that fails as both is more likely to be the one it looks like.
        Language::Either => {
            json::documents(text).or_else(|error| yaml::documents(text).map_err(|_| error))
        }
    }
}
