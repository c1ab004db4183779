//! The texts of `src/proxy/iptables/golden`, given to a real kernel and read back.

use std::fs;
use std::path::PathBuf;

use super::variant::{Node, VARIANTS, available};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/proxy/iptables/golden")
}

fn golden(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.rules"))).unwrap()
}

/// Texts that say what comes to a layout: others start from rules that are there.
fn kinds() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| Some(name.strip_suffix(".rules")?.to_owned()));
    let others = ["layout", "change-", "anew", "removal", "repair"];
    let mut kinds: Vec<String> = names
        .filter(|name| !others.iter().any(|other| name.starts_with(other)))
        .collect();
    kinds.sort();
    kinds
}

/// Gives texts to `iptables-restore`, and looks for each of their rules, letter by letter, in what
/// `iptables-save` prints.
fn is_read_back(variant: &'static str, texts: &[&str]) {
    let node = Node::new(variant);
    let context = texts.last().unwrap();
    let family = match texts.contains(&"layout-ipv6") {
        true => "ip6tables",
        false => "iptables",
    };
    for text in texts {
        let path = folder().join(format!("{text}.rules"));
        node.namespace.sh(&format!(
            "{family}-{variant}-restore --noflush < {}",
            path.display()
        ));
    }
    let saved = node.save(family);
    let mut rules = 0;
    for text in texts {
        let text = golden(text);
        for line in text
            .lines()
            .filter(|line| line.starts_with("-A ") || line.starts_with("-I "))
        {
            let rule = line.replacen("-I ", "-A ", 1);
            assert!(
                saved.lines().any(|saved| saved == rule),
                "{variant}, {context}: {rule}\n{saved}"
            );
            rules += 1;
        }
    }
    assert!(rules > 0, "{context}");
}

#[test]
fn a_real_kernel_takes_every_golden_text_and_prints_its_rules_as_they_are() {
    if !available("a_real_kernel_takes_every_golden_text_and_prints_its_rules_as_they_are") {
        return;
    }
    let kinds = kinds();
    assert!(kinds.len() >= 15, "{kinds:?}");
    for variant in VARIANTS {
        for layout in [
            "layout",
            "layout-ipv6",
            "layout-other-options",
            "layout-no-bpf",
        ] {
            is_read_back(variant, &[layout]);
        }
        for kind in &kinds {
            let text = golden(kind);
            // The chain of several ranges of pods is the layout's.
            let layout = match (text.contains("fd00:"), text.contains("SELD-MARK-OUTSIDE")) {
                (true, _) => "layout-ipv6",
                (false, true) => "layout-other-options",
                (false, false) => "layout",
            };
            is_read_back(variant, &[layout, kind]);
        }
    }
}
