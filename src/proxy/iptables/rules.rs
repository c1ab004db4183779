use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{IpFamily, ObjectName};

use super::super::ledger::{Changes, Ledger};
use super::super::services::{OfPort, Services};
use super::super::tables::FAMILIES;
use super::super::{Claims, PortName, PortRules, ProxyOptions, UdpKey};
use super::held::{held, udp_key};
use super::{Item, Kernel, Listing, PerTable, Script, Table, fixed, render};

/// What both families' tables are to hold, service by service: pure, and without history.
#[derive(Debug)]
pub struct Rules {
    options: ProxyOptions,
    kernel: Kernel,
    v4: PerTable<Ledger<Item>>,
    v6: PerTable<Ledger<Item>>,
    /// Families that have been written once.
    settled: BTreeSet<IpFamily>,
    services: Services<Port>,
}

/// A port's items, by table.
type Items = PerTable<Vec<(Item, String)>>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Port {
    rules: Arc<PortRules>,
    /// What it has in the kernel, and keeps instead of what its rules say.
    held: Option<Arc<Items>>,
}

impl Port {
    fn new(rules: Arc<PortRules>) -> Port {
        Port { rules, held: None }
    }

    /// The same with these rules, if they are others. What it holds on to it keeps, unless some of that is
    /// another's.
    fn with(&self, rules: Arc<PortRules>) -> Port {
        match rules == self.rules || self.held.is_some() && rules.has_all_of(&self.rules) {
            true => Port {
                rules,
                ..self.clone()
            },
            false => Port::new(rules),
        }
    }
}

impl OfPort for Port {
    fn port(&self) -> &Arc<PortName> {
        &self.rules.name
    }
}

impl Rules {
    /// Rules without services.
    pub fn new(options: ProxyOptions, kernel: Kernel) -> Rules {
        let ledgers = |family| {
            let fixed = fixed(family, &options, kernel);
            PerTable {
                filter: Ledger::new(fixed.filter),
                nat: Ledger::new(fixed.nat),
            }
        };
        Rules {
            v4: ledgers(IpFamily::V4),
            v6: ledgers(IpFamily::V6),
            settled: BTreeSet::new(),
            services: Services::default(),
            options,
            kernel,
        }
    }

    /// Makes the ports of a service these; none: it is gone. No two services may have one address and
    /// port, or node port.
    pub fn set(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) {
        let ports: Vec<Port> = ports.into_iter().map(Port::new).collect();
        if ports != self.services.get(service) {
            self.put(service, ports);
        }
    }

    /// Gives a service up as it is: back to what it was when last written; if nothing was, to what the
    /// kernel has of it; or, if it is that, or is given up again, away with it. Then that is what it claims.
    /// Answers whether there was anything to give up.
    pub fn give_up(
        &mut self,
        service: &ObjectName,
        kernel: &BTreeMap<IpFamily, Listing>,
        claims: &mut Claims,
        is_again: bool,
    ) -> bool {
        let Some(mut instead) = self.services.instead(service, is_again) else {
            return false;
        };
        let mut wanted = claims.before(service);
        if instead.is_empty() && !is_again {
            instead = self.held(service, kernel, claims);
            wanted = claims.now(service);
        }
        // What others have of it, it claims still.
        let wanted = match instead.is_empty() {
            true => Vec::new(),
            false => wanted.to_vec(),
        };
        claims.put(service, wanted);
        for (other, ports) in claims.settle() {
            if other == *service {
                let again = instead.iter().zip(ports);
                let again = again.map(|(port, rules)| port.with(rules));
                self.put(service, again.collect());
            } else {
                self.set(&other, ports);
            }
        }
        true
    }

    /// The ports of a service with what the kernel has of them; empty, if they hold on to that already.
    fn held(
        &self,
        service: &ObjectName,
        kernel: &BTreeMap<IpFamily, Listing>,
        claims: &Claims,
    ) -> Vec<Port> {
        let hold = |port: &Port| {
            let name = &port.rules.name;
            let is_anothers = |place| claims.owner(place).is_some_and(|owner| owner != name);
            let listing = kernel.get(&name.family);
            let items = listing.map_or_else(PerTable::default, |l| held(name, l, is_anothers));
            Port {
                held: Some(Arc::new(items)),
                ..port.clone()
            }
        };
        let now = self.services.get(service);
        let holding: Vec<Port> = now.iter().map(hold).collect();
        let is_new = now.iter().all(|port| port.held.is_none());
        let has_any = holding.iter().any(|port| port.held != Some(Arc::default()));
        if is_new && has_any {
            holding
        } else {
            Vec::new()
        }
    }

