//! Listings: page after page, each at one revision, as fast as the client reads.

use std::sync::Arc;

use prost::Message;
use tonic::Status;

use crate::engine::Engine;
use crate::model::{ObjectName, Revision};
use crate::runtime::Runtime;

use super::context::{Context, stopped};
use super::drawn::{Drawn, Tap};
use super::page::Paging;

/// Bytes that a page is kept below, whatever its size in objects: gRPC clients take 4 MiB unless they
/// are told otherwise.
const PAGE_BYTES: usize = 1 << 20;

/// What is listed: how a page is read, and how it travels.
pub(super) trait Listing: Clone + Send + Sync + 'static {
    /// An object as the engine tells it.
    type Object: Send;
    /// The object as it travels.
    type Item: Message + Send;
    /// A page.
    type Page: Send + 'static;

    /// The objects behind `after`, in order, at most `limit`.
    fn read(&self, engine: &Engine, after: Option<&ObjectName>, limit: usize) -> Vec<Self::Object>;

    /// The object's place in the order.
    fn name(object: &Self::Object) -> ObjectName;

    fn encode(object: &Self::Object) -> Self::Item;

    fn page(at: At, items: Vec<Self::Item>, next_page_token: String) -> Self::Page;
}

/// What a page is true of.
pub(super) struct At {
    pub revision: Revision,
    pub source_age: Option<prost_types::Duration>,
}

/// Sends page after page.
pub(super) fn pages<L: Listing>(
    context: Arc<Context>,
    listing: L,
    paging: Paging,
) -> Drawn<L::Page> {
    Drawn::new(move |tap| send_pages(context, listing, paging, tap))
}

async fn send_pages<L: Listing>(
    context: Arc<Context>,
    listing: L,
    mut paging: Paging,
    tap: Tap<L::Page>,
) -> Result<(), Status> {
    loop {
        let (page, goes_on) = next_page(&context, &listing, &mut paging).await?;
        tap.send(page).await;
        if !goes_on {
            return Ok(());
        }
    }
}

/// The next page, and whether another is wanted behind it. Of what was read for it, nothing is kept.
async fn next_page<L: Listing>(
    context: &Context,
    listing: &L,
    paging: &mut Paging,
) -> Result<(L::Page, bool), Status> {
    let size = paging.next_size();
    // One more than is shown tells whether there is another page.
    let (revision, objects) =
        read(&context.runtime, listing, paging, size.saturating_add(1)).await?;
    let (items, last) = fill::<L>(&objects, size);
    let shown = items.len();
    let wanted = paging.step(shown, last);
    let more = objects.len() > shown;
    let token = if more { paging.token() } else { String::new() };
    let at = At {
        revision,
        source_age: context.source_age(),
    };
    Ok((L::page(at, items, token), more && wanted))
}

async fn read<L: Listing>(
    runtime: &Runtime,
    listing: &L,
    paging: &Paging,
    limit: usize,
) -> Result<(Revision, Vec<L::Object>), Status> {
    let (listing, after) = (listing.clone(), paging.after.clone());
    let question =
        move |engine: &Engine| (engine.head(), listing.read(engine, after.as_ref(), limit));
    runtime.query(question).await.map_err(stopped)
}

/// As many objects as fit, at least one; and the name of the last.
fn fill<L: Listing>(objects: &[L::Object], size: usize) -> (Vec<L::Item>, Option<ObjectName>) {
    let mut items = Vec::with_capacity(objects.len().min(size));
    let mut last = None;
    let mut bytes = 0usize;
    for object in objects.iter().take(size) {
        let item = L::encode(object);
        bytes = bytes.saturating_add(item.encoded_len());
        if bytes > PAGE_BYTES && !items.is_empty() {
            break;
        }
        items.push(item);
        last = Some(object);
    }
    (items, last.map(L::name))
}
