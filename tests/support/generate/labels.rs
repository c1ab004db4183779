//! Random labels and selectors over a handful of keys and values.

use selectord::labels::LabelSet;
use selectord::selector::Selector;

use super::super::build;
use super::super::random::Random;

const KEYS: [&str; 4] = ["app", "tier", "ver", "x.io/on"];

fn value(random: &mut Random, key: &str) -> &'static str {
    match key {
        "app" => random.weighted(&[(4, "web"), (3, "api"), (1, "db")]),
        "tier" => random.pick(&["front", "back", ""]),
        "ver" => random.pick(&["1", "2", "010", "12", "v3", ""]),
        _ => random.pick(&["", "yes"]),
    }
}

pub fn label_set(random: &mut Random) -> LabelSet {
    let mut labels = LabelSet::new();
    for key in KEYS {
        if random.chance(if key == "app" { 85 } else { 50 }) {
            labels.insert(build::key(key), build::value(value(random, key)));
        }
    }
    labels
}

/// One label more, fewer or different.
pub fn change_a_label(random: &mut Random, labels: &mut LabelSet) {
    let key = random.pick(&KEYS);
    if random.chance(35) {
        labels.remove(key);
    } else {
        labels.insert(build::key(key), build::value(value(random, key)));
    }
}

/// Any selector, that which nothing matches now and then.
pub fn selector(random: &mut Random) -> Selector {
    if random.chance(2) {
        return Selector::nothing();
    }
    build::selector(&selector_text(random))
}

/// A selector with every operator there is, none to three requirements long.
pub fn selector_text(random: &mut Random) -> String {
    let length = random.weighted(&[(1, 0), (6, 1), (4, 2), (2, 3)]);
    let requirements: Vec<String> = (0..length).map(|_| requirement(random)).collect();
    requirements.join(",")
}

fn requirement(random: &mut Random) -> String {
    let key = random.pick(&KEYS);
    let (one, other) = (value(random, key), value(random, key));
    match random.below(11) {
        0 => key.to_owned(),
        1 => format!("!{key}"),
        2..4 => format!("{key}={one}"),
        4 => format!("{key}=={one}"),
        5 | 6 => format!("{key}!={one}"),
        7 => format!("{key} in ({one},{other})"),
        8 => format!("{key} notin ({one},{other})"),
        9 => format!("ver>{}", random.pick(&["0", "1", "9", "011"])),
        _ => format!("ver<{}", random.pick(&["2", "10", "13"])),
    }
}
