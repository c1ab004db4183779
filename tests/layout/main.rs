//! Holds the house's layout: floors, what the engine must not know, what a `mod.rs` may say, and how
//! long a file may be. Reads the sources as text, so that a climb fails before anybody reviews it.
//!
//! The floors are those of `docs/architecture.md`.

mod rules;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use rules::{Source, violations};

/// Every Rust file under `folder`, in order of path.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_sources_keep_to_the_layout() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    assert!(files.len() > 50, "the sources were not found");
    let mut found = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        found.extend(violations(&Source { path, text: &text }));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// What is found in a file of this path and text.
fn found(path: &str, text: &str) -> Vec<String> {
    violations(&Source { path, text })
}

#[test]
fn imports_from_below_and_from_the_own_folder_are_fine() {
    let text = "
        //! See [`crate::engine`], which is above.
        use std::collections::BTreeMap;
        use crate::{labels::{Key, Value}, model::Pod};
        use super::affected::Pair;
        use crate::reconcile::Touched;
        fn f() -> crate::index::Posting { crate::index::Posting::default() }
        const TEXT: &str = \"use crate::engine::Engine;\";
        const RAW: &str = r#\"crate::server\"#;
        const QUOTE: char = '\"';
        fn g<'a>(x: &'a str) -> &'a str { x } // crate::wire
        /* crate::wire /* crate::wire */ crate::wire */
    ";
    assert_eq!(found("reconcile/diff.rs", text), Vec::<String>::new());
}

#[test]
fn a_climb_is_found_however_it_is_written() {
    for text in [
        "use crate::engine::Engine;",
        "pub(crate) use crate::engine::Engine;",
        "use crate::{labels::Key, engine::{Engine, Walk}};",
        "use crate::{\n    labels,\n    engine as e,\n};",
        "fn f() { let e = crate::engine::Engine::new(); }",
        "fn f() -> Vec<crate::engine::Event> { vec![] }",
        "use super::super::engine::Engine;",
        "#[cfg(test)] mod tests { use crate::engine::Engine; }",
        "impl crate::engine::Face for X {}",
        "fn f() { assert_eq!(crate::engine::head(), '\\''); }",
    ] {
        let found = found("reconcile/diff.rs", text);
        assert!(!found.is_empty(), "{text}");
        assert!(
            found.iter().all(|what| what.contains("engine")),
            "{found:?}"
        );
    }
}

#[test]
fn a_sibling_on_the_same_floor_is_a_stranger() {
    assert_eq!(
        found("server/query.rs", "use crate::client::Client;").len(),
        1
    );
    assert_eq!(
        found("server/query.rs", "use crate::server::page;").len(),
        0
    );
    assert_eq!(
        found(
            "source/manifest/yaml.rs",
            "use super::super::super::client::C;"
        )
        .len(),
        1
    );
    assert_eq!(
        found("source/manifest/yaml.rs", "use super::super::client::C;").len(),
        0
    );
}

#[test]
fn every_folder_has_a_floor() {
    assert_eq!(found("attic/box.rs", "").len(), 1);
    assert_eq!(found("cli/get.rs", "use crate::attic::Box;").len(), 1);
    assert_eq!(
        found("cli/get.rs", "use crate::Engine;").len(),
        1,
        "names of lib.rs hide a floor"
    );
}

#[test]
fn the_engine_has_no_clock_no_runtime_no_voice_and_no_chance() {
    for text in [
        "use tokio::sync::mpsc;",
        "use tonic::Status;",
        "use std::time::Instant;",
        "use std::time::{Duration, SystemTime};",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { tracing::info!(\"x\"); }",
        "use log::info;",
        "fn f() { println!(\"x\"); }",
        "fn f() { eprintln!(\"x\"); }",
        "fn f() { rand::random::<u8>(); }",
        "use std::collections::HashMap;",
        "use std::{collections::{BTreeMap, HashSet}, fmt};",
        "use std::fs;",
        "use std::thread;",
    ] {
        assert_eq!(found("index/pods.rs", text).len(), 1, "{text}");
        assert_eq!(found("runtime/owner.rs", text).len(), 0, "{text}");
    }
    for text in [
        "use std::time::Duration;",
        "use super::log::Record;",
        "#[cfg(test)] mod tests { fn f() { eprintln!(\"seed\"); } }",
        "use rustc_hash::FxHashMap;",
    ] {
        assert_eq!(found("index/pods.rs", text).len(), 0, "{text}");
    }
}

#[test]
fn a_mod_file_has_docs_mod_lines_and_exports_only() {
    let good = "//! Page.\n\nmod a;\npub mod b;\n#[cfg(test)]\nmod tests;\n\
                pub use a::{A, B};\npub(crate) use b::C;\n";
    assert_eq!(found("index/mod.rs", good), Vec::<String>::new());
    for text in [
        "//! Page.\nuse a::A;",
        "//! Page.\nfn f() {}",
        "//! Page.\nmod a { }",
        "//! Page.\npub type T = u8;",
        "//! Page.\nmacro!();",
        "mod a;",
    ] {
        assert_eq!(found("index/mod.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn long_files_are_found() {
    assert_eq!(found("index/pods.rs", &"\n".repeat(500)).len(), 0);
    assert_eq!(found("index/pods.rs", &"\n".repeat(501)).len(), 1);
    assert_eq!(found("main.rs", &"\n".repeat(40)).len(), 1);
}
