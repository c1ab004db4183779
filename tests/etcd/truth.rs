//! What etcd holds, and whether everybody holds the same.

use std::collections::BTreeMap;

use selectord::client::{Client, Listing, PodItem, ServiceItem, WatchOptions};
use selectord::engine::{Scope, View};
use selectord::model::{ObjectName, Revision};

use crate::crowd::Held;
use crate::patience::{patiently, until};
use crate::replica::{PREFIX, Replica};
use crate::workload::{Group, SHARED, has_service, members};
use crate::world::{WRITERS, World};

/// Everything a replica answers that a client can list.
#[derive(Debug, PartialEq)]
pub struct Answers {
    pub pods: BTreeMap<ObjectName, PodItem>,
    pub services: BTreeMap<ObjectName, ServiceItem>,
    nodes: BTreeMap<String, Revision>,
    pub view: View,
}

impl Answers {
    /// Asks for all of it, while nobody writes.
    pub async fn of(client: &Client, revision: Revision) -> Answers {
        let all = Listing::default();
        let (at, pods) = client.pods(&all).await.unwrap().collect().await.unwrap();
        assert!(at >= revision);
        let services = client.services(&all).await.unwrap();
        let (_, services) = services.collect().await.unwrap();
        let (_, nodes) = client.nodes(&all).await.unwrap().collect().await.unwrap();
        Answers {
            pods: pods
                .into_iter()
                .map(|it| (it.pod.name.clone(), it))
                .collect(),
            services: services
                .into_iter()
                .map(|it| (it.service.name.clone(), it))
                .collect(),
            nodes: nodes
                .into_iter()
                .map(|it| (it.node.name.to_string(), it.revision))
                .collect(),
            view: view(client, Scope::all(), revision).await,
        }
    }

    /// The number each group is at; 0: it was never written.
    pub fn numbers(&self) -> BTreeMap<Group, u64> {
        let number = |group: Group| {
            let pod = self.pods.get(&group.first_pod());
            let number = pod.and_then(|it| it.pod.labels.get("number"));
            number.map_or(0, |number| number.as_str().parse().unwrap())
        };
        Group::all(WRITERS)
            .map(|group| (group, number(group)))
            .collect()
    }

    /// Every group is whole, in facts and in endpoints, and nothing is there beside them.
    fn must_be_whole(&self) {
        let (mut pods, mut services) = (SHARED, 0);
        for (group, number) in self.numbers() {
            let first = group.first_pod();
            let stem = first.name.strip_suffix("-a").unwrap();
            for (suffix, _) in members(number) {
                let name = ObjectName::new(first.namespace.clone(), format!("{stem}{suffix}"));
                let pod = self
                    .pods
                    .get(&name)
                    .unwrap_or_else(|| panic!("{name} is missing"));
                assert_eq!(
                    pod.pod.uid.as_str(),
                    number.to_string(),
                    "{name}: half a transaction"
                );
                pods += 1;
            }
            let service = self.services.contains_key(&group.service());
            assert_eq!(
                service,
                has_service(number),
                "{group:?} at {number}: half a transaction"
            );
            services += usize::from(service);
            let endpoints = self.view.services().get(&group.service());
            let endpoints = endpoints.map(|held| held.endpoints.len());
            let right = has_service(number).then(|| members(number).count());
            assert_eq!(endpoints, right, "endpoints of {group:?} at {number}");
        }
        assert_eq!((self.pods.len(), self.services.len()), (pods, services));
        let mark = |it: &PodItem| it.pod.labels.get("mark").map(ToString::to_string);
        let shared = self
            .pods
            .values()
            .filter(|it| it.pod.labels.get("shared").is_some());
        let mut marks: Vec<_> = shared.map(|it| (mark(it), it.revision)).collect();
        marks.dedup();
        assert_eq!(
            marks.len(),
            1,
            "the shared pods are marked by halves: {marks:?}"
        );
    }
}

/// What a new subscriber is told.
pub async fn view(client: &Client, scope: Scope, revision: Revision) -> View {
    let mut watcher = client.watch(scope, WatchOptions::default());
    loop {
        let cut = patiently("a first snapshot", watcher.next()).await.unwrap();
        if cut.revision >= revision {
            return watcher.view().clone();
        }
    }
}

