//! Where and of what the figures are.

use std::process::Command;
use std::time::SystemTime;

use serde::Serialize;

/// The machine, and what was built on it.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// How many threads it runs at once.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The start, in UTC.
    pub date: String,
    /// The version of selectord.
    pub selectord: &'static str,
    /// The commit, with `-dirty` if files differ from it, reports excepted; none outside of a checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The compiler.
    pub rustc: String,
    /// Processor features that matter to bitmaps, as compiled in.
    pub features: String,
    /// One-minute load average at the start: what else was running.
    pub load: String,
}

impl Machine {
    /// Looks around. What cannot be found out is "unknown".
    pub fn detect() -> Machine {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kibibytes = memory.and_then(|m| m.split_whitespace().next()?.parse::<u64>().ok());
        Machine {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: kibibytes.unwrap_or_default() * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            date: prost_types::Timestamp::from(SystemTime::now()).to_string(),
            selectord: selectord::VERSION,
            commit: commit(),
            rustc: output("rustc", &["--version"]).unwrap_or_else(unknown),
            features: features(),
            load: read("/proc/loadavg")
                .split_whitespace()
                .next()
                .unwrap_or("unknown")
                .to_owned(),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Of the checkout that this program was built in, wherever it is started. Reports that are kept do not
/// count as changes: several are made in a row.
fn commit() -> Option<String> {
    const HERE: &str = env!("CARGO_MANIFEST_DIR");
    let git = |words: &[&str]| output("git", &[&["-C", HERE], words].concat());
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let what = [":(top)", ":(top,exclude)docs/reports"];
    let clean = git(&[status.as_slice(), &what].concat())?.is_empty();
    Some(if clean {
        commit
    } else {
        format!("{commit}-dirty")
    })
}

fn features() -> String {
    let known = [
        ("popcnt", cfg!(target_feature = "popcnt")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("bmi2", cfg!(target_feature = "bmi2")),
    ];
    let word = |(name, there)| format!("{name} {}", if there { "yes" } else { "no" });
    known.map(word).join(", ")
}
