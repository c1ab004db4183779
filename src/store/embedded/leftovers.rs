use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::tree_check::{TABLES, named};

/// What is left of tables whose writing fails. The tree removes it when it is opened next; until then it would
/// take the room for whose want the writing failed, each time that it is tried again.
pub(super) struct Leftovers {
    state: PathBuf,
    /// The tables that were there before; none where that is not known, and nothing is removed.
    before: Option<BTreeSet<u64>>,
}

impl Leftovers {
    /// To be asked for before something is written.
    pub(super) fn watch(state: &Path) -> Leftovers {
        Leftovers {
            state: state.to_owned(),
            before: tables(state).ok(),
        }
    }

    /// Removes tables that came to be since and are not named by the list that counts. Nobody may be
    /// writing one.
    pub(super) fn remove(&self) {
        let (Some(before), Ok(named)) = (&self.before, named(&self.state, &self.state)) else {
            return;
        };
        let named: BTreeSet<u64> = named.into_iter().map(|(number, _)| number).collect();
        let left = tables(&self.state).unwrap_or_default();
        for number in left.difference(before).filter(|it| !named.contains(it)) {
            let path = table(&self.state, *number);
            if let Err(error) = fs::remove_file(&path) {
                warn!(%error, path = %path.display(), "cannot remove what is left of a file of the state");
            }
        }
    }
}

fn table(state: &Path, number: u64) -> PathBuf {
    state.join(TABLES).join(number.to_string())
}

/// The numbers of the tables that are there.
fn tables(state: &Path) -> io::Result<BTreeSet<u64>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(state.join(TABLES))? {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    Ok(found)
}
