//! Holds a participant's video back until its audio is as far.
//!
//! Audio waits in its jitter buffer, video is shown as it comes: on an unsteady path the picture
//! would run ahead of the voice. The hold is what audio takes longer, less a lag that nobody
//! notices: sound may be late by more than it may be early. Time is an argument.
//!
//! A packet that was lost and comes again has waited already: it goes on with the frames it
//! belongs to, or at once if those are gone. So a hold is time in which resends cost nothing.
//!
//! Holds at most [`CAPACITY`] packets back, and none for longer than [`MAX_HOLD`].

use std::collections::VecDeque;
use std::time::Duration;

use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::RoomTime;
use mixer::video::VideoPacket;

/// The most packets held back: about a second of 2.5 Mb/s. Beyond that the oldest go on early.
const CAPACITY: usize = 256;

/// The longest that video is held back.
const MAX_HOLD: Duration = Duration::from_millis(300);

/// So much later than the picture may the sound be. Noticed is sound that is 125 ms late or 45 ms
/// early (ITU-R BT.1359-1); aiming between the two also costs the least delay.
const LAG: Duration = Duration::from_millis(40);

/// Less skew than this is left alone.
const TOLERANCE: Duration = Duration::from_millis(20);

/// A packet this far behind the newest one is not late: the stream has begun anew.
const RESTART: i16 = -1_000;

/// The video of one participant on its way into the mixer.
#[derive(Debug, Default)]
pub(super) struct LipSync {
    hold: Duration,
    held: VecDeque<Held>,
    /// The highest sequence number that has come.
    newest: Option<SeqNo>,
    /// The latest timestamp that has gone on.
    gone: Option<RtpTimestamp>,
}

/// A packet that waits.
#[derive(Debug)]
struct Held {
    /// What its hold counts from; `None` if it is over.
    since: Option<RoomTime>,
    packet: VideoPacket,
}

impl LipSync {
    /// Adapts the hold: audio comes `skew_us` microseconds later than video and then waits for
    /// `audio_delay`; video waits for `video_delay` all the same, for its tick.
    pub(super) fn follow(&mut self, skew_us: i64, audio_delay: Duration, video_delay: Duration) {
        let us = |delay: Duration| i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
        let lead = skew_us
            .saturating_add(us(audio_delay))
            .saturating_sub(us(video_delay + LAG));
        let wanted = Duration::from_micros(u64::try_from(lead).unwrap_or_default()).min(MAX_HOLD);
        if wanted.abs_diff(self.hold) > TOLERANCE {
            self.hold = wanted;
        }
    }

    /// A packet has come.
    pub(super) fn push(&mut self, packet: VideoPacket) {
        let ahead = self.newest.map_or(1, |newest| {
            packet.seq.0.wrapping_sub(newest.0).cast_signed()
        });
        if (RESTART..=0).contains(&ahead) {
            self.push_late(packet);
        } else {
            if ahead < 0 {
                self.gone = None;
            }
            self.newest = Some(packet.seq);
            self.held.push_back(Held {
                since: Some(packet.arrival),
                packet,
            });
        }
    }

    fn push_late(&mut self, packet: VideoPacket) {
        let timestamp = packet.timestamp;
        if self.gone.is_some_and(|gone| !is_newer(timestamp, gone)) {
            self.held.push_front(Held {
                since: None,
                packet,
            });
            return;
        }
        let next = self
            .held
            .iter()
            .position(|held| is_newer(held.packet.timestamp, timestamp));
        let since = next.map_or(Some(packet.arrival), |next| self.held[next].since);
        let at = next.unwrap_or(self.held.len());
        self.held.insert(at, Held { since, packet });
    }

    /// Takes the next packet that is due at `now`.
    pub(super) fn take(&mut self, now: RoomTime) -> Option<VideoPacket> {
        let first = self.held.front()?;
        // Without a hold, a packet may also be newer than the tick, which runs a little late.
        let waits =
            self.hold > Duration::ZERO && first.since.is_some_and(|since| since + self.hold > now);
        if waits && self.held.len() <= CAPACITY {
            return None;
        }
        let packet = self.held.pop_front()?.packet;
        if self
            .gone
            .is_none_or(|gone| is_newer(packet.timestamp, gone))
        {
            self.gone = Some(packet.timestamp);
        }
        Some(packet)
    }
}

