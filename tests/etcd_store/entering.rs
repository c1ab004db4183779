//! Who is let in, and what is found there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use selectord::store::etcd::{
    EtcdError, EtcdLogin, EtcdOptions, EtcdRestore, EtcdStore, EtcdTls, SubmitError,
};

use crate::etcd::{Etcd, until};
use crate::replica::{Replica, puts};

#[tokio::test]
async fn those_who_come_together_find_one_history() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let connects: Vec<_> = (0..8)
        .map(|_| tokio::spawn(EtcdStore::connect(etcd.options())))
        .collect();
    let mut histories = Vec::new();
    for connect in connects {
        histories.push(connect.await.unwrap().unwrap().history());
    }
    histories.dedup();
    assert_eq!(histories.len(), 1);
    let found = etcd.ctl(&["get", "--prefix", "/test/", "--keys-only"]);
    let keys: Vec<&str> = found.split_whitespace().collect();
    assert_eq!(keys, ["/test/format", "/test/head", "/test/history"]);
}

#[tokio::test]
async fn what_is_there_already_is_respected() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    etcd.ctl(&["put", "/test/registry/pods", "somebody's"]);
    let refused = EtcdStore::connect(etcd.options()).await.unwrap_err();
    assert!(
        matches!(&refused, EtcdError::Foreign { key, .. } if key == "/test/registry/pods"),
        "{refused}"
    );
    for replaces in [false, true] {
        let restore = EtcdRestore::begin(etcd.options(), replaces, &mut |_| ()).await;
        let refused = restore.unwrap_err();
        assert!(
            matches!(&refused, EtcdError::Foreign { key, .. } if key == "/test/registry/pods"),
            "{refused}"
        );
    }
    let found = etcd.ctl(&["get", "--prefix", "/test/", "--keys-only"]);
    assert_eq!(found.trim(), "/test/registry/pods");
    etcd.ctl(&["del", "/test/registry/pods"]);
    etcd.connect().await;
    etcd.ctl(&["put", "/test/format", "2"]);
    let refused = EtcdStore::connect(etcd.options()).await.unwrap_err();
    assert!(
        matches!(
            refused,
            EtcdError::NewerFormat {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let address = "etcd://127.0.0.1:1/test".parse().unwrap();
    let options = EtcdOptions {
        timeout: Duration::from_millis(300),
        ..EtcdOptions::new(address)
    };
    let error = EtcdStore::connect(options).await.unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("127.0.0.1:1"),
        "{error}"
    );
}

/// A certificate authority, and what it signed for members and clients on this machine.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn tls_with_certificates_on_both_sides() {
    let Some(etcd) = Etcd::with_tls(certificates).await else {
        return;
    };
    let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| etcd.file(name));
    let with = |tls: Option<EtcdTls>| EtcdOptions {
        tls,
        timeout: Duration::from_secs(2),
        ..etcd.options()
    };
    let tls = EtcdTls {
        ca: Some(ca.clone()),
        identity: Some((cert, key)),
    };
    let store = EtcdStore::connect(with(Some(tls.clone()))).await.unwrap();
    Replica::start(&store).await.put(&["a"]).await;

    let nobody = EtcdTls {
        identity: None,
        ..tls.clone()
    };
    let strangers = EtcdTls {
        ca: None,
        ..tls.clone()
    };
    for refused in [None, Some(nobody), Some(strangers)] {
        let error = EtcdStore::connect(with(refused)).await.unwrap_err();
        assert!(matches!(error, EtcdError::Unavailable { .. }), "{error}");
    }
    let missing = EtcdTls {
        ca: Some(ca.with_file_name("missing.pem")),
        ..tls
    };
    let error = EtcdStore::connect(with(Some(missing))).await.unwrap_err();
    assert!(error.to_string().contains("missing.pem"), "{error}");
}

