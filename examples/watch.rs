//! Follows the endpoints of a server's services, and prints what each step changed.
//!
//! Run: `cargo run --example watch -- [ADDRESS [NAMESPACE]]`; stop it and the server as you like.
//! `next` waits over any number of connections, and hands over one consistent cut at a time: what
//! came between two cuts is applied whole, or not at all.

use std::error::Error;

use selectord::client::{Client, WatchOptions};
use selectord::engine::{Event, Scope, ServiceScope};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:7400".to_owned());
    let scope = Scope::Services(ServiceScope {
        namespaces: arguments.map(Into::into).collect(),
        ..ServiceScope::default()
    });
    let client = Client::connect(&address).await?;
    let mut watcher = client.watch(scope, WatchOptions::default());
    loop {
        let cut = watcher.next().await?;
        for event in &cut.events {
            match event {
                Event::Reset => println!("everything anew"),
                Event::Replace(entry) => println!("* {}", entry.service.name),
                Event::Endpoint { service, endpoint } => {
                    println!(
                        "+ {service}: {} {:?}",
                        endpoint.identity, endpoint.conditions
                    );
                }
                Event::Removed { service, identity } => println!("- {service}: {identity}"),
                Event::Remove(name) => println!("- {name}"),
                _ => {}
            }
        }
        if !cut.events.is_empty() {
            let view = watcher.view();
            let endpoints: usize = view.services().values().map(|s| s.endpoints.len()).sum();
            println!("= revision {}: {endpoints} endpoints", cut.revision);
        }
        // The rules are written, say: the server knows who lags.
        watcher.applied(cut.revision);
    }
}
