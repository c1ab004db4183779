use super::script::{Act, patiently, pod, pods_cut, serve};
use crate::client::{PodWatcher, WatchPodsOptions};
use crate::engine::PodEvent;
use crate::model::ObjectName;
use crate::selector::Selector;

fn held(watcher: &PodWatcher) -> Vec<String> {
    watcher
        .view()
        .pods()
        .iter()
        .map(|(name, item)| format!("{}@{}", name.name, item.revision))
        .collect()
}

#[tokio::test]
async fn pods_are_followed_across_connections_and_histories() {
    let first = vec![pods_cut(vec![pod("a", 1), pod("b", 2)], "old", 2)];
    let gone = PodEvent::Removed(ObjectName::new("default", "a"));
    let second = vec![pods_cut(vec![gone, pod("c", 3)], "old", 3)];
    let third = vec![
        pods_cut(vec![PodEvent::Reset, pod("c", 1)], "new", 1),
        Act::Silence,
    ];
    let (client, mut asked) = serve(vec![], vec![first, second, third]).await;
    let selector = Selector::parse("app=rng").unwrap();
    let mut watcher = client.watch_pods(
        selector,
        vec!["default".into()],
        WatchPodsOptions::default(),
    );

    patiently(watcher.next()).await.unwrap();
    assert_eq!(held(&watcher), ["a@1", "b@2"]);
    patiently(watcher.next()).await.unwrap();
    assert_eq!(held(&watcher), ["b@2", "c@3"]);
    let cut = patiently(watcher.next()).await.unwrap();
    assert_eq!(cut.dropped, [ObjectName::new("default", "b")]);
    assert_eq!(held(&watcher), ["c@1"]);
    let cursors = [
        patiently(asked.recv()).await,
        patiently(asked.recv()).await,
        patiently(asked.recv()).await,
    ]
    .map(|it| it.unwrap().cursor());
    assert_eq!(cursors, [None, Some(2), Some(3)]);
}
