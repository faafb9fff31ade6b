//! What has left, by its transport-wide number, until the participant has said what became of it
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! A packet that a report says has not come may still be under way, overtaken by another: it counts
//! as lost once packets have come that left [`OVERTAKEN`] later. What no report has spoken of when one
//! speaks of later packets is no loss: reports get lost too.
//!
//! Holds at most [`CAPACITY`] packets, none older than [`MAX_AGE`]. However much a report claims, it
//! is read for as many packets as are held. Time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};

use super::estimate::{Fate, PacketReport};

/// The most packets kept: 4 s of 8 Mb/s in packets of 1,000 bytes.
const CAPACITY: usize = 4_096;

/// The longest that a report is waited for.
const MAX_AGE: Duration = Duration::from_secs(4);

/// How much later another packet may have left that overtakes one.
const OVERTAKEN: Duration = Duration::from_millis(100);

/// The unit of a report's reference time (§3.1), and how often that wraps.
const REFERENCE: Duration = Duration::from_millis(64);
const REFERENCES: u64 = 1 << 24;

/// What has left.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// In the order of their numbers, without gaps.
    packets: VecDeque<Departure>,
    next_number: u16,
    /// Reference times unwrapped.
    last_reference: Option<u64>,
    /// Departure of the last packet known to have come.
    latest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Departure {
    at: Duration,
    bytes: usize,
    heard: Heard,
}

/// What reports have said of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// Not come when it was reported last.
    Missing,
    All,
}

impl Departures {
    /// The number that the next packet is to carry.
    pub(super) fn next_number(&self) -> u16 {
        self.next_number
    }

    /// A packet of `bytes`, headers and all, leaves at `now` under [`Self::next_number`].
    pub(super) fn leave(&mut self, now: Duration, bytes: usize) {
        self.next_number = self.next_number.wrapping_add(1);
        self.packets.push_back(Departure {
            at: now,
            bytes,
            heard: Heard::Nothing,
        });
        while self.packets.len() > CAPACITY
            || self
                .packets
                .front()
                .is_some_and(|first| now.saturating_sub(first.at) > MAX_AGE)
        {
            self.packets.pop_front();
        }
    }

    /// What `feedback` says of packets whose fate was not known, in the order of their departure.
    pub(super) fn read(&mut self, feedback: &TransportLayerCc) -> Vec<PacketReport> {
        let held = u16::try_from(self.packets.len()).unwrap_or(u16::MAX);
        let first = self.next_number.wrapping_sub(held);
        // What is reported may begin before the first that is held.
        let ahead = feedback.base_sequence_number.wrapping_sub(first);
        let ahead = i32::from(i16::from_ne_bytes(ahead.to_ne_bytes()));
        let mut arrival = self.reference(feedback.reference_time);
        let mut deltas = feedback.recv_deltas.iter();
        let mut reports = self.pass_over(ahead);
        for (place, symbol) in (ahead..i32::from(held)).zip(symbols(feedback)) {
            let came = match symbol {
                SymbolTypeTcc::PacketNotReceived => Came::Not,
                SymbolTypeTcc::PacketReceivedWithoutDelta => Came::Sometime,
                _ => deltas.next().map_or(Came::Sometime, |delta| {
                    arrival = arrival.saturating_add(delta.delta);
                    Came::At(Duration::from_micros(u64::try_from(arrival).unwrap_or(0)))
                }),
            };
            if let Some(departure) = usize::try_from(place)
                .ok()
                .and_then(|place| self.packets.get_mut(place))
            {
                reports.extend(departure.hear(came));
                if came != Came::Not {
                    self.latest = self.latest.max(departure.at);
                }
            }
        }
        self.lose(&mut reports);
        reports
    }

    /// Those before the place where a report begins, that none has spoken of.
    fn pass_over(&mut self, begins: i32) -> Vec<PacketReport> {
        let before = self
            .packets
            .iter_mut()
            .take(usize::try_from(begins).unwrap_or(0));
        let unheard = before.filter(|departure| departure.heard == Heard::Nothing);
        let reports = unheard.map(|departure| {
            departure.heard = Heard::All;
            departure.report(Fate::Unheard)
        });
        reports.collect()
    }

    /// Adds those that count as lost by now.
    fn lose(&mut self, reports: &mut Vec<PacketReport>) {
        let before = self.latest.saturating_sub(OVERTAKEN);
        for departure in &mut self.packets {
            if departure.at > before {
                break;
            }
            if departure.heard == Heard::Missing {
                departure.heard = Heard::All;
                reports.push(departure.report(Fate::Lost));
            }
        }
        reports.sort_by_key(|report| report.departure);
    }

