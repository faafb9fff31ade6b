//! Which packets of one incoming video stream are missing, and when to ask for them (RFC 4585 §6.2.1).
//!
//! A gap in the sequence numbers is asked for once it has outlived a little reordering, and again
//! each time a round trip and a quarter have passed, until the packet arrives, by itself or as a resend, or is of no use any
//! more. Time is an argument.
//!
//! Holds at most [`MAX_GAPS`] missing packets; a larger gap is an outage, which no resend
//! can mend.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long a gap may be nothing but packets in another order.
const REORDERING: Duration = Duration::from_millis(10);

/// The shortest time between two requests for a packet.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// The time between two requests while the round trip is unknown.
const INTERVAL_WITHOUT_ROUND_TRIP: Duration = Duration::from_millis(100);

/// A packet this far behind the newest one is not late: the stream has begun anew.
const RESTART: i16 = -1_000;

/// A packet that is missing for longer is given up: here, and by whoever puts frames together. Three
/// requests can be answered within it over a path of 120 ms; a keyframe, which is what remains
/// then, takes as long as another two and weighs ten times as much.
pub(crate) const RESEND_PATIENCE: Duration = Duration::from_millis(450);

/// Requests for one packet.
const MAX_REQUESTS: u8 = 8;

/// Packets missing at a time.
const MAX_GAPS: usize = 256;

/// Over a longer way nothing comes back in time.
const MAX_ROUND_TRIP: Duration = Duration::from_millis(380);

/// The gaps of one stream.
#[derive(Debug, Default)]
pub(in crate::rtc) struct Missing {
    /// The highest sequence number so far, unwrapped.
    highest: Option<i64>,
    gaps: BTreeMap<i64, Gap>,
    /// When [`Self::requests`] has something to do at the earliest.
    wake: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    since: Instant,
    requests: u8,
    next: Instant,
}

impl Missing {
    /// Packet `seq` of the stream itself has come at `now`.
    pub(in crate::rtc) fn arrived(&mut self, seq: u16, now: Instant) {
        let Some(highest) = self.highest else {
            self.highest = Some(i64::from(seq));
            return;
        };
        let ahead = seq.wrapping_sub(wire(highest)).cast_signed();
        let arrived = highest + i64::from(ahead);
        if ahead <= 0 && ahead > RESTART {
            self.gaps.remove(&arrived);
            return;
        }
        self.highest = Some(arrived);
        if usize::try_from(ahead).is_ok_and(|ahead| ahead <= MAX_GAPS + 1) {
            self.open(highest + 1..arrived, now);
        } else {
            self.gaps.clear();
        }
    }

    /// Packet `seq` has come as a resend. That says nothing about how far the stream has got.
    pub(in crate::rtc) fn resent(&mut self, seq: u16) {
        if let Some(highest) = self.highest {
            let ahead = seq.wrapping_sub(wire(highest)).cast_signed();
            self.gaps.remove(&(highest + i64::from(ahead)));
        }
    }

    /// The packets to ask for at `now`, in order. Forgets those that are of no use any more; on a
    /// path whose round trip is too long, all of them.
    pub(in crate::rtc) fn requests(
        &mut self,
        round_trip: Option<Duration>,
        now: Instant,
    ) -> Vec<u16> {
        if self.wake.is_none_or(|wake| wake > now) {
            return Vec::new();
        }
        if round_trip.is_some_and(|rtt| rtt > MAX_ROUND_TRIP) {
            self.gaps.clear();
        }
        // Not sooner: on an uneven path half of the requests would come within a round trip of the
        // last resend, and browsers ignore those.
        let interval = round_trip.map_or(INTERVAL_WITHOUT_ROUND_TRIP, |rtt| {
            (rtt * 5 / 4).max(MIN_INTERVAL)
        });
        let mut due = Vec::new();
        self.gaps.retain(|seq, gap| {
            if now.saturating_duration_since(gap.since) > RESEND_PATIENCE {
                return false;
            }
            if gap.next <= now {
                due.push(wire(*seq));
                gap.requests += 1;
                gap.next = now + interval;
            }
            gap.requests < MAX_REQUESTS
        });
        self.wake = self.gaps.values().map(|gap| gap.next).min();
        due
    }

    /// When to call [`Self::requests`] again; a call before that does nothing.
    pub(in crate::rtc) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    fn open(&mut self, missing: Range<i64>, now: Instant) {
        let next = now + REORDERING;
        for seq in missing {
            let gap = Gap {
                since: now,
                requests: 0,
                next,
            };
            self.gaps.insert(seq, gap);
            self.wake = Some(self.wake.map_or(next, |wake| wake.min(next)));
        }
        while self.gaps.len() > MAX_GAPS {
            self.gaps.pop_first();
        }
    }
}

