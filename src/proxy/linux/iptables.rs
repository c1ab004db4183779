use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::Output;

use thiserror::Error;

use crate::model::IpFamily;

use super::super::iptables::Variant;
use super::program::run;

/// How long a write waits for another program's lock, in seconds.
const PATIENCE: &str = "5";
/// How `iptables-restore` ends when it does not get the lock, among other ends.
const NO_RESOURCE: i32 = 4;
/// Longest message that is passed on, in letters.
const LONGEST_MESSAGE: usize = 500;

/// What is said when we have no permission.
const DENIED: [&str; 2] = ["Permission denied", "Operation not permitted"];
/// What is said when a kernel has no such tables, whoever asks and how often.
const LACKS: [&str; 5] = [
    "unable to initialize table",
    "Table does not exist",
    "Address family not supported",
    "Protocol not supported",
    // It knows nothing of nftables.
    "generation id: Invalid argument",
];

/// Why an iptables program did not do what it was told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IptablesError {
    /// No program is there.
    #[error(
        "neither iptables-save nor ip6tables-save can be run; is iptables 1.8 or newer installed?"
    )]
    Missing,
    /// It cannot be run.
    #[error("cannot run {program:?}")]
    Run {
        /// What was to be run.
        program: OsString,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Another program holds the lock of the rules.
    #[error(
        "another program has held the lock of iptables' rules for {PATIENCE} seconds: {message}"
    )]
    Locked {
        /// What was printed.
        message: String,
    },
    /// We may not.
    #[error(
        "{program:?} has no permission: {message}; it needs root, or the capability NET_ADMIN, and NET_RAW in the legacy variant"
    )]
    Denied {
        /// What was run.
        program: OsString,
        /// What it printed.
        message: String,
    },
    /// The kernel has no such table. The legacy variant says so too when it has no permission.
    #[error(
        "the kernel lacks what {program:?} needs, or gives it no permission (root, or the capabilities NET_ADMIN and NET_RAW): {message}"
    )]
    NoTable {
        /// What was run.
        program: OsString,
        /// What it printed.
        message: String,
    },
    /// Rules of others in our tables that iptables cannot read, so that ours cannot be told either.
    #[error(
        "the table {table} has rules that iptables cannot read; take away what was put into it with nft"
    )]
    Unreadable {
        /// The table.
        table: &'static str,
    },
    /// It, or the kernel, refused. Tables before the one in question were changed.
    #[error("{program:?} refused: {message}")]
    Refused {
        /// What was run.
        program: OsString,
        /// What it printed.
        message: String,
        /// Which line of its input it named, counted from 1.
        line: Option<usize>,
    },
}

/// Where iptables' programs are looked for.
#[derive(Debug, Clone, Default)]
pub struct IptablesPrograms {
    folder: Option<PathBuf>,
}

impl IptablesPrograms {
    /// In a folder, and not where programs usually are.
    pub fn within(folder: impl Into<PathBuf>) -> IptablesPrograms {
        IptablesPrograms {
            folder: Some(folder.into()),
        }
    }

    /// What a family has: at most one tool of each variant, the system's own choice first.
    ///
    /// # Errors
    /// When a program is there and cannot be run.
    pub fn tools(&self, family: IpFamily) -> Result<Vec<IptablesTool>, IptablesError> {
        let mut tools: Vec<IptablesTool> = Vec::new();
        let word = match family {
            IpFamily::V4 => "iptables",
            IpFamily::V6 => "ip6tables",
        };
        let named = Variant::ALL.map(|variant| format!("{word}-{}", variant.as_str()));
        for name in std::iter::once(word).chain(named.iter().map(String::as_str)) {
            let program = |what| {
                let name = format!("{name}-{what}");
                match &self.folder {
                    Some(folder) => folder.join(name).into_os_string(),
                    None => name.into(),
                }
            };
            let (save, restore) = (program("save"), program("restore"));
            if let Some(variant) = variant_of(&save)?
                && tools.iter().all(|tool| tool.variant != variant)
            {
                tools.push(IptablesTool {
                    family,
                    variant,
                    save,
                    restore,
                });
            }
        }
        Ok(tools)
    }
}

/// Which variant a program is of, by its own word; none: there is no such program.
fn variant_of(save: &OsString) -> Result<Option<Variant>, IptablesError> {
    match run(save, &["-V"], "") {
        Ok(output) => {
            let printed = String::from_utf8_lossy(&output.stdout);
            // Before there were two, it did not say.
            Ok(Some(match printed.contains("(nf_tables)") {
                true => Variant::NfTables,
                false => Variant::Legacy,
            }))
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(IptablesError::Run {
            program: save.clone(),
            cause,
        }),
    }
}

/// The programs that read and write one family's rules in one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IptablesTool {
    /// The family.
    pub family: IpFamily,
    /// The variant.
    pub variant: Variant,
    save: OsString,
    restore: OsString,
}

