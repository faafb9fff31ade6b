//! How fast a client may talk: a token bucket. Pure, time is an argument.
//!
//! A client that says more is heard more slowly, no more: its own carrier fills up, and nobody else
//! notices.

use std::time::Duration;

use tokio::time::Instant;

/// Messages that may come at once: a join, an offer and all its candidates many times over.
const BURST: u32 = 200;

/// Time after which one more may come: 50 a second.
const INTERVAL: Duration = Duration::from_millis(20);

/// One client's allowance.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the bucket would be full again.
    full_at: Instant,
}

impl Pace {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one message's token: when the message may be heard.
    pub(super) fn take(&mut self, now: Instant) -> Instant {
        self.full_at = self.full_at.max(now) + INTERVAL;
        now + (self.full_at - now).saturating_sub(INTERVAL * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_each_message_waits_its_turn() {
        let now = Instant::now();
        let mut pace = Pace::new(now);

        for _ in 0..BURST {
            assert_eq!(pace.take(now), now);
        }

        assert_eq!(pace.take(now), now + INTERVAL);
        assert_eq!(pace.take(now), now + 2 * INTERVAL);
        let later = now + 3 * INTERVAL;
        assert_eq!(pace.take(later), later);
    }
}
