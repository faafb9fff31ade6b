//! How much delay a live track should have. The jitter buffer asks; it does not decide.
//!
//! The target is fixed. Delay above it, left by a burst or by a sender whose clock runs fast, is
//! excess once it has been there for all of [`WINDOW_SAMPLES`]: the smallest backlog of that
//! second was not needed by any packet in it. Lengths are samples per channel at 48 kHz.

use std::time::Duration;

use codecs::audio::{SAMPLE_RATE_HZ, TICK_SAMPLES};

use crate::audio::AudioConfig;

/// One second of media is enough to call a delay excessive.
const WINDOW_SAMPLES: i64 = SAMPLE_RATE_HZ as i64;

/// Fixed target, fixed maximum, and a measure of what lies between.
#[derive(Clone, Debug)]
pub(crate) struct Delay {
    target: Duration,
    target_samples: i64,
    maximum_samples: i64,
    /// Smallest backlog of the window that is under way, and how much media it has seen.
    smallest: i64,
    seen: i64,
    /// Smallest backlog of the last whole window and since.
    settled: Option<i64>,
}

impl Delay {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        let target = config.jitter_target.min(AudioConfig::LONGEST_DELAY);
        let target_samples = samples_in(target);
        let maximum = config
            .jitter_maximum
            .min(target + AudioConfig::LONGEST_DELAY);
        Self {
            target,
            target_samples,
            maximum_samples: samples_in(maximum).max(target_samples + TICK_SAMPLES as i64),
            smallest: i64::MAX,
            seen: 0,
            settled: None,
        }
    }

    /// How long the first packet of a spurt waits.
    pub(crate) fn target(&self) -> Duration {
        self.target
    }

    /// The backlog to come back to.
    pub(crate) fn target_samples(&self) -> i64 {
        self.target_samples
    }

    /// The backlog beyond which packets must go at once.
    pub(crate) fn maximum_samples(&self) -> i64 {
        self.maximum_samples
    }

    /// Takes note that a packet of `samples` plays while the newest begins `backlog` after it.
    pub(crate) fn observe(&mut self, backlog: i64, samples: i64) {
        self.smallest = self.smallest.min(backlog);
        self.settled = self.settled.map(|settled| settled.min(backlog));
        self.seen += samples;
        if self.seen >= WINDOW_SAMPLES {
            self.settled = Some(self.smallest);
            self.smallest = i64::MAX;
            self.seen = 0;
        }
    }

    /// Whether a packet of `samples` could be left out and the target would still be met.
    pub(crate) fn is_excessive_by(&self, samples: i64) -> bool {
        self.settled
            .is_some_and(|settled| settled - samples >= self.target_samples)
    }

    /// Measures anew: the delay has just been changed.
    pub(crate) fn restart(&mut self) {
        self.smallest = i64::MAX;
        self.seen = 0;
        self.settled = None;
    }
}

fn samples_in(duration: Duration) -> i64 {
    let samples = duration.as_micros() * u128::from(SAMPLE_RATE_HZ) / 1_000_000;
    i64::try_from(samples).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_excessive_only_after_a_second_without_need_of_it() {
        let mut delay = Delay::new(&AudioConfig::default());

        for _ in 0..49 {
            delay.observe(2_880, 960);
            assert!(!delay.is_excessive_by(960));
        }
        delay.observe(2_880, 960);

        assert!(delay.is_excessive_by(960));
    }

    #[test]
    fn one_packet_that_needed_the_delay_keeps_it() {
        let mut delay = Delay::new(&AudioConfig::default());
        for _ in 0..50 {
            delay.observe(2_880, 960);
        }

        delay.observe(1_920, 960);

        assert!(!delay.is_excessive_by(960));
    }

    #[test]
    fn a_maximum_below_the_target_is_taken_as_one_tick_above_it() {
        let delay = Delay::new(&AudioConfig {
            jitter_maximum: Duration::ZERO,
            ..AudioConfig::default()
        });

        assert_eq!(delay.maximum_samples(), 1_920 + 960);
    }

    #[test]
    fn absurd_settings_are_taken_as_the_longest_delay() {
        let delay = Delay::new(&AudioConfig {
            jitter_target: Duration::MAX,
            jitter_maximum: Duration::MAX,
            ..AudioConfig::default()
        });

        assert_eq!(delay.target(), AudioConfig::LONGEST_DELAY);
        assert_eq!(delay.maximum_samples(), 96_000);
    }
}
