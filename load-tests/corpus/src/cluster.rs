use std::net::Ipv4Addr;

use crate::churn::Churn;
use crate::labels::{self, Identity, ZONES};
use crate::layout::{Kind, Layout};
use crate::objects::{ContainerPort, Node, Pod, Service};
use crate::rng::Rng;
use crate::services;
use crate::spec::{Spec, Variant};

const PORTS: [[ContainerPort; 2]; 3] = [ports(8080), ports(8000), ports(3000)];

const fn ports(http: u16) -> [ContainerPort; 2] {
    [
        ContainerPort {
            name: "http",
            number: http,
        },
        ContainerPort {
            name: "metrics",
            number: 9090,
        },
    ]
}

/// What a pod has gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct History {
    /// How often it was deleted and created again, each time under another name and address.
    pub(crate) incarnation: u32,
    pub(crate) relabels: u32,
    pub(crate) unready: bool,
}

/// A cluster, as far as it has to be held: 12 bytes a workload and a name a namespace.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub(crate) spec: Spec,
    pub(crate) layout: Layout,
}

impl Corpus {
    /// Lays the cluster out.
    pub fn new(spec: Spec) -> Corpus {
        Corpus {
            spec,
            layout: Layout::new(spec),
        }
    }

    /// What it was made from.
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// The names of the namespaces. In the plain variant the first belong to DaemonSets and giants.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.layout.namespaces.iter().map(|name| &**name)
    }

    /// The nodes.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        (0..self.layout.nodes).map(|number| Node {
            name: node_name(number),
            zone: self.zone_of(number),
        })
    }

    /// The pods, all ready but one in 32, workload after workload unless they arrive at random.
    pub fn pods(&self) -> impl Iterator<Item = Pod> {
        let mut order: Vec<u32> = Vec::new();
        if self.spec.variant == Variant::RandomArrival {
            order.extend(0..self.spec.pods);
            Rng::of(self.spec.seed, 6, 0).shuffle(&mut order);
        }
        (0..self.spec.pods).map(move |number| {
            let number = order.get(number as usize).copied().unwrap_or(number);
            self.pod(number)
        })
    }

    /// One pod as it is at first, by number.
    ///
    /// # Panics
    /// If there is no such number.
    pub fn pod(&self, number: u32) -> Pod {
        let unready = Rng::of(self.spec.seed, 7, u64::from(number)).one_in(32);
        self.pod_after(
            number,
            History {
                unready,
                ..History::default()
            },
        )
    }

    /// The number of services.
    pub fn service_count(&self) -> u32 {
        self.spec.pods.div_ceil(10)
    }

    /// The services, those of the giants first.
    pub fn services(&self) -> impl Iterator<Item = Service> {
        (0..self.service_count()).map(|number| services::service(self, number))
    }

    /// An endless stream of changes, each following from those before it.
    pub fn churn(&self, seed: u64) -> Churn<'_> {
        Churn::new(self, seed)
    }

    pub(crate) fn pod_after(&self, number: u32, history: History) -> Pod {
        assert!(number < self.spec.pods, "there is no pod {number}");
        let spec = self.spec;
        let (at, workload) = self.layout.workload_of(number);
        let (workload_name, template) = labels::workload_name(spec, at, workload.kind);
        let ordinal = number - workload.first;
        let incarnation = history.incarnation;
        let name = match (workload.kind, incarnation) {
            (Kind::StatefulSet, _) => format!("{workload_name}-{ordinal}"),
            (Kind::Deployment, 0) => format!("{workload_name}-{template}-{ordinal}"),
            (Kind::Deployment, n) => format!("{workload_name}-{template}-{ordinal}r{n}"),
            (_, 0) => format!("{workload_name}-{ordinal}"),
            (_, n) => format!("{workload_name}-{ordinal}r{n}"),
        };
        let mut own = Rng::of(
            spec.seed,
            8,
            u64::from(number) << 32 | u64::from(incarnation),
        );
        let node = match workload.kind {
            Kind::DaemonSet => ordinal % self.layout.nodes,
            _ => own.below(u64::from(self.layout.nodes)) as u32,
        };
        let [_, a, b, c] = number.to_be_bytes();
        let identity = Identity {
            number,
            name: &name,
            zone: self.zone_of(node),
            relabels: history.relabels,
        };
        let labels = labels::labels(spec, &self.layout, (at, workload), identity);
        let ports = &PORTS[at as usize % PORTS.len()];
        Pod {
            namespace: self.layout.namespaces[workload.namespace as usize].clone(),
            uid: uid(&mut own),
            labels,
            node: node_name(node),
            ip: Ipv4Addr::new(10 + (incarnation % 64) as u8, a, b, c),
            ports,
            ready: !history.unready,
            name,
        }
    }

    fn zone_of(&self, node: u32) -> String {
        labels::zone_name(Rng::of(self.spec.seed, 9, u64::from(node)).below(ZONES))
    }
}

pub(crate) fn uid(rng: &mut Rng) -> String {
    let (high, low) = (rng.next(), rng.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

fn node_name(number: u32) -> String {
    format!("node-{number:05}")
}
