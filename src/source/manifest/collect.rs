use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{Kind, Object, ObjectName, ObjectRef, validate};

use super::decode::{
    Field, Metadata, Noted, Problem, Problems, endpoint_slice, endpoints, node, pod, service,
};
use super::error::{ManifestError, ManifestErrors};
use super::kinds::{self, Verdict};
use super::origin::Origin;
use super::syntax::documents;

/// What manifests hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifests {
    /// The objects in the order read, each valid, each name once.
    pub objects: Vec<Object>,
    /// How many objects were left out, by kind and reason.
    pub skipped: BTreeMap<String, usize>,
    /// What is worth telling although nothing is wrong, one sentence each.
    pub warnings: Vec<String>,
}

/// Reads one text, whose `name` stands in errors and, ending in `.json`, allows only JSON. Objects
/// without a namespace are in `default_namespace`.
///
/// # Errors
/// Everything that is wrong, up to a number.
pub fn parse(name: &str, text: &str, default_namespace: &str) -> Result<Manifests, ManifestErrors> {
    let mut collector = Collector::new(default_namespace);
    collector.add(name, text);
    collector.finish()
}

/// Takes texts one after another, and holds all they say until the last is read.
#[derive(Debug)]
pub struct Collector<'n> {
    default_namespace: &'n str,
    manifests: Manifests,
    origins: HashMap<ObjectRef, Origin>,
    /// Slices that mirror an Endpoints object which may come yet.
    mirrors: Vec<(Object, Origin)>,
    errors: ManifestErrors,
}

/// One document, or a list or item within it, and where that is.
#[derive(Clone, Copy)]
struct Position<'p> {
    file: &'p Arc<str>,
    document: usize,
    /// What a list says of its items.
    api_version: &'p str,
    kind: &'p str,
}

