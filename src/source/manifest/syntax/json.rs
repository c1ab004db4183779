use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smol_str::{SmolStr, ToSmolStr};

use super::{Data, Document, Entry, MappingBuilder, Place, Scalar, SyntaxCause, SyntaxError, Tree};

/// Who set which field, as the API server keeps it: often half of an object, and never of use here.
const UNUSED: &str = "managedFields";

/// The JSON values of a text, one after another.
pub fn documents(text: &str) -> Result<Vec<Document>, SyntaxError> {
    let mut documents = Vec::new();
    for tree in serde_json::Deserializer::from_str(text).into_iter::<Tree>() {
        let number = documents.len() + 1;
        let tree = tree.map_err(|error| SyntaxError {
            document: number,
            place: place(&error),
            cause: SyntaxCause::Json(error),
        })?;
        documents.push(Document { number, tree });
    }
    Ok(documents)
}

fn place(error: &serde_json::Error) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line: number(error.line()),
        column: number(error.column()),
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

fn scalar(text: impl Into<SmolStr>, plain: bool) -> Tree {
    Tree {
        place: Place::default(),
        data: Data::Scalar(Scalar {
            text: text.into(),
            plain,
        }),
    }
}

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(scalar(SmolStr::new_static("null"), true))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(scalar(
            SmolStr::new_static(if value { "true" } else { "false" }),
            true,
        ))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(scalar(value.to_smolstr(), true))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(scalar(value.to_smolstr(), true))
    }

    // The debug form keeps the fraction of `1.0`, so that it stays a number with a fraction.
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(scalar(format!("{value:?}"), true))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(scalar(value, false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Tree {
            place: Place::default(),
            data: Data::Sequence(items),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = MappingBuilder::default();
        while let Some(text) = map.next_key::<Text>()?.map(|key| key.0) {
            if text == UNUSED {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value()?;
            let key = Scalar {
                text: text.clone(),
                plain: false,
            };
            entries
                .insert(Entry {
                    key,
                    place: Place::default(),
                    value,
                })
                .map_err(|_| {
                    A::Error::custom(format_args!(
                        "key {text:?} stands twice in one object: keep one"
                    ))
                })?;
        }
        Ok(Tree {
            place: Place::default(),
            data: Data::Mapping(entries.finish()),
        })
    }
}

/// A key, without the `String` that serde would make of it first.
struct Text(SmolStr);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(SmolStr::new(text)))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}
