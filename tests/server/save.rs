//! Snapshots over the wire: who does not read is not waited for, and nobody else is held up.

use std::time::Duration;

use selectord::runtime::{Readiness, SaveOptions};
use selectord::snapshot::Checked;
use selectord::wire::proto;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::harness::{Server, Setup, patiently, pod};

const PODS: u32 = 8_000;

async fn save(server: &Server) -> Result<Streaming<proto::SaveSnapshotResponse>, Status> {
    let request = proto::SaveSnapshotRequest {};
    let answer = patiently(server.admin().save_snapshot(request)).await?;
    Ok(answer.into_inner())
}

/// Reads to the end: how many bytes came, and whether they are whole.
async fn read(mut stream: Streaming<proto::SaveSnapshotResponse>) -> Result<bool, Status> {
    let mut checked = Checked::default();
    let mut last = proto::SaveSnapshotResponse::default();
    while let Some(part) = patiently(stream.message()).await? {
        checked.update(&part.data);
        assert!(part.objects >= last.objects && part.objects <= part.total_objects);
        last = part;
    }
    assert_eq!(last.objects, last.total_objects);
    Ok(checked.finish().is_some())
}

fn labelled(round: u32) -> impl Iterator<Item = selectord::model::Operation> {
    // Texts that do not repeat: the file is to be larger than what a stream may hold unread.
    (0..PODS).map(move |i| {
        let part = |part: u64| {
            let number = u64::from(i * 7 + round) * 5 + part;
            format!("{:015x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4)
        };
        let text: String = (0..4).map(part).collect();
        let labels = [("app", "rng"), ("text", text.as_str())];
        pod(&format!("p-{i:05}"), i, &labels)
    })
}

async fn filled(mut setup: Setup, saves: SaveOptions) -> Server {
    setup.runtime.saves = saves;
    let server = setup.start().await;
    server.commit(labelled(0)).await;
    server
}

fn limit(status: &Status) -> String {
    let quota = status.get_details_quota_failure().unwrap();
    quota.violations[0].subject.clone()
}

#[tokio::test]
async fn two_at_once_are_whole_and_a_third_is_refused() {
    let server = filled(Setup::default(), SaveOptions::default()).await;
    let (one, two) = (save(&server).await.unwrap(), save(&server).await.unwrap());
    let refused = save(&server).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(limit(&refused), "max_saves");
    assert!(read(one).await.unwrap());
    assert!(read(two).await.unwrap());
    assert!(read(save(&server).await.unwrap()).await.unwrap());
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_read_is_broken_off_and_gives_room_to_another() {
    let setup = Setup::limits(|limits| limits.save_wait = Duration::from_secs(3));
    let saves = SaveOptions {
        max_saves: 1,
        ..SaveOptions::default()
    };
    let server = filled(setup, saves).await;
    let stalled = save(&server).await.unwrap();
    let another = loop {
        match save(&server).await {
            Ok(another) => break another,
            Err(refused) => assert_eq!(refused.code(), Code::ResourceExhausted),
        }
        tokio::task::yield_now().await;
    };
    assert!(read(another).await.unwrap());
    let ended = read(stalled).await.unwrap_err();
    assert_eq!(ended.code(), Code::DeadlineExceeded, "{ended}");
    server.stop().await;
}

#[tokio::test]
async fn writers_are_not_held_up_by_who_does_not_read_and_memory_is_bounded() {
    let saves = SaveOptions {
        max_kept_bytes: 50_000,
        piece: 16,
        ..SaveOptions::default()
    };
    // It is room that ends, and not time.
    let setup = Setup::limits(|limits| limits.save_wait = Duration::from_secs(600));
    let server = filled(setup, saves).await;
    let stalled = save(&server).await.unwrap();
    for round in 1..4 {
        server.commit(labelled(round)).await;
    }
    let ended = read(stalled).await.unwrap_err();
    assert_eq!(ended.code(), Code::ResourceExhausted, "{ended}");
    assert_eq!(limit(&ended), "max_save_bytes");
    assert!(read(save(&server).await.unwrap()).await.unwrap());
    server.stop().await;
}

#[tokio::test]
async fn a_drain_ends_it_and_nothing_is_saved_of_what_is_half_loaded() {
    let readiness = Readiness::new();
    let loading = readiness.guard("loading manifests");
    let mut setup = Setup::default();
    setup.server.readiness = readiness;
    let server = setup.start().await;
    let refused = save(&server).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    drop(loading);
    server.commit(labelled(0)).await;
    let stalled = save(&server).await.unwrap();
    server.drain();
    let ended = read(stalled).await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    server.stop().await;
}
