use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Context as _;
use selectord::proxy::iptables::Iptables;
use selectord::proxy::linux::{IptablesPrograms, Nft};
use selectord::proxy::{Backend, Nftables, Syncer};
use tempfile::TempDir;

use super::cluster::{Changed, Cluster, Size, options};
use super::listing::Listing;
use super::program::run;
use super::{kube_iptables, kube_nft};

/// A way of keeping rules in the kernel: selectord's, and kube-proxy's layout beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Nftables,
    /// iptables' programs, with nftables below.
    IptablesNft,
    IptablesLegacy,
}

/// A syncer, and the folder in which it looks for its programs.
pub struct Started {
    pub syncer: Syncer,
    _programs: Option<TempDir>,
}

impl Way {
    pub const ALL: [Way; 3] = [Way::Nftables, Way::IptablesNft, Way::IptablesLegacy];

    pub fn name(self) -> &'static str {
        match self {
            Way::Nftables => "nftables",
            Way::IptablesNft => "iptables (nf_tables)",
            Way::IptablesLegacy => "iptables (legacy)",
        }
    }

    /// What its programs' names begin with, apart from the family; none: it has one program.
    fn iptables(self) -> Option<&'static str> {
        match self {
            Way::Nftables => None,
            Way::IptablesNft => Some("nft"),
            Way::IptablesLegacy => Some("legacy"),
        }
    }

    /// Tries it in this thread's namespace, and answers which version of its tool there is.
    pub fn probe(self) -> anyhow::Result<String> {
        let version = match self.iptables() {
            None => {
                self.write("add table ip probe\ndelete table ip probe\n")?;
                run(&["nft", "--version"], "")?
            }
            Some(variant) => {
                self.write("*nat\n:PROBE - [0:0]\n-X PROBE\nCOMMIT\n")?;
                run(&[&format!("iptables-{variant}-restore"), "--version"], "")?
            }
        };
        Ok(version.trim().to_owned())
    }

    /// Whether everything of a size takes kube-proxy, or its layout, minutes to write.
    pub fn is_long_for_theirs(self, size: Size) -> bool {
        matches!(self, Way::IptablesNft) && size.services > 1_000
    }

    /// A syncer that knows nothing yet.
    pub fn start(self) -> anyhow::Result<Started> {
        let options = options()?;
        let (backend, programs): (Box<dyn Backend>, _) = match self.iptables() {
            None => (
                Box::new(Nftables::new(options.clone(), Nft::default())),
                None,
            ),
            Some(variant) => {
                let folder = only(variant)?;
                let programs = IptablesPrograms::within(folder.path());
                (
                    Box::new(Iptables::new(options.clone(), programs)),
                    Some(folder),
                )
            }
        };
        Ok(Started {
            syncer: Syncer::new(&options, backend),
            _programs: programs,
        })
    }

    /// What the kernel has, in this thread's namespace.
    pub fn list(self) -> anyhow::Result<String> {
        match self.iptables() {
            // While the kernel makes a set larger, it tells some of its elements twice, and others not.
            None => (0..5).try_fold(String::new(), |last, _| {
                match !last.is_empty() && !Listing::of_nft(&last).repeats() {
                    true => Ok(last),
                    false => run(&["nft", "list", "ruleset"], ""),
                }
            }),
            Some(variant) => run(&[&format!("iptables-{variant}-save")], ""),
        }
        .context("cannot list the rules")
    }

    pub fn listing(self, text: &str) -> Listing {
        match self.iptables() {
            None => Listing::of_nft(text),
            Some(_) => Listing::of_iptables(text),
        }
    }

    /// As kube-proxy itself calls it.
    pub fn kube_mode(self) -> &'static str {
        match self {
            Way::Nftables => "nftables",
            Way::IptablesNft | Way::IptablesLegacy => "iptables",
        }
    }

    /// A folder in which the programs of a variant have the names that kube-proxy itself looks for; none
    /// where there is nothing to choose.
    pub fn kube_programs(self) -> anyhow::Result<Option<TempDir>> {
        let Some(variant) = self.iptables() else {
            return Ok(None);
        };
        let folder = TempDir::with_prefix("selectord-iptables-")?;
        for what in ["", "-save", "-restore"] {
            let program = format!("iptables-{variant}{what}");
            link(&folder, &program, &format!("iptables{what}"))?;
        }
        Ok(Some(folder))
    }

    /// What kube-proxy writes once, before everything else.
    pub fn kube_before(self) -> Option<&'static str> {
        self.iptables().map(|_| kube_iptables::jumps())
    }

    /// What kube-proxy writes for all of it, on an empty machine.
    pub fn kube_whole(self, cluster: &Cluster) -> String {
        match self.iptables() {
            None => kube_nft::whole(cluster),
            Some(_) => kube_iptables::whole(cluster),
        }
    }

    /// What kube-proxy writes for one service that changed.
    pub fn kube_changed(self, cluster: &Cluster, changed: &Changed) -> String {
        match self.iptables() {
            None => kube_nft::changed(changed),
            Some(_) => kube_iptables::changed(cluster, changed),
        }
    }

    /// What kube-proxy writes some time after that.
    pub fn kube_after(self, changed: &Changed) -> Option<String> {
        match self.iptables() {
            None => kube_nft::stale(changed),
            Some(_) => None,
        }
    }

    /// Gives a text to the kernel's tool, as one write.
    pub fn write(self, text: &str) -> anyhow::Result<()> {
        match self.iptables() {
            None => run(&["nft", "-f", "-"], text),
            Some(variant) => run(
                &[
                    &format!("iptables-{variant}-restore"),
                    "--noflush",
                    "--counters",
                    "-w",
                    "5",
                ],
                text,
            ),
        }
        .map(|_| ())
    }

    /// Whether it is noticed when somebody else writes rules that are none of ours.
    pub fn notices_others(self) -> bool {
        self != Way::IptablesLegacy
    }

    /// What somebody else may do: rules that are none of ours.
    pub fn foreign_write(self) -> anyhow::Result<()> {
        Way::Nftables.write("add table ip theirs\nadd chain ip theirs c\ndelete table ip theirs\n")
    }

    /// Takes away one rule of ours: the first that leads to a service.
    pub fn damage(self) -> anyhow::Result<()> {
        match self.iptables() {
            None => self.write("flush chain ip selectord services\n"),
            Some(_) => self.write("*nat\n-D SELD-SERVICES 1\nCOMMIT\n"),
        }
    }
}

/// A folder with the programs of one variant, so that the other is not found.
fn only(variant: &str) -> anyhow::Result<TempDir> {
    let folder = TempDir::with_prefix("selectord-iptables-")?;
    for family in ["iptables", "ip6tables"] {
        for what in ["save", "restore"] {
            let name = format!("{family}-{variant}-{what}");
            link(&folder, &name, &name)?;
        }
    }
    Ok(folder)
}

fn link(folder: &TempDir, program: &str, name: &str) -> anyhow::Result<()> {
    let found = run(&["sh", "-c", "command -v \"$0\"", program], "");
    let found = found.with_context(|| format!("there is no {program}"))?;
    Ok(symlink(Path::new(found.trim()), folder.path().join(name))?)
}
