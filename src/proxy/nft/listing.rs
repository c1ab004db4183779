use std::collections::BTreeMap;

use super::layout::is_layout_mark;
use super::{Item, Shared};

/// What a table holds, as nft lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Everything in it, apart from the clients that affinity remembers.
    pub items: BTreeMap<Item, String>,
    /// Whether the table was made by this layout. One that was not cannot be taken over.
    pub is_ours: bool,
}

/// Reads what `nft list table` prints of one of our tables. Lines that it does not know are passed
/// over: what it missed is found to be missing, and written.
pub fn parse(text: &str) -> Listing {
    let mut listing = Listing::default();
    let mut block = Block::Outside;
    for line in text.lines().map(str::trim) {
        match &mut block {
            Block::Outside => {
                let mut words = line.split_whitespace();
                let (kind, name) = (words.next(), words.next());
                let Some(name) = name.filter(|_| line.ends_with('{')) else {
                    continue;
                };
                block = match kind {
                    Some("set" | "map") => match Shared::from_name(name) {
                        Some(set) => {
                            listing.items.insert(Item::Set(set), String::new());
                            Block::Set(set, false)
                        }
                        None => {
                            let set = Item::AffinitySet(name.to_owned());
                            listing.items.insert(set, String::new());
                            Block::Remembered
                        }
                    },
                    Some("chain") => {
                        listing.is_ours |= is_layout_mark(name);
                        Block::Chain(name.to_owned(), Vec::new())
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
                        let item = Item::Element(*set, key.to_owned());
                        listing.items.insert(item, value.to_owned());
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
            Block::Chain(name, rules) => {
                if line == "}" {
                    let chain = Item::Chain(std::mem::take(name));
                    listing.items.insert(chain, rules.join("\n"));
                    block = Block::Outside;
                } else if !line.starts_with("type ") || !line.contains(" hook ") {
                    rules.push(line.to_owned());
                }
            }
        }
    }
    listing
}

enum Block {
    Outside,
    /// A shared set, and whether its elements have begun.
    Set(Shared, bool),
    /// A set that the kernel fills.
    Remembered,
    Chain(String, Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::super::Key;
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
    fn what_is_not_known_is_passed_over() {
        for text in ["", "}", "elements = {", "table ip x {", "\u{0}", "chain {"] {
            assert!(!parse(text).is_ours, "{text:?}");
        }
    }
}
