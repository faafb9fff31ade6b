//! How much delay a live track should have, and what to do about the delay it has. The jitter
//! buffer asks; it does not act.
//!
//! Delay is counted from the fastest path ([`Arrivals::fastest`]): how much later than a packet
//! that took no longer than the fastest arrives, it plays. The *target* is what the arrivals need
//! plus what the losses are worth, or what is asked for so that sound and picture stay together if
//! that is more, within the configured minimum and maximum.
//!
//! Packets are needed a tick at a time, so of a packet that begins in the middle of a tick only
//! the part of its delay up to the beginning of that tick is of use: the rest is *slack*, at most
//! one tick, and can be played away for free. The useful delay moves in steps of a packet (or a
//! tick, if that is shorter). It is left alone from a bit below the target to a tick above it,
//! which is where a spurt begins, so that a steady stream is never touched.
//!
//! Lengths are samples per channel at 48 kHz.

use std::time::Duration;

use codecs::audio::{SAMPLE_RATE_HZ, TICK_SAMPLES};

use super::arrivals::Arrivals;
use crate::RoomTime;
use crate::audio::AudioConfig;

const TICK: i64 = TICK_SAMPLES as i64;

/// Added to what the arrivals need: 5 ms, for the ticks have jitter too.
const MARGIN_SAMPLES: i64 = 240;

/// The useful delay may be this much below the target before anything is done: 5 ms.
const TOLERANCE_SAMPLES: i64 = 240;

/// Slack below this stays: 2.5 ms.
const TOLERATED_SLACK_SAMPLES: i64 = 120;

/// More than this off the target: hurry. 40 ms.
const FAR_SAMPLES: i64 = 1_920;

/// The most delay that may be asked for without a need of the arrivals.
const MOST_ASKED_FOR: Duration = Duration::from_millis(200);

/// What to do about the delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is as it should be.
    Keep,
    /// Play faster.
    Shorten {
        /// Samples to leave out at most.
        at_most: i64,
        /// How far away the target is.
        haste: Haste,
    },
    /// Play slower.
    Lengthen {
        /// How far away the target is.
        haste: Haste,
    },
}

/// How much stretching may be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Only where it is not.
    Idly,
    /// A little.
    Soon,
    /// More than delay or gaps would be.
    Now,
}

/// Where playout is, at the beginning of a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The tick.
    pub(super) now: i64,
    /// Decoded samples that play before `position`.
    pub(super) ahead: i64,
    /// Media time of the next sample to decode.
    pub(super) position: i64,
    /// Length of the packets.
    pub(super) length: i64,
}

/// Minimum, maximum, and the policy between them.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    minimum: i64,
    /// What is asked for on top of what the arrivals need.
    least: i64,
    maximum: i64,
}

impl Delay {
    pub(super) fn new(config: &AudioConfig) -> Self {
        let longest = AudioConfig::LONGEST_DELAY;
        let shortest = AudioConfig::SHORTEST_MAXIMUM;
        let maximum = samples_in(config.jitter_maximum.clamp(shortest, longest));
        Self {
            // A packet may have to wait for a tick on top of its target.
            minimum: samples_in(config.jitter_minimum.min(longest)).min(maximum - 2 * TICK),
            least: 0,
            maximum,
        }
    }

    /// Has the target be `least` or more, as far as [`MOST_ASKED_FOR`] goes.
    pub(super) fn set_least(&mut self, least: Duration) {
        self.least = samples_in(least.min(MOST_ASKED_FOR));
    }

    /// How long a packet may wait, all told.
    pub(super) const fn maximum(&self) -> i64 {
        self.maximum
    }

    /// The useful delay to have.
    pub(super) fn target(&self, arrivals: &Arrivals, lookahead: i64) -> i64 {
        (arrivals.spread() + MARGIN_SAMPLES + lookahead)
            .max(self.least)
            .clamp(self.minimum, self.maximum - 2 * TICK)
    }

    /// What to do at `progress`, where the fastest transit is `fastest`. A lack of `lookahead`,
    /// which is part of `target`, is no emergency: what it is for, it will be for some time.
    pub(super) fn change(
        &self,
        progress: Progress,
        fastest: i64,
        target: i64,
        lookahead: i64,
    ) -> Change {
        let step = step(progress.length);
        let slack = progress.ahead.rem_euclid(step);
        let excess = progress.useful() - fastest - target;
        if excess < -TOLERANCE_SAMPLES {
            let haste = if excess + lookahead < -FAR_SAMPLES {
                Haste::Now
            } else {
                Haste::Soon
            };
            return Change::Lengthen { haste };
        }
        if excess >= TICK {
            let haste = if excess > FAR_SAMPLES {
                Haste::Now
            } else {
                Haste::Soon
            };
            let at_most = slack + excess / step * step;
            return Change::Shorten { at_most, haste };
        }
        if slack >= TOLERATED_SLACK_SAMPLES {
            return Change::Shorten {
                at_most: slack,
                haste: Haste::Idly,
            };
        }
        Change::Keep
    }
}

