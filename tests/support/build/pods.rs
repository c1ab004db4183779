//! Pods and nodes.

use selectord::model::{
    ContainerPort, Node, Phase, Pod, Protocol, ReadyCondition, ZONE_LABEL, parse_ip,
};

use super::{Labelled, name};

/// A pod that nothing keeps out of endpoints but its missing address.
pub fn pod(text: &str) -> Pod {
    Pod {
        name: name(text),
        phase: Phase::Running,
        ..Pod::default()
    }
}

pub fn node(name: &str) -> Node {
    Node {
        name: name.into(),
        ..Node::default()
    }
}

pub trait BuildPod: Sized {
    fn ip(self, text: &str) -> Self;
    fn ready(self) -> Self;
    fn readiness(self, ready: ReadyCondition) -> Self;
    fn terminating(self) -> Self;
    fn phase(self, phase: Phase) -> Self;
    fn on(self, node: &str) -> Self;
    fn uid(self, uid: &str) -> Self;
    fn host(self, hostname: &str, subdomain: &str) -> Self;
    fn port(self, name: &str, number: u16, protocol: Protocol) -> Self;
    fn sidecar_port(self, name: &str, number: u16, protocol: Protocol) -> Self;
}

impl BuildPod for Pod {
    fn ip(mut self, text: &str) -> Pod {
        self.pod_ips.push(parse_ip(text).expect(text));
        self
    }

    fn ready(self) -> Pod {
        self.readiness(ReadyCondition::True)
    }

    fn readiness(mut self, ready: ReadyCondition) -> Pod {
        self.ready = ready;
        self
    }

    fn terminating(mut self) -> Pod {
        self.deletion_timestamp = Some("2026-11-20T10:00:00Z".into());
        self
    }

    fn phase(mut self, phase: Phase) -> Pod {
        self.phase = phase;
        self
    }

    fn on(mut self, node: &str) -> Pod {
        self.node_name = node.into();
        self
    }

    fn uid(mut self, uid: &str) -> Pod {
        self.uid = uid.into();
        self
    }

    fn host(mut self, hostname: &str, subdomain: &str) -> Pod {
        self.hostname = hostname.into();
        self.subdomain = subdomain.into();
        self
    }

    fn port(self, name: &str, number: u16, protocol: Protocol) -> Pod {
        with_port(
            self,
            ContainerPort {
                name: name.into(),
                number,
                protocol,
                sidecar: false,
            },
        )
    }

    fn sidecar_port(self, name: &str, number: u16, protocol: Protocol) -> Pod {
        with_port(
            self,
            ContainerPort {
                name: name.into(),
                number,
                protocol,
                sidecar: true,
            },
        )
    }
}

fn with_port(mut pod: Pod, port: ContainerPort) -> Pod {
    pod.ports = pod.ports.iter().cloned().chain([port]).collect();
    pod
}

pub trait BuildNode {
    fn zone(self, zone: &str) -> Self;
}

impl BuildNode for Node {
    fn zone(self, zone: &str) -> Node {
        self.label(ZONE_LABEL, zone)
    }
}
