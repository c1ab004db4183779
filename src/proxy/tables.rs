use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{IpFamily, ObjectName};

use super::ledger::{Changes, Ledger};
use super::nft::{
    Item, Key, Listing, Script, Shared, Slots, fixed, held, place, render, slot_keys,
};
use super::services::{OfPort, Services};
use super::{Claims, PortName, PortRules, ProxyOptions, Target, UdpKey};

/// The families, in the order in which their tables are written.
pub(super) const FAMILIES: [IpFamily; 2] = [IpFamily::V4, IpFamily::V6];

/// What both tables are to hold, service by service: pure, and history's only in where endpoints have
/// their places.
#[derive(Debug)]
pub struct Tables {
    options: ProxyOptions,
    /// Those that the kernel can have a table of.
    families: Vec<IpFamily>,
    v4: Ledger<Item>,
    v6: Ledger<Item>,
    services: Services<Placed>,
    /// Whether everything has been written once.
    is_written: bool,
}

/// A service port, and the places of its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    rules: Arc<PortRules>,
    slots: Slots,
    /// What it has in the kernel, and keeps instead of what its rules say.
    held: Option<Arc<Vec<(Item, String)>>>,
}

impl Placed {
    fn new(rules: Arc<PortRules>, slots: &Slots) -> Placed {
        Placed {
            slots: Slots {
                cluster: place(&slots.cluster, &rules.cluster),
                local: place(&slots.local, &rules.local),
            },
            rules,
            held: None,
        }
    }

    /// The same with these rules, if they are others. What it holds on to it keeps, unless some of that is
    /// another's.
    fn with(&self, rules: Arc<PortRules>) -> Placed {
        match rules == self.rules || self.held.is_some() && rules.has_all_of(&self.rules) {
            true => Placed {
                rules,
                ..self.clone()
            },
            false => Placed::new(rules, &self.slots),
        }
    }
}

impl OfPort for Placed {
    fn port(&self) -> &Arc<PortName> {
        &self.rules.name
    }
}

/// What the kernel holds in the two tables; none: there is no such table.
#[derive(Debug, Default)]
pub struct KernelTables {
    /// The table `ip selectord`.
    pub v4: Option<Listing>,
    /// The table `ip6 selectord`.
    pub v6: Option<Listing>,
}

impl KernelTables {
    /// One family's table.
    pub fn of(&self, family: IpFamily) -> Option<&Listing> {
        match family {
            IpFamily::V4 => self.v4.as_ref(),
            IpFamily::V6 => self.v6.as_ref(),
        }
    }

    /// Its items, if it is of our layout.
    fn items(&self, family: IpFamily) -> Option<&BTreeMap<Item, String>> {
        let ours = self.of(family).filter(|listing| listing.is_ours);
        ours.map(|listing| &listing.items)
    }
}

impl Tables {
    /// Tables without services.
    pub fn new(options: ProxyOptions) -> Tables {
        let ledger = |family| Ledger::new(fixed(family, &options));
        Tables {
            families: FAMILIES.to_vec(),
            v4: ledger(IpFamily::V4),
            v6: ledger(IpFamily::V6),
            services: Services::default(),
            is_written: false,
            options,
        }
    }

    /// Writes nothing of a family from now on.
    pub fn leave_out(&mut self, family: IpFamily) {
        self.families.retain(|other| *other != family);
    }

    /// The families whose tables are written.
    pub fn families(&self) -> &[IpFamily] {
        &self.families
    }

    /// Makes the ports of a service these; none: it is gone. Endpoints keep the places they have, here
    /// or else in the kernel's tables. No two services may have one address and port, or node port.
    pub fn set(
        &mut self,
        name: &ObjectName,
        ports: Vec<Arc<PortRules>>,
        kernel: Option<&KernelTables>,
    ) {
        let old = self.services.get(name);
        let new: Vec<Placed> = ports
            .into_iter()
            .map(|rules| {
                let known = old.iter().find(|placed| placed.rules.name == rules.name);
                let slots = match known {
                    Some(placed) => placed.slots.clone(),
                    None => kernel.map_or_else(Slots::default, |k| read_slots(&rules, k)),
                };
                Placed::new(rules, &slots)
            })
            .collect();
        if old != new {
            self.put(name, new);
        }
    }

    /// Gives a service up as it is: back to what it was when last written; before the first write, to
    /// what the kernel has of it; or, if it is that, or is given up again, away with it. Then that is what
    /// it claims. Answers whether there was anything to give up.
    pub fn give_up(
        &mut self,
        name: &ObjectName,
        kernel: &KernelTables,
        claims: &mut Claims,
        is_again: bool,
    ) -> bool {
        let Some(mut instead) = self.services.instead(name, is_again) else {
            return false;
        };
        let mut wanted = claims.before(name);
        // Later, what its addresses have is another's.
        if instead.is_empty() && !self.is_written && !is_again {
            instead = self.held(name, kernel);
            wanted = claims.now(name);
        }
        // What others have of it, it claims still.
        let wanted = match instead.is_empty() {
            true => Vec::new(),
            false => wanted.to_vec(),
        };
        claims.put(name, wanted);
        for (service, ports) in claims.settle() {
            if service == *name {
                let again = instead.iter().zip(ports);
                let again = again.map(|(placed, rules)| placed.with(rules));
                self.put(name, again.collect());
            } else {
                self.set(&service, ports, Some(kernel));
            }
        }
        true
    }

