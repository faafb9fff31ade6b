//! Holds a participant's video back until its audio is as far.
//!
//! Audio waits in its jitter buffer, video is shown as it comes: on an unsteady path the picture
//! would run ahead of the voice. The hold is what audio takes longer, less a lag that nobody
//! notices: sound may be late by more than it may be early. Time is an argument.
//!
//! Holds at most [`CAPACITY`] packets back, and none for longer than [`MAX_HOLD`].

use std::collections::VecDeque;
use std::time::Duration;

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

/// The video of one participant on its way into the mixer.
#[derive(Debug, Default)]
pub(super) struct LipSync {
    hold: Duration,
    held: VecDeque<VideoPacket>,
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
        self.held.push_back(packet);
    }

    /// Takes the next packet that is due at `now`. It counts as having arrived when its hold was
    /// over.
    pub(super) fn take(&mut self, now: RoomTime) -> Option<VideoPacket> {
        let first = self.held.front()?;
        let due = first.arrival + self.hold;
        // Without a hold, a packet may also be newer than the tick, which runs a little late.
        let waits = self.hold > Duration::ZERO && due > now;
        if waits && self.held.len() <= CAPACITY {
            return None;
        }
        let mut packet = self.held.pop_front()?;
        packet.arrival = due.min(now.max(packet.arrival));
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use codecs::rtp::{RtpTimestamp, SeqNo};
    use mixer::video::Marker;

    use super::*;

    fn packet(seq: u16, arrival_ms: u64) -> VideoPacket {
        VideoPacket {
            seq: SeqNo(seq),
            timestamp: RtpTimestamp(0),
            marker: Marker::Last,
            arrival: RoomTime::from_ms(arrival_ms),
            orientation: None,
            payload: Bytes::new(),
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn taken(sync: &mut LipSync, now_ms: u64) -> Vec<(u16, RoomTime)> {
        std::iter::from_fn(|| sync.take(RoomTime::from_ms(now_ms)))
            .map(|packet| (packet.seq.0, packet.arrival))
            .collect()
    }

    #[test]
    fn without_skew_packets_go_straight_through() {
        let mut sync = LipSync::default();
        sync.follow(-50_000, ms(40), ms(20));
        sync.push(packet(1, 100));
        sync.push(packet(2, 101));

        let taken = taken(&mut sync, 99);

        let at = RoomTime::from_ms;
        assert_eq!(taken, [(1, at(100)), (2, at(101))]);
    }

    #[test]
    fn video_waits_for_what_audio_takes_longer_less_a_lag_that_nobody_notices() {
        let mut sync = LipSync::default();
        sync.follow(10_000, ms(110), ms(20));
        sync.push(packet(1, 100));
        sync.push(packet(2, 130));

        assert_eq!(taken(&mut sync, 159), []);
        assert_eq!(taken(&mut sync, 160), [(1, RoomTime::from_ms(160))]);
        assert_eq!(taken(&mut sync, 200), [(2, RoomTime::from_ms(190))]);
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
        assert_eq!(early[0], (0, RoomTime::from_ms(101)));
        assert_eq!(rest.len(), CAPACITY);
    }
}
