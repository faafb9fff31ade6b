//! A point in time, as the room counts it and as people do.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When something happens: read once, and handed to whatever is pure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// What durations are measured by.
    pub(super) now: Instant,
    /// What people are told: milliseconds since 1970 (UTC). May jump with the machine's clock.
    pub(super) wall_ms: u64,
}

impl Moment {
    pub(super) fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            now: Instant::now(),
            wall_ms: to_ms(since_1970.unwrap_or_default()),
        }
    }
}

/// In whole milliseconds, as messages have it.
pub(super) fn to_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
