//! Writers at different replicas want the same objects.

use selectord::client::{CallError, Client, Committed};
use selectord::model::{Expectation, Kind, Precondition, Transaction};
use tokio::task::JoinSet;
use tonic::Code;

use crate::patience::{Patience, patiently, until};
use crate::support::build::{Labelled as _, asked, name, pod, put_op, reference};
use crate::support::random::seeds;
use crate::workload::{SHARED, mark};
use crate::world::World;

/// How often each of them counts.
const TIMES: u64 = 15;
/// Objects beyond what one transaction of etcd takes.
const MANY: usize = 200;

/// Commits, and asks again under the same id as long as nobody knows what became of it: members may choose
/// another leader.
async fn decided(
    client: &Client,
    transaction: &Transaction,
    id: &str,
) -> Result<Committed, CallError> {
    let patience = Patience::begin();
    loop {
        let answer = client.commit(transaction.clone(), id);
        match patiently("an answer", answer).await {
            Err(error) if matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                patience.bear("what became of it", error).await;
            }
            answer => return answer,
        }
    }
}

/// Reads a number, and writes the next one if nobody else has meanwhile, until it has done so often
/// enough.
async fn count(client: Client, who: usize) -> u64 {
    let (mut done, mut tried) = (0, 0);
    while done < TIMES {
        tried += 1;
        let item = patiently("the counter", client.pod(&name("shared/counter"))).await;
        let item = item.unwrap().answer;
        let number: u64 = item
            .pod
            .labels
            .get("count")
            .unwrap()
            .as_str()
            .parse()
            .unwrap();
        let next = pod("shared/counter").label("count", &(number + 1).to_string());
        let transaction = Transaction {
            preconditions: vec![Precondition {
                object: reference(Kind::Pod, "shared/counter"),
                expect: Expectation::Revision(item.revision),
            }],
            ..asked([put_op(next)])
        };
        match decided(&client, &transaction, &format!("count-{who}-{tried}")).await {
            Ok(_) => done += 1,
            Err(error) => {
                let lost = matches!(error.code(), Code::FailedPrecondition | Code::Aborted);
                assert!(lost, "{error}");
            }
        }
    }
    done
}

/// Marks what all mark, over and over. Answers its last mark, and the revision that it got.
async fn mark_all(client: Client, who: usize) -> (u64, String) {
    let mut newest = (0, String::new());
    for number in 0..TIMES {
        let text = format!("c{who}-{number}");
        match decided(&client, &mark(&text), &text).await {
            Ok(committed) => newest = (committed.revision, text),
            Err(error) => assert_eq!(error.code(), Code::Aborted, "{error}"),
        }
    }
    newest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_at_different_replicas_none_overwrites_what_it_has_not_seen() {
    let seed = seeds(95_000, 1)[0];
    let Some(mut world) = World::start(seed).await else {
        return;
    };
    let clients = world.clients().await;
    let zero = asked([put_op(pod("shared/counter").label("count", "0"))]);
    decided(&clients[0], &zero, "zero").await.unwrap();
    world.settled().await;
    let mut counting = JoinSet::new();
    for (who, client) in clients.iter().cycle().take(6).enumerate() {
        counting.spawn(count(client.clone(), who));
    }
    let mut counted = 0;
    while let Some(done) = patiently("a count", counting.join_next()).await {
        counted += done.unwrap();
    }
    world.settled().await;
    for client in &clients {
        let item = client.pod(&name("shared/counter")).await.unwrap().answer;
        let found = item.pod.labels.get("count").unwrap().to_string();
        assert_eq!(found, counted.to_string(), "an update was lost");
    }

    let mut marking = JoinSet::new();
    for (who, client) in clients.iter().cycle().take(6).enumerate() {
        marking.spawn(mark_all(client.clone(), who));
    }
    let mut newest = (0, String::new());
    while let Some(done) = patiently("marks", marking.join_next()).await {
        newest = newest.max(done.unwrap());
    }
    let at = newest.0;
    until("the last mark", async || {
        let status = clients[0]
            .status()
            .await
            .map_err(|error| error.to_string())?;
        let behind = || format!("at {} of {at}", status.revision);
        (status.revision >= at).then_some(()).ok_or_else(behind)
    })
    .await;
    for number in 0..SHARED {
        let item = clients[0]
            .pod(&name(&format!("shared/p{number}")))
            .await
            .unwrap();
        assert!(item.revision >= at);
        let found = item.answer.pod.labels.get("mark").unwrap().to_string();
        assert_eq!(found, newest.1, "the mark of the newest revision, {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_beyond_the_limit_of_etcd_is_refused_with_its_name_and_the_way_out() {
    let seed = seeds(96_000, 1)[0];
    let Some(world) = World::start(seed).await else {
        return;
    };
    let client = world.replicas[0].client().await;
    let many = (0..MANY).map(|number| put_op(pod(&format!("many/p{number}"))));
    let refused = patiently("an answer", client.commit(asked(many), "")).await;
    let refused = refused.expect_err("etcd takes 128 operations");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let text = refused.to_string();
    for part in ["127", "--max-txn-ops", "--chunk"] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    let found = client.pod(&name("many/p0")).await;
    assert_eq!(
        found.expect_err("none of it is there").code(),
        Code::NotFound
    );
}
