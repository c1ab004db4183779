use std::fmt;

use crate::labels::{FieldError, FieldErrorKind};
use crate::source::manifest::syntax::plain::Reading;
use crate::source::manifest::syntax::{Data, Entry, Mapping, Place, Scalar, Tree};

use super::{Problem, Problems};

/// What a field that is not there points at.
static ABSENT: Tree = Tree {
    place: Place { line: 0, column: 0 },
    data: Data::Scalar(Scalar::NULL),
};

/// A field of an object, there or not: absent and null are the same, as they are to Kubernetes.
///
/// Its path is a chain to the document's root, spelled out only when something is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub(super) tree: &'a Tree,
    place: Place,
    parent: Option<&'a Field<'a>>,
    step: Step<'a>,
    problems: &'a Problems,
}

/// The way from a parent to a field.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Field<'a> {
    /// The whole document.
    pub fn root(tree: &'a Tree, problems: &'a Problems) -> Field<'a> {
        Field {
            tree,
            place: tree.place,
            parent: None,
            step: Step::Root,
            problems,
        }
    }

    /// The same field, reporting elsewhere.
    pub fn reporting_to<'b>(&'b self, problems: &'b Problems) -> Field<'b>
    where
        'a: 'b,
    {
        Field { problems, ..*self }
    }

    /// Where it stands; an absent one stands where its parent does.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The path from the document's root, empty for the root itself.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// The place of the deepest field there is on a path from here, as `spec.ports[0].port`.
    pub fn place_of(&self, path: &str) -> Place {
        let mut tree = self.tree;
        let mut place = self.place;
        for step in path.split(['.', '[']) {
            let next = match (&tree.data, step.strip_suffix(']')) {
                (Data::Mapping(mapping), None) => mapping.get(step),
                (Data::Sequence(items), Some(index)) => {
                    index.parse().ok().and_then(|i: usize| items.get(i))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            tree = next;
            place = next.place;
        }
        place
    }

    /// Refuses the field.
    pub fn refuse(&self, kind: FieldErrorKind, detail: impl Into<String>) {
        self.refuse_at(self.place, FieldError::new(self.path(), kind, detail));
    }

    /// Refuses the field for its value.
    pub fn invalid(&self, detail: impl Into<String>) {
        self.refuse(FieldErrorKind::Invalid, detail);
    }

    /// Refuses the field for being none of the words it could be.
    pub fn not_supported(&self, text: &str, words: &[&str]) {
        self.refuse(
            FieldErrorKind::NotSupported,
            format!("{text:?}: must be one of {}", words.join(", ")),
        );
    }

    /// Takes in errors that others found in the field, their paths beginning at it.
    pub fn refuse_all(&self, errors: impl IntoIterator<Item = FieldError>) {
        let path = self.path();
        for error in errors {
            let place = self.place_of(&error.path);
            self.refuse_at(place, error.under(&path));
        }
    }

    /// Refuses something at the field that has a place of its own.
    pub(super) fn refuse_at(&self, place: Place, error: FieldError) {
        self.problems.note(Problem { place, error });
    }

    /// Whether there is nothing: no such field, or null.
    pub fn is_absent(&self) -> bool {
        matches!(&self.tree.data, Data::Scalar(scalar) if scalar.reading() == Reading::Null)
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.tree.data, Data::Sequence(_))
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.tree.data, Data::Mapping(_))
    }

    /// The field of this name in this object.
    pub fn get<'b>(&'b self, key: &'b str) -> Field<'b> {
        let tree = self.mapping().and_then(|mapping| mapping.get(key));
        let place = tree.map_or(self.place, |tree| tree.place);
        Field {
            tree: tree.unwrap_or(&ABSENT),
            place,
            parent: Some(self),
            step: Step::Key(key),
            problems: self.problems,
        }
    }

    /// The object's entries and their fields, in the order written.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry, Field<'_>)> {
        self.mapping()
            .into_iter()
            .flat_map(Mapping::iter)
            .map(move |entry| {
                let step = Step::Key(&entry.key.text);
                let place = entry.value.place;
                (
                    entry,
                    Field {
                        tree: &entry.value,
                        place,
                        parent: Some(self),
                        step,
                        problems: self.problems,
                    },
                )
            })
    }

    /// The list's elements.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        let items: &[Tree] = match &self.tree.data {
            Data::Sequence(items) => items,
            _ => {
                if !self.is_absent() {
                    self.invalid(format!("is {}, must be a list", self.describe()));
                }
                &[]
            }
        };
        items.iter().enumerate().map(move |(i, tree)| Field {
            tree,
            place: tree.place,
            parent: Some(self),
            step: Step::Index(i),
            problems: self.problems,
        })
    }

    fn mapping(&self) -> Option<&'a Mapping> {
        match &self.tree.data {
            Data::Mapping(mapping) => Some(mapping),
            _ => {
                if !self.is_absent() {
                    self.invalid(format!(
                        "is {}, must be an object with fields",
                        self.describe()
                    ));
                }
                None
            }
        }
    }

    /// What it is, in words.
    pub(super) fn describe(&self) -> &'static str {
        match &self.tree.data {
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "an object",
            Data::Scalar(scalar) => scalar.reading().describe().unwrap_or("text"),
        }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = match self.parent {
            Some(parent) => {
                parent.fmt(f)?;
                if matches!(parent.step, Step::Root) {
                    ""
                } else {
                    "."
                }
            }
            None => "",
        };
        match self.step {
            Step::Root => Ok(()),
            Step::Index(i) => write!(f, "[{i}]"),
            Step::Key(key) if key.contains(['.', '/', '[', ' ']) || key.is_empty() => {
                write!(f, "[{key:?}]")
            }
            Step::Key(key) => {
                f.write_str(joint)?;
                f.write_str(key)
            }
        }
    }
}