    /// The ports of a service with what the kernel has of them; empty, if they hold on to that already.
    fn held(&self, name: &ObjectName, kernel: &KernelTables) -> Vec<Placed> {
        let hold = |placed: &Placed| {
            let family = placed.rules.name.family;
            let is_fixed = |item: &Item| self.ledger(family).is_fixed(item);
            let items = match kernel.items(family) {
                Some(items) => held(&placed.rules, items, is_fixed),
                None => Vec::new(),
            };
            Placed {
                held: Some(Arc::new(items)),
                ..placed.clone()
            }
        };
        let now = self.services.get(name);
        let holding: Vec<Placed> = now.iter().map(hold).collect();
        let is_new = now.iter().all(|placed| placed.held.is_none());
        let has_any = holding
            .iter()
            .any(|placed| placed.held != Some(Arc::default()));
        if is_new && has_any {
            holding
        } else {
            Vec::new()
        }
    }

    fn put(&mut self, name: &ObjectName, new: Vec<Placed>) {
        for (port, (was, is)) in self.services.put(name, new) {
            let rendered = |placed: Option<Placed>| {
                placed.map_or_else(Vec::new, |p| match p.held {
                    Some(held) => held.to_vec(),
                    None => render(&p.rules, &p.slots, &self.options),
                })
            };
            let (before, after) = (rendered(was), rendered(is));
            let ledger = match port.family {
                IpFamily::V4 => &mut self.v4,
                IpFamily::V6 => &mut self.v6,
            };
            ledger.replace(&port, before, after);
        }
    }

    /// What has to be written: since the last time, or beside what the kernel has. A table that is not
    /// of our layout, or that `anew` says so of, is made anew in the same transaction.
    pub fn script(&self, kernel: Option<&KernelTables>, anew: bool) -> Script {
        let mut script = Script::default();
        for family in self.families.iter().copied() {
            let changes = match kernel {
                None => self.ledger(family).changes(),
                Some(kernel) => {
                    let listed = kernel.of(family);
                    if listed.is_some_and(|listing| anew || !listing.is_ours) {
                        script.remove_table(family);
                        self.ledger(family).whole()
                    } else {
                        self.beside(family, listed)
                    }
                }
            };
            script.change(family, &changes);
        }
        script
    }

    fn beside(&self, family: IpFamily, listed: Option<&Listing>) -> Changes<Item> {
        match listed {
            Some(listing) => self.ledger(family).against(&listing.items),
            None => self.ledger(family).whole(),
        }
    }

    fn ledger(&self, family: IpFamily) -> &Ledger<Item> {
        match family {
            IpFamily::V4 => &self.v4,
            IpFamily::V6 => &self.v6,
        }
    }

    /// Where UDP services are in the kernel's tables and are to be no more.
    pub fn gone(&self, kernel: &KernelTables) -> Vec<UdpKey> {
        let mut gone = Vec::new();
        for family in FAMILIES {
            for item in kernel.items(family).into_iter().flat_map(BTreeMap::keys) {
                gone.extend(udp_key(item).filter(|_| !self.wants(family, item)));
            }
        }
        gone
    }

    /// What was to be written has been.
    pub fn settle(&mut self) {
        self.v4.settle();
        self.v6.settle();
        self.services.settle();
        self.is_written = true;
    }

    /// Whether an item is to be there.
    pub fn wants(&self, family: IpFamily, item: &Item) -> bool {
        self.ledger(family).contains(item)
    }

    /// Items that are to be in one family's table.
    pub fn len(&self, family: IpFamily) -> usize {
        self.ledger(family).len()
    }
}

/// Where UDP packets go that an element sends on.
fn udp_key(item: &Item) -> Option<UdpKey> {
    match item {
        Item::Element(Shared::Service(Key::Ip), key) => {
            let (ip, port) = key.split_once(" . udp . ")?;
            Some(UdpKey::Address(ip.parse().ok()?, port.parse().ok()?))
        }
        Item::Element(Shared::Service(Key::NodePort), key) => {
            let port = key.strip_prefix("udp . ")?;
            Some(UdpKey::NodePort(port.parse().ok()?))
        }
        _ => None,
    }
}

/// The places that endpoints of a port have in the kernel.
fn read_slots(port: &PortRules, kernel: &KernelTables) -> Slots {
    let Some(items) = kernel.items(port.name.family) else {
        return Slots::default();
    };
    let [cluster, local] = slot_keys(port).map(|place| match place {
        Some((set, key)) => read_places(items, set, &key),
        None => Vec::new(),
    });
    Slots { cluster, local }
}

fn read_places(items: &BTreeMap<Item, String>, set: Shared, key: &str) -> Vec<Target> {
    let target = |value: &String| {
        let (ip, port) = value.split_once(" . ")?;
        Some(Target {
            ip: ip.parse().ok()?,
            port: port.parse().ok()?,
        })
    };
    (0usize..)
        .map_while(|place| items.get(&Item::Element(set, format!("{key} . {place}"))))
        .map_while(target)
        .collect()
}
