//! How much one track loses, and what it is worth waiting for because of that.
//!
//! A loss is an event: packets lost in a row are one, so an outage does not pass for a lossy path.
//! While events are frequent, the delay is to grow by a lookahead:
//!
//! - one packet, where packets carry a copy of the one before, so that the copy is there in time;
//! - two packets, a round trip and a tick, where that is short enough, so that two packets lost in
//!   a row can be asked for and come again. Only where there are no copies, or where losses are so
//!   frequent that copies get lost too.
//!
//! On a path that loses nothing it is zero.

use codecs::audio::TICK_SAMPLES;

/// A rate of one event per packet.
const WHOLE: u32 = 1 << 20;

/// The rate forgets to 1/e within this many packets.
const MEMORY: u32 = 256;

/// Events per packet from which on a lookahead is paid, and below which it no longer is: three
/// and one within the memory.
const FREQUENT: u32 = WHOLE / 100;
const RARE: u32 = WHOLE / 250;

/// The same for losses that copies do not mend well.
const HEAVY: u32 = WHOLE / 30;
const LIGHT: u32 = WHOLE / 60;

/// The longest lookahead for the sake of asking: 200 ms.
const LONGEST_SAMPLES: i64 = 9_600;

/// Packets without a copy after which the sender is held to add none.
const COPY_MEMORY: u32 = 50;

/// Recent losses of one track.
#[derive(Debug)]
pub(super) struct Losses {
    rate: u32,
    in_a_row: bool,
    frequent: bool,
    heavy: bool,
    /// Packets since the last that carried a copy.
    since_copy: u32,
    /// Samples per channel.
    round_trip: Option<i64>,
}

impl Losses {
    pub(super) const fn new() -> Self {
        Self {
            rate: 0,
            in_a_row: false,
            frequent: false,
            heavy: false,
            since_copy: COPY_MEMORY,
            round_trip: None,
        }
    }

    /// A packet is given up.
    pub(super) fn lost(&mut self) {
        if !self.in_a_row {
            self.add_event();
        }
        self.in_a_row = true;
    }

    /// A packet came again because it was asked for.
    pub(super) fn came_again(&mut self) {
        self.add_event();
    }

    /// A packet given up has come after all: late, not lost.
    pub(super) fn was_late(&mut self) {
        self.rate = self.rate.saturating_sub(WHOLE / MEMORY);
        self.judge();
    }

    /// A packet plays that carried a copy of the one before, or not.
    pub(super) fn played(&mut self, carries_copy: bool) {
        self.in_a_row = false;
        self.since_copy = if carries_copy {
            0
        } else {
            self.since_copy.saturating_add(1)
        };
        self.rate -= self.rate / MEMORY;
        self.judge();
    }

    pub(super) fn set_round_trip(&mut self, samples: i64) {
        self.round_trip = Some(samples);
    }

    pub(super) fn round_trip(&self) -> Option<i64> {
        self.round_trip
    }

    /// How much more delay is worth having, for packets of `length` samples.
    pub(super) fn lookahead(&self, length: i64) -> i64 {
        if !self.frequent {
            return 0;
        }
        let has_copies = self.since_copy < COPY_MEMORY;
        let asking = self
            .round_trip
            .map(|round_trip| 2 * length + round_trip + TICK_SAMPLES as i64)
            .filter(|&samples| samples <= LONGEST_SAMPLES && (self.heavy || !has_copies));
        let copy = if has_copies { length } else { 0 };
        asking.unwrap_or(copy)
    }

    fn add_event(&mut self) {
        self.rate = (self.rate + WHOLE / MEMORY).min(WHOLE);
        self.judge();
    }

    fn judge(&mut self) {
        self.frequent = self.rate >= if self.frequent { RARE } else { FREQUENT };
        self.heavy = self.rate >= if self.heavy { LIGHT } else { HEAVY };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: i64 = 960;

    /// Plays 500 packets, every `nth` lost.
    fn losing(nth: u32, carries_copy: bool, round_trip_ms: Option<i64>) -> Losses {
        let mut losses = Losses::new();
        if let Some(ms) = round_trip_ms {
            losses.set_round_trip(ms * 48);
        }
        for at in 1..=500 {
            if at % nth == 0 {
                losses.lost();
            } else {
                losses.played(carries_copy);
            }
        }
        losses
    }

    #[test]
    fn lookahead_is_what_the_losses_and_the_means_against_them_are_worth() {
        let rows = [
            // Every nth lost, copies, round trip: lookahead in ms.
            (1_000, true, Some(50), 0),
            (300, true, Some(50), 0),
            (50, true, None, 20),
            (50, true, Some(50), 20),
            (50, false, None, 0),
            (50, false, Some(50), 110),
            (10, true, None, 20),
            (10, true, Some(50), 110),
            (10, true, Some(300), 20),
        ];
        for (nth, copies, round_trip, expected_ms) in rows {
            let losses = losing(nth, copies, round_trip);

            assert_eq!(
                losses.lookahead(LENGTH),
                expected_ms * 48,
                "{nth} {copies} {round_trip:?}"
            );
        }
    }

    #[test]
    fn an_outage_is_one_event_and_pays_no_lookahead() {
        let mut losses = losing(1_000, true, Some(50));

        (0..25).for_each(|_| losses.lost());

        assert_eq!(losses.lookahead(LENGTH), 0);
    }

    #[test]
    fn lookahead_ends_within_twenty_seconds_after_the_losses() {
        let mut losses = losing(10, true, Some(50));

        (0..1_000).for_each(|_| losses.played(true));

        assert_eq!(losses.lookahead(LENGTH), 0);
    }

    #[test]
    fn packets_that_were_only_late_are_no_losses() {
        let mut losses = Losses::new();

        for _ in 0..200 {
            losses.lost();
            losses.was_late();
            losses.played(true);
        }

        assert_eq!(losses.lookahead(LENGTH), 0);
    }
}
