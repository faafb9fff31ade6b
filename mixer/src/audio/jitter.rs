//! Reorders one track's packets and decides when each is due.
//!
//! Insert packets as they arrive; take what is due, piece by piece, until a tick is full. The
//! buffer never waits and never looks at a clock: the first packet of a spurt is held until it has
//! the target delay, judged against the `now` of [`JitterBuffer::take`]. From then on the position
//! in media time moves with what is played, one piece after the other.
//!
//! - The target follows the arrivals ([`Arrivals`]) and the losses ([`Losses`]);
//!   [`JitterBuffer::change`] says how to come to it by playing faster or slower.
//! - A gap in the sequence numbers is loss: recovered from the next packet if that is there when
//!   the gap is due, else concealed. While it is not due yet, [`JitterBuffer::ask`] tells what a
//!   retransmission would help.
//! - A gap in the timestamps alone is silence (DTX).
//! - Nothing there at all: concealed for [`MOST_STARVED_SAMPLES`]. A packet that comes meanwhile
//!   and too late plays at once, its delay longer by what was concealed, unless a later one is in
//!   time. After that the spurt is over and the next packet begins one.
//! - No packet waits longer than the configured maximum: beyond it the oldest are dropped.
//!
//! Bounds: `order::CAPACITY` packets, `asked::CAPACITY` requests.

mod arrivals;
mod asked;
mod delay;
mod due;
mod losses;
mod order;
mod unsteady;

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers written down in tests are small"
)]
mod tests;

use std::time::Duration;

use codecs::audio::{MAX_PACKET_SAMPLES, TICK_SAMPLES};
use codecs::rtp::{ExtSeqNo, SeqNo};

use crate::RoomTime;
use crate::audio::{AudioConfig, AudioCounters, AudioPacket, PlayoutDelay};

use self::arrivals::{Arrival, Arrivals};
use self::asked::{Asked, Missing};
use self::delay::{Delay, Progress, duration_of, samples_at, samples_in};
use self::losses::Losses;
use self::order::{Inserted, Order, Stamp};

pub(crate) use self::asked::CAPACITY as MOST_ASKED;
pub(crate) use self::delay::{Change, Haste};
pub(crate) use self::due::{Copies, Due};

const TICK: i64 = TICK_SAMPLES as i64;

/// Concealment comes in multiples of this: 2.5 ms. Shorter gaps are no gaps.
pub(crate) const SHORTEST_SAMPLES: usize = 120;

/// How long to conceal while nothing comes: 100 ms.
const MOST_STARVED_SAMPLES: i64 = 4_800;

/// One track's packets on their way to playout.
#[derive(Debug)]
pub(crate) struct JitterBuffer {
    order: Order,
    arrivals: Arrivals,
    losses: Losses,
    asked: Asked,
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

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    ByItself,
    /// Because it was asked for.
    Again,
}