    /// The reference time in microseconds, unwrapped to what is nearest to the last one.
    fn reference(&mut self, wrapped: u32) -> i64 {
        let wrapped = u64::from(wrapped) % REFERENCES;
        // Begins one turn in, so that there is room below.
        let last = self.last_reference.unwrap_or(REFERENCES + wrapped);
        let turn = last - last % REFERENCES + wrapped;
        let nearest = [turn.saturating_sub(REFERENCES), turn, turn + REFERENCES]
            .into_iter()
            .min_by_key(|candidate| candidate.abs_diff(last))
            .unwrap_or(turn);
        self.last_reference = Some(nearest.max(REFERENCES));
        let micros = u128::from(nearest) * REFERENCE.as_micros();
        i64::try_from(micros).unwrap_or(i64::MAX / 2)
    }
}

/// What a report says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Not,
    Sometime,
    At(Duration),
}

impl Departure {
    fn hear(&mut self, came: Came) -> Option<PacketReport> {
        match came {
            Came::Not if self.heard == Heard::Nothing => self.heard = Heard::Missing,
            Came::Not => {}
            Came::Sometime => self.heard = Heard::All,
            Came::At(arrival) if self.heard != Heard::All => {
                self.heard = Heard::All;
                return Some(self.report(Fate::Arrived(arrival)));
            }
            Came::At(_) => {}
        }
        None
    }

    fn report(&self, fate: Fate) -> PacketReport {
        PacketReport {
            departure: self.at,
            fate,
            bytes: self.bytes,
        }
    }
}

