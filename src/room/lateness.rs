//! How late the ticks of a media thread begin: counted, so that a room can say at its end whether
//! it kept time, and one participant's trouble can be shown to be nobody else's.
//!
//! A histogram of [`BUCKETS`] counters, however long the room lives; percentiles are exact to a
//! quarter of an octave, below 19 %.

use std::fmt;
use std::time::Duration;

/// The quarter octaves of 1 µs to over a minute.
const BUCKETS: usize = 104;

/// Parts of an octave.
const STEPS: u128 = 4;

/// The lateness of all ticks so far.
#[derive(Clone, Debug)]
pub(super) struct Lateness {
    counts: [u64; BUCKETS],
    ticks: u64,
    longest: Duration,
}

impl Lateness {
    /// No tick yet.
    pub(super) const fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            ticks: 0,
            longest: Duration::ZERO,
        }
    }

    /// A tick began so much after its time.
    pub(super) fn note(&mut self, late: Duration) {
        self.counts[bucket(late.as_micros())] += 1;
        self.ticks += 1;
        self.longest = self.longest.max(late);
    }

    /// What so many of a hundred ticks keep, rounded up to what the histogram can tell; zero before
    /// the first tick.
    pub(super) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.ticks * percent).div_ceil(100);
        let mut so_far = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            so_far += count;
            if so_far >= wanted && so_far > 0 {
                return upper_end(bucket).min(self.longest);
            }
        }
        self.longest
    }
}

/// Begins with `p50_us=`, for logs.
impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50_us={} p99_us={} max_us={} ticks={}",
            self.percentile(50).as_micros(),
            self.percentile(99).as_micros(),
            self.longest.as_micros(),
            self.ticks
        )
    }
}

/// Octave and quarter of it, in one number.
fn bucket(us: u128) -> usize {
    let us = us.max(1);
    let octave = u128::from(us.ilog2());
    // The next two bits below the highest.
    let quarter = ((us * STEPS) >> octave) - STEPS;
    usize::try_from(octave * STEPS + quarter)
        .unwrap_or(BUCKETS)
        .min(BUCKETS - 1)
}

/// The longest that falls into the bucket.
fn upper_end(bucket: usize) -> Duration {
    let next = u64::try_from(bucket).unwrap_or(u64::MAX) + 1;
    let (octave, quarter) = (next / 4, next % 4);
    let us = ((4 + quarter) << octave) / 4;
    Duration::from_micros(us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    #[test]
    fn percentiles_are_those_of_the_ticks_to_a_quarter_of_an_octave() {
        let mut lateness = Lateness::new();
        assert_eq!(lateness.percentile(99), Duration::ZERO);
        for n in 1..=1_000 {
            lateness.note(us(n));
        }

        for (percent, exact) in [(50, 500), (90, 900), (99, 990)] {
            let found = lateness.percentile(percent);
            assert!(
                us(exact) <= found && found <= us(exact * 5 / 4),
                "{percent}: {found:?}"
            );
        }
        assert_eq!(lateness.percentile(100), us(1_000));
        assert_eq!(
            lateness.to_string(),
            "p50_us=512 p99_us=1000 max_us=1000 ticks=1000"
        );
    }

    #[test]
    fn no_tick_at_all_late_is_zero() {
        let mut lateness = Lateness::new();

        lateness.note(Duration::ZERO);

        assert_eq!(lateness.percentile(99), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn every_duration_lies_at_or_below_the_end_of_its_bucket(late in any::<u64>()) {
            let mut lateness = Lateness::new();
            lateness.note(us(late));
            lateness.note(Duration::MAX);

            let found = lateness.percentile(50);

            let longest_told = 1 << 26;
            prop_assert!(found >= us(late.min(longest_told)), "{found:?}");
            prop_assert!(late > longest_told || late == 0 || found <= us(late + late / 4 + 1));
        }
    }
}
