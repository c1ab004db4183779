//! Programs of one variant, and a node that uses them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use selectord::engine::View;
use selectord::proxy::iptables::Iptables;
use selectord::proxy::linux::IptablesPrograms;
use selectord::proxy::{Report, Syncer};

use super::decision::Saved;
use crate::mode::options;
use crate::namespace::{self, Namespace};
use crate::program;
use crate::root;

pub const VARIANTS: [&str; 2] = ["nft", "legacy"];

/// Whether both variants are there; if not, says so loudly.
pub fn available(test: &str) -> bool {
    let has = |program: &str| Command::new(program).arg("-V").output().is_ok();
    let all = VARIANTS
        .iter()
        .all(|v| has(&format!("iptables-{v}-save")) && has(&format!("ip6tables-{v}-save")));
    if !all {
        root::skip(test, "it needs iptables-nft and iptables-legacy (iptables)");
    }
    all && namespace::available(test)
}

/// A folder in which the programs of one variant have their plain names.
pub struct Node {
    pub variant: &'static str,
    pub namespace: Namespace,
    folder: tempfile::TempDir,
}

fn found(program: &str) -> PathBuf {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"];
    let path = folders
        .iter()
        .map(|folder| PathBuf::from(folder).join(program));
    path.into_iter().find(|path| path.exists()).unwrap()
}

impl Node {
    /// One that has the programs of one variant alone.
    pub fn new(variant: &'static str) -> Node {
        let node = Node::bare(variant);
        link(node.folder.path(), variant, "");
        node
    }

    /// One that has the programs of both, of which the system prefers one and the node uses another.
    pub fn with_both(variant: &'static str, system: &str) -> Node {
        let node = Node::bare(variant);
        link(node.folder.path(), system, "");
        for each in VARIANTS {
            link(node.folder.path(), each, &format!("-{each}"));
        }
        node
    }

    fn bare(variant: &'static str) -> Node {
        Node {
            variant,
            namespace: Namespace::new(variant),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn programs(&self) -> IptablesPrograms {
        IptablesPrograms::within(self.folder.path())
    }

    /// Puts a shell script in a program's place. `$real` is the program.
    pub fn replace(&self, program: &str, script: &str) {
        let (family, what) = program.split_once('-').unwrap();
        let real = format!("{family}-{}-{what}", self.variant);
        put(self.folder.path(), program, &real, script);
    }

    pub fn remove(&self, program: &str) {
        fs::remove_file(self.folder.path().join(program)).unwrap();
    }

    pub fn path(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub fn syncer(&self) -> Syncer {
        Syncer::new(
            &options(),
            Box::new(Iptables::new(options(), self.programs())),
        )
    }

    /// A sync of a process that has just started, with everything to look at.
    pub fn sync_anew(&self, view: &View) -> (Syncer, Report) {
        let mut syncer = self.syncer();
        let names: Vec<_> = view.services().keys().cloned().collect();
        syncer.note(view, &[], &names);
        let report = self.namespace.within(|| syncer.sync(view).unwrap());
        (syncer, report)
    }

    /// All rules of a family.
    pub fn save(&self, family: &str) -> String {
        self.namespace
            .sh(&format!("{family}-{}-save", self.variant))
    }

    /// Runs an iptables command of the variant.
    pub fn iptables(&self, args: &str) {
        self.namespace
            .sh(&format!("iptables-{} -w {args}", self.variant));
    }

    pub fn lines(&self) -> Vec<String> {
        lines(&self.namespace, self.variant)
    }
}

/// Both families' rules by table and chain, those of chains in which order means nothing in one order.
fn lines(namespace: &Namespace, variant: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["iptables", "ip6tables"] {
        let saved = Saved::read(&namespace.sh(&format!("{family}-{variant}-save")));
        for ((table, chain), mut rules) in saved.chains {
            if SHARED.contains(&chain.as_str()) {
                let is_last = |rule: &String| rule.contains("must be the last");
                let end = rules.iter().position(is_last).unwrap_or(rules.len());
                rules[..end].sort();
            }
            let chain = format!("{family} {table} {chain}");
            lines.push(chain.clone());
            lines.extend(rules.iter().map(|rule| format!("{chain}: {rule}")));
        }
    }
    lines
}

/// Those of them that are ours.
pub fn our_lines(namespace: &Namespace, variant: &str) -> Vec<String> {
    let mut lines = lines(namespace, variant);
    lines.retain(|line| line.contains("SELD-"));
    lines
}

/// The programs of one variant alone, for all tests.
pub fn programs(variant: &'static str) -> IptablesPrograms {
    static FOLDERS: [OnceLock<tempfile::TempDir>; 2] = [OnceLock::new(), OnceLock::new()];
    let at = VARIANTS.iter().position(|v| *v == variant).unwrap();
    let folder = FOLDERS[at].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        link(folder.path(), variant, "");
        folder
    });
    IptablesPrograms::within(folder.path())
}

/// Puts a shell script into a folder, under a program's name. `$real` is a program.
pub fn put(folder: &Path, name: &str, real: &str, script: &str) {
    let real = found(real);
    let script = format!("#!/bin/sh\nreal={}\n{script}\n", real.display());
    program::put(&folder.join(name), &script);
}

fn link(folder: &Path, variant: &str, suffix: &str) {
    for family in ["iptables", "ip6tables"] {
        for what in ["save", "restore"] {
            let name = folder.join(format!("{family}{suffix}-{what}"));
            symlink(found(&format!("{family}-{variant}-{what}")), name).unwrap();
        }
    }
}

const SHARED: [&str; 4] = [
    "SELD-SERVICES",
    "SELD-EXTERNAL-SERVICES",
    "SELD-NODEPORTS",
    "SELD-PROXY-FIREWALL",
];