/// Objects in etcd, as etcdctl tells them: the end of each key, and the revision of its last change.
pub fn stored(world: &World) -> BTreeMap<String, Revision> {
    let objects = format!("{PREFIX}/objects/");
    let got = ["get", &objects, "--prefix", "--keys-only", "-w", "fields"];
    let told = world.members.ctl(&[0, 1, 2], &got).unwrap();
    let (mut stored, mut key) = (BTreeMap::new(), String::new());
    for line in told.lines() {
        let Some((field, value)) = line.split_once(" : ") else {
            continue;
        };
        match field {
            "\"Key\"" => key = value.trim_matches('"').replacen(&objects, "", 1),
            "\"ModRevision\"" => {
                stored.insert(std::mem::take(&mut key), value.parse().unwrap());
            }
            _ => {}
        }
    }
    stored
}

/// While nobody writes: etcd, every replica and a new one hold the same, it is what writers were told,
/// and none of it is there in half. Answers it.
pub async fn must_agree(world: &mut World) -> Answers {
    let (_, last) = world.settled().await;
    let mut fresh = Replica::start(&world.members, world.folder.path(), "fresh").await;
    fresh.ready().await;
    let client = fresh.client().await;
    let right = Answers::of(&client, last).await;
    right.must_be_whole();
    let accounts = world.accounts();
    for (group, number) in right.numbers() {
        accounts[&group].must_allow(group, number);
    }

    let stored = stored(world);
    let objects = right.pods.len() + right.services.len() + right.nodes.len();
    assert_eq!(stored.len(), objects, "objects that etcd holds: {stored:?}");
    for item in right.pods.values() {
        must_be_stored(&stored, "pod", &item.pod.name, item.revision);
    }
    for item in right.services.values() {
        must_be_stored(&stored, "service", &item.service.name, item.revision);
    }

    for (index, client) in world.clients().await.iter().enumerate() {
        let answers = Answers::of(client, last).await;
        must_equal(&answers, &right, &format!("replica {index}"));
        let verified = client.verify().await.unwrap().answer;
        assert_eq!(
            verified.discrepancies,
            Vec::<String>::new(),
            "replica {index}"
        );
    }
    right
}

/// Its key ends with kind, namespace and name, and was last changed when the object was.
fn must_be_stored(
    stored: &BTreeMap<String, Revision>,
    kind: &str,
    name: &ObjectName,
    revision: Revision,
) {
    let end = format!("/{}/{}", name.namespace, name.name);
    let found = stored.iter().find(|(key, _)| {
        let kind_of = key.strip_suffix(&end);
        kind_of.is_some_and(|it| it.to_lowercase().trim_end_matches('s') == kind)
    });
    let found = found.unwrap_or_else(|| panic!("{kind} {name} is not in etcd"));
    assert_eq!(
        *found.1, revision,
        "{kind} {name}: revision of its last change"
    );
}

fn must_equal(is: &Answers, right: &Answers, whose: &str) {
    for name in is.pods.keys().chain(right.pods.keys()) {
        assert_eq!(
            is.pods.get(name),
            right.pods.get(name),
            "{whose}: pod {name}"
        );
    }
    for name in is.services.keys().chain(right.services.keys()) {
        let (is, right) = (is.services.get(name), right.services.get(name));
        assert_eq!(is, right, "{whose}: service {name}");
    }
    assert_eq!(is.nodes, right.nodes, "{whose}");
    views_must_equal(&is.view, &right.view, whose);
}

/// Fails with the first service that differs.
pub fn views_must_equal(is: &View, right: &View, whose: &str) {
    for name in is.services().keys().chain(right.services().keys()) {
        let (is, right) = (is.services().get(name), right.services().get(name));
        assert_eq!(is, right, "{whose}: {name}");
    }
    assert_eq!(is, right, "{whose}");
}

/// Every subscriber holds what a new one is told by some replica.
pub async fn must_hold(world: &World, revision: Revision, held: &[Held]) {
    let client = until("a client", async || Ok(world.replicas[1].client().await)).await;
    let mut known: BTreeMap<String, View> = BTreeMap::new();
    for subscriber in held {
        let scope = subscriber.scope.to_string();
        if !known.contains_key(&scope) {
            let right = view(&client, subscriber.scope.clone(), revision).await;
            known.insert(scope.clone(), right);
        }
        views_must_equal(&subscriber.view, &known[&scope], &scope);
    }
}
