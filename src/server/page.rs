//! Pages and their tokens.

use tonic::Status;

use crate::model::ObjectName;
use crate::wire::{proto, status};

use super::limits::Limits;

/// Hexadecimal digits of the fingerprint that a token begins with.
const FINGERPRINT_DIGITS: usize = 16;

/// What a request asks of a listing's pages.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    /// Most objects in one page.
    pub size: usize,
    /// Most objects in all pages from here on; none: no bound.
    pub remaining: Option<u64>,
    /// Where the last page ended.
    pub after: Option<ObjectName>,
    /// Of everything that says which objects are listed.
    fingerprint: u64,
}

impl Paging {
    /// Reads a page request for the listing that `listing` describes.
    pub(super) fn new(
        page: Option<proto::PageRequest>,
        limits: &Limits,
        listing: &str,
    ) -> Result<Self, Status> {
        let page = page.unwrap_or_default();
        let size = page_size(page.page_size, limits, "page.page_size")?;
        let fingerprint = fingerprint(listing);
        let after = match page.page_token.as_str() {
            "" => None,
            token => Some(read_token(token, fingerprint).ok_or_else(|| {
                status::invalid_field(
                    "page.page_token",
                    "is not a token of this same request: begin again without one",
                )
            })?),
        };
        Ok(Paging {
            size,
            remaining: Some(page.limit).filter(|limit| *limit > 0),
            after,
            fingerprint,
        })
    }

    /// Most objects that the next page may have.
    pub(super) fn next_size(&self) -> usize {
        self.remaining.map_or(self.size, |remaining| {
            usize::try_from(remaining)
                .unwrap_or(usize::MAX)
                .min(self.size)
        })
    }

    /// Steps past a page; whether the request wants another.
    pub(super) fn step(&mut self, count: usize, last: Option<ObjectName>) -> bool {
        self.after = last.or(self.after.take());
        self.remaining = self
            .remaining
            .map(|remaining| remaining.saturating_sub(count as u64));
        self.remaining != Some(0)
    }

    /// The token of the next page: what is listed, and the last name. It holds no state of this
    /// server, so it is good at any replica.
    pub(super) fn token(&self) -> String {
        self.after.as_ref().map_or_else(String::new, |after| {
            format!(
                "{:016x}{}/{}",
                self.fingerprint, after.namespace, after.name
            )
        })
    }
}

/// The size that a request asks for, or the server's default.
pub(super) fn page_size(asked: u32, limits: &Limits, path: &str) -> Result<usize, Status> {
    if asked > limits.max_page_size {
        let detail = format!(
            "is {asked}, and the server's limit max_page_size is {}",
            limits.max_page_size
        );
        return Err(status::invalid_field(path, detail));
    }
    let size = if asked == 0 { limits.page_size } else { asked };
    Ok(usize::try_from(size).unwrap_or(usize::MAX).max(1))
}

fn read_token(token: &str, fingerprint: u64) -> Option<ObjectName> {
    let (digits, name) = token.split_at_checked(FINGERPRINT_DIGITS)?;
    let (namespace, name) = name.split_once('/')?;
    (u64::from_str_radix(digits, 16) == Ok(fingerprint)).then(|| ObjectName::new(namespace, name))
}

/// FNV-1a, 64 bits: the same in every process.
pub(super) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(page: proto::PageRequest, listing: &str) -> Result<Paging, Status> {
        Paging::new(Some(page), &Limits::default(), listing)
    }

    fn token(listing: &str) -> String {
        let mut paging = paging(proto::PageRequest::default(), listing).unwrap();
        paging.step(1, Some(ObjectName::new("default", "rng-1")));
        paging.token()
    }

    #[test]
    fn a_token_goes_on_behind_the_last_name() {
        let page = proto::PageRequest {
            page_token: token("pods app=rng"),
            ..Default::default()
        };
        let next = paging(page, "pods app=rng").unwrap();
        assert_eq!(next.after, Some(ObjectName::new("default", "rng-1")));
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        for page_token in [
            token("pods app=hasher"),
            "rubbish".to_owned(),
            "é".repeat(9),
        ] {
            let page = proto::PageRequest {
                page_token,
                ..Default::default()
            };
            let refused = paging(page, "pods app=rng").unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        }
    }

    #[test]
    fn the_limit_counts_over_pages() {
        let page = proto::PageRequest {
            page_size: 3,
            limit: 4,
            ..Default::default()
        };
        let mut paging = paging(page, "pods").unwrap();
        assert_eq!(paging.next_size(), 3);
        assert!(paging.step(3, None));
        assert_eq!(paging.next_size(), 1);
        assert!(!paging.step(1, None));
    }

    #[test]
    fn a_page_larger_than_the_limit_is_refused_by_name() {
        let page = proto::PageRequest {
            page_size: 5_001,
            ..Default::default()
        };
        let refused = paging(page, "pods").unwrap_err();
        assert!(
            refused.message().contains("max_page_size is 5000"),
            "{}",
            refused.message()
        );
    }
}
