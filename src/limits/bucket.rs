//! A token bucket, kept as the time at which it would be full again: one number, and nothing to be
//! refilled. Pure, time is an argument.

use std::time::{Duration, Instant};

/// How fast something may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// After how long one more may come.
    interval: Duration,
    /// How many may come at once.
    burst: u32,
}

/// One account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    full_at: Instant,
}

impl Rate {
    /// `count` a second, and `burst` at once. Both at least 1.
    pub(crate) fn per_second(count: u32, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / count.max(1),
            burst: burst.max(1),
        }
    }

    /// `count` a minute, and `burst` at once. Both at least 1.
    pub(crate) fn per_minute(count: u32, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs(60) / count.max(1),
            burst: burst.max(1),
        }
    }
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one. What is refused costs nothing, so that whoever waits as told gets in.
    ///
    /// # Errors
    ///
    /// If there is none left: how long until there is.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.look(rate, now)?;
        self.full_at = self.full_at.max(now) + rate.interval;
        Ok(())
    }

    /// Whether there is one to take.
    ///
    /// # Errors
    ///
    /// If there is none left: how long until there is.
    pub(crate) fn look(&self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + rate.interval;
        let wait = (full_at - now).saturating_sub(rate.interval * rate.burst);
        if wait > Duration::ZERO {
            Err(wait)
        } else {
            Ok(())
        }
    }

    /// Whether nothing is known of it that a new one would not know.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_one_comes_after_each_interval() {
        let (rate, now) = (Rate::per_second(10, 3), Instant::now());
        let mut bucket = Bucket::new(now);

        for _ in 0..3 {
            assert_eq!(bucket.take(rate, now), Ok(()));
        }

        assert_eq!(bucket.take(rate, now), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(rate, now), Err(Duration::from_millis(100)));
        let later = now + Duration::from_millis(100);
        assert_eq!(bucket.take(rate, later), Ok(()));
        assert_eq!(bucket.take(rate, later), Err(Duration::from_millis(100)));
    }

    #[test]
    fn after_a_rest_it_is_full_and_no_fuller() {
        let (rate, now) = (Rate::per_minute(60, 2), Instant::now());
        let mut bucket = Bucket::new(now);
        bucket.take(rate, now).unwrap();
        assert!(!bucket.is_full(now));

        let later = now + Duration::from_secs(3600);

        assert!(bucket.is_full(later));
        assert_eq!(bucket.take(rate, later), Ok(()));
        assert_eq!(bucket.take(rate, later), Ok(()));
        assert_eq!(bucket.take(rate, later), Err(Duration::from_secs(1)));
    }
}
