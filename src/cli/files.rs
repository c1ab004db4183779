//! Manifests named by `-f`.

use std::ffi::OsString;

use smol_str::SmolStr;

use crate::model::Object;
use crate::source::manifest::{Input, Manifests, read};

use super::failure::Misused;

/// Which manifests to read.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct FileArgs {
    /// A file of Kubernetes YAML or JSON, a directory of them, or - for standard input
    #[arg(long = "filename", short = 'f', value_name = "FILE|DIR|-")]
    files: Vec<OsString>,
}

impl FileArgs {
    pub(super) fn is_given(&self) -> bool {
        !self.files.is_empty()
    }

    /// Reads and checks everything, then tells on standard error what was left out.
    ///
    /// Objects without a namespace are in `given`, or else in `default`; an object of another
    /// namespace than the one `given` is refused, as kubectl does.
    pub(super) fn read(
        &self,
        verb: &'static str,
        given: Option<&SmolStr>,
        default: &str,
    ) -> anyhow::Result<Vec<Object>> {
        let inputs: Vec<Input> = self.files.iter().cloned().map(Input::from).collect();
        if inputs
            .iter()
            .filter(|input| **input == Input::Stdin)
            .count()
            > 1
        {
            return Err(Misused::of(
                verb,
                "standard input can be read only once: write '-f -' once",
            ));
        }
        let manifests = read(&inputs, given.map_or(default, SmolStr::as_str))?;
        tell(&manifests);
        if let Some(given) = given {
            let stranger = manifests
                .objects
                .iter()
                .map(Object::object_ref)
                .find(|object| object.kind.is_namespaced() && object.name.namespace != *given);
            if let Some(object) = stranger {
                anyhow::bail!(
                    "{object} is not in namespace {given}: leave out -n, or say -n {}",
                    object.name.namespace
                );
            }
        }
        Ok(manifests.objects)
    }
}

/// Says on standard error what manifests hold that was not taken, or may not be what was meant.
pub(super) fn tell(manifests: &Manifests) {
    for warning in &manifests.warnings {
        eprintln!("warning: {warning}");
    }
    for (what, number) in &manifests.skipped {
        eprintln!("skipped: {number} {what}");
    }
}
