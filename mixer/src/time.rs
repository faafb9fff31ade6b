//! The room's own time.

use std::ops::{Add, Sub};
use std::time::Duration;

/// Time since the room began. Real in a live room, virtual in an offline mix or a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomTime(Duration);

impl RoomTime {
    /// The moment the room began.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment `since_start` after the room began.
    #[must_use]
    pub const fn new(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// The moment `ms` milliseconds after the room began.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// How long the room has existed.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for RoomTime {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0 + rhs)
    }
}

impl Sub<Duration> for RoomTime {
    type Output = Self;

    /// Saturates at the start of the room.
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(rhs))
    }
}
