use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use selectord::engine::Engine;
use selectord::model::{Endpoint, ObjectName, Service};

/// An endpoint as `peers/controller` writes it.
pub fn endpoint(service: &Service, endpoint: &Endpoint) -> String {
    let identity = &endpoint.identity;
    let addresses: Vec<String> = identity.addresses.iter().map(ToString::to_string).collect();
    let pod = identity.pod.as_ref().map_or("", |pod| pod.name.as_str());
    let mut ports: Vec<String> = service
        .endpoint_ports(&endpoint.ports)
        .iter()
        .map(|port| format!("{}={}", port.name, port.number.unwrap_or_default()))
        .collect();
    ports.sort_unstable();
    let conditions = endpoint.conditions;
    format!(
        "{} {pod} {} ready={} serving={} terminating={} {} {} {}",
        addresses.join(","),
        endpoint.uid,
        conditions.ready,
        conditions.serving,
        conditions.terminating,
        endpoint.node,
        endpoint.zone,
        ports.join(" ")
    )
}

/// Every endpoint of a service, sorted.
pub fn endpoints(engine: &Engine, name: &ObjectName) -> anyhow::Result<Vec<String>> {
    let service = engine.service(name).context("the service is not there")?;
    let endpoints = engine.endpoints(name).unwrap_or_default();
    let mut lines: Vec<String> = endpoints
        .iter()
        .map(|one| endpoint(&service.object, one))
        .collect();
    lines.sort_unstable();
    Ok(lines)
}

/// Fails with the first thing that the two do not have in common. Both are sorted.
pub fn same(of: &str, peer: &str, theirs: &[String], ours: &[String]) -> anyhow::Result<()> {
    let at = theirs.iter().zip(ours).position(|(a, b)| a != b);
    let at = at.unwrap_or(theirs.len().min(ours.len()));
    let (theirs_there, ours_there) = (theirs.get(at), ours.get(at));
    if theirs_there == ours_there {
        return Ok(());
    }
    let show = |item: Option<&String>| item.map_or("nothing more".to_owned(), |i| format!("{i:?}"));
    bail!(
        "{of}: {peer} answers {} items and selectord {}; where they first differ, {peer} has {} and \
         selectord {}",
        theirs.len(),
        ours.len(),
        show(theirs_there),
        show(ours_there)
    )
}

/// The same of answers by what they are about, of which both must have the same.
pub fn all_same(
    peer: &str,
    theirs: &BTreeMap<&str, &[String]>,
    ours: &BTreeMap<String, Vec<String>>,
) -> anyhow::Result<()> {
    let their_items: Vec<String> = theirs.keys().map(ToString::to_string).collect();
    let our_items: Vec<String> = ours.keys().cloned().collect();
    same("what there is", peer, &their_items, &our_items)?;
    for (item, ours) in ours {
        same(
            item,
            peer,
            theirs.get(item.as_str()).copied().unwrap_or_default(),
            ours,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_told() {
        let list =
            |text: &str| -> Vec<String> { text.split_whitespace().map(Into::into).collect() };
        assert!(same("pods", "Calico", &list("a b"), &list("a b")).is_ok());
        let error = same("pods", "Calico", &list("a b"), &list("a c")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(r#"Calico has "b" and selectord "c""#),
            "{error}"
        );
        let error = same("pods", "Calico", &list("a"), &list("a c")).unwrap_err();
        assert!(
            error.to_string().contains("Calico has nothing more"),
            "{error}"
        );
    }
}
