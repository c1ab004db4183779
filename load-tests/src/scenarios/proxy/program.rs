use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, bail};

/// Runs a program to its end with a text as its input, and answers what it printed.
///
/// # Errors
/// It cannot be run, or fails: then what it said.
pub fn run(program: &[&str], input: &str) -> anyhow::Result<String> {
    let (name, arguments) = program.split_first().context("no program")?;
    let mut child = Command::new(name)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // Whoever ends before it has read everything says why on standard error.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first: Vec<&str> = said.lines().take(3).collect();
        bail!("{} failed: {}", program.join(" "), first.join("; "));
    }
    Ok(String::from_utf8(output.stdout)?)
}
