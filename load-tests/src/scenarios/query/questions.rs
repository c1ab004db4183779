use selectord::engine::Namespaces;
use selectord::selector::Selector;
use selectord_corpus::Corpus;

use crate::cluster;

/// Two pairs, a few pods in a million.
pub const SELECTIVE: &str = "app=app-00100,tier=backend";
/// Two pairs, a fifth of the pods.
pub const BROAD: &str = "env=prod,active=yes";
/// The same as pairs.
pub const BROAD_PAIRS: [(&str, &str); 2] = [("env", "prod"), ("active", "yes")];
/// What the README asks.
pub const STORY: &str = "run=rng,active!=yes";

/// A count, and what it is held to.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it shows.
    pub what: &'static str,
    /// What is asked.
    pub selector: Selector,
    /// Where.
    pub namespaces: Namespaces,
    /// Nanoseconds that it may take.
    pub at_most: f64,
    /// The two pairs, where flat bitsets of the same width can be asked the same.
    pub pairs: Option<[(&'static str, &'static str); 2]>,
}

impl Question {
    fn new(what: &'static str, text: &str, at_most: f64) -> Question {
        Question {
            what,
            selector: cluster::selector(text),
            namespaces: Namespaces::all(),
            at_most,
            pairs: None,
        }
    }
}

/// All of them.
pub fn questions(corpus: &Corpus) -> Vec<Question> {
    let fifty: Vec<String> = (0..50).map(|team| format!("team-{team:03}")).collect();
    let fifty = format!("team in ({})", fifty.join(","));
    let namespace = corpus.pod(corpus.spec().pods / 2).namespace;
    vec![
        Question {
            pairs: Some([("app", "app-00100"), ("tier", "backend")]),
            ..Question::new("count, two pairs, selective", SELECTIVE, 1_000.0)
        },
        Question {
            pairs: Some(BROAD_PAIRS),
            ..Question::new("count, two pairs, broad", BROAD, 10_000.0)
        },
        Question::new("count, run=rng,active!=yes", STORY, 10_000.0),
        Question {
            namespaces: Namespaces::only([&*namespace]),
            ..Question::new("count, the same in one namespace", STORY, 1_000.0)
        },
        Question::new("count, in of 50 values", &fifty, 250_000.0),
        Question::new("count, exists", "job-name", 250_000.0),
        Question::new("count, notin", "env notin (dev,test)", 250_000.0),
        Question::new("count, >", "version>250", 250_000.0),
        Question::new(
            "count, four terms, worst first",
            "active=yes,env=prod,tier=backend,app=app-00010",
            10_000.0,
        ),
    ]
}

/// What is asked of all of them, without what it is held to.
pub fn counts(corpus: &Corpus) -> Vec<(Selector, Namespaces)> {
    let questions = questions(corpus).into_iter();
    questions.map(|q| (q.selector, q.namespaces)).collect()
}