impl Progress {
    /// From a packet's media time to the tick that needs it, for the packet that is needed the
    /// earliest before it plays.
    pub(super) const fn useful(&self) -> i64 {
        let step = step(self.length);
        let earliest = self.ahead.rem_euclid(step) + TICK - step;
        self.now + self.ahead - self.position - earliest
    }

    /// From a packet's media time to when it plays.
    pub(super) const fn delay(&self) -> i64 {
        self.now + self.ahead - self.position
    }
}

/// The grid on which packets of `length` begin within ticks.
const fn step(length: i64) -> i64 {
    let (mut larger, mut smaller) = (TICK, length);
    while smaller > 0 {
        (larger, smaller) = (smaller, larger % smaller);
    }
    larger
}

/// `time` in samples since the room began, far from any overflow.
pub(super) fn samples_at(time: RoomTime) -> i64 {
    samples_in(time.since_start())
}

/// A length of time in samples, far from any overflow.
pub(super) fn samples_in(duration: Duration) -> i64 {
    let samples = duration.as_nanos() * u128::from(SAMPLE_RATE_HZ) / 1_000_000_000;
    i64::try_from(samples).map_or(i64::MAX / 4, |samples| samples.min(i64::MAX / 4))
}

/// A length in samples as time; zero if negative.
pub(super) fn duration_of(samples: i64) -> Duration {
    let samples = u64::try_from(samples).unwrap_or(0);
    Duration::from_micros(samples.saturating_mul(1_000) / 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 48;

    fn change(length: i64, ahead: i64, useful_above_target: i64) -> Change {
        change_with_lookahead(length, ahead, useful_above_target, 0)
    }

    fn change_with_lookahead(
        length: i64,
        ahead: i64,
        useful_above_target: i64,
        lookahead: i64,
    ) -> Change {
        let delay = Delay::new(&AudioConfig::default());
        let target = 20 * MS;
        let mut progress = Progress {
            now: 1_000_000,
            ahead,
            position: 0,
            length,
        };
        progress.position += progress.useful() - target - useful_above_target;
        delay.change(progress, 0, target, lookahead)
    }

    #[test]
    fn a_delay_from_a_bit_below_the_target_to_a_tick_above_it_is_kept() {
        for excess_ms in [-5, 0, 10, 19] {
            assert_eq!(change(960, 0, excess_ms * MS), Change::Keep, "{excess_ms}");
        }
        for excess_ms in [-5, 0, 19] {
            assert_eq!(change(480, 0, excess_ms * MS), Change::Keep, "{excess_ms}");
        }
    }

    #[test]
    fn a_delay_a_tick_above_the_target_is_shortened_by_whole_packets_and_the_slack() {
        let rows = [
            (960, 0, 20, 960, Haste::Soon),
            (960, 240, 20, 1_200, Haste::Soon),
            (960, 960, 39, 960, Haste::Soon),
            (960, 0, 100, 4_800, Haste::Now),
            (480, 0, 39, 1_440, Haste::Soon),
            (2_880, 1_920, 25, 960, Haste::Soon),
            (120, 0, 21, 960, Haste::Soon),
        ];
        for (length, ahead, excess_ms, at_most, haste) in rows {
            assert_eq!(
                change(length, ahead, excess_ms * MS),
                Change::Shorten { at_most, haste },
                "{length} {ahead} {excess_ms}"
            );
        }
    }

    #[test]
    fn slack_is_played_away_when_it_costs_nothing() {
        let haste = Haste::Idly;

        assert_eq!(change(960, 119, 0), Change::Keep);
        assert_eq!(
            change(960, 500, 0),
            Change::Shorten {
                at_most: 500,
                haste
            }
        );
        assert_eq!(change(480, 480, 0), Change::Keep);
    }

    #[test]
    fn a_delay_below_the_target_is_lengthened() {
        let rows = [(-6, Haste::Soon), (-39, Haste::Soon), (-41, Haste::Now)];
        for (excess_ms, haste) in rows {
            assert_eq!(
                change(960, 0, excess_ms * MS),
                Change::Lengthen { haste },
                "{excess_ms}"
            );
        }
        assert_eq!(
            change_with_lookahead(960, 0, -100 * MS, 80 * MS),
            Change::Lengthen { haste: Haste::Soon }
        );
    }

    #[test]
    fn absurd_settings_are_taken_as_the_nearest_that_make_sense() {
        let delay = |minimum, maximum| {
            Delay::new(&AudioConfig {
                jitter_minimum: minimum,
                jitter_maximum: maximum,
                ..AudioConfig::default()
            })
        };

        let longest = delay(Duration::MAX, Duration::MAX);
        let shortest = delay(Duration::MAX, Duration::ZERO);

        assert_eq!(longest.maximum(), 48_000);
        assert_eq!(longest.target(&Arrivals::new(), 0), 48_000 - 1_920);
        assert_eq!(shortest.maximum(), 2_880);
        assert_eq!(shortest.target(&Arrivals::new(), 0), 960);
    }
}
