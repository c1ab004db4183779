use std::time::Duration;

use selectord::engine::{Event, Scope, ServiceScope};
use selectord::model::ObjectName;
use selectord::wire::{Cursor, proto};

use crate::harness::{Setup, delete_pod, patiently, pod, service, text_selector};
use crate::subscriber::Subscriber;

pub const RNG: &[(&str, &str)] = &[("app", "rng")];

pub fn named(name: &str) -> Scope {
    let names = [ObjectName::new("default", name)].into();
    Scope::Services(ServiceScope {
        names,
        ..ServiceScope::default()
    })
}

fn resets(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, Event::Reset))
        .count()
}

#[tokio::test]
async fn endpoints_follow_the_pods_that_are_selected() {
    let server = Setup::default().start().await;
    let first = server
        .commit([
            service("rng", RNG),
            pod("rng-1", 1, RNG),
            pod("other", 2, &[]),
        ])
        .await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    let (checkpoint, events) = subscriber.until(first).await;
    assert_eq!(resets(&events), 1);
    assert!(checkpoint.commit_time.is_some());
    assert_eq!(subscriber.pods_of("rng"), ["rng-1"]);

    let second = server
        .commit([pod("rng-2", 3, RNG), delete_pod("rng-1")])
        .await;
    let (_, events) = subscriber.until(second).await;
    assert_eq!(subscriber.pods_of("rng"), ["rng-2"]);
    assert_eq!(events.len(), 2, "{events:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_comes_back_is_sent_what_differs() {
    let server = Setup::default().start().await;
    server
        .commit([
            service("rng", RNG),
            pod("rng-1", 1, RNG),
            pod("rng-2", 2, RNG),
        ])
        .await;
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    let cursor = subscriber.next().await.unwrap().0.cursor;
    drop(subscriber);

    let last = server.commit([delete_pod("rng-1")]).await;
    let mut back = Subscriber::new(&server, &named("rng"), Some(&cursor)).await;
    let (_, events) = back.until(last).await;
    assert!(
        matches!(events.as_slice(), [Event::Removed { .. }]),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_cursor_of_another_scope_or_history_starts_over() {
    let server = Setup::default().start().await;
    let last = server
        .commit([service("rng", RNG), pod("rng-1", 1, RNG)])
        .await;
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    let cursor = subscriber.next().await.unwrap().0.cursor;

    let other_epoch = Cursor {
        epoch: vec![0; 16].into(),
        ..cursor.clone()
    };
    for (scope, cursor) in [(Scope::all(), cursor), (named("rng"), other_epoch)] {
        let mut back = Subscriber::new(&server, &scope, Some(&cursor)).await;
        let (_, events) = back.until(last).await;
        assert_eq!(resets(&events), 1);
        assert_eq!(back.pods_of("rng"), ["rng-1"]);
    }
}

/// A directory that was put back to what it was before keeps its epoch.
#[tokio::test]
async fn a_cursor_ahead_of_a_directory_that_was_put_back_is_told_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let open = async |name: &str| {
        let setup = Setup {
            directory: Some(place(name)),
            ..Setup::default()
        };
        setup.start().await
    };
    let server = open("data").await;
    let first = server
        .commit([
            service("rng", RNG),
            pod("rng-1", 1, RNG),
            pod("rng-2", 2, RNG),
        ])
        .await;
    server.stop().await;
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([place("data"), place("copy")])
        .status();
    assert!(copied.unwrap().success());

    let server = open("data").await;
    server.commit([delete_pod("rng-1")]).await;
    let last = server.commit([pod("rng-3", 3, RNG)]).await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    let cursor = subscriber.until(last).await.0.cursor;
    assert_eq!(subscriber.pods_of("rng"), ["rng-2", "rng-3"]);
    drop(subscriber);
    server.stop().await;

    let server = open("copy").await;
    let mut back = Subscriber::new(&server, &Scope::all(), Some(&cursor)).await;
    let (checkpoint, events) = back.next().await.unwrap();
    assert_eq!(checkpoint.cursor.epoch, cursor.epoch);
    assert_eq!(checkpoint.cursor.revision, first);
    assert_eq!(resets(&events), 1);
    assert_eq!(back.pods_of("rng"), ["rng-1", "rng-2"]);
}

#[tokio::test]
async fn a_later_subscribe_changes_the_scope() {
    let server = Setup::default().start().await;
    let last = server
        .commit([service("rng", RNG), service("hasher", &[("app", "hasher")])])
        .await;
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    subscriber.until(last).await;
    assert_eq!(subscriber.view.services().len(), 1);

    subscriber.resubscribe(&named("hasher"), 1).await;
    loop {
        let (_, events) = subscriber.next().await.unwrap();
        if resets(&events) > 0 {
            break;
        }
    }
    let names: Vec<_> = subscriber
        .view
        .services()
        .keys()
        .map(|name| name.name.as_str())
        .collect();
    assert_eq!(names, ["hasher"]);
}

#[tokio::test]
async fn each_message_says_which_subscribe_it_answers() {
    let server = Setup::limits(|limits| {
        limits.heartbeat = Duration::from_millis(1);
        limits.stream_message_bytes = 64;
    })
    .start()
    .await;
    server
        .commit((0..100).map(|i| service(&format!("s-{i}"), RNG)))
        .await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    assert_eq!(subscriber.message().await.unwrap().subscription, 0);
    subscriber.resubscribe(&named("s-1"), 7).await;
    let first = loop {
        let message = subscriber.message().await.unwrap();
        if message.subscription != 0 && !message.events.is_empty() {
            break message;
        }
    };
    assert_eq!(first.subscription, 7);
    assert_eq!(first.events[0].r#type(), proto::EventType::Reset);
    for _ in 0..3 {
        assert_eq!(subscriber.message().await.unwrap().subscription, 7);
    }
}

#[tokio::test]
async fn a_catch_up_that_has_nothing_to_tell_yet_shows_that_the_server_lives() {
    let server = Setup::limits(|limits| limits.heartbeat = Duration::from_millis(1))
        .start()
        .await;
    let last = server.commit([service("rng", RNG)]).await;
    let (begun, begins) = tokio::sync::oneshot::channel();
    let (release, held_up) = std::sync::mpsc::channel::<()>();
    let runtime = server.runtime.clone();
    let busy = tokio::spawn(async move {
        let hold = move |_: &_| {
            begun.send(()).unwrap();
            held_up.recv().unwrap();
        };
        runtime.query(hold).await.unwrap();
    });
    begins.await.unwrap();
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    for _ in 0..3 {
        assert_eq!(subscriber.message().await.unwrap().events, []);
    }
    release.send(()).unwrap();
    busy.await.unwrap();
    subscriber.until(last).await;
    assert_eq!(subscriber.view.services().len(), 1);
}

#[tokio::test]
async fn a_silent_stream_is_told_apart_from_a_dead_one() {
    let server = Setup::limits(|limits| limits.heartbeat = Duration::from_millis(10))
        .start()
        .await;
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    subscriber.next().await.unwrap();
    for _ in 0..3 {
        let (checkpoint, events) = subscriber.next().await.unwrap();
        assert_eq!((checkpoint.cursor.revision, events.len()), (0, 0));
    }
}

#[tokio::test]
async fn revisions_that_change_nothing_in_scope_are_told_too() {
    let server = Setup::limits(|limits| limits.heartbeat = Duration::from_millis(20))
        .start()
        .await;
    server.commit([service("rng", RNG)]).await;
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    subscriber.next().await.unwrap();
    let last = server
        .commit([service("hasher", &[("app", "hasher")])])
        .await;
    let (checkpoint, events) = subscriber.until(last).await;
    assert_eq!((checkpoint.cursor.revision, events.len()), (last, 0));
}

#[tokio::test]
async fn a_scope_of_too_many_names_or_too_long_a_selector_is_refused() {
    let server = Setup::default().start().await;
    let many = Scope::Services(ServiceScope {
        names: (0..=10_000)
            .map(|i| ObjectName::new("default", format!("s{i}")))
            .collect(),
        ..ServiceScope::default()
    });
    let mut refused = Subscriber::new(&server, &many, None).await;
    let refusal = refused.next().await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::InvalidArgument);

    let long = proto::WatchPodsRequest {
        selector: text_selector(&format!("app in ({})", "a,".repeat(40_000))),
        ..Default::default()
    };
    let refusal = patiently(server.watch().watch_pods(long))
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::InvalidArgument);
    assert!(refusal.message().starts_with("selector"), "{refusal}");
}

#[tokio::test]
async fn a_large_set_travels_in_messages_below_the_limit() {
    const ENDPOINTS: u32 = 20_000;
    let server = Setup::default().start().await;
    server.commit([service("rng", RNG)]).await;
    let pods: Vec<u32> = (0..ENDPOINTS).collect();
    for chunk in pods.chunks(5_000) {
        server
            .commit(chunk.iter().map(|i| pod(&format!("rng-{i:05}"), *i, RNG)))
            .await;
    }
    let mut subscriber = Subscriber::new(&server, &Scope::all(), None).await;
    let (_, events) = subscriber.next().await.unwrap();
    assert_eq!(events.len(), 2 + ENDPOINTS as usize);
    assert_eq!(subscriber.pods_of("rng").len(), ENDPOINTS as usize);
    let largest = subscriber.sizes.iter().max().copied().unwrap_or_default();
    assert!(
        subscriber.sizes.len() > 5 && largest <= 64 << 10,
        "{} messages, {largest} bytes",
        subscriber.sizes.len()
    );

    let request = proto::GetEndpointsRequest {
        namespace: "default".into(),
        name: "rng".into(),
        at_least_revision: 0,
    };
    let mut parts = server
        .query()
        .get_endpoints(request)
        .await
        .unwrap()
        .into_inner();
    let (mut endpoints, mut messages) = (0, 0);
    while let Some(part) = patiently(parts.message()).await.unwrap() {
        assert_eq!(part.service.is_some(), messages == 0);
        endpoints += part.endpoints.len();
        messages += 1;
    }
    assert_eq!(endpoints, ENDPOINTS as usize);
    assert!(messages > 10);
}
