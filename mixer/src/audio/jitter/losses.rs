//! How much one track loses, and what it is worth waiting for because of that.
//!
//! A loss is an event: packets lost in a row are one, so an outage does not pass for a lossy path.
//! While events are frequent, the delay is to grow by a lookahead:
//!
//! - one packet, where packets carry a copy of the one before, so that the copy is there in time;
//! - two packets, a round trip and a tick, so that two packets lost in a row can be asked for and
//!   come again, where the losses that copies leave are worth that much delay.
//!
//! On a path that loses nothing it is zero. What losses are worth: the E-model (ITU-T G.107) takes
//! about as many points for a percent of lost packets as for 40 ms of delay, once a conversation
//! has more than 150 ms of it. So on a long path that loses little, a few concealed packets are
//! preferred to a delay that everybody notices.

use codecs::audio::TICK_SAMPLES;

/// A rate of one event per packet.
const WHOLE: u32 = 1 << 20;

/// The rate forgets to 1/e within this many packets.
const MEMORY: u32 = 256;

/// Events per packet from which on a lookahead is paid, and below which it no longer is: three
/// and one within the memory.
const FREQUENT: u32 = WHOLE / 100;
const RARE: u32 = WHOLE / 250;

/// The delay that is worth one percent of lost packets: 40 ms.
const WORTH_SAMPLES: i64 = 1_920;

/// Copies are coarser than what they replace: four of them count as a loss.
const COPIES_PER_LOSS: u64 = 4;

/// Once paid, a lookahead is kept until it costs this many times what it is worth.
const KEPT_UNTIL: i64 = 2;

/// As many packets lost in a row count when it is about what they are worth: a request brings back
/// no more.
const MOST_IN_A_ROW: u32 = 3;

/// The longest lookahead for the sake of asking: 200 ms.
const LONGEST_SAMPLES: i64 = 9_600;

/// Packets without a copy after which the sender is held to add none.
const COPY_MEMORY: u32 = 50;

/// Recent losses of one track.
#[derive(Debug)]
pub(super) struct Losses {
    /// Events per packet.
    rate: u32,
    /// Packets lost per packet.
    share: u32,
    in_a_row: u32,
    frequent: bool,
    /// Whether answers to requests are worth waiting for.
    asking: bool,
    /// Packets since the last that carried a copy.
    since_copy: u32,
    /// Samples per channel.
    round_trip: Option<i64>,
    /// Length of the packets.
    length: i64,
}

impl Losses {
    pub(super) const fn new() -> Self {
        Self {
            rate: 0,
            share: 0,
            in_a_row: 0,
            frequent: false,
            asking: false,
            since_copy: COPY_MEMORY,
            round_trip: None,
            length: TICK_SAMPLES as i64,
        }
    }

    /// So many packets in a row are given up.
    pub(super) fn lost(&mut self, packets: u64) {
        for _ in 0..packets.min(MOST_IN_A_ROW.into()) {
            if self.in_a_row == 0 {
                add_one(&mut self.rate);
            }
            if self.in_a_row < MOST_IN_A_ROW {
                add_one(&mut self.share);
                self.in_a_row += 1;
            }
        }
        self.judge();
    }

    /// A packet came again because it was asked for.
    pub(super) fn came_again(&mut self) {
        add_one(&mut self.rate);
        add_one(&mut self.share);
        self.judge();
    }

    /// A packet given up has come after all: late, not lost.
    pub(super) fn was_late(&mut self) {
        self.rate = self.rate.saturating_sub(WHOLE / MEMORY);
        self.share = self.share.saturating_sub(WHOLE / MEMORY);
        self.judge();
    }

    /// A packet of `length` samples plays that carried a copy of the one before, or not.
    pub(super) fn played(&mut self, length: i64, carries_copy: bool) {
        self.in_a_row = 0;
        self.length = length;
        let had_copies = self.has_copies();
        self.since_copy = if carries_copy {
            0
        } else {
            self.since_copy.saturating_add(1)
        };
        if self.has_copies() != had_copies {
            // What was worth waiting for before may not be now: no reason to keep to it.
            self.asking = false;
        }
        self.rate -= self.rate / MEMORY;
        self.share -= self.share / MEMORY;
        self.judge();
    }

