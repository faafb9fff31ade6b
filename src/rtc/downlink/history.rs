//! The packets of one outgoing track that may be asked for again, and which of them are resent
//! (RFC 4585 §6.2.1).
//!
//! A packet is resent at most once per three quarters of a round trip: until the answer to the
//! first request can have arrived, a second request is about the same loss. And all resends
//! together stay within a share of what the track has sent in the last second, or 32 kb/s if that
//! is more, and of what the path carries: on one that is too narrow, answering everything would make
//! the loss worse. The share is two fifths where the path is known to be wide, since what is known
//! falls when it is too narrow, and a quarter where it is not. One lost packet in five takes a quarter,
//! resends that get lost included, and losses come in bursts.
//!
//! What was sent before a keyframe is forgotten when the keyframe has left: a receiver goes on from
//! that. On a path that has just become narrow everything from before may be missing, and would take
//! the place of what is missing of the keyframe.
//!
//! Holds at most [`CAPACITY`] packets, none older than [`MAX_AGE`]. Time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::rtp::Packet;

use super::rate::ByteRate;

/// The most packets kept: two seconds of 6 Mb/s in packets of 1,200 bytes.
pub(super) const CAPACITY: usize = 1_024;

/// The oldest packet that is resent: what is older comes too late to be played.
pub(super) const MAX_AGE: Duration = Duration::from_millis(1_500);

/// The shortest time between two resends of a packet, on however short a path.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

/// The time between two resends of a packet while the round trip is unknown.
const INTERVAL_WITHOUT_ROUND_TRIP: Duration = Duration::from_millis(200);

/// Resends may take so many percent of what is sent,
const SHARE_PERCENT: u64 = 40;

/// or so many while it is not known that the path carries more than this, in bytes per second
/// (300 kb/s): where a packet takes longer than a tick, audio waits behind each.
const CAREFUL_SHARE_PERCENT: u64 = 25;
const THIN: u64 = 37_500;

/// Or this many bytes in a second, if that is more (32 kb/s): a share of the few bytes of a
/// picture that hardly moves would not hold a single packet of its last change.
const MIN_SHARE_BYTES: u64 = 4_000;

/// How many packets padding is taken from.
const PADDING_CHOICE: usize = 64;

/// RTP, SRTP, UDP and IP headers: what a packet costs on the wire beside its payload.
const HEADER_BYTES: u64 = 60;

/// Why a packet is or is not resent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// It is: send a copy of this.
    Resend(Packet),
    /// It was resent less than a round trip ago.
    TooSoon,
    /// Resends have used up their share.
    OverShare,
    /// Never sent, or too long ago.
    Unknown,
}

/// What one track has sent.
#[derive(Debug, Default)]
pub(super) struct SentHistory {
    /// In the order of their sequence numbers, without gaps.
    packets: VecDeque<Sent>,
    sent: ByteRate,
    resent: ByteRate,
    /// What the path carries, in bytes per second, if that is known.
    capacity: Option<u64>,
    /// Where the keyframe begins that is leaving.
    keyframe: Option<u16>,
}

#[derive(Debug)]
struct Sent {
    packet: Packet,
    at: Instant,
    resent_at: Option<Instant>,
    /// How often it served as padding.
    padded: u32,
}

impl SentHistory {
    /// The packet that leaves next, `seq`, begins a keyframe.
    pub(super) fn keyframe_begins(&mut self, seq: u16) {
        self.keyframe = Some(seq);
    }

    /// Keeps `packet`, which leaves at `now`. A jump in the sequence numbers forgets what was
    /// before it.
    pub(super) fn sent(&mut self, packet: &Packet, now: Instant) {
        let seq = packet.header.sequence_number;
        if self
            .last_seq()
            .is_some_and(|last| last.wrapping_add(1) != seq)
        {
            self.packets.clear();
        }
        self.sent.add(wire_bytes(packet), now);
        self.packets.push_back(Sent {
            packet: packet.clone(),
            at: now,
            resent_at: None,
            padded: 0,
        });
        self.forget(now);
        if packet.header.marker
            && let Some(first) = self.keyframe.take()
        {
            self.forget_before(first);
        }
    }

    /// The path carries so many bits per second; `None` if that is not known.
    pub(super) fn set_capacity(&mut self, bits_per_second: Option<u64>) {
        self.capacity = bits_per_second.map(|bits| bits / 8);
    }

