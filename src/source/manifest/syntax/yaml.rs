use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use smol_str::SmolStr;

use super::{
    Data, Document, Entry, Extent, Mapping, MappingBuilder, Place, Scalar, SyntaxCause,
    SyntaxError, Tree,
};

/// How deep sequences and mappings may stand within each other; as for JSON.
const MAX_DEPTH: usize = 128;
/// How many values the anchors and aliases of one document may stand for, which is what a few
/// lines of nested aliases would otherwise multiply without end.
const MAX_ALIASED: usize = 100_000;
/// A mapping under this plain key stands for its entries.
const MERGE_KEY: &str = "<<";

/// The documents of a YAML text, empty ones included.
pub fn documents(text: &str) -> Result<Vec<Document>, SyntaxError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, place(&span.start))?,
            Err(error) => {
                return Err(builder.error(
                    place(error.marker()),
                    SyntaxCause::Yaml {
                        info: error.info().to_owned(),
                    },
                ));
            }
        }
    }
    Ok(builder.documents)
}

fn place(marker: &Marker) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line: number(marker.line()),
        column: number(marker.col()).saturating_add(1),
    }
}

/// What is open: collections whose end has not come yet, innermost last.
enum Frame {
    Sequence {
        place: Place,
        anchor: usize,
        items: Vec<Tree>,
    },
    Mapping {
        place: Place,
        anchor: usize,
        entries: MappingBuilder,
        merged: Vec<Mapping>,
        key: Option<(Scalar, Place)>,
    },
}

/// Makes trees of the parser's events without recursion.
#[derive(Default)]
struct Builder {
    documents: Vec<Document>,
    open: Vec<Frame>,
    root: Option<Tree>,
    anchors: HashMap<usize, (Tree, Extent)>,
    aliased: usize,
}

