//! What kube-proxy runs, from a recording.

use crate::mode::Mode;
use crate::namespace::Namespace;

const NFTABLES: &str = include_str!("nftables.sh");
const IPTABLES: &str = include_str!("iptables.sh");
/// Where in them what it was told has changed.
const CHANGE: &str = "# What it runs when what it is told changes.\n";

/// kube-proxy in one of its modes, on a node.
#[derive(Clone, Copy)]
pub struct KubeProxy<'a> {
    pub mode: Mode,
    pub node: &'a Namespace,
}

impl KubeProxy<'_> {
    /// What it runs at the start, and when what it is told changes.
    fn runs(self) -> [String; 2] {
        let (variant, recorded) = match self.mode {
            Mode::Nftables => ("", NFTABLES),
            Mode::Iptables(variant) => (variant, IPTABLES),
        };
        let (first, change) = recorded.split_once(CHANGE).unwrap();
        [first, change].map(|script| format!("VARIANT={variant}\n{script}"))
    }

    /// Runs on the node what it ran at first.
    pub fn first_sync(self) {
        let [first, _] = self.runs();
        self.node.sh(&first);
    }

    /// The same of the change.
    pub fn syncs_of_the_change(self) {
        let [_, change] = self.runs();
        self.node.sh(&change);
    }

    /// Every line of its rules, without what packets count up and whom affinity remembers.
    pub fn lines(self) -> Vec<String> {
        let listed = match self.mode {
            Mode::Nftables => self
                .node
                .sh("nft list table ip kube-proxy; nft list table ip6 kube-proxy"),
            Mode::Iptables(variant) => self.node.sh(&format!(
                "for family in iptables ip6tables; do $family-{variant}-save | sed 's/ \\[[0-9:]*\\]$//'; done"
            )),
        };
        let remembered = |line: &str| line.contains(" expires ") || line.starts_with('#');
        let lines = listed.lines().filter(|line| !remembered(line));
        // In iptables' tables are everybody's rules.
        let lines = lines.filter(|line| !line.contains("SELD-"));
        lines.map(str::to_owned).collect()
    }
}