/// What a report says of each packet, no more of them than it claims to speak of.
fn symbols(feedback: &TransportLayerCc) -> impl Iterator<Item = SymbolTypeTcc> + '_ {
    let each = feedback.packet_chunks.iter().flat_map(|chunk| {
        let (run, vector) = match chunk {
            PacketStatusChunk::RunLengthChunk(run) => (
                std::iter::repeat_n(run.packet_status_symbol, usize::from(run.run_length)),
                [].as_slice(),
            ),
            PacketStatusChunk::StatusVectorChunk(vector) => (
                std::iter::repeat_n(SymbolTypeTcc::PacketNotReceived, 0),
                vector.symbol_list.as_slice(),
            ),
        };
        run.chain(vector.iter().copied())
    });
    each.take(usize::from(feedback.packet_status_count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        RecvDelta, RunLengthChunk, StatusVectorChunk,
    };

    use super::*;

    const CAME: SymbolTypeTcc = SymbolTypeTcc::PacketReceivedSmallDelta;
    const MISSING: SymbolTypeTcc = SymbolTypeTcc::PacketNotReceived;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Departures whose next number is `next`, and `count` packets, one every 20 ms.
    fn departures(next: u16, count: u64) -> Departures {
        let mut departures = Departures {
            next_number: next,
            ..Departures::default()
        };
        for n in 0..count {
            departures.leave(ms(20 * n), 100);
        }
        departures
    }

    /// A report about the packets from `base` on; each that has come did so 10 ms after the one before.
    fn feedback(base: u16, reference: u32, symbols: &[SymbolTypeTcc]) -> TransportLayerCc {
        let chunks = symbols.chunks(7).map(|symbols| {
            let symbol_list = symbols.to_vec();
            PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                symbol_list,
                ..StatusVectorChunk::default()
            })
        });
        let came = symbols.iter().filter(|symbol| **symbol == CAME);
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: u16::try_from(symbols.len()).unwrap(),
            reference_time: reference,
            packet_chunks: chunks.collect(),
            recv_deltas: came
                .map(|_| RecvDelta {
                    delta: 10_000,
                    ..RecvDelta::default()
                })
                .collect(),
            ..TransportLayerCc::default()
        }
    }

    /// Numbers and fates: `+` arrived, `-` lost, `?` unheard.
    fn fates(reports: &[PacketReport]) -> String {
        let fate = |report: &PacketReport| {
            let number = report.departure.as_millis() / 20;
            let sign = match report.fate {
                Fate::Arrived(_) => '+',
                Fate::Lost => '-',
                Fate::Unheard => '?',
            };
            format!("{number}{sign}")
        };
        let fates: Vec<String> = reports.iter().map(fate).collect();
        fates.join(" ")
    }

    fn arrival(report: &PacketReport) -> Duration {
        match report.fate {
            Fate::Arrived(at) => at,
            fate => panic!("{fate:?}"),
        }
    }

    #[test]
    fn each_packet_is_reported_once_with_its_departure_and_arrival() {
        for first in [0, 1, 32_767, 32_768, 65_534, 65_535] {
            let mut departures = departures(first, 4);
            let report = feedback(first, 5, &[CAME, CAME, CAME]);

            let reports = departures.read(&report);

            let departed: Vec<Duration> = reports.iter().map(|report| report.departure).collect();
            assert_eq!(departed, [ms(0), ms(20), ms(40)], "{first}");
            let arrived = |n: usize| arrival(&reports[n]);
            assert_eq!(arrived(1) - arrived(0), ms(10));
            assert_eq!(departures.read(&report), []);
        }
    }

    #[test]
    fn a_packet_is_lost_once_others_have_come_that_left_much_later() {
        let mut departures = departures(0, 20);

        let reports = departures.read(&feedback(0, 5, &[CAME, MISSING, CAME]));
        assert_eq!(fates(&reports), "0+ 2+");
        let reports = departures.read(&feedback(3, 5, &[CAME, CAME, CAME]));
        assert_eq!(fates(&reports), "3+ 4+ 5+");
        let reports = departures.read(&feedback(6, 5, &[CAME]));

        assert_eq!(fates(&reports), "1- 6+");
    }

    #[test]
    fn a_packet_that_was_overtaken_is_no_loss() {
        let mut departures = departures(0, 20);
        departures.read(&feedback(0, 5, &[CAME, MISSING, CAME]));

        let reports = departures.read(&feedback(1, 6, &[CAME]));
        let later = departures.read(&feedback(3, 6, &[CAME; 12]));

        assert_eq!(fates(&reports), "1+");
        assert_eq!(fates(&later), "3+ 4+ 5+ 6+ 7+ 8+ 9+ 10+ 11+ 12+ 13+ 14+");
    }

    #[test]
    fn what_a_lost_report_would_have_said_is_not_taken_for_loss() {
        let mut departures = departures(0, 40);
        departures.read(&feedback(0, 5, &[CAME, MISSING, CAME]));

        let reports = departures.read(&feedback(6, 6, &[CAME; 2]));
        let late = departures.read(&feedback(3, 5, &[CAME; 3]));

        assert_eq!(fates(&reports), "1- 3? 4? 5? 6+ 7+");
        assert_eq!(fates(&late), "");
    }

    #[test]
    fn arrivals_go_on_where_the_reference_time_wraps() {
        let mut departures = departures(0, 10);
        let last = u32::try_from(REFERENCES).unwrap() - 1;

        let before = departures.read(&feedback(0, last, &[CAME]));
        let after = departures.read(&feedback(1, 1, &[CAME]));

        assert_eq!(arrival(&after[0]) - arrival(&before[0]), 2 * REFERENCE);
    }

    #[test]
    fn at_most_its_capacity_is_kept() {
        let mut departures = Departures::default();
        for _ in 0..CAPACITY + 9 {
            departures.leave(Duration::ZERO, 100);
        }

        assert_eq!(departures.packets.len(), CAPACITY);
        assert_eq!(departures.read(&feedback(8, 5, &[CAME])), []);
        assert_eq!(departures.read(&feedback(9, 5, &[CAME])).len(), 1);
    }

    proptest! {
        /// Whatever is claimed, no packet is reported twice, nor one that did not leave.
        #[test]
        fn any_reports_are_read_without_panic(
            first in any::<u16>(),
            claims in prop::collection::vec(
                (any::<u16>(), any::<u16>(), any::<u32>(), 0_u16..4, any::<u16>(), any::<i64>()),
                0..40),
        ) {
            let mut departures = departures(first, 100);
            let mut reported = 0;
            for (base, count, reference, symbol, run, delta) in claims {
                let report = TransportLayerCc {
                    base_sequence_number: first.wrapping_add(base % 200).wrapping_sub(50),
                    packet_status_count: count,
                    reference_time: reference,
                    packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                        packet_status_symbol: symbol.into(),
                        run_length: run,
                        ..RunLengthChunk::default()
                    }); 3],
                    recv_deltas: vec![RecvDelta { delta, ..RecvDelta::default() }; 20],
                    ..TransportLayerCc::default()
                };
                reported += departures.read(&report).len();
            }
            prop_assert!(reported <= 100);
        }
    }
}
