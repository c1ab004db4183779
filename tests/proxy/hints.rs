//! Endpoints that are meant for the clients of a zone, or of a node.

use super::lab::{FAMILIES, Lab, named, pods};
use super::mode::{Mode, in_each_mode};
use super::talk::connect;
use super::topology::Pod;

/// A service without a selector, and slices of it, one of each family: endpoints with their hints.
fn slices(endpoints: &[(&str, &str)]) -> String {
    let mut text = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s1}\nspec:\n  \
         clusterIPs: [10.96.0.1, \"fd00:96::1\"]\n  clusterIP: 10.96.0.1\n  ipFamilies: [IPv4, IPv6]\n  type: NodePort\n  \
         ports: [{name: main, port: 80, targetPort: 8080, nodePort: 30001}]\n"
        .to_owned();
    for (family, kind) in FAMILIES.iter().zip(["IPv4", "IPv6"]) {
        text += &format!(
            "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: {kind}\n\
             metadata: {{name: s1-{}, labels: {{kubernetes.io/service-name: s1}}}}\n\
             ports: [{{name: main, port: 8080, protocol: TCP}}]\nendpoints:\n",
            kind.to_lowercase()
        );
        for (pod, hints) in endpoints {
            let (ip, node) = ((family.pod)(pod), Pod::named(pod).node);
            text += &format!(
                "- {{addresses: [\"{ip}\"], nodeName: {node}, conditions: {{ready: true}}, hints: {{{hints}}}}}\n"
            );
        }
    }
    text
}

fn node_in(zone: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: n1, labels: {{topology.kubernetes.io/zone: {zone}}}}}\n"
    )
}

#[test]
fn hints_keep_traffic_near_where_they_are_of_use() {
    in_each_mode("hints_keep_traffic_near_where_they_are_of_use", keep_near);
}

fn keep_near(mode: Mode) {
    const EAST: &str = "forZones: [{name: east}]";
    const WEST: &str = "forZones: [{name: west}]";
    let lab = Lab::new(mode);
    let answered_by = |manifests: &str, wanted: &[&str]| {
        lab.apply(manifests);
        for family in &FAMILIES {
            for to in [family.at(1), family.at_node(30001)] {
                for from in [&lab.net.client, &lab.net.p2, &lab.net.n1] {
                    let answers = connect(from, &to, 90);
                    assert_eq!(pods(&answers), named(wanted), "{mode:?}: {manifests}");
                }
            }
        }
    };
    // Without a zone of its own the node takes no heed.
    answered_by(&slices(&[("p1", EAST), ("p3", WEST)]), &["p1", "p3"]);
    answered_by(&node_in("west"), &["p3"]);
    answered_by(&node_in("east"), &["p1"]);
    answered_by(&node_in("north"), &["p1", "p3"]);
    answered_by(&node_in("east"), &["p1"]);
    // One without a hint, and no hint is believed.
    let some = [("p1", EAST), ("p3", WEST), ("p4", "")];
    answered_by(&slices(&some), &["p1", "p3", "p4"]);
    // Of nodes before zones.
    let both = [
        ("p1", "forNodes: [{name: n2}], forZones: [{name: east}]"),
        ("p3", "forNodes: [{name: n1}], forZones: [{name: west}]"),
    ];
    answered_by(&slices(&both), &["p3"]);
}
