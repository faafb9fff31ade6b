//! The loss that resends would hide from our own reports, the other way round from
//! [`HiddenLoss`](super::hidden_loss::HiddenLoss).
//!
//! Audio is resent as the packets it was, so what the path lost and a request brought back counts
//! as received in our receiver reports (RFC 3550 §6.4.1). The participant's encoder chooses its
//! in-band FEC by them: told of no loss it adds none, and what a request cannot bring back in time
//! is gone. So our reports count as lost what came only because it was asked for.
//!
//! Remembers at most [`CAPACITY`] requests. Time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::rtcp::reception_report::ReceptionReport;

/// More than are asked for within the longest wait for a packet.
const CAPACITY: usize = 64;

/// The largest number of lost packets that a report can hold.
const MOST_LOST: u32 = 0x00ff_ffff;

/// Watches one incoming stream.
#[derive(Debug, Default)]
pub(super) struct MendedLoss {
    /// Packets asked for, each since the first time.
    asked: VecDeque<(u16, Instant)>,
    /// The newest packet of the last report; what it counted as lost stays lost.
    reported: Option<u32>,
    /// Packets that came because they were asked for: since the last report, and ever.
    mended: u32,
    total: u32,
}

impl MendedLoss {
    /// Packet `seq` is asked for at `now`.
    pub(super) fn asked(&mut self, seq: u16, now: Instant) {
        if self.asked.iter().any(|(asked, _)| *asked == seq) {
            return;
        }
        if self.asked.len() == CAPACITY {
            self.asked.pop_front();
        }
        self.asked.push_back((seq, now));
    }

    /// Packet `seq` has come at `now`. One that comes sooner than most of a round trip after it was
    /// asked for was under way already.
    pub(super) fn arrived(&mut self, seq: u16, round_trip: Option<Duration>, now: Instant) {
        let Some(at) = self.asked.iter().position(|(asked, _)| *asked == seq) else {
            return;
        };
        let Some((_, since)) = self.asked.remove(at) else {
            return;
        };
        let least = round_trip.unwrap_or_default() * 3 / 4;
        let is_new = self
            .reported
            .is_none_or(|reported| seq.wrapping_sub(low(reported)).cast_signed() > 0);
        if is_new && now.saturating_duration_since(since) >= least {
            self.mended += 1;
        }
    }

    /// Has a report of ours tell the whole loss. Begins to count anew.
    pub(super) fn uncover(&mut self, report: &mut ReceptionReport) {
        let newest = report.last_sequence_number;
        let expected = self.reported.map_or(0, |last| newest.wrapping_sub(last));
        let mended = std::mem::take(&mut self.mended).min(expected);
        self.reported = Some(newest);
        self.total = self.total.saturating_add(mended);
        report.total_lost = report.total_lost.saturating_add(self.total).min(MOST_LOST);
        let fraction = u64::from(mended) * 256 / u64::from(expected.max(1));
        let fraction = u8::try_from(fraction).unwrap_or(u8::MAX);
        report.fraction_lost = report.fraction_lost.saturating_add(fraction);
    }
}

/// The sequence number as it is on the wire.
fn low(extended: u32) -> u16 {
    let [.., high, low] = extended.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RTT: Option<Duration> = Some(Duration::from_millis(100));

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn report(newest: u32, fraction_lost: u8, total_lost: u32) -> ReceptionReport {
        ReceptionReport {
            last_sequence_number: newest,
            fraction_lost,
            total_lost,
            ..ReceptionReport::default()
        }
    }

    /// A watch whose last report ended with `first`.
    fn reported(first: u32) -> MendedLoss {
        let mut mended = MendedLoss::default();
        mended.uncover(&mut report(first, 0, 0));
        mended
    }

    #[test]
    fn what_came_because_it_was_asked_for_is_reported_as_lost_once() {
        let start = Instant::now();
        for first in [0, 1, 32_767, 32_768, 65_500, 65_534, 65_535] {
            let mut mended = reported(first);
            for n in [3, 9, 40] {
                let seq = low(first + n);
                mended.asked(seq, start);
                mended.asked(seq, start + ms(100));
                mended.arrived(seq, RTT, start + ms(110));
            }
            let mut now = report(first + 64, 8, 2);
            let mut later = report(first + 128, 0, 2);

            mended.uncover(&mut now);
            mended.uncover(&mut later);

            assert_eq!((now.fraction_lost, now.total_lost), (8 + 12, 2 + 3));
            assert_eq!((later.fraction_lost, later.total_lost), (0, 2 + 3));
        }
    }

    #[test]
    fn what_was_under_way_was_not_asked_for_or_never_came_is_left_as_it_is() {
        let start = Instant::now();
        let mut mended = reported(100);
        mended.asked(110, start);
        mended.arrived(110, RTT, start + ms(74));
        mended.arrived(111, RTT, start + ms(200));
        mended.asked(112, start);
        let mut now = report(164, 8, 2);

        mended.uncover(&mut now);

        assert_eq!((now.fraction_lost, now.total_lost), (8, 2));
    }

    #[test]
    fn what_an_earlier_report_counted_as_lost_is_not_counted_again() {
        let start = Instant::now();
        let mut mended = reported(100);
        mended.asked(164, start);
        mended.uncover(&mut report(164, 4, 1));
        mended.arrived(164, RTT, start + ms(100));
        let mut now = report(228, 0, 1);

        mended.uncover(&mut now);

        assert_eq!((now.fraction_lost, now.total_lost), (0, 1));
    }

    proptest! {
        #[test]
        fn any_requests_arrivals_and_reports_stay_within_what_a_report_can_hold(
            operations in prop::collection::vec((0_u8..3, any::<u32>(), any::<u8>()), 0..300),
        ) {
            let mut now = Instant::now();
            let mut mended = MendedLoss::default();
            for (what, number, fraction) in operations {
                now += ms(number.into()) / 1_000_000;
                match what {
                    0 => mended.asked(low(number), now),
                    1 => mended.arrived(low(number), RTT, now),
                    _ => {
                        let mut report = report(number, fraction, number >> 8);
                        mended.uncover(&mut report);
                        prop_assert!(report.fraction_lost >= fraction);
                        prop_assert!(report.total_lost <= MOST_LOST);
                    }
                }
                prop_assert!(mended.asked.len() <= CAPACITY);
            }
        }
    }
}
