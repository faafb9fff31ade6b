//! What the participant reports about the streams we send: loss, jitter and the round trip
//! (RFC 3550 §6.4.1).
//!
//! The round trip is measured against our own sender reports, by when they left: only a report
//! that names one of the last [`REMEMBERED`] counts, so no made-up timestamp gives a round trip,
//! and no wall clock is involved. Time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::rtcp::reception_report::ReceptionReport;

/// Sender reports that an answer may name: 8 s of two streams with a report a second.
const REMEMBERED: usize = 16;

/// A new measurement weighs one part in so many (RFC 6298 §2.3).
const SMOOTHING: u32 = 8;

/// The longest round trip that is believed.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// One report about one of our streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reception {
    /// Packets lost since the report before, in 256ths.
    pub(super) fraction_lost: u8,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub(super) jitter: Duration,
    /// The smoothed round trip, if this report let it be measured.
    pub(super) round_trip: Option<Duration>,
}

/// Measures one path.
#[derive(Debug, Default)]
pub(super) struct ReportReader {
    /// The middle 32 bits of the NTP time of our reports, and when they left.
    sent: VecDeque<(u32, Instant)>,
    round_trip: Option<Duration>,
}

impl ReportReader {
    /// A sender report of ours with this NTP time leaves at `now`.
    pub(super) fn sent(&mut self, ntp: u64, now: Instant) {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((middle(ntp), now));
    }

    /// Reads a report that arrives at `now`, about a stream of ours that counts `clock_hz`.
    pub(super) fn read(
        &mut self,
        report: &ReceptionReport,
        clock_hz: u32,
        now: Instant,
    ) -> Reception {
        let jitter = u64::from(report.jitter) * 1_000_000 / u64::from(clock_hz.max(1));
        Reception {
            fraction_lost: report.fraction_lost,
            jitter: Duration::from_micros(jitter),
            round_trip: self.measure(report, now),
        }
    }

    fn measure(&mut self, report: &ReceptionReport, now: Instant) -> Option<Duration> {
        // Zero stands for no report seen yet.
        if report.last_sender_report == 0 {
            return None;
        }
        let named = |(ntp, _): &&(u32, Instant)| *ntp == report.last_sender_report;
        let (_, left) = self.sent.iter().rev().find(named)?;
        let held = Duration::from_micros(u64::from(report.delay) * 1_000_000 / 65_536);
        let measured = now.checked_duration_since(*left)?.checked_sub(held)?;
        if measured > MAX_ROUND_TRIP {
            return None;
        }
        let smoothed = self.round_trip.map_or(measured, |old| {
            old * (SMOOTHING - 1) / SMOOTHING + measured / SMOOTHING
        });
        self.round_trip = Some(smoothed);
        Some(smoothed)
    }
}

/// The middle 32 bits of an NTP time, as reports repeat it.
fn middle(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NTP: u64 = 0xe000_0001_8000_0000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn report(last_sender_report: u32, delay_ms: u32) -> ReceptionReport {
        ReceptionReport {
            ssrc: 1,
            fraction_lost: 26,
            jitter: 480,
            last_sender_report,
            delay: delay_ms * 65_536 / 1_000,
            ..ReceptionReport::default()
        }
    }

    #[test]
    fn round_trip_is_the_time_since_the_named_report_less_what_the_receiver_held_it() {
        let start = Instant::now();
        let mut reader = ReportReader::default();
        reader.sent(NTP, start);
        reader.sent(NTP + (1 << 32), start + ms(1_000));

        let reception = reader.read(&report(0x0001_8000, 500), 48_000, start + ms(1_580));

        // The delay counts in 65,536ths of a second.
        let round_trip = reception.round_trip.unwrap();
        assert!(
            (ms(1_080)..=ms(1_081)).contains(&round_trip),
            "{round_trip:?}"
        );
        assert_eq!((reception.fraction_lost, reception.jitter), (26, ms(10)));
    }

    #[test]
    fn later_measurements_are_smoothed() {
        let start = Instant::now();
        let mut reader = ReportReader::default();
        reader.sent(NTP, start);
        let mut measure = |at| {
            let reception = reader.read(&report(0x0001_8000, 0), 90_000, start + ms(at));
            reception.round_trip.unwrap()
        };

        assert_eq!(measure(80), ms(80));
        assert_eq!(measure(160), ms(90));
    }

    #[test]
    fn what_does_not_name_a_report_of_ours_or_contradicts_it_is_no_measurement() {
        let start = Instant::now();
        let mut reader = ReportReader::default();
        reader.sent(NTP, start);
        let rows = [
            (report(0, 0), 80),
            (report(0x0001_8001, 0), 80),
            // Held longer than it has been gone.
            (report(0x0001_8000, 90), 80),
            (report(0x0001_8000, 0), 10_001),
        ];

        for (report, at) in rows {
            let reception = reader.read(&report, 48_000, start + ms(at));
            assert_eq!(reception.round_trip, None, "{report:?}");
        }
    }

    proptest! {
        #[test]
        fn any_report_is_read_and_little_is_remembered(
            blocks in prop::collection::vec(
                (any::<u8>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u64>()), 0..60),
            clock_hz in any::<u32>(),
        ) {
            let mut now = Instant::now();
            let mut reader = ReportReader::default();
            for (fraction_lost, jitter, last_sender_report, delay, ntp) in blocks {
                now += ms(u64::from(fraction_lost));
                reader.sent(ntp, now);
                let report = ReceptionReport {
                    fraction_lost,
                    jitter,
                    last_sender_report: if jitter % 2 == 0 { middle(ntp) } else { last_sender_report },
                    delay,
                    ..ReceptionReport::default()
                };

                let reception = reader.read(&report, clock_hz, now);

                prop_assert!(reception.round_trip.is_none_or(|rtt| rtt <= MAX_ROUND_TRIP));
                prop_assert!(reader.sent.len() <= REMEMBERED);
            }
        }
    }
}