impl JitterBuffer {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        Self {
            order: Order::new(),
            arrivals: Arrivals::new(),
            losses: Losses::new(),
            asked: Asked::new(),
            delay: Delay::new(config),
            phase: Phase::Idle,
            packet_samples: TICK,
        }
    }

    /// Takes in one packet of any order and content.
    pub(crate) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) {
        let arrival = packet.arrival;
        let inserted = self.order.insert(packet, counters);
        match inserted {
            Inserted::Kept(stamp) => {
                if self.observe(stamp, arrival) == Came::Again {
                    self.losses.came_again();
                }
            }
            Inserted::Late(stamp) => {
                if self.observe(stamp, arrival) == Came::ByItself {
                    self.losses.was_late();
                }
            }
            Inserted::Restarted(stamp) => {
                self.asked.clear();
                self.arrivals.restart();
                self.observe(stamp, arrival);
            }
            Inserted::Refused => {}
        }
        self.phase = match (inserted, self.phase) {
            (Inserted::Refused | Inserted::Late(_), phase) => phase,
            (Inserted::Restarted(_), _) | (Inserted::Kept(_), Phase::Idle) => {
                Phase::Holding { since: arrival }
            }
            (Inserted::Kept(_), Phase::Holding { since }) => Phase::Holding {
                since: since.min(arrival),
            },
            (Inserted::Kept(_), playing @ Phase::Playing { .. }) => playing,
        };
    }

    /// Takes note of how long a packet takes to the sender and back.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.losses.set_round_trip(samples_in(round_trip));
    }

    /// Keeps sound back for at least `delay`.
    pub(crate) fn set_least_delay(&mut self, delay: Duration) {
        self.delay.set_least(delay);
    }

    /// What to do about the delay, at the beginning of the tick at `now`, with `ahead` samples
    /// decoded already.
    pub(crate) fn change(&self, now: RoomTime, ahead: usize) -> Change {
        self.progress(now, ahead).map_or(Change::Keep, |progress| {
            let fastest = self.arrivals.fastest();
            self.delay
                .change(progress, fastest, self.target(), self.lookahead())
        })
    }

    /// The delay there is and the one wanted, after the tick at `now`, with `ahead` samples
    /// decoded for the next.
    pub(crate) fn playout_delay(&self, now: RoomTime, ahead: usize) -> PlayoutDelay {
        let next = self.progress(now, ahead + TICK_SAMPLES);
        PlayoutDelay {
            target: duration_of(self.target()),
            current: next.map(|next| duration_of(next.delay() - self.arrivals.fastest())),
        }
    }

    /// Names the packets worth asking for, after the tick at `now`, with `ahead` samples decoded
    /// for the next.
    pub(crate) fn ask(&mut self, now: RoomTime, ahead: usize, mut ask: impl FnMut(SeqNo)) {
        let Some(round_trip) = self.losses.round_trip() else {
            return;
        };
        let Some(next) = self.progress(now, ahead + TICK_SAMPLES) else {
            return;
        };
        let overdue_after = self.arrivals.fastest() + self.arrivals.spread();
        for (seq, after) in self.order.holes() {
            let behind = (after.seq.0 - seq.0) * self.packet_samples;
            let timestamp = after.timestamp.0 - behind;
            let plays_in = next.ahead + timestamp - next.position;
            let missing = Missing {
                seq,
                overdue_at: timestamp + overdue_after,
                needed_at: next.now + plays_in - plays_in.rem_euclid(TICK),
            };
            if self.asked.ask(missing, next.now, round_trip) {
                ask(wire(seq));
            }
        }
    }

    /// What to play next, at the tick of `now`, after `ahead` samples decoded already.
    pub(crate) fn take(
        &mut self,
        now: RoomTime,
        ahead: usize,
        counters: &mut AudioCounters,
    ) -> Due<'_> {
        let (mut position, starved) = match self.begin_or_continue(now, ahead) {
            Phase::Playing { position, starved } => (position, starved),
            Phase::Idle | Phase::Holding { .. } => return Due::Nothing,
        };
        position = self.shed_backlog(now, ahead, position, counters);
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
            let samples = self.advance((gap - lost).min(TICK));
            return Due::Silence { samples };
        }
        self.give_up_one(gap, counters)
    }

    /// Whether the packet that comes next is there.
    pub(crate) fn has_next(&self) -> bool {
        match (self.phase, self.order.front()) {
            (Phase::Playing { position, .. }, Some(front)) => {
                front.stamp.timestamp.0 - position < SHORTEST_SAMPLES as i64
                    && self.order.missing() == 0
            }
            _ => false,
        }
    }

    /// Reports how long the packet last taken was, in samples per channel, and what it carried.
    pub(crate) fn played(&mut self, samples: usize, copies: Copies) {
        let samples = samples.min(MAX_PACKET_SAMPLES) as i64;
        if let Phase::Playing { position, .. } = &mut self.phase {
            *position += samples;
        }
        let shortest = SHORTEST_SAMPLES as i64;
        self.packet_samples = (samples / shortest * shortest).max(shortest);
        self.losses
            .played(self.packet_samples, copies == Copies::Carried);
    }

    /// Length of the last packet, to conceal in place of one that cannot be decoded.
    pub(crate) fn packet_samples(&self) -> usize {
        usize::try_from(self.packet_samples).unwrap_or(TICK_SAMPLES)
    }

    fn observe(&mut self, stamp: Stamp, arrival: RoomTime) -> Came {
        let arrival = samples_at(arrival);
        let round_trip = self.losses.round_trip().unwrap_or(0);
        // What was sent again says nothing about how long packets take.
        if self.asked.has_answered(stamp.seq, arrival, round_trip) {
            return Came::Again;
        }
        self.arrivals.observe(Arrival {
            arrival,
            timestamp: stamp.timestamp.0,
            length: self.packet_samples,
        });
        Came::ByItself
    }

    fn target(&self) -> i64 {
        self.delay.target(&self.arrivals, self.lookahead())
    }

    fn lookahead(&self) -> i64 {
        self.losses.lookahead()
    }

    fn progress(&self, now: RoomTime, ahead: usize) -> Option<Progress> {
        match self.phase {
            Phase::Playing { position, .. } => Some(self.progress_at(now, ahead, position)),
            Phase::Idle | Phase::Holding { .. } => None,
        }
    }

    fn progress_at(&self, now: RoomTime, ahead: usize, position: i64) -> Progress {
        Progress {
            now: samples_at(now),
            ahead: ahead as i64,
            position,
            length: self.packet_samples,
        }
    }

    fn begin_or_continue(&mut self, now: RoomTime, ahead: usize) -> Phase {
        if let (Phase::Holding { since }, Some(front)) = (self.phase, self.order.front()) {
            if let Some(length) = self.order.front_length() {
                self.packet_samples = length;
            }
            let position = front.stamp.timestamp.0;
            let useful = self.progress_at(now, ahead, position).useful();
            let has_waited = useful - self.arrivals.fastest() >= self.target();
            // A second condition, in case that arrivals make no sense.
            if has_waited || samples_in(now.since(since)) >= self.delay.maximum() {
                self.phase = Phase::Playing {
                    position,
                    starved: 0,
                };
            }
        }
        self.phase
    }

    fn give_front(&mut self, counters: &mut AudioCounters) -> Due<'_> {
        let lost_before = counters.lost;
        let Some(front) = self.order.pop_front(counters) else {
            return Due::Nothing;
        };
        self.losses.lost(counters.lost - lost_before);
        self.asked.passed(front.stamp.seq);
        self.phase = Phase::Playing {
            position: front.stamp.timestamp.0,
            starved: 0,
        };
        Due::Packet(front.payload)
    }

    /// Moves the position on by `length`, and returns it as a count.
    fn advance(&mut self, length: i64) -> usize {
        if let Phase::Playing { position, .. } = &mut self.phase {
            *position += length;
        }
        usize::try_from(length).unwrap_or(0)
    }
}

/// As it is on the wire.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the wire has the lower 16 bits"
)]
const fn wire(seq: ExtSeqNo) -> SeqNo {
    SeqNo(seq.0 as u16)
}
