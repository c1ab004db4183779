use std::ffi::OsString;
use std::io;
use std::process::Output;

use thiserror::Error;

use crate::model::IpFamily;

use super::super::nft::TABLE;
use super::ElementsError;
use super::program::run;

/// The `nft` program.
#[derive(Debug, Clone)]
pub struct Nft {
    program: OsString,
}

/// Why `nft` did not do what it was told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NftError {
    /// It cannot be run.
    #[error("cannot run {program:?}; is nftables 1.0.6 or newer installed?")]
    Run {
        /// What was to be run.
        program: OsString,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// It, or the kernel, refused. Nothing was changed.
    #[error("nft refused: {message}")]
    Refused {
        /// What it printed first.
        message: String,
        /// Which line of its input it named, counted from 1.
        line: Option<usize>,
    },
    /// Elements that went to the kernel without it were not taken, or may not have been.
    #[error(transparent)]
    Elements(#[from] ElementsError),
}

impl NftError {
    /// Whether it was understood, and refused.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            NftError::Refused { .. } | NftError::Elements(ElementsError::Refused { .. })
        )
    }

    /// The line of the script that was refused, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            NftError::Refused { line, .. }
            | NftError::Elements(ElementsError::Refused { line, .. }) => *line,
            NftError::Run { .. } | NftError::Elements(_) => None,
        }
    }

    /// Whether there is no such program.
    pub fn is_missing(&self) -> bool {
        matches!(self, NftError::Run { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }

    /// Whether what was to be taken away is still referred to.
    pub fn is_busy(&self) -> bool {
        self.says("Device or resource busy")
    }

    /// Whether what it was about is not there.
    pub fn is_absent(&self) -> bool {
        self.says("No such file or directory")
    }

    fn says(&self, words: &str) -> bool {
        matches!(self, NftError::Refused { message, .. } if message.contains(words))
    }
}

impl Default for Nft {
    fn default() -> Nft {
        Nft::at("nft")
    }
}

impl Nft {
    /// The program of this name or path.
    pub fn at(program: impl Into<OsString>) -> Nft {
        Nft {
            program: program.into(),
        }
    }

    /// Applies a text as one transaction.
    ///
    /// # Errors
    /// When it cannot be run or refuses; then nothing was changed.
    pub fn apply(&self, text: &str) -> Result<(), NftError> {
        let output = self.run(&["-f", "-"], text)?;
        if output.status.success() {
            return Ok(());
        }
        Err(refused(&output))
    }

    /// What our table of a family holds, as text; none: there is no such table.
    ///
    /// # Errors
    /// When it cannot be run or refuses.
    pub fn list(&self, family: IpFamily) -> Result<Option<String>, NftError> {
        let family = match family {
            IpFamily::V4 => "ip",
            IpFamily::V6 => "ip6",
        };
        // Numbers of priorities and protocols: what they are called differs between machines.
        let output = self.run(&["-y", "-p", "list", "table", family, TABLE], "")?;
        if output.status.success() {
            return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        let refused = refused(&output);
        match refused.is_absent() {
            true => Ok(None),
            false => Err(refused),
        }
    }

    fn run(&self, args: &[&str], input: &str) -> Result<Output, NftError> {
        let cannot = |cause| NftError::Run {
            program: self.program.clone(),
            cause,
        };
        run(&self.program, args, input).map_err(cannot)
    }
}

fn refused(output: &Output) -> NftError {
    let printed = String::from_utf8_lossy(&output.stderr);
    let first = printed.lines().find(|line| line.contains("Error:"));
    let first = first.or_else(|| printed.lines().next()).unwrap_or_default();
    let message = first.split_once("Error: ").map_or(first, |(_, text)| text);
    NftError::Refused {
        message: match message {
            "" => format!("it ended with {}", output.status),
            message => message.to_owned(),
        },
        line: named_line(first),
    }
}

/// The line in `/dev/stdin:12:5-20: Error: …`. Of what is internal to it nft says line 0.
fn named_line(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("stdin:")?;
    rest.split(':')
        .next()?
        .parse()
        .ok()
        .filter(|line| *line > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_nft_names_is_found() {
        for (text, line) in [
            (
                "/dev/stdin:12:5-20: Error: Could not process rule: File exists",
                Some(12),
            ),
            ("internal:0:0-0: Error: conflicting protocols", None),
            ("/dev/stdin:0:0-0: Error: x", None),
            ("", None),
        ] {
            assert_eq!(named_line(text), line, "{text}");
        }
    }
}