/// Whether `one` comes after `other`.
const fn is_newer(one: RtpTimestamp, other: RtpTimestamp) -> bool {
    one.0.wrapping_sub(other.0).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mixer::video::Marker;

    use super::*;

    /// A frame of its own.
    fn packet(seq: u16, arrival_ms: u64) -> VideoPacket {
        VideoPacket {
            seq: SeqNo(seq),
            timestamp: RtpTimestamp(u32::from(seq).wrapping_mul(3_000)),
            marker: Marker::Last,
            arrival: RoomTime::from_ms(arrival_ms),
            orientation: None,
            payload: Bytes::new(),
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn taken(sync: &mut LipSync, now_ms: u64) -> Vec<u16> {
        std::iter::from_fn(|| sync.take(RoomTime::from_ms(now_ms)))
            .map(|packet| packet.seq.0)
            .collect()
    }

    /// Holds everything for 200 ms.
    fn holding() -> LipSync {
        let mut sync = LipSync::default();
        sync.follow(0, ms(240), ms(0));
        assert_eq!(sync.hold, ms(200));
        sync
    }

    #[test]
    fn without_skew_packets_go_straight_through() {
        let mut sync = LipSync::default();
        sync.follow(-50_000, ms(40), ms(20));
        sync.push(packet(1, 100));
        sync.push(packet(2, 101));

        let taken = taken(&mut sync, 99);

        assert_eq!(taken, [1, 2]);
    }

    #[test]
    fn video_waits_for_what_audio_takes_longer_less_a_lag_that_nobody_notices() {
        let mut sync = LipSync::default();
        sync.follow(10_000, ms(110), ms(20));
        sync.push(packet(1, 100));
        sync.push(packet(2, 130));

        assert!(taken(&mut sync, 159).is_empty());
        assert_eq!(taken(&mut sync, 160), [1]);
        assert_eq!(taken(&mut sync, 200), [2]);
    }

    #[test]
    fn what_comes_again_goes_on_with_its_frame_or_at_once() {
        let mut sync = holding();
        for (seq, arrival_ms) in [(1, 100), (3, 130), (4, 160)] {
            sync.push(packet(seq, arrival_ms));
        }
        sync.push(packet(2, 240));
        assert_eq!(taken(&mut sync, 300), [1]);
        assert_eq!(taken(&mut sync, 330), [2, 3]);

        sync.push(packet(6, 335));
        assert_eq!(taken(&mut sync, 360), [4]);
        sync.push(packet(0, 361));
        sync.push(packet(5, 362));

        assert_eq!(taken(&mut sync, 363), [0]);
        assert_eq!(taken(&mut sync, 535), [5, 6]);
    }

    #[test]
    fn a_stream_that_begins_anew_is_held_like_any_other() {
        let mut sync = holding();
        sync.push(packet(40_000, 100));
        assert_eq!(taken(&mut sync, 300), [40_000]);

        sync.push(packet(30_000, 310));

        assert!(taken(&mut sync, 509).is_empty());
        assert_eq!(taken(&mut sync, 510), [30_000]);
    }

    #[test]
    fn a_little_skew_more_or_less_changes_nothing() {
        let mut sync = LipSync::default();
        let holds = [
            (140, 100),
            (155, 100),
            (125, 100),
            (119, 79),
            (55, 15),
            (40, 15),
        ];

        for (audio_delay, hold) in holds {
            sync.follow(0, ms(audio_delay), ms(0));
            assert_eq!(sync.hold, ms(hold), "{audio_delay}");
        }
    }

    #[test]
    fn no_skew_holds_anything_for_longer_than_the_limit_or_more_than_fits() {
        let mut sync = LipSync::default();
        sync.follow(i64::MAX, Duration::MAX, ms(0));
        for seq in 0..300 {
            sync.push(packet(seq, 100));
        }

        let early = taken(&mut sync, 101);
        let rest = taken(&mut sync, 400);

        assert_eq!(early.len(), 300 - CAPACITY);
        assert_eq!(early[0], 0);
        assert_eq!(rest.len(), CAPACITY);
    }
}
