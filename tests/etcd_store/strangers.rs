//! A member that lost its data and comes back as a cluster of its own is not the store.

use selectord::store::etcd::{EtcdError, EtcdStore};

use crate::etcd::{Etcd, until};
use crate::replica::Replica;

#[tokio::test]
async fn a_member_of_another_cluster_is_left_while_one_of_the_followed_answers() {
    let Some(mut etcd) = Etcd::with(3, &[]).await else {
        return;
    };
    // Talks to 1, then to 0, then to 2.
    let options = etcd.options_of(&[1, 0, 2]);
    let store = EtcdStore::connect(options.clone()).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    etcd.begin_alone(0);
    etcd.ready().await;
    etcd.kill(1);
    // Without a quorum, what is left of the cluster still says what it is.
    replica.until_told("lost").await;
    etcd.begin(1);
    until("the quorum", async || {
        store.confirm().await.map_err(|error| error.to_string())
    })
    .await;
    replica.put(&["b"]).await;
    assert_eq!(replica.pods(), ["a", "b"]);
    // Who connects again in the same process knows which it was.
    let again = EtcdStore::connect(options).await.unwrap();
    assert_eq!(again.history(), store.history());
    assert_eq!(etcd.keys_at(0).trim(), "");
}

#[tokio::test]
async fn members_of_different_clusters_are_refused_at_a_start() {
    let Some(mut etcd) = Etcd::with(3, &[]).await else {
        return;
    };
    let history = EtcdStore::connect(etcd.options_of(&[1, 2]))
        .await
        .unwrap()
        .history();
    etcd.begin_alone(0);
    etcd.ready().await;
    let refused = EtcdStore::connect(etcd.options_of(&[0, 1, 2])).await;
    let Err(error @ EtcdError::Clusters { .. }) = refused else {
        panic!("{refused:?}");
    };
    let text = error.to_string();
    for part in [0, 1, 2].map(|index| format!("{} of ", etcd.client(index))) {
        assert!(text.contains(&part), "{text}");
    }
    assert!(error.is_transient());
    assert_eq!(etcd.keys_at(0).trim(), "");
    let store = EtcdStore::connect(etcd.options_of(&[1, 2])).await.unwrap();
    assert_eq!(store.history(), history);
}

#[tokio::test]
async fn another_cluster_is_believed_once_none_answers_as_the_followed() {
    let Some(mut etcd) = Etcd::with(3, &[]).await else {
        return;
    };
    let options = etcd.options_of(&[1, 0, 2]);
    let store = EtcdStore::connect(options.clone()).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    etcd.kill(1);
    etcd.kill(2);
    etcd.begin_alone(0);
    let ended = loop {
        if let Err(error) = replica.next().await {
            break error;
        }
    };
    assert!(matches!(ended, EtcdError::HistoryChanged { .. }), "{ended}");
    let replaced = EtcdStore::connect(options).await.unwrap();
    assert_ne!(replaced.history(), store.history());
}
