//! The command line: see `selectord --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    selectord::cli::run()
}
