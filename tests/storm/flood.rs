//! One large set of endpoints, all of which change at once, over and over: more than any stream that
//! is not read can hold.

use selectord::client::Client;
use selectord::model::{ObjectName, Revision, Transaction};

use crate::process::Server;
use crate::support::build::{
    BuildNode, BuildPod, BuildService, Labelled, asked, node, pod, put_op, service,
};

pub const PODS: u32 = 1_500;
pub const ROUNDS: u32 = 60;
/// Endpoints that change, all rounds together.
pub const CHANGES: usize = (PODS * ROUNDS) as usize;
const NODES: u32 = 10;

pub struct Flood {
    pub server: Server,
    client: Client,
}

impl Flood {
    /// A server that knows of the service alone.
    pub async fn start() -> Flood {
        let server = Server::start(&[]);
        let client = Client::connect(&server.address).await.unwrap();
        let flood = Flood { server, client };
        flood
            .write(asked([put_op(service("blue/rng").selects("app=rng"))]))
            .await;
        flood
    }

    /// Puts the pods in.
    pub async fn populate(&self) -> Revision {
        let pods = (0..PODS).map(|number| {
            let [_, _, a, b] = number.to_be_bytes();
            let made = pod(&format!("blue/p{number}")).ip(&format!("10.0.{a}.{b}"));
            put_op(
                made.label("app", "rng")
                    .on(&format!("n{}", number % NODES))
                    .ready(),
            )
        });
        self.write(asked(pods)).await
    }

    /// Moves every node to another zone, and with them every endpoint.
    pub async fn round(&self, round: u32) -> Revision {
        let zone = format!("z{round}");
        let nodes = (0..NODES).map(|number| put_op(node(&format!("n{number}")).zone(&zone)));
        self.write(asked(nodes)).await
    }

    async fn write(&self, transaction: Transaction) -> Revision {
        self.client.commit(transaction, "").await.unwrap().revision
    }
}

/// The service.
pub fn rng() -> ObjectName {
    ObjectName::new("blue", "rng")
}
