//! Types of resources and how they are named on a command line: `pods rng-a rng-b`, `po`, `svc/rng`.

use crate::model::Kind;

/// A type of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Pods,
    Services,
    /// The endpoints of services; where something is deleted or labeled, hand-made Endpoints objects.
    Endpoints,
    /// The same, for hand-made EndpointSlice objects.
    EndpointSlices,
    Nodes,
}

/// Every spelling that kubectl knows.
const WORDS: [(&str, Resource); 15] = [
    ("pods", Resource::Pods),
    ("pod", Resource::Pods),
    ("po", Resource::Pods),
    ("services", Resource::Services),
    ("service", Resource::Services),
    ("svc", Resource::Services),
    ("endpoints", Resource::Endpoints),
    ("endpoint", Resource::Endpoints),
    ("ep", Resource::Endpoints),
    ("endpointslices", Resource::EndpointSlices),
    ("endpointslice", Resource::EndpointSlices),
    ("eps", Resource::EndpointSlices),
    ("nodes", Resource::Nodes),
    ("node", Resource::Nodes),
    ("no", Resource::Nodes),
];

impl Resource {
    fn from_word(word: &str) -> Result<Resource, ResourceError> {
        let lower = word.to_ascii_lowercase();
        WORDS
            .iter()
            .find(|(known, _)| *known == lower)
            .map(|(_, resource)| *resource)
            .ok_or_else(|| ResourceError::Unknown {
                word: word.to_owned(),
            })
    }

    /// The kind of the objects.
    pub(super) fn kind(self) -> Kind {
        match self {
            Resource::Pods => Kind::Pod,
            Resource::Services => Kind::Service,
            Resource::Endpoints => Kind::Endpoints,
            Resource::EndpointSlices => Kind::EndpointSlice,
            Resource::Nodes => Kind::Node,
        }
    }

    /// Whether what is shown of it is the endpoints of services.
    pub(super) fn is_endpoints(self) -> bool {
        matches!(self, Resource::Endpoints | Resource::EndpointSlices)
    }

    /// In the plural, as in "no pods found".
    pub(super) fn plural(self) -> &'static str {
        match self {
            Resource::Pods => "pods",
            Resource::Services => "services",
            Resource::Endpoints => "endpoints",
            Resource::EndpointSlices => "endpointslices",
            Resource::Nodes => "nodes",
        }
    }
}

/// Why words do not name resources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResourceError {
    #[error("say which type of resource: pods, services, endpoints or nodes")]
    Missing,
    #[error(
        "there is no resource type {word:?}; the types are pods (po), services (svc), endpoints (ep) and nodes (no)"
    )]
    Unknown { word: String },
    #[error(
        "there is no need to say the resource type twice: write 'pod/a pod/b' or 'pods a b', not {word:?}"
    )]
    Mixed { word: String },
    #[error("{word:?} has no name behind the '/'")]
    NoName { word: String },
    #[error("{word:?}: one resource type at a time, please")]
    Several { word: String },
}

/// What one command asks for: a type, and names of that type, or all of it where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) resource: Resource,
    pub(super) names: Vec<String>,
}

/// Reads `TYPE [NAME…]` or `TYPE/NAME…`; neighbours of one type are one group.
pub(super) fn parse(words: &[String]) -> Result<Vec<Group>, ResourceError> {
    let (first, rest) = words.split_first().ok_or(ResourceError::Missing)?;
    if !first.contains('/') {
        if first.contains(',') {
            return Err(ResourceError::Several {
                word: first.clone(),
            });
        }
        if let Some(word) = rest.iter().find(|word| word.contains('/')) {
            return Err(ResourceError::Mixed { word: word.clone() });
        }
        let resource = Resource::from_word(first)?;
        return Ok(vec![Group {
            resource,
            names: rest.to_vec(),
        }]);
    }
    let mut groups: Vec<Group> = Vec::new();
    for word in words {
        let (kind, name) = word
            .split_once('/')
            .ok_or_else(|| ResourceError::Mixed { word: word.clone() })?;
        if name.is_empty() {
            return Err(ResourceError::NoName { word: word.clone() });
        }
        let resource = Resource::from_word(kind)?;
        match groups.last_mut().filter(|group| group.resource == resource) {
            Some(group) => group.names.push(name.to_owned()),
            None => groups.push(Group {
                resource,
                names: vec![name.to_owned()],
            }),
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn group(resource: Resource, names: &str) -> Group {
        Group {
            resource,
            names: words(names),
        }
    }

    #[test]
    fn types_and_names_in_both_forms() {
        for (text, groups) in [
            ("pods", vec![group(Resource::Pods, "")]),
            ("Po a b", vec![group(Resource::Pods, "a b")]),
            ("svc rng", vec![group(Resource::Services, "rng")]),
            (
                "pod/a po/b svc/rng pod/c",
                vec![
                    group(Resource::Pods, "a b"),
                    group(Resource::Services, "rng"),
                    group(Resource::Pods, "c"),
                ],
            ),
            ("ep", vec![group(Resource::Endpoints, "")]),
            ("node/n1", vec![group(Resource::Nodes, "n1")]),
        ] {
            assert_eq!(parse(&words(text)), Ok(groups), "{text}");
        }
    }

    #[test]
    fn wrong_words_are_named() {
        let word = |word: &str| word.to_owned();
        assert_eq!(parse(&[]), Err(ResourceError::Missing));
        assert_eq!(
            parse(&words("cronjobs")),
            Err(ResourceError::Unknown {
                word: word("cronjobs")
            })
        );
        assert_eq!(
            parse(&words("pods pod/a")),
            Err(ResourceError::Mixed {
                word: word("pod/a")
            })
        );
        assert_eq!(
            parse(&words("pod/a b")),
            Err(ResourceError::Mixed { word: word("b") })
        );
        assert_eq!(
            parse(&words("pod/")),
            Err(ResourceError::NoName { word: word("pod/") })
        );
        assert_eq!(
            parse(&words("pods,svc")),
            Err(ResourceError::Several {
                word: word("pods,svc")
            })
        );
    }
}