impl IptablesTool {
    /// All rules of the family, as text.
    ///
    /// # Errors
    /// When it cannot be run or refuses.
    pub fn save(&self) -> Result<String, IptablesError> {
        // Tables that nobody uses are not asked for: to ask for one makes it.
        let output = self.run(&self.save, &[], "")?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(&self.save, &output))
    }

    /// Applies a text, each table at once. What the text does not name stays. Waits at most five seconds
    /// for whoever else writes.
    ///
    /// # Errors
    /// When it cannot be run or refuses; tables before the one in question were changed.
    pub fn restore(&self, text: &str) -> Result<(), IptablesError> {
        let output = self.run(&self.restore, &["--noflush", "-w", PATIENCE], text)?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(&self.restore, &output))
    }

    fn run(&self, program: &OsString, args: &[&str], input: &str) -> Result<Output, IptablesError> {
        run(program, args, input).map_err(|cause| IptablesError::Run {
            program: program.clone(),
            cause,
        })
    }
}

fn failed(program: &OsString, output: &Output) -> IptablesError {
    let program = program.clone();
    let printed = String::from_utf8_lossy(&output.stderr);
    let message = match message(&printed) {
        message if message.is_empty() => format!("it ended with {}", output.status),
        message => message,
    };
    if output.status.code() == Some(NO_RESOURCE) && message.contains("xtables lock") {
        return IptablesError::Locked { message };
    }
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&DENIED) {
        return IptablesError::Denied { program, message };
    }
    if says(&LACKS) {
        return IptablesError::NoTable { program, message };
    }
    IptablesError::Refused {
        program,
        line: named_line(&printed),
        message,
    }
}

/// What was printed, on one line, without what is said at every end.
fn message(printed: &str) -> String {
    let lines = printed.lines().map(str::trim);
    let telling = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("Try `"));
    let joined = telling.collect::<Vec<_>>().join("; ");
    joined.chars().take(LONGEST_MESSAGE).collect()
}

/// The line in `line 12 failed`, `Error occurred at line: 12` and `line 12: RULE_APPEND failed`.
fn named_line(printed: &str) -> Option<usize> {
    printed.split("line").skip(1).find_map(|rest| {
        let rest = rest.trim_start_matches([':', ' ']);
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

/// Whether the kernel lets TCP packets pass that fit no connection it knows, so that a rule that drops
/// them would do harm.
pub fn conntrack_is_liberal() -> bool {
    let set = std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal");
    set.is_ok_and(|set| set.trim() == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_named_is_found() {
        for (text, line) in [
            ("iptables-restore: line 12 failed\n", Some(12)),
            (
                "iptables-nft-restore: line 2 failed: No chain/target/match by that name.",
                Some(2),
            ),
            (
                "iptables-restore v1.8.9 (legacy): invalid port/service `99999' specified\n\
                 Error occurred at line: 3\nTry `iptables-restore -h' or more\n",
                Some(3),
            ),
            (
                "iptables-nft-restore v1.8.9 (nf_tables): \nline 5: CHAIN_DEL failed (Device or resource busy): chain B",
                Some(5),
            ),
            ("Another app is currently holding the xtables lock.", None),
            ("line", None),
            ("", None),
        ] {
            assert_eq!(named_line(text), line, "{text}");
        }
    }

    #[test]
    fn only_what_is_so_for_good_is_a_lack() {
        use std::os::unix::process::ExitStatusExt as _;
        let kind = |printed: &str, code: i32| {
            let output = Output {
                status: std::process::ExitStatus::from_raw(code << 8),
                stdout: Vec::new(),
                stderr: printed.as_bytes().to_vec(),
            };
            match failed(&"x".into(), &output) {
                IptablesError::NoTable { .. } => "lacks",
                IptablesError::Denied { .. } => "denied",
                IptablesError::Locked { .. } => "locked",
                IptablesError::Refused { .. } => "refused",
                other => panic!("{other}"),
            }
        };
        const GENERATION: &str =
            "iptables-nft-save v1.8.9 (nf_tables): Could not fetch rule set generation id: ";
        for (printed, code, wanted) in [
            (
                "ip6tables-restore v1.8.9 (legacy): ip6tables-restore: unable to initialize table 'nat'\n\
                 Error occurred at line: 1\n",
                2,
                "lacks",
            ),
            (
                "ip6tables v1.8.9 (legacy): can't initialize ip6tables table `nat': Table does not exist (do you need to insmod?)",
                3,
                "lacks",
            ),
            (&format!("{GENERATION}Invalid argument"), 4, "lacks"),
            (
                "iptables-nft-save/nf_tables Failed to initialize nft: Protocol not supported",
                1,
                "lacks",
            ),
            (
                &format!("{GENERATION}Permission denied (you must be root)"),
                4,
                "denied",
            ),
            (
                "Failed to list table names in /proc/net/ip_tables_names: Permission denied",
                1,
                "denied",
            ),
            (
                "Fatal: can't open lock file /run/xtables.lock: Permission denied",
                4,
                "denied",
            ),
            (
                &format!("{GENERATION}No buffer space available"),
                4,
                "refused",
            ),
            (&format!("{GENERATION}Cannot allocate memory"), 4, "refused"),
            (
                "Another app is currently holding the xtables lock.",
                4,
                "locked",
            ),
        ] {
            assert_eq!(kind(printed, code), wanted, "{printed}");
        }
    }

    #[test]
    fn what_is_passed_on_is_one_line_and_short() {
        let printed = "# Warning: iptables-legacy tables present\nbad\n\nTry `x -h'\n  worse\n";
        assert_eq!(message(printed), "bad; worse");
        assert_eq!(
            message(&"é".repeat(2 * LONGEST_MESSAGE)).chars().count(),
            LONGEST_MESSAGE
        );
    }
}
