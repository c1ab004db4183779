use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::collect::{Collector, Manifests};
use super::error::{ManifestError, ManifestErrors};

/// What standard input is called in errors.
const STDIN: &str = "stdin";

/// Where manifests are: what stands behind `-f`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file of any name, or a directory, of which the files ending in `.yaml`, `.yml` and `.json`
    /// are read in the order of their names; directories within it are not looked into.
    Path(PathBuf),
    /// Standard input, written `-`.
    Stdin,
}

impl From<OsString> for Input {
    fn from(text: OsString) -> Input {
        if text == OsStr::new("-") {
            Input::Stdin
        } else {
            Input::Path(text.into())
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Input {
        OsString::from(text).into()
    }
}

/// Reads everything and checks everything before it returns anything. Objects without a namespace
/// are in `default_namespace`. Blocks on files and standard input; linear in their length.
///
/// # Errors
/// Everything that is wrong with any of the inputs, up to a number.
pub fn read(inputs: &[Input], default_namespace: &str) -> Result<Manifests, ManifestErrors> {
    let mut collector = Collector::new(default_namespace);
    for input in inputs {
        match input {
            Input::Stdin => {
                let mut text = String::new();
                match io::stdin().lock().read_to_string(&mut text) {
                    Ok(_) => collector.add(STDIN, &text),
                    Err(cause) => collector.fail(ManifestError::Read {
                        path: STDIN.into(),
                        cause,
                    }),
                }
            }
            Input::Path(path) => match files(path) {
                Ok(files) if files.is_empty() => {
                    collector.fail(ManifestError::NoManifests { path: path.clone() })
                }
                Ok(files) => files
                    .iter()
                    .for_each(|file| read_file(&mut collector, file)),
                Err(cause) => collector.fail(ManifestError::Read {
                    path: path.clone(),
                    cause,
                }),
            },
        }
    }
    collector.finish()
}

fn read_file(collector: &mut Collector<'_>, path: &Path) {
    match fs::read_to_string(path) {
        Ok(text) => collector.add(&path.to_string_lossy(), &text),
        Err(cause) => collector.fail(ManifestError::Read {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// The file itself, or the manifests of a directory. Links are followed: that is how Kubernetes
/// mounts a ConfigMap.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let is_manifest = matches!(
            file.extension().and_then(OsStr::to_str),
            Some("yaml" | "yml" | "json")
        );
        if is_manifest && fs::metadata(&file)?.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
