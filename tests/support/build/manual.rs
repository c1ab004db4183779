//! Hand-made endpoints.

use std::sync::Arc;

use selectord::labels::LabelSet;
use selectord::model::{
    Conditions, EndpointIdentity, EndpointPort, Hints, ManualEndpoint, ManualEndpoints, ManualKind,
    ManualSubset, parse_ip,
};
use smallvec::smallvec;
use smol_str::SmolStr;

use super::name;

/// A hand-made EndpointSlice for a service of its namespace, with one port and no endpoint yet.
pub fn slice(text: &str, service: &str) -> ManualEndpoints {
    manual(ManualKind::EndpointSlice, text, service)
}

/// A hand-made Endpoints object, which belongs to the service of its own name.
pub fn endpoints(text: &str) -> ManualEndpoints {
    manual(ManualKind::Endpoints, text, &name(text).name)
}

fn manual(kind: ManualKind, text: &str, service: &str) -> ManualEndpoints {
    let ports: Arc<[EndpointPort]> = [EndpointPort {
        name: "http".into(),
        number: Some(9000),
        ..EndpointPort::default()
    }]
    .into();
    ManualEndpoints {
        kind,
        name: name(text),
        uid: SmolStr::default(),
        labels: LabelSet::new(),
        service: service.into(),
        subsets: vec![ManualSubset {
            ports,
            endpoints: Vec::new(),
        }],
    }
}

pub trait BuildManual {
    /// One more endpoint, ready, with a pod behind it (`ns/name`) or none (empty).
    fn with(self, ip: &str, pod: &str) -> Self;
}

impl BuildManual for ManualEndpoints {
    fn with(mut self, ip: &str, pod: &str) -> ManualEndpoints {
        let endpoint = ManualEndpoint {
            identity: identity(ip, "", pod),
            uid: SmolStr::default(),
            conditions: Conditions {
                ready: true,
                serving: true,
                terminating: false,
            },
            node: SmolStr::default(),
            zone: SmolStr::default(),
            hints: Hints::default(),
        };
        self.subsets[0].endpoints.push(endpoint);
        self
    }
}

pub fn identity(ip: &str, hostname: &str, pod: &str) -> EndpointIdentity {
    EndpointIdentity {
        addresses: smallvec![parse_ip(ip).expect(ip)],
        hostname: hostname.into(),
        pod: (!pod.is_empty()).then(|| name(pod)),
    }
}
