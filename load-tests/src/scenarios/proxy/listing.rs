use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;

use super::cluster::{Cluster, PORT, TARGET_PORT, endpoint_ip};

/// Rules as the kernel's tool lists them, as lines that can be compared: rules of a chain in
/// their order, all else sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing(Vec<String>);

impl Listing {
    /// Of what `nft list ruleset` prints. The places of endpoints, which are history's, are left out.
    pub fn of_nft(text: &str) -> Listing {
        let mut blocks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut table, mut block, mut within) = ("", String::new(), false);
        for line in text.lines().map(str::trim) {
            if line.starts_with("table ") {
                table = line;
            } else if within || line.starts_with("elements = {") {
                let list = line.trim_start_matches("elements = {");
                let list = list.trim_end_matches('}').trim_end_matches(',');
                let elements = list.split(", ").map(str::trim);
                let elements = elements.map(|element| without_place(&block, element));
                blocks.entry(block.clone()).or_default().extend(elements);
                within = !line.ends_with('}');
            } else if line.ends_with('{') {
                block = format!("{table} {line}");
                blocks.entry(block.clone()).or_default();
            } else if !line.is_empty() && line != "}" {
                let of = blocks.entry(block.clone()).or_default();
                of.push(line.to_owned());
            }
        }
        for (block, lines) in &mut blocks {
            if !block.contains(" chain ") {
                lines.sort_unstable();
            }
        }
        Listing::of_blocks(blocks)
    }

    /// Of what `iptables-save` prints.
    pub fn of_iptables(text: &str) -> Listing {
        let mut blocks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut table = "";
        for line in text.lines() {
            let mut words = line.split(' ');
            if line.starts_with('*') {
                table = line;
            } else if let Some(chain) = words.next().and_then(|word| word.strip_prefix(':')) {
                blocks.entry(format!("{table} {chain}")).or_default();
            } else if let Some(chain) = words.next().filter(|_| line.starts_with("-A ")) {
                let of = blocks.entry(format!("{table} {chain}")).or_default();
                of.push(line.to_owned());
            }
        }
        for (block, rules) in &mut blocks {
            // Services' rules stand in any order, before the one for node ports.
            if let Some((_last, services)) = rules.split_last_mut()
                && block.ends_with("-SERVICES")
            {
                services.sort_unstable();
            }
        }
        Listing::of_blocks(blocks)
    }

    fn of_blocks(blocks: BTreeMap<String, Vec<String>>) -> Listing {
        let lines = blocks.into_iter().flat_map(|(block, lines)| {
            let lines: Vec<String> = lines.iter().map(|line| format!("{block} {line}")).collect();
            std::iter::once(block).chain(lines)
        });
        Listing(lines.collect())
    }

    /// Whether an element is in it twice.
    pub fn repeats(&self) -> bool {
        let is_element = |line: &&String| line.contains(" : ");
        let elements: Vec<&String> = self.0.iter().filter(is_element).collect();
        let distinct: BTreeSet<&&String> = elements.iter().collect();
        distinct.len() < elements.len()
    }

    /// Compares with what there is to be.
    ///
    /// # Errors
    /// The first lines that differ.
    pub fn same_as(&self, wanted: &Listing, what: &str) -> anyhow::Result<()> {
        if self == wanted {
            return Ok(());
        }
        let (here, there): (BTreeSet<_>, BTreeSet<_>) =
            (self.0.iter().collect(), wanted.0.iter().collect());
        bail!(
            "{what}: the kernel's rules are not what a fresh sync writes: {} lines instead of {}; the first \
             that differ: {:?}; too much: {:?}; missing: {:?}",
            self.0.len(),
            wanted.0.len(),
            self.0
                .iter()
                .zip(&wanted.0)
                .find(|(one, other)| one != other),
            here.difference(&there).take(3).collect::<Vec<_>>(),
            there.difference(&here).take(3).collect::<Vec<_>>(),
        )
    }
}

