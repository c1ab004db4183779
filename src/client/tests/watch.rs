use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tonic::Status;

use super::script::{Act, Asked, ask, cut, endpoint, name, part, patiently, replace, serve};
use crate::client::{Cut, Resume, WatchError, WatchOptions, Watcher};
use crate::engine::{Event, Scope};
use crate::wire::Cursor;
use crate::wire::proto::watch_endpoints_request::Request;

/// What a watcher holds: `rng: 10.1.0.4 10.1.0.5`.
fn held(watcher: &Watcher) -> Vec<String> {
    let services = watcher.view().services();
    services
        .iter()
        .map(|(name, service)| {
            let addresses: Vec<String> =
                service.endpoints.keys().map(ToString::to_string).collect();
            format!("{}: {}", name.name, addresses.join(" "))
        })
        .collect()
}

async fn next(watcher: &mut Watcher) -> Cut {
    patiently(watcher.next()).await.unwrap()
}

#[tokio::test]
async fn cuts_end_at_checkpoints_and_heartbeats_are_none() {
    let script = vec![
        part(vec![replace("rng", 3)]),
        cut(vec![endpoint("rng", 4)], "e", 3),
        cut(vec![], "e", 3),
        cut(vec![], "e", 3),
        cut(vec![endpoint("rng", 5)], "e", 5),
        cut(vec![], "e", 6),
        Act::Silence,
    ];
    let (client, _asked) = serve(vec![script], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    let contact = watcher.contact();
    assert_eq!(contact.borrow().age(), None);

    let first = next(&mut watcher).await;
    assert_eq!((first.revision, first.events.len()), (3, 2));
    assert!(contact.borrow().age().is_some());
    assert_eq!(held(&watcher), ["rng: 10.1.0.4"]);
    let second = next(&mut watcher).await;
    assert_eq!(
        (second.revision, second.events),
        (5, vec![endpoint("rng", 5)])
    );
    assert_eq!(held(&watcher), ["rng: 10.1.0.4 10.1.0.5"]);
    let third = next(&mut watcher).await;
    assert_eq!((third.revision, third.events), (6, vec![]));
    assert_eq!(watcher.reconnects(), 0);
}

#[tokio::test]
async fn a_lost_stream_goes_on_from_the_cursor_and_drops_half_a_cut() {
    let first = vec![
        cut(vec![replace("rng", 3), endpoint("rng", 4)], "e", 3),
        part(vec![endpoint("rng", 9)]),
    ];
    let second = vec![cut(vec![endpoint("rng", 5)], "e", 7), Act::Silence];
    let (client, mut asked) = serve(vec![first, second], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    next(&mut watcher).await;
    let cut = next(&mut watcher).await;
    assert_eq!((cut.revision, cut.dropped), (7, vec![]));
    assert_eq!(held(&watcher), ["rng: 10.1.0.4 10.1.0.5"]);
    assert_eq!(patiently(asked.recv()).await.unwrap().cursor(), None);
    assert_eq!(patiently(asked.recv()).await.unwrap().cursor(), Some(3));
    assert_eq!(watcher.reconnects(), 1);
}

#[tokio::test]
async fn it_is_never_taken_back() {
    let first = vec![cut(vec![replace("rng", 3)], "e", 9)];
    let lagging = vec![cut(vec![Event::Remove(name("rng"))], "e", 4), Act::Silence];
    let caught_up = vec![cut(vec![endpoint("rng", 4)], "e", 10), Act::Silence];
    let (client, mut asked) = serve(vec![first, lagging, caught_up], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    next(&mut watcher).await;
    assert_eq!(next(&mut watcher).await.revision, 10);
    assert_eq!(held(&watcher), ["rng: 10.1.0.4"]);
    let cursors = [
        patiently(asked.recv()).await,
        patiently(asked.recv()).await,
        patiently(asked.recv()).await,
    ]
    .map(|it| it.unwrap().cursor());
    assert_eq!(cursors, [None, Some(9), Some(9)]);
}

#[tokio::test]
async fn a_store_that_was_put_back_is_followed_back_if_it_says_so() {
    let first = vec![cut(
        vec![Event::Reset, replace("hasher", 3), replace("rng", 3)],
        "e",
        9,
    )];
    let back = vec![
        ask(),
        Act::Offered,
        cut(vec![Event::Remove(name("hasher"))], "e", 4),
    ];
    let again = vec![
        cut(vec![Event::Reset, replace("rng", 1)], "e", 2),
        Act::Silence,
    ];
    let (client, mut asked) = serve(vec![first, back, again], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    assert_eq!(next(&mut watcher).await.revision, 9);
    assert_eq!(next(&mut watcher).await.revision, 4);
    assert_eq!(held(&watcher), ["rng: "]);
    assert_eq!(next(&mut watcher).await.revision, 2);
    assert_eq!(held(&watcher), ["rng: "]);
    assert_eq!(watcher.reconnects(), 2);
    drop(patiently(asked.recv()).await);
}

#[tokio::test]
async fn another_history_begins_with_a_reset_that_names_what_is_gone() {
    let first = vec![cut(
        vec![replace("hasher", 3), replace("rng", 3), endpoint("rng", 4)],
        "old",
        9,
    )];
    let second = vec![
        cut(
            vec![Event::Reset, replace("rng", 1), endpoint("rng", 5)],
            "new",
            2,
        ),
        Act::Silence,
    ];
    let (client, _asked) = serve(vec![first, second], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    next(&mut watcher).await;
    let cut = next(&mut watcher).await;
    assert_eq!((cut.revision, cut.dropped), (2, vec![name("hasher")]));
    assert_eq!(held(&watcher), ["rng: 10.1.0.5"]);
}

/// What the next Subscribe says, and whether it can offer; and then what is offered, up to the last.
async fn offered(asked: &mut UnboundedReceiver<Asked>) -> (bool, Vec<String>) {
    let subscribed = patiently(asked.recv()).await;
    let Some(Asked::Endpoints(Request::Subscribe(subscribe))) = subscribed else {
        panic!("a stream begins with a Subscribe");
    };
    let mut names = Vec::new();
    if !subscribe.can_offer {
        return (false, names);
    }
    loop {
        if let Asked::Endpoints(Request::Offer(offer)) = patiently(asked.recv()).await.unwrap() {
            names.extend(offer.services.into_iter().map(|held| held.name));
            if offer.last {
                return (true, names);
            }
        }
    }
}

#[tokio::test]
async fn another_history_is_offered_what_is_held() {
    let first = vec![cut(
        vec![Event::Reset, replace("hasher", 3), replace("rng", 3)],
        "old",
        9,
    )];
    // What came before it was asked is void.
    let second = vec![
        part(vec![Event::Remove(name("rng"))]),
        ask(),
        Act::Offered,
        cut(
            vec![Event::Remove(name("hasher")), endpoint("rng", 5)],
            "new",
            2,
        ),
        Act::Silence,
    ];
    let (client, mut asked) = serve(vec![first, second], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    next(&mut watcher).await;
    let cut = next(&mut watcher).await;
    assert_eq!((cut.revision, cut.dropped), (2, vec![]));
    assert_eq!(held(&watcher), ["rng: 10.1.0.5"]);
    assert_eq!(
        offered(&mut asked).await,
        (false, vec![]),
        "nothing is held"
    );
    let both = vec!["hasher".to_owned(), "rng".to_owned()];
    assert_eq!(offered(&mut asked).await, (true, both));
}

#[tokio::test]
async fn who_has_only_a_cursor_offers_nothing_before_it_has_been_told_everything() {
    let away = Cursor {
        revision: 7,
        ..Cursor::default()
    };
    let scripts = vec![
        vec![cut(vec![endpoint("rng", 4)], "e", 8)],
        vec![cut(vec![Event::Reset, replace("rng", 9)], "f", 9)],
        vec![
            ask(),
            Act::Offered,
            cut(vec![endpoint("rng", 5)], "g", 1),
            Act::Silence,
        ],
    ];
    let (client, mut asked) = serve(scripts, vec![]).await;
    let options = WatchOptions {
        resume: Resume::Cursor(away),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(Scope::all(), options);
    for revision in [8, 9, 1] {
        assert_eq!(next(&mut watcher).await.revision, revision);
    }
    assert_eq!(held(&watcher), ["rng: 10.1.0.5"]);
    for expected in [
        (false, vec![]),
        (false, vec![]),
        (true, vec!["rng".to_owned()]),
    ] {
        assert_eq!(offered(&mut asked).await, expected);
    }
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let first = vec![cut(vec![replace("rng", 3)], "e", 3), Act::Silence];
    // A machine that stands still for as long has one given up that only came late: the next says the same.
    let second = || vec![cut(vec![endpoint("rng", 4)], "e", 4), Act::Silence];
    let (client, mut asked) = serve(vec![first, second(), second(), second()], vec![]).await;
    let options = WatchOptions {
        heartbeat: Duration::from_millis(300),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(Scope::all(), options);

    next(&mut watcher).await;
    assert_eq!(next(&mut watcher).await.revision, 4);
    patiently(asked.recv()).await.unwrap();
    assert_eq!(patiently(asked.recv()).await.unwrap().cursor(), Some(3));
    assert!(watcher.reconnects() > 0);
}

#[tokio::test]
async fn what_is_applied_is_reported_and_reported_again_after_a_reconnect() {
    let first = vec![cut(vec![replace("rng", 3)], "e", 3)];
    let second = vec![cut(vec![endpoint("rng", 4)], "e", 4), Act::Silence];
    let (client, mut asked) = serve(vec![first, second], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    watcher.applied(3);
    next(&mut watcher).await;
    next(&mut watcher).await;
    watcher.applied(4);
    let mut reports = Vec::new();
    while !reports.contains(&4) {
        if let Asked::Endpoints(Request::AppliedRevision(revision)) =
            patiently(asked.recv()).await.unwrap()
        {
            reports.push(revision);
        }
    }
    assert_eq!(reports, [3, 3, 4]);
}

#[tokio::test]
async fn a_watch_resumes_from_a_cursor_and_its_state() {
    let (client, _asked) = serve(
        vec![vec![
            cut(vec![replace("rng", 3), endpoint("rng", 4)], "e", 3),
            Act::Silence,
        ]],
        vec![],
    )
    .await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    let cursor = next(&mut watcher).await.cursor;
    let view = watcher.view().clone();

    let (client, mut asked) = serve(
        vec![vec![cut(vec![endpoint("rng", 5)], "e", 8), Act::Silence]],
        vec![],
    )
    .await;
    let options = WatchOptions {
        resume: Resume::State(cursor, view),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(Scope::all(), options);
    assert_eq!(next(&mut watcher).await.revision, 8);
    assert_eq!(held(&watcher), ["rng: 10.1.0.4 10.1.0.5"]);
    assert_eq!(patiently(asked.recv()).await.unwrap().cursor(), Some(3));
}

#[tokio::test]
async fn a_refused_subscription_is_an_error_and_a_failing_server_is_not() {
    let failing = vec![Act::Fail(Status::resource_exhausted("too many streams"))];
    let refusing = vec![Act::Fail(Status::invalid_argument(
        "scope: namespaces[0]: Invalid value",
    ))];
    let (client, _asked) = serve(vec![failing, refusing], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    let error = patiently(watcher.next()).await.unwrap_err();
    assert!(
        matches!(&error, WatchError::Refused(status) if status.code() == tonic::Code::InvalidArgument),
        "{error}"
    );
    assert_eq!(watcher.reconnects(), 1);
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let script = vec![
        part(vec![replace("rng", 3)]),
        cut(vec![endpoint("rng", 4)], "e", 3),
        Act::Silence,
    ];
    let (client, _asked) = serve(vec![script], vec![]).await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());

    let cut = loop {
        // Polled once or a few times, then dropped, until a cut is there.
        let polled = tokio::time::timeout(Duration::from_micros(50), watcher.next()).await;
        if let Ok(cut) = polled {
            break cut.unwrap();
        }
    };
    assert_eq!((cut.revision, cut.events.len()), (3, 2));
}
