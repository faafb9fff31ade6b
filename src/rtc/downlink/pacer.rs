//! Spreads the packets of a frame over a part of its frame interval, so that no frame, however
//! large, reaches the path as one burst.
//!
//! Packets leave in [`STEPS`] equal portions within a third of the interval; a frame of a packet or
//! two leaves at once. The interval is that of the frames themselves, from their timestamps.
//!
//! Where that would be faster than [`OVER`] times what the path has room for, the packets leave at
//! that rate instead, one by one, so that a large frame waits here and not in the path's queue, where
//! audio would wait behind it. A wide path is sent to faster than it is, since frames differ in size
//! and the surplus is over in milliseconds; on a thin one it would be most of a second of queue.
//! Room is what the path carries less what audio takes, and is followed from packet to packet: a
//! still is under way for a second, in which a path may become another.
//! The next frame waits until the last packet of this one has passed, too: frames of a packet or two
//! would otherwise follow each other at any rate.
//! A frame may take longer than its interval while few others wait, never so long that they do not
//! find room. On the thinnest paths it is the encoder that waits, if need be. Time is an argument;
//! whoever drives this sleeps until [`Pacer::next_send`].

use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::video::VIDEO_CLOCK_HZ;

use crate::link::{VIDEO_OUT_FRAMES, VideoOut};

/// Portions of a frame: so few that pacing costs few wake-ups, so many that none is a burst.
const STEPS: usize = 5;

/// The smallest portion, in packets.
const MIN_PORTION: usize = 2;

/// A frame is sent within one part in so many of its interval.
const SPREAD: u32 = 3;

/// How much faster than there is room for it a frame may leave,
const OVER: u64 = 2;

/// unless there is no more room than this, in bit/s. Then it leaves at 95 % of it: resends have the
/// rest.
const THIN: u64 = 700_000;
const THIN_PERCENT: u64 = 95;

/// A frame may take so many intervals, less one for each that waits behind it,
const SLACK: usize = VIDEO_OUT_FRAMES - 1;

/// or so long where there is no more room than this, in bit/s.
const THINNEST: u64 = 250_000;
const LONGEST_ON_THINNEST: Duration = Duration::from_secs(2);

/// What a packet is longer on the path than its payload.
const HEADER_BYTES: usize = 64;

/// The interval until two frames have told it: 30 frames per second.
const USUAL_INTERVAL: Duration = Duration::from_millis(33);

/// However rare frames are, none takes longer than a third of this over a path that is wide enough,
const MAX_INTERVAL: Duration = Duration::from_millis(100);

/// and none longer than this over any other but the thinnest.
const LONGEST: Duration = Duration::from_secs(1);

/// Whether a packet ends its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Last,
    NotLast,
}

/// One packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paced {
    /// 90 kHz, counted from the room's start.
    pub(super) timestamp: u32,
    pub(super) marker: Marker,
    pub(super) payload: Bytes,
}

/// At most one frame on its way out.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    frame: Option<Frame>,
    last_timestamp: Option<u32>,
    /// When the path will have taken what has left.
    free_at: Option<Instant>,
}

#[derive(Debug)]
struct Frame {
    frame: VideoOut,
    sent: usize,
    /// When the next portion leaves.
    next: Instant,
    /// Packets that leave together.
    portion: usize,
    /// Time between portions.
    step: Duration,
    /// The longest it may take.
    longest: Duration,
}

impl Pacer {
    /// Begins to send `frame` at `now` over a path that has room for `bits_per_second`, if that is
    /// known, while `waiting` others wait. The one before must be through.
    pub(super) fn begin(
        &mut self,
        frame: VideoOut,
        waiting: usize,
        bits_per_second: Option<u64>,
        now: Instant,
    ) {
        let interval = self.interval(frame.timestamp);
        self.last_timestamp = Some(frame.timestamp);
        let packets = frame.payloads.len();
        let usual = interval.min(MAX_INTERVAL) / SPREAD;
        let longest = longest(interval, waiting, bits_per_second);
        let needed = takes(&frame.payloads, bits_per_second).min(longest);
        let (portion, spread) = match needed > usual {
            true => (1, needed),
            false => (packets.div_ceil(STEPS).max(MIN_PORTION), usual),
        };
        let portions = packets.div_ceil(portion);
        self.frame = (packets > 0).then_some(Frame {
            frame,
            sent: 0,
            next: self.free_at.map_or(now, |free_at| free_at.max(now)),
            portion,
            step: part(spread, portions),
            longest,
        });
    }

    /// The path has room for `bits_per_second` from now on: what is left of a frame that leaves packet
    /// by packet leaves at that.
    pub(super) fn follow(&mut self, bits_per_second: Option<u64>) {
        let Some(frame) = &mut self.frame else {
            return;
        };
        if frame.portion == 1 && bits_per_second.is_some_and(|rate| rate <= THIN) {
            let left = &frame.frame.payloads[frame.sent..];
            frame.step = part(takes(left, bits_per_second).min(frame.longest), left.len());
        }
    }