fn login(user: &str, password: &str) -> Option<EtcdLogin> {
    Some(EtcdLogin {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

/// Lets in nobody but `sel`, whose keys are below `/test/`, and `root`, as whom etcdctl goes on.
fn ask_for_logins(etcd: &mut Etcd) {
    for command in [
        "user add root:top",
        "user grant-role root root",
        "user add sel:secret",
        "role add selectord",
        "role grant-permission selectord readwrite --prefix=true /test/",
        "user grant-role sel selectord",
        "auth enable",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        if command.starts_with("user grant-role root") {
            // 3.4 makes the role by itself only when authentication is turned on.
            etcd.ctl(&["role", "add", "root"]);
        }
        etcd.ctl(&words);
    }
    etcd.log_in("root:top");
}

#[tokio::test]
async fn a_token_that_ran_out_is_asked_for_anew() {
    let arguments = ["--auth-token-ttl=1", "--bcrypt-cost=4"];
    let Some(mut etcd) = Etcd::with(1, &arguments).await else {
        return;
    };
    ask_for_logins(&mut etcd);
    let plain = etcd.options();
    let login = |user: &str, password: &str| EtcdOptions {
        login: login(user, password),
        // Nothing is asked in between that would keep the token.
        heartbeat: Duration::from_secs(600),
        ..plain.clone()
    };
    let store = EtcdStore::connect(login("sel", "secret")).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    for name in ["b", "c"] {
        // A token that is used lives on; this one is not, until etcd has forgotten it.
        tokio::time::sleep(Duration::from_millis(3_500)).await;
        replica.put(&[name]).await;
    }
    // A member that begins anew knows no tokens, and its watches end.
    etcd.kill(0);
    etcd.begin(0);
    etcd.ready().await;
    let proposal = replica.proposal(puts(&["d"]));
    until("a write", async || match store.submit(&proposal).await {
        Err(SubmitError::NotWritten(error) | SubmitError::Unknown(error)) => Err(error.to_string()),
        _ => Ok(()),
    })
    .await;
    while replica.pods() != ["a", "b", "c", "d"] {
        replica.next().await.unwrap();
    }

    for (user, password) in [("sel", "wrong"), ("nobody", "secret")] {
        let error = EtcdStore::connect(login(user, password)).await.unwrap_err();
        assert!(matches!(error, EtcdError::Denied { .. }), "{error}");
        assert!(!error.to_string().contains(password));
    }
    let error = EtcdStore::connect(etcd.options()).await.unwrap_err();
    assert!(matches!(error, EtcdError::Denied { .. }), "{error}");
    let mut elsewhere = login("sel", "secret");
    elsewhere.address = elsewhere
        .address
        .to_string()
        .replace("/test", "/other")
        .parse()
        .unwrap();
    let error = EtcdStore::connect(elsewhere).await.unwrap_err();
    assert!(error.to_string().contains("/other/"), "{error}");
}

#[tokio::test]
async fn a_login_where_none_is_asked_for_is_let_in() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let options = EtcdOptions {
        login: login("somebody", "x"),
        ..etcd.options()
    };
    EtcdStore::connect(options).await.unwrap();
}

#[tokio::test]
async fn a_store_that_went_back_is_left_only_under_another_id() {
    let Some(mut etcd) = Etcd::with(1, &["--bcrypt-cost=4"]).await else {
        return;
    };
    ask_for_logins(&mut etcd);
    let options = EtcdOptions {
        login: login("sel", "secret"),
        ..etcd.options()
    };
    let store = EtcdStore::connect(options.clone()).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let grant = |etcd: &Etcd, what: &str| {
        let role = ["role", "grant-permission", "selectord", what];
        etcd.ctl(&[&role[..], &["--prefix=true", "/test/"]].concat());
    };
    // For a time, nobody may give it another one.
    grant(&etcd, "read");
    replica.follow = store.renounce("what came does not fit".to_owned());
    while replica.denied == 0 {
        replica.next().await.expect("it still has the old id");
    }
    grant(&etcd, "readwrite");
    let ended = loop {
        if let Err(error) = replica.next().await {
            break error;
        }
    };
    assert!(matches!(ended, EtcdError::HistoryChanged { .. }), "{ended}");
    let anew = EtcdStore::connect(options).await.unwrap();
    assert_ne!(anew.history(), store.history());
}
