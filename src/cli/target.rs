//! Flags that most verbs share: which server, which namespace, which labels, which output.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use smol_str::SmolStr;

use crate::client::{Address, Client, ClientOptions};
use crate::model::ObjectName;
use crate::selector::Selector;

use super::failure::Misused;

/// Where a server is looked for when nobody says.
const DEFAULT_SERVER: &str = "127.0.0.1:7400";
/// The environment variable that says where it is.
const SERVER_VARIABLE: &str = "SELECTORD_SERVER";
/// The namespace that is meant when none is named.
const DEFAULT_NAMESPACE: &str = "default";

/// The shared flags as kubectl's users also write them: before the verb.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct EarlyArgs {
    #[arg(
        id = "early-server",
        long = "server",
        short = 's',
        value_name = "ADDRESS",
        hide = true
    )]
    server: Option<Address>,
    #[arg(
        id = "early-namespace",
        long = "namespace",
        short = 'n',
        value_name = "NAMESPACE",
        hide = true
    )]
    namespace: Option<String>,
}

impl EarlyArgs {
    /// Refuses them for a verb that has no use for them.
    pub(super) fn refuse(&self, verb: &'static str) -> anyhow::Result<()> {
        match (&self.server, &self.namespace) {
            (Some(_), _) => Err(Misused::of(
                verb,
                format!("'selectord {verb}' asks no server: leave out --server"),
            )),
            (_, Some(_)) => Err(Misused::of(
                verb,
                format!("'selectord {verb}' has no namespace: leave out -n"),
            )),
            (None, None) => Ok(()),
        }
    }
}

/// Which server to ask.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ServerArgs {
    /// Where the server is: HOST:PORT, http://HOST:PORT or unix:PATH
    ///
    /// [env: SELECTORD_SERVER] [default: 127.0.0.1:7400]
    #[arg(long, short, value_name = "ADDRESS", help_heading = "Server")]
    server: Option<Address>,
}

impl ServerArgs {
    /// Connects to the server that the flag names, or the environment, or the default one.
    pub(super) async fn connect(&self, early: &EarlyArgs) -> anyhow::Result<Client> {
        Ok(Client::connect_with(self.address(early)?, ClientOptions::default()).await?)
    }

    /// The same, but that it need not be there yet.
    pub(super) fn connect_later(&self, early: &EarlyArgs) -> anyhow::Result<Client> {
        Ok(Client::connect_later(
            self.address(early)?,
            ClientOptions::default(),
        )?)
    }

    fn address(&self, early: &EarlyArgs) -> anyhow::Result<Address> {
        if let Some(given) = self.server.as_ref().or(early.server.as_ref()) {
            return Ok(given.clone());
        }
        match std::env::var(SERVER_VARIABLE) {
            Ok(text) if !text.is_empty() => text.parse().context(SERVER_VARIABLE),
            _ => Ok(DEFAULT_SERVER.parse()?),
        }
    }
}

/// Which namespace is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct NamespaceArgs {
    /// The namespace [default: default]
    #[arg(
        long,
        short,
        value_name = "NAMESPACE",
        conflicts_with = "all_namespaces"
    )]
    namespace: Option<String>,
    /// All namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
}

/// The namespace that is meant where objects are named one by one.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct OneNamespaceArgs {
    /// The namespace [default: default]
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

impl OneNamespaceArgs {
    /// What the user said, if anything.
    pub(super) fn given(&self, early: &EarlyArgs) -> Option<SmolStr> {
        self.namespace
            .as_deref()
            .or(early.namespace.as_deref())
            .map(SmolStr::new)
    }

    /// The namespace that is meant.
    pub(super) fn meant(&self, early: &EarlyArgs) -> SmolStr {
        self.given(early)
            .unwrap_or_else(|| DEFAULT_NAMESPACE.into())
    }
}

/// Where a command looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    All,
    Namespace(SmolStr),
}

impl NamespaceArgs {
    pub(super) fn place(&self, early: &EarlyArgs) -> Place {
        match self.namespace.as_deref().or(early.namespace.as_deref()) {
            _ if self.all_namespaces => Place::All,
            Some(namespace) => Place::Namespace(namespace.into()),
            None => Place::Namespace(DEFAULT_NAMESPACE.into()),
        }
    }
}

impl Place {
    /// As a list where empty means all.
    pub(super) fn namespaces(&self) -> Vec<SmolStr> {
        match self {
            Place::All => Vec::new(),
            Place::Namespace(namespace) => vec![namespace.clone()],
        }
    }

    pub(super) fn is_all(&self) -> bool {
        *self == Place::All
    }

    /// The object of this name here; none where a name alone does not say which object is meant.
    pub(super) fn object(&self, name: &str) -> Option<ObjectName> {
        match self {
            Place::All => None,
            Place::Namespace(namespace) => Some(ObjectName::new(namespace.clone(), name)),
        }
    }
}

/// Which labels to look for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectorArgs {
    /// Only objects whose labels match, e.g. 'app=rng,tier in (web,api),!canary'
    #[arg(long, short = 'l', value_name = "SELECTOR", allow_hyphen_values = true)]
    selector: Option<String>,
}

impl SelectorArgs {
    /// Whether a selector was given. As for kubectl an empty one was not: a script whose variable is
    /// unset must not reach every object.
    pub(super) fn is_given(&self) -> bool {
        self.selector
            .as_deref()
            .is_some_and(|text| !text.trim().is_empty())
    }

    /// The selector; everything where none was given.
    pub(super) fn selector(&self, verb: &'static str) -> anyhow::Result<Selector> {
        let text = self.selector.as_deref().unwrap_or_default();
        Selector::parse(text).map_err(|error| {
            Misused::of(
                verb,
                format!("-l: {error}\n{}", indented(&error.caret(text))),
            )
        })
    }
}

/// Each line two blanks further in.
pub(super) fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How a listing is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table with more columns
    Wide,
    /// Kubernetes' own shapes, as JSON
    Json,
    /// The same, as YAML
    Yaml,
    /// TYPE/NAME, one a line
    Name,
}

/// How an answer that is no object is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DataFormat {
    /// One JSON object
    Json,
    /// The same, as YAML
    Yaml,
}

/// How changed objects are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// TYPE/NAME, one a line
    Name,
}

/// Whether anything is changed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum DryRun {
    /// Do it
    #[default]
    None,
    /// Only say what would be done, as far as it can be told from here
    Client,
}

/// A choice of output that a verb without tables has.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DataArgs {
    /// Print data instead of text
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    pub(super) output: Option<DataFormat>,
}