fn without_place(block: &str, element: &str) -> String {
    let places = block.contains(" endpoint-ips-");
    match element.split_once(" : ").filter(|_| places) {
        Some((key, value)) => {
            let key = key.rsplit_once(" . ").map_or(key, |(key, _)| key);
            format!("{key} : {value}")
        }
        None => element.to_owned(),
    }
}

/// Compares the endpoints that rules lead to, read off a listing as text, with those of the services:
/// what a listing has does not depend on who wrote it.
///
/// # Errors
/// How many are missing or too many, and one of them.
pub fn check_endpoints(text: &str, cluster: &Cluster, what: &str) -> anyhow::Result<()> {
    let wanted: BTreeSet<String> = cluster
        .services
        .values()
        .flat_map(|service| service.endpoints.iter().map(|end| (service.ip(), *end)))
        .map(|(ip, end)| format!("{ip} {}", endpoint_ip(end)))
        .collect();
    let found: BTreeSet<String> = match text.split_once(" {") {
        Some(("table ip kube-proxy", _)) => kube_nft_pairs(text),
        Some((table, _)) if table.starts_with("table ") => nft_pairs(text),
        _ => iptables_pairs(text),
    };
    if found != wanted {
        bail!(
            "{what}: {} services' endpoints are not those of the rules; missing: {:?}; too much: {:?}",
            cluster.services.len(),
            wanted.difference(&found).take(2).collect::<Vec<_>>(),
            found.difference(&wanted).take(2).collect::<Vec<_>>(),
        );
    }
    Ok(())
}

/// Elements such as `10.96.0.1 . 80 . 0 : 10.128.0.2 . 8080`.
fn nft_pairs(text: &str) -> BTreeSet<String> {
    let (port, target) = (format!(" . {PORT} . "), format!(" . {TARGET_PORT}"));
    let pieces = text.split([',', '{', '}', '\n']).map(str::trim);
    let pairs = pieces.filter_map(|piece| {
        let (key, value) = piece.split_once(" : ")?;
        let (ip, _) = key.split_once(&port)?;
        let end = value.strip_suffix(&target)?;
        // Of IPv6 the endpoints are compared with a fresh sync's alone.
        (!ip.contains(':')).then(|| format!("{ip} {end}"))
    });
    pairs.collect()
}

/// Elements such as `10.96.0.1 . tcp . 80 : goto service-…`, that chain's `0 : goto endpoint-…`, and in that
/// the endpoint.
fn kube_nft_pairs(text: &str) -> BTreeSet<String> {
    let port = format!(" . tcp . {PORT}");
    let mut services: Vec<(&str, &str)> = Vec::new();
    let mut jumps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut ends: BTreeMap<&str, &str> = BTreeMap::new();
    let mut chain = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches(" {");
        } else if let Some((_, to)) = line.split_once(" dnat to ") {
            ends.insert(chain, to.split(':').next().unwrap_or_default());
        }
        for piece in line.split([',', '{', '}']) {
            let Some((key, target)) = piece.trim().split_once(" : goto ") else {
                continue;
            };
            match key.strip_suffix(&port) {
                Some(ip) => services.push((ip, target)),
                None => jumps.entry(chain).or_default().push(target),
            }
        }
    }
    let pairs = services.into_iter().flat_map(|(ip, service)| {
        let endpoints = jumps.get(service).into_iter().flatten();
        let ends = endpoints.filter_map(|endpoint| ends.get(endpoint));
        ends.map(move |end| format!("{ip} {end}"))
    });
    pairs.collect()
}

