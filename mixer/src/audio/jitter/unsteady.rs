//! What the jitter buffer does where packets are missing, late or too many.

use codecs::audio::TICK_SAMPLES;

use super::{Due, JitterBuffer, MOST_STARVED_SAMPLES, Phase, SHORTEST_SAMPLES};
use crate::RoomTime;
use crate::audio::AudioCounters;

const TICK: i64 = TICK_SAMPLES as i64;

impl JitterBuffer {
    /// Drops the oldest packets if the newest would have to wait too long; returns the new
    /// position.
    pub(super) fn shed_backlog(
        &mut self,
        now: RoomTime,
        ahead: usize,
        position: i64,
        counters: &mut AudioCounters,
    ) -> i64 {
        let Some(newest) = self.order.back_timestamp() else {
            return position;
        };
        // The newest came after the last tick.
        let most = self.delay.maximum() - TICK;
        if newest - position <= most {
            return position;
        }
        while self.order.front_waits_longer(newest, most) {
            self.order.drop_front(counters);
        }
        // After a jump in media time, silence leads up to what there is.
        let wanted =
            self.progress_at(now, ahead, 0).delay() - self.arrivals.fastest() - self.target();
        self.order.front().map_or(position, |front| {
            let front = front.stamp.timestamp.0;
            wanted.clamp(front - most, front)
        })
    }

    /// Decides about packets whose time was concealed away: they are late if a packet in time
    /// follows them, else playout steps back to them.
    pub(super) fn settle_late(&mut self, position: i64, counters: &mut AudioCounters) -> i64 {
        let in_time = self
            .order
            .position_at(position - SHORTEST_SAMPLES as i64 + 1);
        if self.order.get(in_time).is_none() {
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

    /// Replaces the next packet, missing in a gap of `gap` samples before the first that waits.
    pub(super) fn give_up_one(&mut self, gap: i64, counters: &mut AudioCounters) -> Due<'_> {
        let shortest = SHORTEST_SAMPLES as i64;
        let length = self.packet_samples.min(gap / shortest * shortest);
        let samples = self.advance(length);
        self.order.give_up_next(counters);
        self.losses.lost(1);
        match self.order.front() {
            Some(next) if gap - length < shortest => Due::Recover {
                next: &next.payload,
                samples,
            },
            _ => Due::Conceal { samples },
        }
    }

    pub(super) fn starve(&mut self, starved: i64) -> Due<'_> {
        if starved >= MOST_STARVED_SAMPLES {
            self.phase = Phase::Idle;
            return Due::Nothing;
        }
        let samples = self.advance(self.packet_samples.min(TICK));
        if let Phase::Playing { starved, .. } = &mut self.phase {
            *starved += samples as i64;
        }
        Due::Conceal { samples }
    }
}