    fn put(&mut self, service: &ObjectName, ports: Vec<Port>) {
        for (name, (was, is)) in self.services.put(service, ports) {
            let rendered = |port: Option<Port>| {
                port.map_or_else(PerTable::default, |port| match port.held {
                    Some(held) => Items::clone(&held),
                    None => render(&port.rules, &self.options, self.kernel),
                })
            };
            let (was, is) = (rendered(was), rendered(is));
            let ledgers = match name.family {
                IpFamily::V4 => &mut self.v4,
                IpFamily::V6 => &mut self.v6,
            };
            ledgers.filter.replace(&name, was.filter, is.filter);
            ledgers.nat.replace(&name, was.nat, is.nat);
        }
    }

    /// What has to be written of a family: since the last time, or beside what the kernel has; of a table
    /// that cannot be read, since the last time, or everything. With `anew`, every chain is written whether
    /// or not it seems to be right.
    pub fn script(&self, family: IpFamily, kernel: Option<&Listing>, anew: bool) -> Script {
        let ledgers = self.ledgers(family);
        let changes = |table| -> Changes<Item> {
            let ledger = ledgers.of(table);
            let Some(listing) = kernel else {
                return ledger.changes();
            };
            let items = listing.items.of(table);
            match listing.unreadable.contains(&table) {
                true if anew || !self.settled.contains(&family) => ledger.whole(),
                true => ledger.changes(),
                false if anew => ledger.against(&outside(ledger, items)),
                false => ledger.against(items),
            }
        };
        let changes = PerTable {
            filter: changes(Table::Filter),
            nat: changes(Table::Nat),
        };
        Script::of(&changes, |table, chain| {
            let rules = ledgers
                .of(table)
                .starting_at(Item::Rule(chain, String::new()));
            let rules =
                rules.take_while(|rule| matches!(&rule.item, Item::Rule(of, _) if *of == chain));
            let last = ledgers.of(table).starting_at(Item::Last(chain)).next();
            let last = last.filter(|change| change.item == Item::Last(chain));
            rules.chain(last).collect()
        })
    }

    /// Where UDP services are in a family's kernel tables and are to be no more.
    pub fn gone(&self, family: IpFamily, kernel: &Listing) -> Vec<UdpKey> {
        let wanted = &self.ledgers(family).nat;
        let unwanted = kernel
            .items
            .nat
            .keys()
            .filter(|item| !wanted.contains(item));
        unwanted.filter_map(|item| udp_key(family, item)).collect()
    }

    /// Whether the kernel has what it is to have, of what was settled.
    pub fn agrees(&self, family: IpFamily, kernel: &Listing) -> bool {
        let ledgers = self.ledgers(family);
        let agrees = |table| ledgers.of(table).agrees(kernel.items.of(table));
        Table::ALL.into_iter().all(agrees)
    }

    /// A family's tables have been written.
    pub fn written(&mut self, family: IpFamily) {
        let ledgers = match family {
            IpFamily::V4 => &mut self.v4,
            IpFamily::V6 => &mut self.v6,
        };
        ledgers.filter.settle();
        ledgers.nat.settle();
        self.settled.insert(family);
    }

    /// All that was to be written has been.
    pub fn settle(&mut self) {
        // Of a family that cannot be written, nothing is kept for later.
        for family in FAMILIES {
            self.written(family);
        }
        self.services.settle();
    }

    /// Items that are to be in a table.
    pub fn len(&self, family: IpFamily, table: Table) -> usize {
        self.ledgers(family).of(table).len()
    }

    fn ledgers(&self, family: IpFamily) -> &PerTable<Ledger<Item>> {
        match family {
            IpFamily::V4 => &self.v4,
            IpFamily::V6 => &self.v6,
        }
    }
}

/// What is not written anew along with the chains: jumps from elsewhere, and chains that are to go.
fn outside(ledger: &Ledger<Item>, kernel: &BTreeMap<Item, String>) -> BTreeMap<Item, String> {
    let kept = kernel.iter().filter(|(item, _)| match item {
        Item::Jumps(_) => true,
        Item::Chain(_) => !ledger.contains(item),
        Item::Shared(_) | Item::Rule(..) | Item::Last(_) => false,
    });
    kept.map(|(item, value)| (item.clone(), value.clone()))
        .collect()
}
