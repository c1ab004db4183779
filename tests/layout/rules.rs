//! The rules, each over one file.

use crate::tokens::{paths, tokens, without_tests};

/// Folders by floor, lowest first. A folder imports from floors below its own and from itself.
const FLOORS: [&[&str]; 13] = [
    &["labels"],
    &["selector"],
    &["model"],
    &["index"],
    &["reconcile"],
    &["engine"],
    &["wire"],
    &["store", "snapshot"],
    &["runtime"],
    &["source", "server", "client"],
    &["proxy", "relay", "publish"],
    &["config", "telemetry"],
    &["cli"],
];

/// The highest floor of the engine, which does no I/O and has no clock, chance or voice.
const ENGINE: usize = 5;

/// Crates that the engine does not know.
const BANNED_CRATES: [&str; 8] = [
    "tokio",
    "tonic",
    "prost",
    "tracing",
    "log",
    "rand",
    "getrandom",
    "fastrand",
];

/// Parts of the standard library that the engine does not know: clocks, I/O, and maps whose order is
/// another one in every process.
const BANNED_STD: [&str; 11] = [
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "RandomState",
    "fs",
    "io",
    "thread",
    "process",
    "env",
    "TcpStream",
];

/// Macros that print.
const BANNED_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

const MAX_LINES: usize = 500;
const MAX_MAIN_LINES: usize = 39;

/// One file: its path below `src`, and its text.
pub struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').collect()
    }

    fn is_test(&self) -> bool {
        self.modules()
            .iter()
            .any(|module| module.ends_with("tests"))
    }
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|folders| folders.contains(&folder))
}

/// Everything in this file that breaks a rule, one line each.
pub fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    too_long(source, &mut found);
    let tokens = tokens(source.text);
    if source.path.contains('/') {
        climbs(source, &tokens, &mut found);
    }
    if source.path.ends_with("mod.rs") {
        mod_file(source, &tokens, &mut found);
    }
    found
        .iter()
        .map(|what| format!("src/{}: {what}", source.path))
        .collect()
}

fn too_long(source: &Source, found: &mut Vec<String>) {
    let limit = if source.path == "main.rs" {
        MAX_MAIN_LINES
    } else {
        MAX_LINES
    };
    let lines = source.text.lines().count();
    if lines > limit {
        found.push(format!("has {lines} lines, more than {limit}"));
    }
}

fn climbs(source: &Source, tokens: &[String], found: &mut Vec<String>) {
    let modules = source.modules();
    let folder = modules[0];
    let Some(own) = floor(folder) else {
        found.push(format!(
            "the folder {folder} has no floor; give it one in tests/layout/rules.rs"
        ));
        return;
    };
    for path in paths(tokens) {
        let Some(target) = target(&modules, &path) else {
            continue;
        };
        let what = path.join("::");
        match floor(&target) {
            _ if target == folder => {}
            None => found.push(format!("{what}: {target} is no folder with a floor; import names from where they are defined")),
            Some(floor) if floor < own => {}
            Some(floor) if floor == own => found.push(format!("{what}: {target} is on the same floor")),
            Some(floor) => found.push(format!("{what}: {target} is on floor {floor}, above {own}")),
        }
    }
    if own <= ENGINE && !source.is_test() {
        impurities(&without_tests(tokens), found);
    }
}

/// The folder a path leads into; none for other crates and for paths that stay below the root.
fn target(modules: &[&str], path: &[String]) -> Option<String> {
    if path.first()? == "crate" {
        return path.get(1).cloned();
    }
    let climbs = path.iter().take_while(|word| *word == "super").count();
    if climbs > 0 && climbs == modules.len() {
        return path.get(climbs).cloned();
    }
    None
}

fn impurities(tokens: &[String], found: &mut Vec<String>) {
    for path in paths(tokens) {
        let Some(root) = path.first().map(String::as_str) else {
            continue;
        };
        let banned_std =
            root == "std" && path.iter().any(|word| BANNED_STD.contains(&word.as_str()));
        if banned_std || BANNED_CRATES.contains(&root) {
            found.push(format!("{}: the engine does not know it", path.join("::")));
        }
    }
    for pair in tokens.windows(2) {
        if pair[1] == "!" && BANNED_MACROS.contains(&pair[0].as_str()) {
            found.push(format!("{}!: the engine does not print", pair[0]));
        }
    }
}

/// A `mod.rs` has its page of documentation, `mod` lines and exports.
fn mod_file(source: &Source, tokens: &[String], found: &mut Vec<String>) {
    if !source.text.starts_with("//!") {
        found.push("has no page of documentation".to_owned());
    }
    for item in items(tokens) {
        let words: Vec<&str> = item.iter().map(String::as_str).collect();
        let allowed = matches!(
            words.as_slice(),
            ["mod", _]
                | ["pub", "mod", _]
                | ["pub", "(", "crate", ")", "mod", _]
                | ["pub", "use", ..]
                | ["pub", "(", "crate", ")", "use", ..]
        );
        if !allowed {
            found.push(format!(
                "`{}` belongs in a file of its own",
                words.join(" ")
            ));
            return;
        }
    }
}

/// The items of a file that should have only one-line ones, without their attributes.
fn items(tokens: &[String]) -> Vec<Vec<String>> {
    let mut items = Vec::new();
    let mut item: Vec<String> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if item.is_empty() && tokens[i] == "#" {
            let mut depth = 0;
            while i < tokens.len() {
                match tokens[i].as_str() {
                    "[" => depth += 1,
                    "]" => depth -= 1,
                    _ => {}
                }
                i += 1;
                if depth == 0 && tokens[i - 1] == "]" {
                    break;
                }
            }
        } else if tokens[i] == ";" {
            items.push(std::mem::take(&mut item));
            i += 1;
        } else {
            item.push(tokens[i].clone());
            i += 1;
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}
