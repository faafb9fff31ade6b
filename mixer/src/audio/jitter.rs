//! Reorders one track's packets and decides when each is due.
//!
//! Insert packets as they arrive; take what is due, piece by piece, until a tick is full. The
//! buffer never waits and never looks at a clock: the first packet of a spurt is held for the
//! target delay, judged against the `now` of [`JitterBuffer::take`], or until that much media
//! follows it. From then on the position in media time moves with what is played, one piece after
//! the other, and the delay is simply the distance to the newest packet.
//!
//! - A gap in the sequence numbers is loss: recovered from the next packet if that is there when
//!   the gap is due, else concealed.
//! - A gap in the timestamps alone is silence (DTX).
//! - Nothing there at all: concealed for [`MOST_STARVED_SAMPLES`]. A packet that comes meanwhile
//!   and too late plays at once, its delay longer by what was concealed, unless a later one is in
//!   time. After that the spurt is over and the next packet begins one, with the target delay.
//! - A delay above the maximum goes back to the target at once, by dropping the oldest. See
//!   [`Delay`] for what lies between.
//!
//! Bounds: `order::CAPACITY` packets; a delay of the maximum plus one packet.

mod delay;
mod order;

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers written down in tests are small"
)]
mod tests;

use bytes::Bytes;
use codecs::audio::{MAX_PACKET_SAMPLES, TICK_SAMPLES};

use crate::RoomTime;
use crate::audio::{AudioConfig, AudioCounters, AudioPacket};

use self::delay::Delay;
use self::order::{Inserted, Order};

/// Concealment comes in multiples of this: 2.5 ms. Shorter gaps are no gaps.
pub(crate) const SHORTEST_SAMPLES: usize = 120;

/// How long to conceal while nothing comes: 100 ms.
const MOST_STARVED_SAMPLES: i64 = 4_800;

/// What to play next. Lengths are samples per channel, multiples of [`SHORTEST_SAMPLES`] where
/// the codec synthesizes them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due<'a> {
    /// Decode this packet, then tell [`JitterBuffer::played`] how long it was.
    Packet(Bytes),
    /// A packet is missing and the one after it is `next`, which stays in the buffer.
    Recover {
        /// May carry a copy of the missing one.
        next: &'a Bytes,
        /// What is missing, in samples.
        samples: usize,
    },
    /// A packet is missing.
    Conceal {
        /// What is missing, in samples.
        samples: usize,
    },
    /// The sender was silent.
    Silence {
        /// For how long, in samples.
        samples: usize,
    },
    /// Nothing will be due in this tick.
    Nothing,
}

/// One track's packets on their way to playout.
#[derive(Debug)]
pub(crate) struct JitterBuffer {
    order: Order,
    delay: Delay,
    phase: Phase,
    /// Length of the last packet decoded, a multiple of [`SHORTEST_SAMPLES`].
    packet_samples: i64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing has come since the last spurt ended.
    Idle,
    /// The first packet of a spurt waits.
    Holding { since: RoomTime },
    Playing {
        /// Media time of the sample after the last one given out.
        position: i64,
        /// What has been concealed since the last packet, with nothing there.
        starved: i64,
    },
}