    /// What to do about a request for packet `seq` that arrives at `now`. [`Answer::Resend`] counts
    /// it as resent.
    pub(super) fn ask(&mut self, seq: u16, round_trip: Option<Duration>, now: Instant) -> Answer {
        self.forget(now);
        let share = self.share(now);
        let Some(first) = self.packets.front() else {
            return Answer::Unknown;
        };
        let place = seq.wrapping_sub(first.packet.header.sequence_number);
        let Some(sent) = self.packets.get_mut(usize::from(place)) else {
            return Answer::Unknown;
        };
        // Not the whole: those who ask once per round trip would be refused whenever the path is
        // quicker than usual, and would wait for another.
        let interval = round_trip.map_or(INTERVAL_WITHOUT_ROUND_TRIP, |rtt| {
            (rtt * 3 / 4).max(MIN_INTERVAL)
        });
        if let Some(resent_at) = sent.resent_at
            && now.saturating_duration_since(resent_at) < interval
        {
            return Answer::TooSoon;
        }
        let bytes = wire_bytes(&sent.packet);
        if self.resent.last_second(now) + bytes > share {
            return Answer::OverShare;
        }
        self.resent.add(bytes, now);
        sent.resent_at = Some(now);
        Answer::Resend(sent.packet.clone())
    }

    /// A packet of at most `bytes` on the wire to send once more although nobody asked: of the last
    /// [`PADDING_CHOICE`] that fit, the newest of those that were used least.
    pub(super) fn pad(&mut self, bytes: u64, now: Instant) -> Option<Packet> {
        self.forget(now);
        let newest = self.packets.iter_mut().rev().take(PADDING_CHOICE);
        let fits = newest.filter(|sent| wire_bytes(&sent.packet) <= bytes);
        let best = fits.min_by_key(|sent| sent.padded)?;
        best.padded = best.padded.saturating_add(1);
        Some(best.packet.clone())
    }

    /// What resends may take in a second, in bytes.
    fn share(&mut self, now: Instant) -> u64 {
        let share = match self.capacity {
            Some(capacity) if capacity > THIN => SHARE_PERCENT,
            _ => CAREFUL_SHARE_PERCENT,
        };
        let most = self
            .capacity
            .map_or(u64::MAX, |bytes| percent(share, bytes));
        percent(share, self.sent.last_second(now))
            .max(MIN_SHARE_BYTES)
            .min(most)
    }

    fn last_seq(&self) -> Option<u16> {
        let last = self.packets.back()?;
        Some(last.packet.header.sequence_number)
    }

    /// Forgets what was sent before packet `seq`, if that is still here.
    fn forget_before(&mut self, seq: u16) {
        let first = self.packets.front();
        let before = first.map(|first| seq.wrapping_sub(first.packet.header.sequence_number));
        if let Some(before) = before.map(usize::from)
            && before < self.packets.len()
        {
            self.packets.drain(..before);
        }
    }

    fn forget(&mut self, now: Instant) {
        while self.packets.len() > CAPACITY
            || self
                .packets
                .front()
                .is_some_and(|sent| now.saturating_duration_since(sent.at) > MAX_AGE)
        {
            self.packets.pop_front();
        }
    }
}

fn percent(percent: u64, of: u64) -> u64 {
    of.saturating_mul(percent) / 100
}