    /// Whether nothing is on its way out.
    pub(super) fn is_idle(&self) -> bool {
        self.frame.is_none()
    }

    /// When the next packet is due; `None` if there is none.
    pub(super) fn next_send(&self) -> Option<Instant> {
        self.frame.as_ref().map(|frame| frame.next)
    }

    /// Takes the next packet if it is due at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<Paced> {
        if self.next_send()? > now {
            return None;
        }
        self.rush()
    }

    /// Takes the next packet, due or not.
    pub(super) fn rush(&mut self) -> Option<Paced> {
        let frame = self.frame.as_mut()?;
        let payloads = &frame.frame.payloads;
        let payload = frame.frame.number.on(payloads.get(frame.sent)?);
        let timestamp = frame.frame.timestamp;
        frame.sent += 1;
        let is_last = frame.sent == payloads.len();
        if is_last || frame.sent.is_multiple_of(frame.portion) {
            frame.next += frame.step;
        }
        let marker = match is_last {
            true => Marker::Last,
            false => Marker::NotLast,
        };
        if is_last {
            self.free_at = (frame.portion == 1).then_some(frame.next);
            self.frame = None;
        }
        Some(Paced {
            timestamp,
            marker,
            payload,
        })
    }

    fn interval(&self, timestamp: u32) -> Duration {
        let Some(last) = self.last_timestamp else {
            return USUAL_INTERVAL;
        };
        let micros =
            u64::from(timestamp.wrapping_sub(last)) * 1_000_000 / u64::from(VIDEO_CLOCK_HZ);
        Duration::from_micros(micros).min(LONGEST)
    }
}

/// The longest that a frame may take, while `waiting` others wait.
fn longest(interval: Duration, waiting: usize, bits_per_second: Option<u64>) -> Duration {
    if bits_per_second.is_some_and(|rate| rate <= THINNEST) {
        return LONGEST_ON_THINNEST;
    }
    let intervals = u32::try_from(SLACK.saturating_sub(waiting).max(1)).unwrap_or(1);
    (interval * intervals).min(LONGEST)
}

/// How long packets take at the rate they may leave at.
fn takes(payloads: &[Bytes], bits_per_second: Option<u64>) -> Duration {
    let Some(rate) = bits_per_second else {
        return Duration::ZERO;
    };
    let leaves = match rate <= THIN {
        true => rate * THIN_PERCENT / 100,
        false => rate.saturating_mul(OVER),
    };
    let bytes = payloads.iter().map(|payload| payload.len() + HEADER_BYTES);
    let bits = 8 * u64::try_from(bytes.sum::<usize>()).unwrap_or(u64::MAX / 16);
    Duration::from_micros(bits.saturating_mul(1_000_000) / leaves.max(1))
}

