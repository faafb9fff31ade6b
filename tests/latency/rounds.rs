//! When the rounds are: each begins at another fraction of a tick.

use std::time::{Duration, Instant};

/// Until buffers are as they stay.
const SETTLE: Duration = Duration::from_secs(2);

/// From one round's end to the next one's start, at least: leaving and joining.
const PAUSE: Duration = Duration::from_millis(500);

/// After so long the grids of 20 ms and of 1/30 s meet again. Rounds begin at equal fractions of
/// it, and so at equal fractions of both.
const GRID: Duration = Duration::from_millis(100);

/// How often, how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
}

/// One round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    start: Instant,
    seconds: u32,
}

impl Plan {
    /// One after the other, from soon on.
    pub(crate) fn rounds(self) -> impl Iterator<Item = Round> {
        let first = Instant::now() + PAUSE;
        let long = SETTLE + Duration::from_secs(self.seconds.into()) + PAUSE;
        (0..self.rounds).map(move |n| Round {
            start: first + long * n + GRID * n / self.rounds,
            seconds: self.seconds,
        })
    }
}

impl Round {
    /// When the first packets are sent.
    pub(crate) fn start(self) -> Instant {
        self.start
    }

    /// From when on what is sent counts.
    pub(crate) fn settled(self) -> Instant {
        self.start + SETTLE
    }

    pub(crate) fn end(self) -> Instant {
        self.settled() + Duration::from_secs(self.seconds.into())
    }
}
