//! How fast a client is heard: a token bucket. Pure, time is an argument.
//!
//! A session refuses what comes faster than it may. A client that goes on all the same is heard more
//! slowly, so that refusing costs no more than listening would: its own carrier fills up, and nobody
//! else notices.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;

/// How many times as many messages are heard as may come.
const PATIENCE: u32 = 4;

/// One client's allowance.
#[derive(Debug)]
pub(super) struct Pace {
    /// Time after which one more is heard.
    interval: Duration,
    /// Messages that are heard at once.
    burst: u32,
    /// When the bucket would be full again.
    full_at: Instant,
}

impl Pace {
    /// A full bucket.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            interval: Duration::from_secs(1) / limits.messages_per_second / PATIENCE,
            burst: limits.message_burst.saturating_mul(PATIENCE),
            full_at: now,
        }
    }

    /// Takes one message's token: when the next message may be heard.
    pub(super) fn take(&mut self, now: Instant) -> Instant {
        self.full_at = self.full_at.max(now) + self.interval;
        now + (self.full_at - now).saturating_sub(self.interval.saturating_mul(self.burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_each_message_waits_its_turn() {
        let now = Instant::now();
        let limits = Limits {
            messages_per_second: 50,
            message_burst: 200,
            ..Limits::default()
        };
        let mut pace = Pace::new(&limits, now);
        let interval = Duration::from_millis(5);

        for _ in 0..800 {
            assert_eq!(pace.take(now), now);
        }

        assert_eq!(pace.take(now), now + interval);
        assert_eq!(pace.take(now), now + 2 * interval);
        let later = now + 3 * interval;
        assert_eq!(pace.take(later), later);
    }
}
