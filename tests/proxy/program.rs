//! Shell scripts that stand in a program's place.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Puts a script at a path, in the place of what is there, so that it can be run at once.
///
/// Another process writes it: were it this one, a process that another test is just starting could have the
/// file open for writing too, and what is open for writing cannot be run.
pub fn put(path: &Path, script: &str) {
    let mut writer = Command::new("sh")
        .args(["-ec", "rm -f \"$0\"; cat > \"$0\"; chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let text = writer.stdin.take().unwrap().write_all(script.as_bytes());
    text.unwrap();
    assert!(writer.wait().unwrap().success(), "{}", path.display());
}
