//! Objects and the labels that they have now.

use crate::client::{Client, Listing, Pages};
use crate::labels::LabelSet;
use crate::model::{Kind, ObjectName, ObjectRef};
use crate::selector::Selector;

use super::age::{fresh, warn};
use super::target::Place;

/// An object as it is now.
pub(super) struct Current {
    pub(super) object: ObjectRef,
    pub(super) labels: LabelSet,
}

/// The labels of named objects.
pub(super) async fn named(client: &Client, objects: &[ObjectRef]) -> anyhow::Result<Vec<Current>> {
    let mut found = Vec::new();
    for object in objects {
        let labels = match object.kind {
            Kind::Service => client
                .service(&object.name)
                .await
                .map(|it| fresh(it).service.labels)?,
            Kind::Node => client
                .node(&object.name.name)
                .await
                .map(|it| fresh(it).node.labels)?,
            _ => client
                .pod(&object.name)
                .await
                .map(|it| fresh(it).pod.labels)?,
        };
        found.push(Current {
            object: object.clone(),
            labels,
        });
    }
    Ok(found)
}

/// The labels of what matches.
pub(super) async fn matching(
    client: &Client,
    kind: Kind,
    place: &Place,
    selector: &Selector,
) -> anyhow::Result<Vec<Current>> {
    let listing = Listing {
        selector: selector.clone(),
        namespaces: place.namespaces(),
        ..Listing::default()
    };
    let current = |name, labels| Current {
        object: ObjectRef::new(kind, name),
        labels,
    };
    Ok(match kind {
        Kind::Service => {
            let items = all(client.services(&listing).await?).await?;
            items
                .into_iter()
                .map(|it| current(it.service.name, it.service.labels))
                .collect()
        }
        Kind::Node => {
            let items = all(client.nodes(&listing).await?).await?;
            items
                .into_iter()
                .map(|it| current(ObjectName::cluster(it.node.name), it.node.labels))
                .collect()
        }
        _ => {
            let items = all(client.pods(&listing).await?).await?;
            items
                .into_iter()
                .map(|it| current(it.pod.name, it.pod.labels))
                .collect()
        }
    })
}

async fn all<T: 'static>(mut pages: Pages<T>) -> anyhow::Result<Vec<T>> {
    let mut items = Vec::new();
    while let Some(page) = pages.next_page().await? {
        warn(page.source_age);
        items.extend(page.items);
    }
    Ok(items)
}
