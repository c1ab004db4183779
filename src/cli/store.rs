//! Which store a server keeps what it knows in, and how it is opened.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use tracing::{info, warn};

use crate::engine::{Engine, EngineOptions};
use crate::runtime::{Listed, Readiness};
use crate::store::Store;
use crate::store::etcd::{
    EtcdAddress, EtcdError, EtcdLogin, EtcdOptions, EtcdStore, EtcdTls, FollowedCluster,
};

use super::data_dir::DurabilityArgs;
use super::failure::Misused;
use super::teller::Teller;

/// The default of `--max-txn-ops`, which is etcd's own.
const MAX_TXN_OPS: usize = 128;
/// The default of `--max-request-bytes`, which is etcd's own.
const MAX_REQUEST_BYTES: usize = 1_536 << 10;
/// The default of `--max-lag`, in seconds.
const MAX_LAG: u64 = 30;
/// The store is asked every second: a shorter lag could not be told from none.
const LEAST_LAG: u64 = 3;
/// Waits between two attempts to reach an etcd that is away.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where what is known is kept.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Store")]
pub(super) struct StoreArgs {
    /// Where to keep what is known: 'memory', which ends with the process, or
    /// etcd://HOST:PORT,HOST:PORT/PREFIX, which any number of servers share (default prefix: /selectord).
    /// For a directory on this machine, --data-dir
    #[arg(
        long,
        value_name = "STORE",
        conflicts_with = "data_dir",
        help_heading = "Store"
    )]
    store: Option<Address>,
    #[command(flatten)]
    etcd: EtcdArgs,
    /// Seconds for which it may not be known whether etcd has something newer; then health says
    /// NOT_SERVING and nobody new may watch. Queries and open streams go on
    #[arg(long, value_name = "SECONDS", default_value_t = MAX_LAG, requires = "store", help_heading = "Store: etcd")]
    max_lag: u64,
    #[command(flatten)]
    durability: DurabilityArgs,
    /// The same each time that this process opens it.
    #[arg(skip)]
    cluster: FollowedCluster,
}

/// How an etcd is reached, and what it allows.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Store: etcd")]
pub(super) struct EtcdArgs {
    /// Certificates, in PEM, of who vouches for etcd's members; speaks TLS with them
    #[arg(long, value_name = "FILE", requires = "store")]
    etcd_ca: Option<PathBuf>,
    /// This server's certificate, in PEM, for members that ask for one; speaks TLS with them
    #[arg(long, value_name = "FILE", requires = "etcd_key")]
    etcd_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "etcd_cert")]
    etcd_key: Option<PathBuf>,
    /// Whom to be in etcd
    #[arg(long, value_name = "NAME", requires = "etcd_password_file")]
    etcd_user: Option<String>,
    /// A file with that user's password
    #[arg(long, value_name = "FILE", requires = "etcd_user")]
    etcd_password_file: Option<PathBuf>,
    /// Send that password in plain text beyond this machine, where there is no TLS: whoever reads the
    /// network reads it
    #[arg(long, requires = "etcd_user")]
    etcd_insecure: bool,
    /// Operations that one transaction of this etcd may have: what its members were given as --max-txn-ops.
    /// One less than that is how many objects a transaction may touch
    #[arg(long, value_name = "NUMBER", default_value_t = MAX_TXN_OPS, requires = "store")]
    max_txn_ops: usize,
    /// Bytes that one transaction of this etcd may have: what its members were given as --max-request-bytes
    #[arg(long, value_name = "BYTES", default_value_t = MAX_REQUEST_BYTES, requires = "store")]
    max_request_bytes: usize,
}

/// What `--store` names.
#[derive(Debug, Clone)]
enum Address {
    Memory,
    Etcd(EtcdAddress),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        if text == "memory" {
            return Ok(Address::Memory);
        }
        if !text.contains("://") {
            return Err(
                "write memory, or etcd://HOST:PORT,HOST:PORT/PREFIX; a directory is named with --data-dir"
                    .to_owned(),
            );
        }
        text.parse()
            .map(Address::Etcd)
            .map_err(|error: crate::store::etcd::ParseEtcdAddressError| error.to_string())
    }
}

/// A store that is open, and the engine as it is in it.
pub(super) enum Opened {
    /// Nobody else writes to it.
    Alone(Box<dyn Store>, Engine),
    /// Other servers write to it as well; what they do behind this is to be followed.
    Shared(EtcdStore, Engine, Listed),
}

