use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::measure::Samples;

/// The oldest Go that builds the peers, as in each go.mod.
const OLDEST: (u32, u32) = (1, 24);
/// Where Go is, if not on the path.
const ELSEWHERE: &str = "/usr/local/go/bin/go";

/// The Go programs of `peers/`, built.
pub struct Peers {
    folder: TempDir,
}

/// What a program printed.
#[derive(Debug, Default)]
pub struct Output {
    /// What it was built from.
    pub version: String,
    /// What it was asked, and sets of text; in the order in which they were printed.
    pub answers: Vec<(String, Vec<String>)>,
    figures: HashMap<String, Samples>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Version {
        version: String,
    },
    Answer {
        answer: String,
        values: Option<Vec<String>>,
    },
    Figure {
        figure: String,
        runs: Vec<f64>,
    },
}

/// The Go that builds the peers.
///
/// # Errors
/// There is none, or it is too old; said as a report says it.
pub fn find() -> Result<PathBuf, String> {
    let oldest = format!("Go {}.{} or newer", OLDEST.0, OLDEST.1);
    let mut old = None;
    for program in ["go", ELSEWHERE] {
        let Ok(output) = Command::new(program).arg("version").output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if version(&text).is_some_and(|version| version >= OLDEST) {
            return Ok(program.into());
        }
        old = Some(text);
    }
    Err(match old {
        Some(old) => format!("the peers need {oldest}; this machine has {old:?}"),
        None => {
            format!("the peers need {oldest}, which this machine does not have (https://go.dev/dl)")
        }
    })
}

/// Of `go version go1.26.8 linux/amd64`, the 1 and the 26.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text
        .split_whitespace()
        .nth(2)?
        .strip_prefix("go")?
        .split('.');
    let minor: String = numbers
        .clone()
        .nth(1)?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    Some((numbers.next()?.parse().ok()?, minor.parse().ok()?))
}

impl Peers {
    /// A folder for programs and files; nothing is built yet.
    pub fn new() -> anyhow::Result<Peers> {
        let folder = TempDir::with_prefix("selectord-peers-")?;
        Ok(Peers { folder })
    }

    /// A file that goes when this goes.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Builds programs of a module, which is a folder below this package's.
    ///
    /// # Errors
    /// What Go says: as a rule that a module could not be downloaded.
    pub fn build(&self, go: &Path, module: &str, programs: &[&str]) -> anyhow::Result<()> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(module);
        let output = Command::new(go)
            .arg("build")
            .arg("-o")
            .arg(self.folder.path())
            .args(programs.iter().map(|program| format!("./{program}")))
            .current_dir(source)
            .output()?;
        if !output.status.success() {
            bail!("{}", last_lines(&output.stderr));
        }
        Ok(())
    }

    /// Runs a program to its end, on one processor.
    pub fn run(&self, program: &str, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Output> {
        self.run_with(program, arguments, &[])
    }

    /// The same, with variables of Go's runtime.
    pub fn run_with(
        &self,
        program: &str,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Output> {
        let output = Command::new(self.path(program))
            .args(arguments)
            .env("GOMAXPROCS", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            bail!("peers/{program} failed: {}", last_lines(&output.stderr));
        }
        let text = String::from_utf8(output.stdout)?;
        let nonsense = || format!("peers/{program} printed something else than was expected");
        read(&text).with_context(nonsense)
    }
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.trim().lines().collect();
    let first = lines.len().saturating_sub(5);
    lines.get(first..).unwrap_or_default().join("; ")
}

fn read(text: &str) -> anyhow::Result<Output> {
    let mut output = Output::default();
    for line in text.lines() {
        match serde_json::from_str(line)? {
            Line::Version { version } => output.version = version,
            Line::Answer { answer, values } => {
                output.answers.push((answer, values.unwrap_or_default()));
            }
            Line::Figure { figure, runs } => {
                output.figures.insert(figure, runs.into_iter().collect());
            }
        }
    }
    Ok(output)
}

impl Output {
    /// A figure of this name.
    pub fn figure(&self, name: &str) -> anyhow::Result<&Samples> {
        let figure = self.figures.get(name);
        figure.with_context(|| format!("a peer was to print a figure {name:?}, and did not"))
    }

    /// The answers by what was asked; the last, if it was asked more than once.
    pub fn by_item(&self) -> BTreeMap<&str, &[String]> {
        self.answers
            .iter()
            .map(|(item, values)| (item.as_str(), values.as_slice()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_go_is_read() {
        for (text, read) in [
            ("go version go1.26.8 linux/amd64", Some((1, 26))),
            ("go version go1.24 darwin/arm64", Some((1, 24))),
            ("go version go1.25rc1 linux/amd64", Some((1, 25))),
            ("go version devel +abc linux/amd64", None),
            ("", None),
        ] {
            assert_eq!(version(text), read, "{text}");
        }
    }

    #[test]
    fn what_a_peer_prints_is_read() {
        let text = r#"{"version":"go1.24"}
{"answer":"a/b","values":["x","y"]}
{"answer":"a/c","values":null}
{"figure":"sync","runs":[2,1,3]}
"#;
        let output = read(text).unwrap();
        assert_eq!(output.version, "go1.24");
        assert_eq!(output.by_item()["a/b"], ["x", "y"]);
        assert!(output.by_item()["a/c"].is_empty());
        assert_eq!(output.figure("sync").unwrap().median(), 2.0);
        assert!(output.figure("flip").is_err());
        assert!(read("{}").is_err());
    }
}