impl JitterBuffer {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        Self {
            order: Order::new(),
            delay: Delay::new(config),
            phase: Phase::Idle,
            packet_samples: TICK_SAMPLES as i64,
        }
    }

    /// Takes in one packet of any order and content.
    pub(crate) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) {
        let arrival = packet.arrival;
        let inserted = self.order.insert(packet, counters);
        self.phase = match (inserted, self.phase) {
            (Inserted::Refused, phase) => phase,
            (Inserted::Restarted, _) | (Inserted::Kept, Phase::Idle) => {
                Phase::Holding { since: arrival }
            }
            (Inserted::Kept, Phase::Holding { since }) => Phase::Holding {
                since: since.min(arrival),
            },
            (Inserted::Kept, playing @ Phase::Playing { .. }) => playing,
        };
    }

    /// What to play next, at the tick of `now`.
    pub(crate) fn take(&mut self, now: RoomTime, counters: &mut AudioCounters) -> Due<'_> {
        let (mut position, starved) = match self.begin_or_continue(now) {
            Phase::Playing { position, starved } => (position, starved),
            Phase::Idle | Phase::Holding { .. } => return Due::Nothing,
        };
        position = self.shed_backlog(position, counters);
        if starved > 0 {
            position = self.settle_late(position, counters);
        }
        self.phase = Phase::Playing { position, starved };
        let Some(front) = self.order.front() else {
            return self.starve(starved);
        };
        let gap = front.stamp.timestamp.0 - position;
        if gap < SHORTEST_SAMPLES as i64 {
            return self.give_front(counters);
        }
        let lost = self.order.missing().saturating_mul(self.packet_samples);
        if gap > lost {
            let samples = self.advance((gap - lost).min(TICK_SAMPLES as i64));
            return Due::Silence { samples };
        }
        self.give_up_one(gap, counters)
    }

    /// Reports how long the packet last taken was, in samples per channel.
    pub(crate) fn played(&mut self, samples: usize) {
        let samples = samples.min(MAX_PACKET_SAMPLES) as i64;
        if let Phase::Playing { position, .. } = &mut self.phase {
            *position += samples;
        }
        let shortest = SHORTEST_SAMPLES as i64;
        self.packet_samples = (samples / shortest * shortest).max(shortest);
    }

    /// Length of the last packet, to conceal in place of one that cannot be decoded.
    pub(crate) fn packet_samples(&self) -> usize {
        usize::try_from(self.packet_samples).unwrap_or(TICK_SAMPLES)
    }

    /// Whether the packet last taken had better not be heard, so that the delay comes down. Worth
    /// asking where nobody would notice.
    pub(crate) fn could_skip(&self) -> bool {
        self.delay.is_excessive_by(self.packet_samples)
    }

    /// Reports that the packet last taken was decoded but is not heard.
    pub(crate) fn skipped(&mut self) {
        self.delay.restart();
    }

    fn begin_or_continue(&mut self, now: RoomTime) -> Phase {
        if let (Phase::Holding { since }, Some(front)) = (self.phase, self.order.front()) {
            // An arrival ahead of the tick is one that came with the tick.
            let since = since.min(now);
            let position = front.stamp.timestamp.0;
            let newest = self.order.back_timestamp().unwrap_or(position);
            // A burst has done its waiting somewhere on the way.
            let has_enough = newest - position >= self.delay.target_samples();
            self.phase = if has_enough || now.since(since) >= self.delay.target() {
                Phase::Playing {
                    position,
                    starved: 0,
                }
            } else {
                Phase::Holding { since }
            };
        }
        self.phase
    }

    /// Drops the oldest packets if the newest is too far away; returns the new position.
    fn shed_backlog(&mut self, position: i64, counters: &mut AudioCounters) -> i64 {
        let Some(newest) = self.order.back_timestamp() else {
            return position;
        };
        if newest - position <= self.delay.maximum_samples() {
            return position;
        }
        let target = newest - self.delay.target_samples();
        while self
            .order
            .get(1)
            .is_some_and(|second| second.stamp.timestamp.0 <= target)
        {
            self.order.drop_front(counters);
        }
        self.delay.restart();
        // With nothing near the target (a jump in media time), silence leads up to what there is.
        self.order
            .front()
            .map_or(target, |front| front.stamp.timestamp.0.min(target))
    }

    /// Decides about packets whose time was concealed away: they are late if a packet in time
    /// follows them, else playout steps back to them.
    fn settle_late(&mut self, position: i64, counters: &mut AudioCounters) -> i64 {
        let in_time = self
            .order
            .position_at(position - SHORTEST_SAMPLES as i64 + 1);
        if in_time == self.order.len() {
            return self
                .order
                .front()
                .map_or(position, |front| front.stamp.timestamp.0);
        }
        for _ in 0..in_time {
            self.order.pop_front(counters);
            counters.late += 1;
        }
        position
    }

    fn give_front(&mut self, counters: &mut AudioCounters) -> Due<'_> {
        let Some(front) = self.order.pop_front(counters) else {
            return Due::Nothing;
        };
        let position = front.stamp.timestamp.0;
        let newest = self.order.back_timestamp().unwrap_or(position);
        self.delay.observe(newest - position, self.packet_samples);
        self.phase = Phase::Playing {
            position,
            starved: 0,
        };
        Due::Packet(front.payload)
    }

    /// Replaces the next packet, missing in a gap of `gap` samples before the first that waits.
    fn give_up_one(&mut self, gap: i64, counters: &mut AudioCounters) -> Due<'_> {
        let shortest = SHORTEST_SAMPLES as i64;
        let length = self.packet_samples.min(gap / shortest * shortest);
        let samples = self.advance(length);
        self.order.give_up_next(counters);
        match self.order.front() {
            Some(next) if gap - length < shortest => Due::Recover {
                next: &next.payload,
                samples,
            },
            _ => Due::Conceal { samples },
        }
    }

    fn starve(&mut self, starved: i64) -> Due<'_> {
        if starved >= MOST_STARVED_SAMPLES {
            self.phase = Phase::Idle;
            self.delay.restart();
            return Due::Nothing;
        }
        let samples = self.advance(self.packet_samples.min(TICK_SAMPLES as i64));
        if let Phase::Playing { starved, .. } = &mut self.phase {
            *starved += samples as i64;
        }
        Due::Conceal { samples }
    }

    /// Moves the position on by `length`, and returns it as a count.
    fn advance(&mut self, length: i64) -> usize {
        if let Phase::Playing { position, .. } = &mut self.phase {
            *position += length;
        }
        usize::try_from(length).unwrap_or(0)
    }
}
