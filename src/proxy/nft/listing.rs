use std::collections::BTreeMap;

use super::layout::{hook, is_layout_mark};
use super::{Item, Key, Shared};

/// What a table holds, as nft lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Everything in it, apart from the clients that affinity remembers.
    pub items: BTreeMap<Item, String>,
    /// Whether the table is of this layout, its base chains hang where they are to, and it is not
    /// asleep. One of which that is not so cannot be put right in place.
    pub is_ours: bool,
    /// Whether something is in it twice. So it is where the kernel was making a set larger while it told
    /// what is in it: then it may have left out as much.
    pub repeats: bool,
}

/// Reads what `nft list table` prints of one of our tables. Lines that it does not know are passed
/// over: what it missed is found to be missing, and written.
pub fn parse(text: &str) -> Listing {
    // They come in no order: sorted at once, they are a map sooner than one by one.
    let mut items: Vec<(Item, String)> = Vec::new();
    let mut block = Block::Outside;
    let (mut is_marked, mut is_bent) = (false, false);
    for line in text.lines().map(str::trim) {
        match &mut block {
            Block::Outside => {
                let mut words = line.split_whitespace();
                let (kind, name) = (words.next(), words.next());
                // A table that sleeps has its rules and uses none.
                is_bent |= kind == Some("flags");
                let Some(name) = name.filter(|_| line.ends_with('{')) else {
                    continue;
                };
                block = match kind {
                    Some("set" | "map") => match Shared::from_name(name) {
                        Some(set) => {
                            items.push((Item::Set(set), String::new()));
                            Block::Set(set, false)
                        }
                        None => {
                            let set = Item::AffinitySet(name.to_owned());
                            items.push((set, String::new()));
                            Block::Remembered
                        }
                    },
                    Some("chain") => {
                        is_marked |= is_layout_mark(name);
                        Block::Chain(Chain::new(name))
                    }
                    _ => Block::Outside,
                };
            }
            Block::Set(set, within) => {
                let elements = match line.strip_prefix("elements = {") {
                    Some(first) => {
                        *within = true;
                        first
                    }
                    None if *within => line,
                    None if line == "}" => {
                        block = Block::Outside;
                        continue;
                    }
                    None => continue,
                };
                let last = elements.strip_suffix('}');
                for element in last.unwrap_or(elements).split(',').map(str::trim) {
                    if !element.is_empty() {
                        let (key, value) = element.split_once(" : ").unwrap_or((element, ""));
                        let item = Item::Element(*set, key_with_word(*set, key));
                        items.push((item, value.to_owned()));
                    }
                }
                *within &= last.is_none();
            }
            Block::Remembered => {
                // Clients come and go with the kernel; the block ends with a brace alone.
                if line == "}" {
                    block = Block::Outside;
                }
            }
            Block::Chain(chain) => {
                if line == "}" {
                    is_bent |= !chain.hangs_right();
                    let item = Item::Chain(std::mem::take(&mut chain.name));
                    items.push((item, chain.rules.join("\n")));
                    block = Block::Outside;
                } else if line.starts_with("type ") && line.contains(" hook ") {
                    chain.hook = Some(line.to_owned());
                } else {
                    chain.rules.push(with_words(line));
                }
            }
        }
    }
    let count = items.len();
    let items: BTreeMap<Item, String> = items.into_iter().collect();
    Listing {
        repeats: items.len() < count,
        items,
        is_ours: is_marked && !is_bent,
    }
}

/// A rule in which protocols are numbers, with their names.
fn with_words(rule: &str) -> String {
    const PROTOCOL: &str = "meta l4proto ";
    let parts = || {
        let (before, rest) = rule.split_once(PROTOCOL)?;
        let (number, rest) = rest.split_once(' ')?;
        Some(format!("{before}{PROTOCOL}{} {rest}", word(number)?))
    };
    parts().unwrap_or_else(|| rule.to_owned())
}

/// A key in which the protocol is a number, with its name.
fn key_with_word(set: Shared, key: &str) -> String {
    let place = match set {
        Shared::Service(at) | Shared::ShortCircuit(at) => at,
        Shared::Local(at) | Shared::NoEndpoint(at) => at,
        Shared::Firewall => Key::Ip,
        Shared::Endpoint(..) | Shared::LocalEndpoint(..) | Shared::ClusterIps | Shared::Hairpin => {
            return key.to_owned();
        }
    };
    let mut parts: Vec<&str> = key.split(" . ").collect();
    let at = match place {
        Key::Ip => 1,
        Key::NodePort => 0,
    };
    if let Some(part) = parts.get_mut(at) {
        *part = word(part).unwrap_or(part);
    }
    parts.join(" . ")
}

/// A protocol by its number, as every nft lists it: the names are those of the machine.
fn word(number: &str) -> Option<&'static str> {
    Some(match number {
        "6" => "tcp",
        "17" => "udp",
        "132" => "sctp",
        _ => return None,
    })
}

enum Block {
    Outside,
    /// A shared set, and whether its elements have begun.
    Set(Shared, bool),
    /// A set that the kernel fills.
    Remembered,
    Chain(Chain),
}