impl Opened {
    /// Whether nothing was written to it yet; of a store that others write to, whether it holds no object.
    pub(super) fn is_new(&self) -> bool {
        match self {
            Opened::Alone(_, engine) => engine.head() == 0,
            Opened::Shared(_, engine, _) => engine.object_counts() == [0; 5],
        }
    }
}

impl StoreArgs {
    /// Refuses numbers under which nothing could be done.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let etcd = &self.etcd;
        let wrong = [
            (etcd.max_txn_ops < 4, "--max-txn-ops must be at least 4"),
            (
                etcd.max_request_bytes < 1 << 10,
                "--max-request-bytes must be at least 1024",
            ),
            (
                self.max_lag < LEAST_LAG,
                "--max-lag must be at least 3: etcd is asked every second",
            ),
        ];
        match wrong.iter().find(|(wrong, _)| *wrong) {
            Some((_, what)) => Err(Misused::of("serve", *what)),
            None => Ok(()),
        }
    }

    /// For how long writes are gathered.
    pub(super) fn gather(&self) -> Duration {
        self.durability.gather()
    }

    /// How old a source may be that somebody begins to watch.
    pub(super) fn max_lag(&self) -> Duration {
        Duration::from_secs(self.max_lag)
    }

    /// What kind of store it is, in one word.
    pub(super) fn kind(&self) -> &'static str {
        match &self.store {
            Some(Address::Etcd(_)) => "etcd",
            Some(Address::Memory) | None => self.durability.kind(),
        }
    }

    /// Opens it and reads back what it holds; says in `readiness` how far it is. An etcd that is away is
    /// waited for.
    pub(super) async fn open(
        &self,
        rules: EngineOptions,
        readiness: &Readiness,
    ) -> anyhow::Result<Opened> {
        let Some(Address::Etcd(address)) = &self.store else {
            let (store, engine) = self.durability.open(rules, readiness).await?;
            return Ok(Opened::Alone(store, engine));
        };
        let options = EtcdOptions {
            cluster: self.cluster.clone(),
            ..self.etcd.options(address)?
        };
        info!("waiting for etcd at {address}");
        let mut wait = FIRST_WAIT;
        loop {
            match open(&options, rules, readiness).await {
                Ok(opened) => return Ok(opened),
                Err(error) if passes(&error) => {
                    warn!("{error:#}: trying again");
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                }
                Err(error) => return Err(error.context(format!("cannot serve {address}"))),
            }
        }
    }
}

/// Whether it may go well with nobody's help.
fn passes(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<EtcdError>();
    error.is_some_and(|error| {
        error.is_transient()
            || matches!(
                error,
                EtcdError::HistoryChanged { .. }
                    | EtcdError::Compacted { .. }
                    | EtcdError::Restoring { .. }
            )
    })
}

impl EtcdArgs {
    /// The flags that were given, as they are given again.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        let mut word = |flag: &str, value: &dyn Display| {
            words.push_str(&format!(" --{flag} {value}"));
        };
        let files = [
            ("etcd-ca", &self.etcd_ca),
            ("etcd-cert", &self.etcd_cert),
            ("etcd-key", &self.etcd_key),
        ];
        for (flag, file) in files {
            file.iter().for_each(|file| word(flag, &file.display()));
        }
        self.etcd_user
            .iter()
            .for_each(|user| word("etcd-user", user));
        let password = self.etcd_password_file.iter();
        password.for_each(|file| word("etcd-password-file", &file.display()));
        if self.max_txn_ops != MAX_TXN_OPS {
            word("max-txn-ops", &self.max_txn_ops);
        }
        if self.max_request_bytes != MAX_REQUEST_BYTES {
            word("max-request-bytes", &self.max_request_bytes);
        }
        if self.etcd_insecure {
            words.push_str(" --etcd-insecure");
        }
        words
    }

    pub(super) fn options(&self, address: &EtcdAddress) -> anyhow::Result<EtcdOptions> {
        let identity = self.etcd_cert.clone().zip(self.etcd_key.clone());
        let tls = (self.etcd_ca.is_some() || identity.is_some()).then(|| EtcdTls {
            ca: self.etcd_ca.clone(),
            identity,
        });
        if let Some(member) = address.beyond_loopback()
            && tls.is_none()
            && self.etcd_user.is_some()
            && !self.etcd_insecure
        {
            anyhow::bail!(
                "{member} is not a loopback address, and the connection is not encrypted, so that the password of --etcd-user would be seen: give --etcd-ca, or say --etcd-insecure"
            );
        }
        let login = match (&self.etcd_user, &self.etcd_password_file) {
            (Some(user), Some(file)) => {
                let password = std::fs::read_to_string(file).with_context(|| {
                    format!("cannot read {} (--etcd-password-file)", file.display())
                })?;
                Some(EtcdLogin {
                    user: user.clone(),
                    // Editors end a file with a line's end, which is not meant.
                    password: password.trim_end_matches(['\r', '\n']).to_owned(),
                })
            }
            _ => None,
        };
        Ok(EtcdOptions {
            tls,
            login,
            max_txn_ops: self.max_txn_ops,
            max_request_bytes: self.max_request_bytes,
            ..EtcdOptions::new(address.clone())
        })
    }
}