/// Jumps from an address to a chain, from that to endpoints, or to others, and from those to endpoints.
fn iptables_pairs(text: &str) -> BTreeSet<String> {
    let mut jumps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut ends: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut entries = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word| {
            let at = words.iter().position(|other| *other == word)?;
            words.get(at + 1).copied()
        };
        let (Some(chain), Some(target)) = (after("-A"), after("-j")) else {
            continue;
        };
        if let Some(to) = after("--to-destination") {
            let end = to.split(':').next().unwrap_or_default();
            ends.entry(chain).or_default().push(end);
        } else if let (Some(ip), Some(_)) = (after("-d"), after("--dport")) {
            entries.push((ip.trim_end_matches("/32"), target));
        } else {
            jumps.entry(chain).or_default().push(target);
        }
    }
    let mut pairs = BTreeSet::new();
    for (ip, chain) in entries {
        let next = jumps.get(chain).into_iter().flatten().copied();
        for chain in std::iter::once(chain).chain(next) {
            let to = ends.get(chain).into_iter().flatten();
            pairs.extend(to.map(|end| format!("{ip} {end}")));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_differ_in_what_they_say_alone() {
        let one = "table ip a {
	map endpoint-ips-tcp {
		elements = { 10.96.0.1 . 80 . 0 : 10.128.0.2 . 8080,
			     10.96.0.1 . 80 . 1 : 10.128.0.3 . 8080 }
	}

	chain x {
		first
		second
	}

	chain y {
	}
}
";
        let other = "table ip a {
	chain y {
	}

	map endpoint-ips-tcp {
		elements = { 10.96.0.1 . 80 . 0 : 10.128.0.3 . 8080, 10.96.0.1 . 80 . 1 : 10.128.0.2 . 8080 }
	}

	chain x {
		first
		second
	}
}
";
        let [listed, same] = [one, other].map(Listing::of_nft);
        listed.same_as(&same, "order").unwrap();
        for (from, to) in [
            ("first\n\t\tsecond", "second\n\t\tfirst"),
            ("10.128.0.2", "10.128.0.9"),
            ("chain y {", "chain z {"),
            ("\t\tfirst\n", ""),
        ] {
            let changed = other.replace(from, to);
            assert_ne!(changed, other, "{from}");
            listed
                .same_as(&Listing::of_nft(&changed), from)
                .unwrap_err();
        }
        assert_eq!(nft_pairs(one), nft_pairs(other));
        assert_eq!(nft_pairs(one).len(), 2);
    }

    #[test]
    fn chains_of_kube_proxys_tables_are_followed() {
        let listed = "table ip kube-proxy {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.1 . tcp . 80 : goto service-A-load/a/tcp/,
			     10.96.0.3 . tcp . 80 : goto service-C-load/c/tcp/ }
	}

	chain service-A-load/a/tcp/ {
		ip daddr 10.96.0.1 ip saddr != 10.128.0.0/9 jump mark-for-masquerade
		numgen random mod 2 vmap { 0 : goto endpoint-B-1, 1 : goto endpoint-B-2 }
	}

	chain endpoint-B-1 {
		ip saddr 10.128.0.2 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.128.0.2:8080
	}

	chain endpoint-B-2 {
	}

	chain service-C-load/c/tcp/ {
		numgen random mod 1 vmap { 0 : goto endpoint-B-1 }
	}
}
";
        let pairs: Vec<String> = kube_nft_pairs(listed).into_iter().collect();
        assert_eq!(pairs, ["10.96.0.1 10.128.0.2", "10.96.0.3 10.128.0.2"]);
    }

    #[test]
    fn chains_of_iptables_are_followed() {
        let saved = "# of 1970
*nat
:KUBE-SERVICES - [0:0]
:A - [0:0]
:B - [0:0]
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j A
-A A ! -s 10.128.0.0/9 -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j MARK
-A A -m statistic --mode random --probability 0.50000000000 -j B
-A A -p tcp -j DNAT --to-destination 10.128.0.3:8080
-A B -p tcp -j DNAT --to-destination 10.128.0.2:8080
COMMIT
";
        assert_eq!(
            iptables_pairs(saved).into_iter().collect::<Vec<_>>(),
            ["10.96.0.1 10.128.0.2", "10.96.0.1 10.128.0.3"]
        );
        let listed = Listing::of_iptables(saved);
        let moved = saved.replace("-j B", "-j C");
        listed
            .same_as(&Listing::of_iptables(saved), "same")
            .unwrap();
        listed
            .same_as(&Listing::of_iptables(&moved), "moved")
            .unwrap_err();
    }
}