fn part(whole: Duration, parts: usize) -> Duration {
    whole / u32::try_from(parts).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use codecs::rtp::vp8::PictureNumber;
    use proptest::prelude::*;

    use super::*;

    fn frame(timestamp: u32, packets: usize) -> VideoOut {
        let payloads = (0..packets).map(|n| Bytes::from(n.to_string())).collect();
        VideoOut {
            timestamp,
            payloads,
            number: PictureNumber::default(),
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// When each packet of the frame leaves, in ms after its begin, if asked every millisecond.
    fn departures(pacer: &mut Pacer, frame: VideoOut, begin: Instant) -> Vec<u64> {
        pacer.begin(frame, 0, None, begin);
        let mut departures = Vec::new();
        for at in 0..200 {
            while pacer.take(begin + ms(at)).is_some() {
                departures.push(at);
            }
        }
        departures
    }

    #[test]
    fn a_large_frame_leaves_in_five_portions_within_a_third_of_the_interval() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        // 15 frames per second: 66.7 ms apart, so a third is 22.2 ms.
        departures(&mut pacer, frame(0, 1), start);

        let departures = departures(&mut pacer, frame(6_000, 20), start);

        let expected: Vec<u64> = [0, 5, 9, 14, 18].iter().flat_map(|at| [*at; 4]).collect();
        assert_eq!(departures, expected);
    }

    #[test]
    fn a_small_frame_leaves_at_once_and_a_medium_one_in_pairs() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        departures(&mut pacer, frame(0, 1), start);

        assert_eq!(departures(&mut pacer, frame(3_000, 2), start), [0, 0]);
        let paired = departures(&mut pacer, frame(6_000, 5), start);
        assert_eq!(paired, [0, 0, 4, 4, 8]);
        assert_eq!(pacer.next_send(), None);
    }

    #[test]
    fn packets_keep_their_order_and_the_last_one_carries_the_marker() {
        let mut pacer = Pacer::default();
        pacer.begin(frame(9, 7), 0, None, Instant::now());

        let sent: Vec<Paced> = std::iter::from_fn(|| pacer.rush()).collect();

        let payloads: Vec<&[u8]> = sent.iter().map(|packet| &packet.payload[..]).collect();
        assert_eq!(payloads, [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]);
        let markers = sent.iter().map(|packet| packet.marker == Marker::Last);
        assert!(markers.eq((0..7).map(|n| n == 6)));
        assert!(sent.iter().all(|packet| packet.timestamp == 9));
    }

    #[test]
    fn the_interval_follows_the_frames_and_has_a_limit() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        let rows = [
            (0, 8),
            (u32::MAX - 1_499, 23),
            // Across the wrap.
            (1_500, 8),
            (1_500, 0),
        ];

        for (timestamp, last) in rows {
            let departures = departures(&mut pacer, frame(timestamp, 5), start);

            assert_eq!(departures.last(), Some(&last), "{timestamp}");
        }
    }

    #[test]
    fn a_frame_that_is_large_for_its_path_leaves_at_its_rate_but_not_for_ever() {
        let start = Instant::now();
        let payloads: Arc<[Bytes]> = vec![Bytes::from_static(&[0; 436]); 5].into();
        // 2,500 bytes, every 100 ms: 211 ms at 95 kb/s, 105 at 190; two seconds at 9; 78 ms at 256;
        // 33 ms, a third of the interval, on a wide path.
        for (bits_per_second, waiting, step) in [
            (100_000, 0, 42),
            (10_000, 0, 400),
            (10_000, 4, 400),
            (200_000, 0, 21),
            (270_000, 0, 15),
            (520_000, 0, 8),
            (720_000, 0, 11),
            (2_000_000, 0, 11),
        ] {
            let mut pacer = Pacer::default();
            departures(&mut pacer, frame(0, 1), start);
            let payloads = Arc::clone(&payloads);
            let large = VideoOut {
                payloads,
                ..frame(9_000, 0)
            };
            pacer.begin(large, waiting, Some(bits_per_second), start);

            while pacer.take(start).is_some() {}

            let waits = pacer.next_send().unwrap() - start;
            assert_eq!(waits.as_millis(), step, "{bits_per_second}, {waiting}");
        }
    }

    #[test]
    fn small_frames_that_wait_leave_at_the_rate_of_their_path() {
        let start = Instant::now();
        let payload = [Bytes::from_static(&[0; 436])];
        let mut pacer = Pacer::default();
        let mut departures = Vec::new();

        let mut timestamps = (0..4).map(|n| 12_000 * n);
        for at in 0..400 {
            let now = start + ms(at);
            while pacer.take(now).is_some() {
                departures.push(at);
            }
            if pacer.is_idle()
                && let Some(timestamp) = timestamps.next()
            {
                let waiting = VideoOut {
                    payloads: payload.clone().into(),
                    ..frame(timestamp, 0)
                };
                pacer.begin(waiting, 0, Some(100_000), now);
            }
        }

        // 500 bytes at 95 kb/s.
        assert_eq!(departures, [1, 43, 85, 127]);
    }

    #[test]
    fn what_is_left_of_a_large_frame_follows_the_path() {
        let start = Instant::now();
        let still = VideoOut {
            payloads: vec![Bytes::from_static(&[0; 436]); 8].into(),
            ..frame(0, 0)
        };
        let mut pacer = Pacer::default();
        pacer.begin(still, 0, Some(100_000), start);

        let mut departures = Vec::new();
        for at in 0..2_000 {
            if at == 100 {
                pacer.follow(Some(20_000));
            }
            while pacer.take(start + ms(at)).is_some() {
                departures.push(at);
            }
        }

        // 42 ms for 500 bytes at 95 kb/s, 211 at 19.
        assert_eq!(departures, [0, 43, 85, 127, 337, 548, 758, 969]);
    }

    #[test]
    fn more_frames_waiting_make_each_leave_sooner() {
        let start = Instant::now();
        let payloads: Arc<[Bytes]> = vec![Bytes::from_static(&[0; 936]); 20].into();
        for (waiting, step) in [(0, 20), (2, 10), (9, 5)] {
            let mut pacer = Pacer::default();
            departures(&mut pacer, frame(0, 1), start);
            let large = VideoOut {
                payloads: Arc::clone(&payloads),
                ..frame(9_000, 0)
            };

            pacer.begin(large, waiting, Some(300_000), start);
            while pacer.take(start).is_some() {}

            // 20,000 bytes every 100 ms: all of four intervals, less one for each that waits.
            let waits = pacer.next_send().unwrap() - start;
            assert_eq!(waits.as_millis(), step, "{waiting}");
        }
    }

    proptest! {
        #[test]
        fn any_frame_leaves_whole_and_within_a_third_of_a_tenth_of_a_second(
            frames in prop::collection::vec((any::<u32>(), 0_usize..60), 1..10),
        ) {
            let start = Instant::now();
            let mut pacer = Pacer::default();
            for (timestamp, packets) in frames {
                let departures = departures(&mut pacer, frame(timestamp, packets), start);

                prop_assert_eq!(departures.len(), packets);
                prop_assert!(departures.last().is_none_or(|last| *last <= 34));
                prop_assert_eq!(pacer.next_send(), None);
            }
        }
    }
}
