use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Status, Streaming};

use crate::model::Revision;

use super::{CallError, Malformed};

/// Some objects of a listing, all at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The revision the page is true at; that of the next may be higher.
    pub revision: Revision,
    /// How long before it was made the server had last heard of its source of truth.
    pub source_age: Duration,
    /// The objects, in order.
    pub items: Vec<T>,
    /// Where the next page starts, for a listing of its own; empty when this was the last.
    pub next: String,
}

/// The pages of a listing, as they come: one is held at a time.
pub struct Pages<T>(Pin<Box<dyn Stream<Item = Result<Page<T>, CallError>> + Send>>);

impl<T: 'static> Pages<T> {
    /// Reads pages off a stream; each may take `patience`.
    pub(super) fn new<M: Send + 'static>(
        stream: Streaming<M>,
        patience: Duration,
        read: fn(M) -> Result<Page<T>, Malformed>,
    ) -> Pages<T> {
        let pages = stream.timeout(patience).map(move |page| match page {
            Ok(page) => Ok(read(page?)?),
            Err(_elapsed) => {
                Err(Status::deadline_exceeded("the server took too long over a page").into())
            }
        });
        Pages(Box::pin(pages))
    }

    /// The next page, or none after the last.
    ///
    /// # Errors
    /// Whatever keeps it from coming; there is none behind it.
    pub async fn next_page(&mut self) -> Result<Option<Page<T>>, CallError> {
        self.0.next().await.transpose()
    }

    /// Everything in one vector, and the revision of the last page. Holds the whole answer.
    ///
    /// # Errors
    /// Whatever keeps a page from coming.
    pub async fn collect(mut self) -> Result<(Revision, Vec<T>), CallError> {
        let mut revision = 0;
        let mut items = Vec::new();
        while let Some(page) = self.next_page().await? {
            revision = page.revision;
            items.extend(page.items);
        }
        Ok((revision, items))
    }
}

impl<T> Stream for Pages<T> {
    type Item = Result<Page<T>, CallError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}