/// Connects, and puts an engine together of everything there is.
async fn open(
    options: &EtcdOptions,
    rules: EngineOptions,
    readiness: &Readiness,
) -> anyhow::Result<Opened> {
    let connecting = readiness.guard("connecting to etcd");
    let store = EtcdStore::connect(options.clone()).await?;
    let _listing = readiness.guard("listing etcd");
    drop(connecting);
    let mut teller = Teller::new();
    let tell = &mut |progress: crate::store::etcd::ListProgress| {
        teller.tell("listing etcd", progress.keys, Some(progress.of));
    };
    let mut listing = store.list(tell).await?;
    let listed = Listed::of(&mut listing);
    let build = move || {
        let mut engine = Engine::new(rules);
        listing.apply_to(&mut engine).map(|_| engine)
    };
    let engine = tokio::task::spawn_blocking(build).await??;
    let seconds = teller.finish();
    info!(revision = listed.contact.ours, seconds, "etcd is listed");
    Ok(Opened::Shared(store, engine, listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_that_were_given_can_be_given_again() {
        #[derive(clap::Parser)]
        struct Parsed {
            #[command(flatten)]
            store: StoreArgs,
        }
        let given = "serve --store etcd://a --etcd-ca ca.pem --etcd-cert c.pem --etcd-key k.pem \
            --etcd-user sel --etcd-password-file pass --max-txn-ops 512 --max-request-bytes 4096 \
            --etcd-insecure";
        for given in [given, "serve --store etcd://a"] {
            let Parsed { store } = clap::Parser::parse_from(given.split_whitespace());
            let again = format!("serve --store etcd://a{}", store.etcd.words());
            assert_eq!(
                again,
                given.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
    }

    #[test]
    fn a_password_goes_beyond_this_machine_encrypted_or_by_permission() {
        #[derive(clap::Parser)]
        struct Parsed {
            #[command(flatten)]
            store: StoreArgs,
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = file.path().to_str().unwrap();
        let login = ["--etcd-user", "sel", "--etcd-password-file", file];
        let options = |address: &str, more: &[&str]| {
            let args = [&["serve", "--store", address][..], more].concat();
            let Parsed { store } = clap::Parser::try_parse_from(args).unwrap();
            let Some(Address::Etcd(address)) = &store.store else {
                panic!("{address} is an etcd")
            };
            store.etcd.options(address)
        };
        let with = |more: &[&'static str]| [&login[..], more].concat();
        let (here, beyond) = ("etcd://localhost", "etcd://127.0.0.1,10.0.0.1:1");
        let refused = options(beyond, &login).unwrap_err().to_string();
        for word in ["10.0.0.1:1", "--etcd-ca", "--etcd-insecure"] {
            assert!(refused.contains(word), "{refused}");
        }
        assert!(options(here, &login).is_ok());
        assert!(options(beyond, &[]).is_ok());
        assert!(options(beyond, &with(&["--etcd-insecure"])).is_ok());
        assert!(options(beyond, &with(&["--etcd-ca", "ca.pem"])).is_ok());
    }

    #[test]
    fn a_store_is_memory_or_an_etcd() {
        assert!(matches!("memory".parse(), Ok(Address::Memory)));
        assert!(matches!(
            "etcd://a:1,b/x".parse(),
            Ok(Address::Etcd(address)) if address.prefix() == "/x"
        ));
        for wrong in ["", "/var/lib", "redis://a", "etcd://"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
