//! Transactions of etcd, put together and taken apart.

use bytes::Bytes;

use crate::model::Revision;

use super::keys::{etcd_revision, revision};
use super::proto::compare::{CompareResult, CompareTarget, TargetUnion};
use super::proto::request_op::Request;
use super::proto::response_op::Response;
use super::proto::{
    Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RangeResponse, RequestOp,
    TxnRequest, TxnResponse,
};

/// That a key was last written by this revision; 0: that it is not there.
pub(super) fn written_by(key: Bytes, at: Revision) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Mod.into(),
        key,
        target_union: Some(TargetUnion::ModRevision(etcd_revision(at))),
        ..Compare::default()
    }
}

/// That a key has this value.
pub(super) fn has_value(key: Bytes, value: Bytes) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Value.into(),
        key,
        target_union: Some(TargetUnion::Value(value)),
        ..Compare::default()
    }
}

/// That there is no key in a range.
pub(super) fn is_empty((key, range_end): (Bytes, Bytes)) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Create.into(),
        key,
        target_union: Some(TargetUnion::CreateRevision(0)),
        range_end,
    }
}

pub(super) fn put(key: Bytes, value: Bytes) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestPut(PutRequest { key, value })),
    }
}

pub(super) fn delete(key: Bytes) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestDeleteRange(DeleteRangeRequest { key })),
    }
}

/// Reads a key as it is.
pub(super) fn get(key: Bytes) -> RequestOp {
    range(RangeRequest {
        key,
        ..RangeRequest::default()
    })
}

/// Reads a key as it was.
pub(super) fn get_at(key: Bytes, at: Revision) -> RequestOp {
    range(RangeRequest {
        key,
        revision: etcd_revision(at),
        ..RangeRequest::default()
    })
}

/// Reads which revision wrote a key.
pub(super) fn look(key: Bytes) -> RequestOp {
    range(RangeRequest {
        key,
        keys_only: true,
        ..RangeRequest::default()
    })
}

/// Looks at a key as one member has it, which needs no quorum.
pub(super) fn look_there(key: Bytes) -> RequestOp {
    range(RangeRequest {
        key,
        serializable: true,
        keys_only: true,
        ..RangeRequest::default()
    })
}

pub(super) fn range(request: RangeRequest) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestRange(request)),
    }
}

/// A transaction that only reads: of one revision, and confirmed by a quorum.
pub(super) fn read(operations: Vec<RequestOp>) -> TxnRequest {
    TxnRequest {
        success: operations,
        ..TxnRequest::default()
    }
}

/// The answer to a transaction.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The newest revision of the store when it was done: its own, if it wrote.
    pub(super) revision: Revision,
    pub(super) succeeded: bool,
    /// The number of the cluster that answered.
    pub(super) cluster: u64,
    ranges: std::vec::IntoIter<RangeResponse>,
}

impl Answer {
    pub(super) fn new(response: TxnResponse) -> Answer {
        let header = response.header.unwrap_or_default();
        let range = |response: super::proto::ResponseOp| match response.response {
            Some(Response::ResponseRange(range)) => Some(range),
            _ => None,
        };
        let ranges: Vec<_> = response.responses.into_iter().filter_map(range).collect();
        Answer {
            revision: revision(header.revision),
            succeeded: response.succeeded,
            cluster: header.cluster_id,
            ranges: ranges.into_iter(),
        }
    }

    /// What the next of the reads found.
    pub(super) fn range(&mut self) -> RangeResponse {
        self.ranges.next().unwrap_or_default()
    }

    /// The key that the next of the reads found.
    pub(super) fn key(&mut self) -> Option<KeyValue> {
        self.range().kvs.into_iter().next()
    }
}
