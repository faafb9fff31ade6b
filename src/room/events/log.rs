//! The latest events, numbered 1, 2, 3 and so on. Pure.
//!
//! Holds at most as many as it was made for; beyond that the oldest go. None is longer than 4 KiB:
//! its texts are bounded where they come in.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Kept;

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    kept: usize,
    events: VecDeque<Arc<Kept>>,
    last: u64,
}

impl Log {
    /// Keeps the latest `kept`, at least one.
    pub(super) fn new(kept: usize) -> Self {
        Self {
            kept: kept.max(1),
            events: VecDeque::new(),
            last: 0,
        }
    }

    /// Notes down what `make` makes of its number.
    pub(super) fn push(&mut self, make: impl FnOnce(u64) -> Arc<Kept>) {
        self.last += 1;
        if self.events.len() == self.kept {
            self.events.pop_front();
        }
        self.events.push_back(make(self.last));
    }

    /// The first that is kept of those after number `seen`.
    pub(super) fn after(&self, seen: u64) -> Option<Arc<Kept>> {
        let behind = seen.saturating_sub(self.oldest() - 1);
        let place = usize::try_from(behind).ok()?;
        self.events.get(place).cloned()
    }

    /// The number of the first that is kept; of the next one if none is.
    pub(super) fn oldest(&self) -> u64 {
        let kept = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        self.last + 1 - kept
    }

    /// The number of the last one; 0 if there was none.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }
}
