use crate::model::{IpFamily, ObjectName, Pod, Service, ServiceType};
use crate::reconcile::{MissingNode, standing_selector};

use super::state::Engine;

/// One condition on the way from a pod to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Whether it is met.
    pub met: bool,
    /// What is asked.
    pub condition: String,
    /// What was found.
    pub found: String,
}

/// Why a pod is, or is not, an endpoint of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Whether it is one, computed from the selector.
    pub endpoint: bool,
    /// Every condition, in the order in which they are looked at.
    pub reasons: Vec<Reason>,
}

impl Membership {
    fn add(&mut self, met: bool, condition: impl Into<String>, found: impl Into<String>) {
        self.reasons.push(Reason {
            met,
            condition: condition.into(),
            found: found.into(),
        });
    }
}

impl Engine {
    /// Every condition that decides whether the pod is an endpoint of the service, and what was found.
    pub fn explain_membership(&self, service: &ObjectName, pod: &ObjectName) -> Membership {
        let mut answer = Membership::default();
        let of_service = self.service(service);
        let of_pod = self.pod(pod);
        let exists = |there: bool| {
            if there {
                "it is there"
            } else {
                "there is none of this name"
            }
        };
        answer.add(
            of_service.is_some(),
            format!("service {service}"),
            exists(of_service.is_some()),
        );
        answer.add(
            of_pod.is_some(),
            format!("pod {pod}"),
            exists(of_pod.is_some()),
        );
        if let (Some(service), Some(pod)) = (of_service, of_pod) {
            answer.add(
                service.object.name.namespace == pod.object.name.namespace,
                format!(
                    "same namespace as the service: {}",
                    service.object.name.namespace
                ),
                pod.object.name.namespace.as_str(),
            );
            selection(&mut answer, &service.object, &pod.object);
            self.admission(&mut answer, &service.object, &pod.object);
            answer.endpoint = answer.reasons.iter().all(|reason| reason.met);
            let conditions = if pod.object.deletion_timestamp.is_some() {
                "terminating"
            } else if pod.object.ready == crate::model::ReadyCondition::True {
                "ready"
            } else {
                "not ready"
            };
            answer.add(
                true,
                "readiness (decides traffic, not membership)",
                conditions,
            );
        }
        answer
    }

    fn admission(&self, answer: &mut Membership, service: &Service, pod: &Pod) {
        let phase = if pod.phase.as_str().is_empty() {
            "none"
        } else {
            pod.phase.as_str()
        };
        answer.add(
            !pod.phase.is_terminal(),
            "phase is neither Succeeded nor Failed",
            phase,
        );
        let families = service.endpoint_families();
        let wanted: Vec<&str> = families.iter().copied().map(IpFamily::as_str).collect();
        let addresses: Vec<String> = pod.pod_ips.iter().map(ToString::to_string).collect();
        answer.add(
            families
                .iter()
                .any(|family| pod.ips(*family).next().is_some()),
            format!("an address of family {}", wanted.join(" or ")),
            if addresses.is_empty() {
                "none".to_owned()
            } else {
                addresses.join(",")
            },
        );
        let node = if pod.node_name.is_empty() {
            "no nodeName"
        } else {
            pod.node_name.as_str()
        };
        let known = self.reconciler.node(&pod.node_name).is_some();
        let (condition, met) = match self.options.missing_node {
            MissingNode::Admit => ("node (an unknown one is admitted, without zone)", true),
            MissingNode::Withhold => (
                "a known node, or publishNotReadyAddresses",
                known || service.publish_not_ready_addresses,
            ),
        };
        answer.add(
            met,
            condition,
            format!("{node}, {}", if known { "known" } else { "unknown" }),
        );
    }
}

fn selection(answer: &mut Membership, service: &Service, pod: &Pod) {
    answer.add(
        service.service_type != ServiceType::ExternalName,
        "service is not an alias (ExternalName)",
        service.service_type.as_str(),
    );
    match standing_selector(service) {
        None => answer.add(
            false,
            "service has a selector",
            "none: its endpoints are not computed",
        ),
        Some(selector) => {
            for requirement in selector.requirements() {
                let key = requirement.key().as_str();
                let value = pod.labels.get(key);
                let found = value.map_or_else(
                    || format!("no label {key}"),
                    |value| format!("{key}={value}"),
                );
                answer.add(
                    requirement.matches_value(value),
                    format!("selector {requirement}"),
                    found,
                );
            }
            if selector.is_nothing() {
                answer.add(
                    false,
                    "selector matches something",
                    "it is the selector that nothing matches",
                );
            }
            if selector.is_everything() {
                answer.add(
                    true,
                    "selector is empty: every pod of the namespace",
                    pod.labels.to_string(),
                );
            }
        }
    }
}
