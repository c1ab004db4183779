//! Subscribers whose cursors are of no use, and who say what they hold.

use std::collections::BTreeSet;
use std::time::Duration;

use selectord::engine::{Event, Held, Retention, Scope, View};
use selectord::labels::LabelSet;
use selectord::model::{Kind, Node, Object, ObjectName, ObjectRef, Operation};
use selectord::wire::proto::watch_endpoints_request::Request as Asked;
use selectord::wire::{Cursor, encode_offer, proto};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{Server, Setup, pod, service};
use crate::subscriber::Subscriber;

const SERVICES: u32 = 60;
const PODS: u32 = 30;

fn app(i: u32) -> String {
    format!("app-{i:02}")
}

fn member(i: u32, pod_number: u32) -> Operation {
    let name = format!("{}-{pod_number:02}", app(i));
    pod(&name, i * PODS + pod_number, &[("app", &app(i))])
}

/// The same objects every time.
fn objects() -> Vec<Operation> {
    let of = |i| {
        let pods = (0..PODS).map(move |number| member(i, number));
        std::iter::once(service(&app(i), &[("app", &app(i))])).chain(pods)
    };
    (0..SERVICES).flat_map(of).collect()
}

/// A server that has them, written in transactions of so many operations: so their revisions differ from
/// one server to the next.
async fn loaded(setup: Setup, at_once: usize) -> (Server, u64) {
    let server = setup.start().await;
    let mut last = 0;
    for operations in objects().chunks(at_once) {
        last = server.commit(operations.to_vec()).await;
    }
    (server, last)
}

/// What a subscriber with nothing is sent, and in how many bytes.
async fn snapshot(server: &Server, scope: &Scope) -> (View, Cursor, usize) {
    let mut new = Subscriber::new(server, scope, None).await;
    let (checkpoint, _) = new.next().await.unwrap();
    (new.view, checkpoint.cursor, new.sizes.iter().sum())
}

fn services_of(events: &[Event]) -> BTreeSet<String> {
    let name = |event: &Event| match event {
        Event::Replace(entry) | Event::Entry(entry) => entry.service.name.name.to_string(),
        Event::Endpoint { service, .. } | Event::Removed { service, .. } => {
            service.name.to_string()
        }
        Event::Remove(name) => name.name.to_string(),
        other => panic!("{other:?}"),
    };
    events.iter().map(name).collect()
}

