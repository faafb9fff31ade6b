//! How often a request was refused, by its code: the limits that are met show here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::signaling::message::ErrorCode;

/// Counters, one for each code that there is.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: Mutex<BTreeMap<ErrorCode, u64>>,
}

impl Refusals {
    /// Counts one.
    pub(super) fn count(&self, code: ErrorCode) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(code).or_default() += 1;
    }

    /// Those that were not zero, since the server started.
    pub(super) fn snapshot(&self) -> BTreeMap<ErrorCode, u64> {
        let counts = self.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_counted_by_itself() {
        let refusals = Refusals::default();

        for code in [ErrorCode::RoomFull, ErrorCode::Banned, ErrorCode::RoomFull] {
            refusals.count(code);
        }

        let expected = [(ErrorCode::RoomFull, 2), (ErrorCode::Banned, 1)];
        assert_eq!(refusals.snapshot(), expected.into());
    }
}