impl Builder {
    fn error(&self, place: Place, cause: SyntaxCause) -> SyntaxError {
        SyntaxError {
            document: self.documents.len() + 1,
            place,
            cause,
        }
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), SyntaxError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = self.is_plain(style, tag, place)?;
                let tree = Tree {
                    place,
                    data: Data::Scalar(Scalar {
                        text: SmolStr::new(text),
                        plain,
                    }),
                };
                self.complete(tree, anchor)
            }
            Event::Alias(anchor) => {
                let unknown = || self.error(place, SyntaxCause::UnknownAlias);
                let (tree, extent) = self.anchors.get(&anchor).cloned().ok_or_else(unknown)?;
                self.spend(extent, place)?;
                self.complete(tree, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag, place, "seq")?;
                self.push(
                    Frame::Sequence {
                        place,
                        anchor,
                        items: Vec::new(),
                    },
                    place,
                )
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag, place, "map")?;
                let entries = MappingBuilder::default();
                self.push(
                    Frame::Mapping {
                        place,
                        anchor,
                        entries,
                        merged: Vec::new(),
                        key: None,
                    },
                    place,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Frame::Sequence {
                    place,
                    anchor,
                    items,
                }) => self.complete(
                    Tree {
                        place,
                        data: Data::Sequence(items),
                    },
                    anchor,
                ),
                Some(Frame::Mapping {
                    place,
                    anchor,
                    mut entries,
                    merged,
                    ..
                }) => {
                    for entry in merged.iter().flat_map(Mapping::iter) {
                        if !entries.contains(&entry.key.text) {
                            // Not there, so it is taken.
                            let _ = entries.insert(entry.clone());
                        }
                    }
                    self.complete(
                        Tree {
                            place,
                            data: Data::Mapping(entries.finish()),
                        },
                        anchor,
                    )
                }
                None => Ok(()),
            },
            Event::DocumentEnd => {
                let number = self.documents.len() + 1;
                let nothing = Tree {
                    place,
                    data: Data::Scalar(Scalar::NULL),
                };
                self.documents.push(Document {
                    number,
                    tree: self.root.take().unwrap_or(nothing),
                });
                self.anchors.clear();
                self.aliased = 0;
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {
                Ok(())
            }
        }
    }

    fn push(&mut self, frame: Frame, place: Place) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error(place, SyntaxCause::TooDeep { limit: MAX_DEPTH }));
        }
        self.open.push(frame);
        Ok(())
    }

    /// Counts values that are there once more than they were written.
    fn spend(&mut self, extent: Extent, place: Place) -> Result<(), SyntaxError> {
        if self.open.len() + extent.depth > MAX_DEPTH {
            return Err(self.error(place, SyntaxCause::TooDeep { limit: MAX_DEPTH }));
        }
        self.aliased = self.aliased.saturating_add(extent.size);
        if self.aliased > MAX_ALIASED {
            return Err(self.error(place, SyntaxCause::AliasesTooLarge { limit: MAX_ALIASED }));
        }
        Ok(())
    }

    /// Puts a whole value where it belongs.
    fn complete(&mut self, tree: Tree, anchor: usize) -> Result<(), SyntaxError> {
        if anchor > 0 {
            let extent = tree.extent();
            self.spend(extent, tree.place)?;
            self.anchors.insert(anchor, (tree.clone(), extent));
        }
        let place = tree.place;
        let misplaced = match self.open.last_mut() {
            None => {
                self.root = Some(tree);
                None
            }
            Some(Frame::Sequence { items, .. }) => {
                items.push(tree);
                None
            }
            Some(Frame::Mapping {
                entries,
                merged,
                key,
                ..
            }) => match (key.take(), tree.data) {
                (None, Data::Scalar(scalar)) => {
                    *key = Some((scalar, place));
                    None
                }
                (None, _) => Some(SyntaxCause::KeyIsNotScalar),
                (Some((scalar, _)), data) if scalar.plain && scalar.text == MERGE_KEY => {
                    merge(data, merged).err()
                }
                (Some((scalar, place)), data) => {
                    let value = Tree {
                        place: tree.place,
                        data,
                    };
                    let text = scalar.text.clone();
                    let duplicate = entries
                        .insert(Entry {
                            key: scalar,
                            place,
                            value,
                        })
                        .err();
                    if let Some(first) = duplicate {
                        return Err(
                            self.error(place, SyntaxCause::DuplicateKey { key: text, first })
                        );
                    }
                    None
                }
            },
        };
        misplaced.map_or(Ok(()), |cause| Err(self.error(place, cause)))
    }

    /// Whether a scalar is to be read for what it looks like: its tag says so, else its style.
    fn is_plain(
        &self,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        place: Place,
    ) -> Result<bool, SyntaxError> {
        let Some(tag) = tag else {
            return Ok(style == ScalarStyle::Plain);
        };
        match tag.suffix.as_str() {
            "str" if tag.is_yaml_core_schema() => Ok(false),
            "bool" | "int" | "float" | "null" if tag.is_yaml_core_schema() => Ok(true),
            "" | "!" => Ok(false),
            _ => Err(self.error(
                place,
                SyntaxCause::UnknownTag {
                    tag: tag.to_string(),
                },
            )),
        }
    }

    fn collection_tag(
        &self,
        tag: Option<Cow<'_, Tag>>,
        place: Place,
        expected: &str,
    ) -> Result<(), SyntaxError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => Err(self.error(
                place,
                SyntaxCause::UnknownTag {
                    tag: tag.to_string(),
                },
            )),
            _ => Ok(()),
        }
    }
}

/// Takes apart what stands under a merge key. Of one key in several mappings the first counts.
fn merge(data: Data, merged: &mut Vec<Mapping>) -> Result<(), SyntaxCause> {
    match data {
        Data::Mapping(mapping) => merged.push(mapping),
        Data::Sequence(items) => {
            for item in items {
                match item.data {
                    Data::Mapping(mapping) => merged.push(mapping),
                    _ => return Err(SyntaxCause::MergeIsNotMapping),
                }
            }
        }
        Data::Scalar(_) => return Err(SyntaxCause::MergeIsNotMapping),
    }
    Ok(())
}