#[tokio::test]
async fn a_server_of_another_history_sends_what_differs() {
    let (old, _) = loaded(Setup::default(), 500).await;
    let (view, cursor, bytes) = snapshot(&old, &Scope::all()).await;
    old.stop().await;

    // The same, written in the same way: nothing is sent.
    let (same, _) = loaded(Setup::default(), 500).await;
    let mut back = Subscriber::holding(&same, &Scope::all(), Some(&cursor), view.clone()).await;
    back.part = 7;
    let (checkpoint, events) = back.next().await.unwrap();
    assert_eq!(events, []);
    assert_ne!(checkpoint.cursor.epoch, cursor.epoch);
    let sent: usize = back.sizes.iter().sum();
    assert!(sent < 500 && bytes > 40_000, "{sent} of {bytes} bytes");
    assert!(back.view == snapshot(&same, &Scope::all()).await.0);
    // By the ring, and with the new cursor.
    let next = same.commit([member(1, 99)]).await;
    let (checkpoint, events) = back.until(next).await;
    assert!(
        matches!(&events[..], [Event::Endpoint { .. }]),
        "{events:?}"
    );
    let kept = back.view.clone();
    drop(back);
    let next = same.commit([member(2, 99)]).await;
    let cursor_of_same = Some(&checkpoint.cursor);
    let mut back = Subscriber::holding(&same, &Scope::all(), cursor_of_same, kept).await;
    let (_, events) = back.until(next).await;
    assert!(
        matches!(&events[..], [Event::Endpoint { .. }]),
        "{events:?}"
    );
    assert!(back.view == snapshot(&same, &Scope::all()).await.0);

    // The same at other revisions, which its entries bring, and a few services that are not the same.
    let (other, _) = loaded(Setup::default(), 50).await;
    let gone = ObjectRef::new(Kind::Service, ObjectName::new("default", app(7)));
    other
        .commit([
            member(3, 50),
            service("new", &[("app", &app(9))]),
            Operation::Delete(gone),
        ])
        .await;
    let mut back = Subscriber::holding(&other, &Scope::all(), Some(&cursor), view).await;
    let (_, events) = back.next().await.unwrap();
    assert!(back.view == snapshot(&other, &Scope::all()).await.0);
    let entries = |event: &&Event| matches!(event, Event::Rewritten { .. });
    let differs: Vec<Event> = events.iter().filter(|it| !entries(it)).cloned().collect();
    let expected = [app(3), app(7), "new".to_owned()];
    assert_eq!(services_of(&differs), expected.into_iter().collect());
    assert_eq!(differs.len() as u32, 1 + PODS + 1 + 1 + 1 + PODS);
    let sent: usize = back.sizes.iter().sum();
    assert!(sent < bytes / 8, "{sent} of {bytes} bytes");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_is_asked_for_what_it_holds() {
    let mut setup = Setup::default();
    setup.runtime.engine.retention = Retention {
        deleted_names: 1,
        share: 0,
        ..Retention::default()
    };
    let (server, _) = loaded(setup, 500).await;
    let (view, cursor, bytes) = snapshot(&server, &Scope::all()).await;
    for i in [5, 6, 7] {
        let gone = ObjectRef::new(Kind::Service, ObjectName::new("default", app(i)));
        server.commit([Operation::Delete(gone)]).await;
    }
    server.commit([member(3, 50)]).await;
    // It has forgotten of which services that was.
    let mut new = Subscriber::with_client(server.watch(), &Scope::all(), Some(&cursor)).await;
    let (_, events) = new.next().await.unwrap();
    assert_eq!(events.first(), Some(&Event::Reset));

    let mut back = Subscriber::holding(&server, &Scope::all(), Some(&cursor), view).await;
    let (checkpoint, events) = back.next().await.unwrap();
    assert_eq!(checkpoint.cursor.epoch, cursor.epoch);
    let expected = [3, 5, 6, 7].map(app).into_iter().collect();
    assert_eq!(services_of(&events), expected);
    let sent: usize = back.sizes.iter().sum();
    assert!(sent < bytes / 8, "{sent} of {bytes} bytes");
    assert!(back.view == snapshot(&server, &Scope::all()).await.0);
}

#[tokio::test]
async fn a_node_is_offered_as_well() {
    let node = |zone: &str| {
        Operation::Put(Object::Node(Box::new(Node {
            name: "node-1".into(),
            labels: LabelSet::try_from_pairs([("rack", zone)]).unwrap(),
            ..Node::default()
        })))
    };
    let scope = Scope::Node("node-1".into());
    let old = Setup::default().start().await;
    old.commit([node("a")]).await;
    let (view, cursor, _) = snapshot(&old, &scope).await;
    for (zone, told) in [("a", 0), ("b", 1)] {
        let new = Setup::default().start().await;
        new.commit([node(zone)]).await;
        let mut back = Subscriber::holding(&new, &scope, Some(&cursor), view.clone()).await;
        let (_, events) = back.next().await.unwrap();
        assert_eq!(events.len(), told, "{events:?}");
        assert!(back.view == snapshot(&new, &scope).await.0);
    }
    let empty = Setup::default().start().await;
    let mut back = Subscriber::holding(&empty, &scope, Some(&cursor), view).await;
    let (_, events) = back.next().await.unwrap();
    assert_eq!(events, [Event::NodeRemoved("node-1".into())]);
}

fn held(names: &[&str]) -> Vec<Held> {
    let held = names.iter().map(|name| Held {
        name: ObjectName::new("default", *name),
        digest: Default::default(),
        revision: 1,
    });
    held.collect()
}

/// The first event of the next message that has any, if it is not folded; signs of life before it.
async fn first_event(subscriber: &mut Subscriber) -> (Option<proto::EventType>, usize) {
    let mut silent = 0;
    loop {
        let message = subscriber.message().await.unwrap();
        match message.events.first() {
            Some(event) => return (proto::EventType::try_from(event.r#type).ok(), silent),
            None => silent += 1,
        }
    }
}

#[tokio::test]
async fn whoever_does_not_answer_holds_up_nobody_and_may_answer_later() {
    let setup = Setup::limits(|limits| limits.heartbeat = Duration::from_millis(20));
    let (server, _) = loaded(setup, 500).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut one = Subscriber::holding(&server, &Scope::all(), None, View::default()).await;
        let (asked, _) = first_event(&mut one).await;
        assert_eq!(asked, Some(proto::EventType::Offer));
        stalled.push(one);
    }
    // Half of them say a part and no more.
    for one in stalled.iter().skip(10) {
        let part = encode_offer(&held(&["aaa", "aab"]), false);
        one.ask(Asked::Offer(part)).await;
    }
    let mut live = Subscriber::new(&server, &Scope::all(), None).await;
    for i in 0..20 {
        let revision = server.commit([member(i, 77)]).await;
        live.until(revision).await;
    }
    let last = server.runtime.head().revision;
    for (i, one) in stalled.iter_mut().enumerate() {
        // What they hold besides is nothing that there is; and they hear that the server lives.
        let mut removed = 0;
        while removed < if i < 10 { 0 } else { 2 } {
            removed += one.message().await.unwrap().events.len();
        }
        assert!(one.message().await.unwrap().events.is_empty());
        one.report_applied(1).await;
        one.ask(Asked::Offer(encode_offer(&[], true))).await;
        one.until(last).await;
        assert!(one.view == live.view, "subscriber {i}");
    }
}

#[tokio::test]
async fn what_breaks_the_rules_of_an_offer_is_refused_by_field() {
    let (server, _) = loaded(Setup::default(), 500).await;
    let many: Vec<String> = (0..1_001).map(|i| format!("s{i:04}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases = [
        (held(&["b", "a"]), false, "offer.services[1]"),
        (held(&[]), false, "offer.services"),
        (held(&[""]), true, "offer.services[0].name"),
        (held(&many), true, "offer.services"),
    ];
    for (held, is_last, path) in cases {
        let mut one = Subscriber::holding(&server, &Scope::all(), None, View::default()).await;
        first_event(&mut one).await;
        one.ask(Asked::Offer(encode_offer(&held, is_last))).await;
        refused(&mut one, path).await;
    }
    // Across messages.
    let mut one = Subscriber::holding(&server, &Scope::all(), None, View::default()).await;
    first_event(&mut one).await;
    for names in [["a", "m"], ["c", "z"]] {
        one.ask(Asked::Offer(encode_offer(&held(&names), false)))
            .await;
    }
    refused(&mut one, "offer.services[0]").await;
    // Nobody asked: of one who said that he can, and of one who did not.
    let mut asked = Subscriber::holding(&server, &Scope::all(), None, View::default()).await;
    asked.next().await.unwrap();
    let mut never = Subscriber::new(&server, &Scope::all(), None).await;
    for one in [&mut asked, &mut never] {
        one.ask(Asked::Offer(encode_offer(&[], true))).await;
        refused(one, "offer").await;
    }
}

async fn refused(subscriber: &mut Subscriber, path: &str) {
    let status = loop {
        match subscriber.message().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, [path], "{status}");
}

/// The scope changes while an offer is on its way: what belongs to the old one is not taken for the new.
#[tokio::test]
async fn another_scope_asks_anew() {
    let (server, last) = loaded(Setup::default(), 500).await;
    let mut one = Subscriber::holding(&server, &Scope::all(), None, View::default()).await;
    first_event(&mut one).await;
    one.ask(Asked::Offer(encode_offer(&held(&["x"]), false)))
        .await;
    one.resubscribe(&Scope::all(), 2).await;
    let (_, events) = one.until(last).await;
    assert!(
        events.contains(&Event::Reset),
        "the second Subscribe cannot offer"
    );
    assert!(one.view == snapshot(&server, &Scope::all()).await.0);
}