struct Chain {
    name: String,
    /// How it hangs in the kernel.
    hook: Option<String>,
    rules: Vec<String>,
}

impl Chain {
    fn new(name: &str) -> Chain {
        Chain {
            name: name.to_owned(),
            hook: None,
            rules: Vec::new(),
        }
    }

    /// Whether it hangs where the layout has it: in a hook, or in none.
    fn hangs_right(&self) -> bool {
        let wanted = hook(&self.name).map(|hook| hook.replace(" ;", ";"));
        self.hook == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;

    const LISTED: &str = "table ip selectord {
	set affinity-X-a/b/tcp/c__10.0.0.1/80 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		elements = { 10.0.0.9 timeout 3h expires 2h59m,
			     10.0.0.8 timeout 3h expires 1h }
	}

	map endpoint-ips-tcp {
		typeof ip daddr . tcp dport . numgen random mod 1 : ip daddr . tcp dport
		elements = { 10.96.0.1 . 80 . 0 : 10.0.0.1 . 8080,
			     10.96.0.1 . 80 . 1 : 10.0.0.2 . 8080 }
	}

	set cluster-ips {
		type ipv4_addr
		elements = { 10.96.0.1 }
	}

	map firewall-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
	}

	chain nat-output {
		type nat hook output priority -100; policy accept;
		jump services
	}

	chain layout-1 {
	}
}
";

    #[test]
    fn everything_that_can_come_and_go_is_read() {
        let listing = parse(LISTED);
        assert!(listing.is_ours);
        let endpoints = Shared::Endpoint(Key::Ip, Protocol::Tcp);
        let element =
            |set, key: &str, value: &str| (Item::Element(set, key.to_owned()), value.to_owned());
        let items = BTreeMap::from([
            (
                Item::AffinitySet("affinity-X-a/b/tcp/c__10.0.0.1/80".to_owned()),
                String::new(),
            ),
            (Item::Set(endpoints), String::new()),
            (Item::Set(Shared::ClusterIps), String::new()),
            (Item::Set(Shared::Firewall), String::new()),
            (
                Item::Chain("nat-output".to_owned()),
                "jump services".to_owned(),
            ),
            (Item::Chain("layout-1".to_owned()), String::new()),
            element(endpoints, "10.96.0.1 . 80 . 0", "10.0.0.1 . 8080"),
            element(endpoints, "10.96.0.1 . 80 . 1", "10.0.0.2 . 8080"),
            element(Shared::ClusterIps, "10.96.0.1", ""),
        ]);
        assert_eq!(listing.items, items);
    }

    #[test]
    fn a_table_that_hangs_elsewhere_or_sleeps_is_not_ours() {
        for (from, to) in [
            ("policy accept", "policy drop"),
            ("priority -100", "priority 0"),
            ("hook output", "hook input"),
            (
                "\t\ttype nat hook output priority -100; policy accept;\n",
                "",
            ),
            ("chain layout-1 {", "chain layout-0 {"),
            ("selectord {\n", "selectord {\n\tflags dormant\n\n"),
            (
                "chain layout-1 {\n",
                "chain layout-1 {\n\t\ttype filter hook input priority 0; policy drop;\n",
            ),
        ] {
            let text = LISTED.replace(from, to);
            assert_ne!(text, LISTED, "{from}");
            assert!(!parse(&text).is_ours, "{from} → {to}");
        }
    }

    #[test]
    fn protocols_are_read_by_number() {
        let text = "map service-ips {\nelements = { 10.96.0.1 . 17 . 53 : drop }\n}\n\
                    map no-endpoint-nodeports {\nelements = { 132 . 6 : drop }\n}\n\
                    chain x {\nmeta l4proto 6 dnat to 10.0.0.1:80\n}\n";
        let listing = parse(text);
        assert!(!listing.repeats);
        let items = listing.items;
        let key = "10.96.0.1 . udp . 53".to_owned();
        assert!(items.contains_key(&Item::Element(Shared::Service(Key::Ip), key)));
        let key = "sctp . 6".to_owned();
        assert!(items.contains_key(&Item::Element(Shared::NoEndpoint(Key::NodePort), key)));
        assert_eq!(
            items[&Item::Chain("x".to_owned())],
            "meta l4proto tcp dnat to 10.0.0.1:80"
        );
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for text in ["", "}", "elements = {", "table ip x {", "\u{0}", "chain {"] {
            assert!(!parse(text).is_ours, "{text:?}");
        }
    }

    #[test]
    fn what_is_told_twice_is_seen() {
        let told = |elements: &str| {
            let text = format!("map service-ips {{\nelements = {{ {elements} }}\n}}\n");
            parse(&text).repeats
        };
        let [one, other] = ["1.2.3.4 . tcp . 80 : goto a", "1.2.3.5 . tcp . 80 : goto a"];
        assert!(!told(&format!("{one},\n{other}")));
        assert!(told(&format!("{one},\n{one}")));
    }
}
