//! That the kernel's rules do what the oracle says.

use std::collections::BTreeSet;

use selectord::engine::View;

use super::decision::Saved;
use crate::decision::{Fate, SOURCES};
use crate::namespace::Namespace;
use crate::oracle::{fate, frontends, owner};

/// Every service address does what the oracle says.
pub fn check_decisions(
    namespace: &Namespace,
    variant: &str,
    view: &View,
    seen: &mut BTreeSet<&'static str>,
    context: &str,
) {
    let saved = |family: &str| Saved::read(&namespace.sh(&format!("{family}-{variant}-save")));
    let (v4, v6) = (saved("iptables"), saved("ip6tables"));
    for (name, held) in view.services() {
        let all = frontends(&held.entry.service);
        for frontend in &all {
            let families: BTreeSet<bool> = match frontend.0 {
                Some(ip) => [ip.is_ipv4()].into(),
                None => all
                    .iter()
                    .filter(|f| !f.3)
                    .map(|f| f.0.unwrap().is_ipv4())
                    .collect(),
            };
            for is_v4 in families {
                let saved = if is_v4 { &v4 } else { &v6 };
                for from in SOURCES {
                    let ip = frontend.0.map(|ip| ip.to_string());
                    let found = saved.fate(is_v4, ip.as_deref(), frontend.1, frontend.2, from);
                    let (has, frontend) = owner(view, is_v4, *frontend);
                    let wanted = fate(view, has, is_v4, frontend, from);
                    assert_eq!(
                        found, wanted,
                        "{context}: {name} {frontend:?} from {from:?}"
                    );
                    seen.insert(match &found {
                        Fate::Sent {
                            masqueraded: true, ..
                        } => "masqueraded",
                        Fate::Sent { .. } => "sent",
                        Fate::Dropped => "dropped",
                        Fate::Refused => "refused",
                        Fate::Ignored => "ignored",
                    });
                }
            }
        }
    }
}
