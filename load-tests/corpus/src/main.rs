//! Prints a cluster, or changes of one, as newline-delimited JSON.

use std::env;
use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use selectord_corpus::{Corpus, Spec, write_change, write_ndjson};

const USAGE: &str = "\
usage: selectord-corpus PODS [SEED [VARIANT [CHANGES]]]

Prints a cluster of PODS pods as Kubernetes objects, one JSON object a line: nodes, services, pods.
SEED is a number (1); VARIANT is plain, unique, random-arrival or huge-namespace (plain).
With CHANGES, prints so many changes of that cluster instead.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let pods = words.next().ok_or("PODS is missing")?.parse()?;
    let mut spec = Spec::new(pods);
    if let Some(seed) = words.next() {
        spec.seed = seed.parse()?;
    }
    if let Some(variant) = words.next() {
        spec.variant = variant.parse()?;
    }
    let changes: Option<usize> = words.next().map(|count| count.parse()).transpose()?;
    let corpus = Corpus::new(spec);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match changes {
        None => write_ndjson(&corpus, &mut out),
        Some(count) => corpus
            .churn(spec.seed)
            .take(count)
            .try_for_each(|change| write_change(&change, &mut out)),
    };
    match written.and_then(|()| out.flush()) {
        // Whoever reads, as `head` does, may have had enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