/// The low 16 bits.
fn wire(seq: i64) -> u16 {
    u16::try_from(seq.rem_euclid(1 << 16)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RTT: Option<Duration> = Some(Duration::from_millis(60));

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_gap_is_asked_for_after_reordering_and_then_after_round_trips_until_it_is_filled() {
        let start = Instant::now();
        for first in [0, 1, 32_767, 32_768, 65_533, 65_534, 65_535] {
            let mut missing = Missing::default();
            let seq = |n| wire(i64::from(first) + n);
            missing.arrived(seq(0), start);
            missing.arrived(seq(3), start);

            for (at, expected) in [
                (9, vec![]),
                (10, vec![seq(1), seq(2)]),
                (11, vec![]),
                (84, vec![]),
                (85, vec![seq(1), seq(2)]),
            ] {
                let asked = missing.requests(RTT, start + ms(at));
                assert_eq!(asked, expected, "{first} at {at} ms");
            }

            missing.arrived(seq(1), start + ms(90));
            assert_eq!(missing.requests(RTT, start + ms(160)), vec![seq(2)]);
            missing.arrived(seq(2), start + ms(170));
            assert_eq!(missing.requests(RTT, start + ms(500)), Vec::<u16>::new());
            assert_eq!(missing.wake(), None);
        }
    }

    #[test]
    fn reordered_packets_are_not_asked_for() {
        let start = Instant::now();
        let mut missing = Missing::default();

        for (seq, at) in [(10, 0), (12, 1), (11, 9), (14, 10), (13, 12)] {
            missing.arrived(seq, start + ms(at));
            assert_eq!(missing.requests(RTT, start + ms(at)), Vec::<u16>::new());
        }

        assert_eq!(missing.requests(RTT, start + ms(500)), Vec::<u16>::new());
    }

    #[test]
    fn nothing_is_asked_for_over_a_long_way() {
        let start = Instant::now();
        let ask = |round_trip| {
            let mut missing = Missing::default();
            missing.arrived(1, start);
            missing.arrived(3, start);
            missing.requests(round_trip, start + ms(10)).len()
        };

        assert_eq!((ask(RTT), ask(None)), (1, 1));
        assert_eq!(ask(Some(ms(381))), 0);
    }

    #[test]
    fn after_an_outage_or_a_restart_nothing_from_before_is_asked_for() {
        let start = Instant::now();
        for jump in [2 + 258, 30_000, 40_000, 64_000] {
            let mut missing = Missing::default();
            missing.arrived(0, start);
            missing.arrived(2, start);

            missing.arrived(jump, start);
            missing.arrived(jump + 2, start);

            let asked = missing.requests(RTT, start + ms(10));
            assert_eq!(asked, vec![jump + 1], "after {jump}");
        }
    }

    #[test]
    fn what_was_asked_for_often_or_is_old_is_given_up() {
        let start = Instant::now();
        let asked_at = |round_trip| {
            let mut missing = Missing::default();
            missing.arrived(0, start);
            missing.arrived(2, start);
            let asks = |at: &u64| {
                !missing
                    .requests(Some(round_trip), start + ms(*at))
                    .is_empty()
            };
            let asked_at: Vec<u64> = (0..2_000).filter(asks).collect();
            assert_eq!(missing.wake(), None);
            asked_at
        };

        assert_eq!(asked_at(ms(1)), [10, 30, 50, 70, 90, 110, 130, 150]);
        assert_eq!(asked_at(ms(100)), [10, 135, 260, 385]);
    }

    proptest! {
        #[test]
        fn any_arrivals_keep_the_gaps_bounded_and_ask_only_for_what_is_missing(
            arrivals in prop::collection::vec((any::<u16>(), any::<bool>(), 0_u64..30), 0..300),
        ) {
            let mut missing = Missing::default();
            let (mut now, mut last) = (Instant::now(), 0_u16);
            for (seq, near, pause_ms) in arrivals {
                now += ms(pause_ms);
                let seq = if near { last.wrapping_add(seq % 8) } else { seq };
                last = seq;
                missing.arrived(seq, now);
                prop_assert!(missing.gaps.len() <= MAX_GAPS);
                for asked in missing.requests(RTT, now) {
                    prop_assert_ne!(asked, last);
                }
                prop_assert!(missing.wake().is_none_or(|wake| wake > now));
            }
        }
    }
}