/// What `packet` takes on the wire.
pub(super) fn wire_bytes(packet: &Packet) -> u64 {
    HEADER_BYTES + u64::try_from(packet.payload.len()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use rtc::rtp::header::Header;

    use super::*;

    const RTT: Option<Duration> = Some(Duration::from_millis(80));

    fn packet(seq: u16) -> Packet {
        Packet {
            header: Header {
                version: 2,
                sequence_number: seq,
                ..Header::default()
            },
            payload: Bytes::from_static(&[0; 1_140]),
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// `count` packets from `first` on, all sent at `now`.
    fn history(first: u16, count: u16, now: Instant) -> SentHistory {
        let mut history = SentHistory::default();
        for n in 0..count {
            history.sent(&packet(first.wrapping_add(n)), now);
        }
        history
    }

    #[test]
    fn a_packet_is_resent_once_per_most_of_a_round_trip() {
        let start = Instant::now();
        for first in [0, 1, 32_767, 32_768, 65_534, 65_535] {
            let mut history = history(first, 40, start);
            let seq = first.wrapping_add(3);

            let rows = [
                (100, Answer::Resend(packet(seq))),
                (101, Answer::TooSoon),
                (159, Answer::TooSoon),
                (160, Answer::Resend(packet(seq))),
                (161, Answer::TooSoon),
            ];

            for (at, expected) in rows {
                assert_eq!(
                    history.ask(seq, RTT, start + ms(at)),
                    expected,
                    "{seq} at {at} ms"
                );
            }
        }
    }

    #[test]
    fn the_round_trip_has_a_floor_and_a_stand_in_while_it_is_unknown() {
        let start = Instant::now();
        for (round_trip, too_soon, again) in [(Some(ms(1)), 49, 50), (None, 199, 200)] {
            let mut history = history(0, 40, start);

            assert_eq!(history.ask(0, round_trip, start), Answer::Resend(packet(0)));

            let asked = history.ask(0, round_trip, start + ms(too_soon));
            assert_eq!(asked, Answer::TooSoon);
            let asked = history.ask(0, round_trip, start + ms(again));
            assert_eq!(asked, Answer::Resend(packet(0)));
        }
    }

    #[test]
    fn resends_stay_within_their_share_of_what_was_sent_in_the_last_second() {
        let start = Instant::now();
        let mut history = history(0, 100, start);

        let resent = (0..100)
            .filter(|seq| matches!(history.ask(*seq, RTT, start), Answer::Resend(_)))
            .count();

        assert_eq!(resent, 25);
        assert_eq!(history.ask(99, RTT, start), Answer::OverShare);
    }

    #[test]
    fn resends_stay_within_their_share_of_what_the_path_carries() {
        let start = Instant::now();
        let mut history = history(0, 100, start);

        // 3,000 bytes a second for resends, of which packets have 1,200.
        history.set_capacity(Some(96_000));

        let resent = |history: &mut SentHistory| {
            let asked = (0..100).map(|seq| history.ask(seq, RTT, start));
            asked
                .filter(|answer| matches!(answer, Answer::Resend(_)))
                .count()
        };
        assert_eq!(resent(&mut history), 2);
        history.set_capacity(Some(8_000_000));
        assert_eq!(resent(&mut history), 38);
    }

    #[test]
    fn a_track_that_sends_little_may_still_resend_a_few_packets_a_second() {
        let start = Instant::now();
        let mut history = history(0, 8, start);
        let resent_at = |history: &mut SentHistory, now| {
            let asked = (0..8).map(|seq| history.ask(seq, RTT, now));
            asked
                .filter(|answer| matches!(answer, Answer::Resend(_)))
                .count()
        };

        assert_eq!(resent_at(&mut history, start), 3);
        assert_eq!(resent_at(&mut history, start + ms(500)), 0);
        assert_eq!(resent_at(&mut history, start + ms(1_200)), 3);
    }

    #[test]
    fn what_is_too_old_was_never_sent_or_lies_before_a_jump_is_unknown() {
        let start = Instant::now();
        let mut history = history(0, 10, start);

        assert_eq!(history.ask(10, RTT, start), Answer::Unknown);
        assert_eq!(history.ask(65_535, RTT, start), Answer::Unknown);
        let asked = history.ask(5, RTT, start + MAX_AGE + ms(1));
        assert_eq!(asked, Answer::Unknown);

        history.sent(&packet(20), start);
        history.sent(&packet(500), start);
        assert_eq!(history.ask(20, RTT, start), Answer::Unknown);
    }

    #[test]
    fn what_was_sent_before_a_keyframe_is_not_resent_once_the_keyframe_has_left() {
        let start = Instant::now();
        for first in [0, 32_760, 65_530] {
            let mut history = history(first, 40, start);
            let keyframe = first.wrapping_add(40);
            let last = Packet {
                header: Header {
                    marker: true,
                    ..packet(keyframe.wrapping_add(1)).header
                },
                ..packet(0)
            };

            history.keyframe_begins(keyframe);
            history.sent(&packet(keyframe), start);
            let asked = history.ask(first.wrapping_add(39), RTT, start);
            assert!(matches!(asked, Answer::Resend(_)), "it is still leaving");
            history.sent(&last, start);

            let asked = history.ask(first.wrapping_add(38), RTT, start);
            assert_eq!(asked, Answer::Unknown);
            let asked = history.ask(keyframe, RTT, start);
            assert_eq!(asked, Answer::Resend(packet(keyframe)));
        }
    }

    #[test]
    fn at_most_its_capacity_is_kept() {
        let start = Instant::now();
        let count = u16::try_from(CAPACITY).unwrap() + 7;

        let mut history = history(0, count, start);

        assert_eq!(history.packets.len(), CAPACITY);
        assert_eq!(history.ask(6, RTT, start), Answer::Unknown);
        assert_eq!(history.ask(7, RTT, start), Answer::Resend(packet(7)));
    }

    proptest! {
        /// Whatever is sent and asked for, in whatever order, resends keep to their share.
        #[test]
        fn any_requests_are_answered_within_the_share(
            operations in prop::collection::vec((any::<bool>(), any::<u16>(), 0_u64..40), 0..400),
        ) {
            let start = Instant::now();
            let (mut history, mut now, mut next_seq) = (SentHistory::default(), start, 65_500_u16);
            for (sends, seq, pause_ms) in operations {
                now += ms(pause_ms);
                if sends {
                    history.sent(&packet(next_seq), now);
                    next_seq = next_seq.wrapping_add(1 + u16::from(seq == 7));
                } else {
                    let near = next_seq.wrapping_sub(seq % 64);
                    if let Answer::Resend(resent) = history.ask(near, RTT, now) {
                        prop_assert_eq!(resent.header.sequence_number, near);
                        let share = history.share(now);
                        prop_assert!(history.resent.last_second(now) <= share);
                    }
                }
                prop_assert!(history.packets.len() <= CAPACITY);
            }
        }
    }
}
