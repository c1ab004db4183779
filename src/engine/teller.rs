use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::{IpFamily, Sequence};
use crate::reconcile::ServiceRecord;

use super::event::{Event, ServiceEntry};
use super::walk::{NextEndpoint, Replacing};

/// Who is told, and for how many records more.
pub(super) struct Teller<'s> {
    pub(super) left: usize,
    pub(super) sink: &'s mut dyn FnMut(Event) -> ControlFlow<()>,
}

impl Teller<'_> {
    /// Counts a record that was read.
    pub(super) fn read(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    pub(super) fn tell(&mut self, event: Event) {
        if (self.sink)(event).is_break() {
            self.left = 0;
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Tells a service without its endpoints, which follow: those that stand before `bound`.
    pub(super) fn tell_anew(&mut self, record: &ServiceRecord, bound: Sequence) -> Replacing {
        self.tell(Event::Replace(entry(record)));
        Replacing {
            service: record.service.name(),
            bound,
            next: NextEndpoint::Computed(0, IpFamily::V4),
        }
    }
}

/// A service's fields, as subscribers know them.
pub(super) fn entry(record: &ServiceRecord) -> ServiceEntry {
    ServiceEntry {
        service: Arc::new(record.service.whole()),
        revision: record.revision,
    }
}