impl<'n> Collector<'n> {
    /// A collector that has read nothing.
    pub fn new(default_namespace: &'n str) -> Collector<'n> {
        Collector {
            default_namespace,
            manifests: Manifests::default(),
            origins: HashMap::new(),
            mirrors: Vec::new(),
            errors: ManifestErrors::default(),
        }
    }

    /// Notes that something could not even be read.
    pub fn fail(&mut self, error: ManifestError) {
        self.errors.push(error);
    }

    /// Reads one text. Linear in its length.
    pub fn add(&mut self, name: &str, text: &str) {
        let file: Arc<str> = Arc::from(name);
        let documents = match documents(name, text) {
            Ok(documents) => documents,
            Err(cause) => return self.errors.push(ManifestError::Syntax { file, cause }),
        };
        for document in documents {
            let problems = Problems::default();
            let root = Field::root(&document.tree, &problems);
            if !root.is_absent() {
                let at = Position {
                    file: &file,
                    document: document.number,
                    api_version: "",
                    kind: "",
                };
                self.take(&root, &at);
            }
        }
    }

    /// Everything read, if all of it is right.
    ///
    /// # Errors
    /// Everything that is wrong, up to a number.
    pub fn finish(mut self) -> Result<Manifests, ManifestErrors> {
        for (object, origin) in std::mem::take(&mut self.mirrors) {
            if self.origins.contains_key(&mirrored(&object)) {
                self.skip("EndpointSlice mirrored from Endpoints that are there".to_owned());
            } else {
                self.keep(object, origin);
            }
        }
        self.warn_of_missing_addresses();
        if self.errors.is_empty() {
            Ok(self.manifests)
        } else {
            Err(self.errors)
        }
    }

    /// Takes an object, or each object of a list.
    fn take(&mut self, object: &Field<'_>, at: &Position<'_>) {
        let problems = Problems::default();
        let object = object.reporting_to(&problems);
        let own = |key: &str, inherited: &str| {
            let text = object.get(key).text();
            if text.is_empty() {
                inherited.into()
            } else {
                text
            }
        };
        let api_version = own("apiVersion", at.api_version);
        let kind = own("kind", at.kind);
        if let Some(item_kind) = kinds::listed(&object, &api_version, &kind) {
            let item_api_version = if item_kind.is_empty() {
                ""
            } else {
                &api_version
            };
            let items = object.get("items");
            for item in items.items() {
                self.take(
                    &item,
                    &Position {
                        api_version: item_api_version,
                        kind: item_kind,
                        ..*at
                    },
                );
            }
        } else {
            for (key, text) in [("apiVersion", &api_version), ("kind", &kind)] {
                if text.is_empty() && object.is_object() {
                    object.get(key).required_text();
                }
            }
            match kinds::known(&api_version, &kind) {
                Some(known) if problems.is_empty() => {
                    return self.take_known(known, &kind, &object, at);
                }
                None if problems.is_empty() => self.skip(kinds::stranger(&api_version, &kind)),
                _ => {}
            }
        }
        self.report(problems, at, &kind, &ObjectName::default());
    }

    fn take_known(&mut self, kind: Kind, word: &str, object: &Field<'_>, at: &Position<'_>) {
        let problems = Problems::default();
        let object = object.reporting_to(&problems);
        let namespace = if kind.is_namespaced() {
            self.default_namespace
        } else {
            ""
        };
        let mut metadata = Metadata::read(&object.get("metadata"), namespace);
        if !kind.is_namespaced() {
            metadata.name.namespace = Default::default();
        }
        let verdict = kinds::verdict(kind, &object, &metadata);
        let name = metadata.name.clone();
        let decoded = match (verdict, kind) {
            (Verdict::Skip(reason), _) => return self.skip(reason.to_owned()),
            (_, Kind::Pod) => Object::Pod(Box::new(pod(&object, metadata))),
            (_, Kind::Service) => Object::Service(Box::new(service(&object, metadata))),
            (_, Kind::Node) => Object::Node(Box::new(node(metadata))),
            (_, Kind::Endpoints) => Object::Manual(Box::new(endpoints(&object, metadata))),
            (_, Kind::EndpointSlice) => Object::Manual(Box::new(endpoint_slice(&object, metadata))),
        };
        // An object half read would break rules that the whole one keeps.
        if problems.is_empty() {
            object.refuse_all(validate(&decoded));
        }
        if problems.is_empty() {
            let path = object.path();
            let origin = Origin {
                file: at.file.clone(),
                place: object.place(),
                document: at.document,
                path,
            };
            match verdict {
                Verdict::TakeUnlessMirrored => self.mirrors.push((decoded, origin)),
                _ => self.keep(decoded, origin),
            }
        } else {
            self.report(problems, at, word, &name);
        }
    }

    fn keep(&mut self, object: Object, origin: Origin) {
        let name = object.object_ref();
        match self.origins.get(&name) {
            Some(first) => {
                let first = first.clone();
                self.errors.push(ManifestError::Duplicate {
                    object: name,
                    first,
                    second: origin,
                });
            }
            None => {
                self.origins.insert(name, origin);
                self.manifests.objects.push(object);
            }
        }
    }

    fn skip(&mut self, reason: String) {
        *self.manifests.skipped.entry(reason).or_default() += 1;
    }

    fn report(&mut self, problems: Problems, at: &Position<'_>, kind: &str, name: &ObjectName) {
        let kind = if kind.is_empty() { "object" } else { kind };
        let object = if name.name.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind} {name}")
        };
        let Noted { problems, more } = problems.into_noted();
        self.errors.add_more(more);
        for Problem { place, error } in problems {
            let at = Origin {
                file: at.file.clone(),
                place,
                document: at.document,
                path: String::new(),
            };
            self.errors.push(ManifestError::Field {
                at,
                object: object.clone(),
                error,
            });
        }
    }

    fn warn_of_missing_addresses(&mut self) {
        let mut without = self
            .manifests
            .objects
            .iter()
            .filter_map(|object| match object {
                Object::Pod(pod) if pod.pod_ips.is_empty() => Some(&pod.name),
                _ => None,
            });
        let Some(first) = without.next() else { return };
        let warning = match without.count() {
            0 => format!(
                "pod {first} has no address in status.podIPs: it is no endpoint until it has one"
            ),
            more => format!(
                "{} pods have no address in status.podIPs, {first} the first of them: they are no endpoints until they have one",
                more + 1,
            ),
        };
        self.manifests.warnings.push(warning);
    }
}

/// The Endpoints object that a slice mirrors: the one named like its service.
fn mirrored(slice: &Object) -> ObjectRef {
    let name = match slice {
        Object::Manual(slice) => slice.service_name(),
        other => other.object_ref().name,
    };
    ObjectRef::new(Kind::Endpoints, name)
}
