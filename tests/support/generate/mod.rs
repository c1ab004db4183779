//! Small random worlds that change. Few names, addresses, labels and nodes, so that objects of
//! one name come, go and come again, pods share addresses, and hand-made endpoints collide with
//! computed ones.

mod labels;
mod manual;
mod pods;
mod services;
mod world;

pub use labels::{label_set, selector, selector_text};
pub use world::{Mix, World, scope, within};

use selectord::model::ObjectName;
use smol_str::SmolStr;

use super::random::Random;

pub const NAMESPACES: [&str; 3] = ["blue", "green", "red"];
const PODS: usize = 9;
const SERVICES: usize = 4;
const SLICES: usize = 2;
const NODES: [&str; 4] = ["n0", "n1", "n2", "n3"];
const ZONES: [&str; 3] = ["za", "zb", ""];
const ADDRESSES: [&str; 9] = [
    "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "fd00::1", "fd00::2",
    "fd00::3",
];

fn namespace(random: &mut Random) -> SmolStr {
    SmolStr::new(random.pick(&NAMESPACES))
}

fn numbered(random: &mut Random, prefix: &str, end: usize) -> ObjectName {
    let number = random.below(end);
    ObjectName::new(namespace(random), format!("{prefix}{number}"))
}

pub fn pod_name(random: &mut Random) -> ObjectName {
    numbered(random, "p", PODS)
}

pub fn service_name(random: &mut Random) -> ObjectName {
    numbered(random, "s", SERVICES)
}

fn node_name(random: &mut Random) -> SmolStr {
    SmolStr::new(random.pick(&NODES))
}