    pub(super) fn set_round_trip(&mut self, samples: i64) {
        self.round_trip = Some(samples);
    }

    pub(super) fn round_trip(&self) -> Option<i64> {
        self.round_trip
    }

    /// How much more delay is worth having.
    pub(super) fn lookahead(&self) -> i64 {
        if !self.frequent {
            return 0;
        }
        let copy = if self.has_copies() { self.length } else { 0 };
        let answers = self.answers().filter(|_| self.asking);
        answers.unwrap_or(copy)
    }

    /// The delay in which two packets lost in a row can be asked for and come again.
    fn answers(&self) -> Option<i64> {
        let round_trip = self.round_trip?;
        let samples = 2 * self.length + round_trip + TICK_SAMPLES as i64;
        (samples <= LONGEST_SAMPLES).then_some(samples)
    }

    const fn has_copies(&self) -> bool {
        self.since_copy < COPY_MEMORY
    }

    /// The delay that what is lost, and not made up for by copies, is worth.
    fn worth(&self) -> i64 {
        let whole = u64::from(WHOLE);
        let share = u64::from(self.share);
        let left = if self.has_copies() {
            // Of two in a row, one has no copy.
            share / COPIES_PER_LOSS + share * share / whole
        } else {
            share
        };
        let percents = i64::try_from(left * 100).unwrap_or(i64::MAX / WORTH_SAMPLES);
        percents * WORTH_SAMPLES / i64::from(WHOLE)
    }

    fn judge(&mut self) {
        self.frequent = self.rate >= if self.frequent { RARE } else { FREQUENT };
        let most = self.worth() * if self.asking { KEPT_UNTIL } else { 1 };
        self.asking = self.answers().is_some_and(|samples| samples <= most);
    }
}

/// Counts one more in a rate.
fn add_one(rate: &mut u32) {
    *rate = (*rate + WHOLE / MEMORY).min(WHOLE);
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
                losses.lost(1);
            } else {
                losses.played(LENGTH, carries_copy);
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
            (50, false, Some(50), 0),
            (50, false, Some(15), 75),
            (20, false, Some(50), 110),
            (20, false, Some(100), 160),
            (20, true, Some(50), 20),
            (20, true, Some(5), 20),
            (10, true, None, 20),
            (10, true, Some(50), 110),
            (10, true, Some(100), 20),
            (10, true, Some(300), 20),
            (10, false, Some(300), 0),
        ];
        for (nth, copies, round_trip, expected_ms) in rows {
            let losses = losing(nth, copies, round_trip);

            assert_eq!(
                losses.lookahead(),
                expected_ms * 48,
                "{nth} {copies} {round_trip:?}"
            );
        }
    }

    #[test]
    fn copies_that_begin_to_come_end_a_wait_that_they_make_needless() {
        let mut losses = losing(10, false, Some(100));
        assert_eq!(losses.lookahead(), 160 * 48);

        losses.played(LENGTH, true);

        assert_eq!(losses.lookahead(), 20 * 48);
    }

    #[test]
    fn an_outage_is_one_event_and_pays_no_lookahead() {
        let mut losses = losing(1_000, true, Some(50));

        (0..25).for_each(|_| losses.lost(1));

        assert_eq!(losses.lookahead(), 0);
    }

    #[test]
    fn lookahead_ends_within_twenty_seconds_after_the_losses() {
        let mut losses = losing(10, true, Some(50));

        (0..1_000).for_each(|_| losses.played(LENGTH, true));

        assert_eq!(losses.lookahead(), 0);
    }

    #[test]
    fn packets_that_were_only_late_are_no_losses() {
        let mut losses = Losses::new();

        for _ in 0..200 {
            losses.lost(1);
            losses.was_late();
            losses.played(LENGTH, true);
        }

        assert_eq!(losses.lookahead(), 0);
    }
}
