//! The queues between a participant's transport and the threads of its room.
//!
//! The transport's tasks file what arrives and send what is due; the room's audio and video
//! threads take and leave at their ticks. Nobody waits for anybody: every queue is a ring that
//! drops its oldest entry when it is full, and counts it.
//!
//! Audio and video never share a queue, so that a burst of video cannot delay or displace audio.

mod path;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::rtp::SeqNo;
use codecs::rtp::vp8::PictureNumber;
use crossbeam_queue::ArrayQueue;
use mixer::RoomTime;
use mixer::audio::{AudioPacket, Level};
use mixer::video::VideoPacket;
use tokio::sync::Notify;

pub(crate) use self::path::{Downlink, MAX_SKEW_US, Path};
use crate::rtc::NO_ORIENTATION;

/// Audio packets on the way in: two seconds of the shortest usual packet (10 ms).
const AUDIO_IN_PACKETS: usize = 200;

/// Video packets on the way in: about a second of 2.5 Mb/s in packets of 1,200 bytes.
const VIDEO_IN_PACKETS: usize = 256;

/// Audio packets on the way out: half a second of packets of 20 ms, more of longer ones.
const AUDIO_OUT_PACKETS: usize = 25;

/// Audio packets to be asked for: more than are missing when a resend still helps.
const AUDIO_ASKED_PACKETS: usize = 16;

/// Video frames on the way out: a sixth of a second at 30 frames per second. A transport that
/// falls further behind loses the oldest and asks its room for a keyframe.
pub(crate) const VIDEO_OUT_FRAMES: usize = 5;

/// One audio packet, shared by all who hear the same encode.
#[derive(Clone, Debug)]
pub(crate) struct AudioOut {
    /// Of its first sample: 48 kHz, counted from the room's start.
    pub(crate) timestamp: u32,
    pub(crate) payload: Bytes,
}

/// One encoded frame of the rung that a viewer watches.
#[derive(Clone, Debug)]
pub(crate) struct VideoOut {
    /// 90 kHz, counted from the room's start.
    pub(crate) timestamp: u32,
    /// RTP payloads in order, shared by all viewers of the rung; the last one carries the marker.
    pub(crate) payloads: Arc<[Bytes]>,
    /// What this viewer is to find in them: its counters go on from rung to rung.
    pub(crate) number: PictureNumber,
}

/// A ring of bounded length: the newest always fits, the oldest goes.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    queue: ArrayQueue<T>,
    dropped: AtomicU64,
}

impl<T> Ring<T> {
    fn new(capacity: usize) -> Self {
        Self {
            queue: ArrayQueue::new(capacity),
            dropped: AtomicU64::new(0),
        }
    }

    /// Appends `item`; says whether an older one had to go.
    pub(crate) fn push(&self, item: T) -> Pushed {
        match self.queue.force_push(item) {
            None => Pushed::Kept,
            Some(_) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                Pushed::OldestDropped
            }
        }
    }

    /// Takes the oldest.
    pub(crate) fn pop(&self) -> Option<T> {
        self.queue.pop()
    }

    /// How many were dropped since the beginning.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// What pushing into a full ring costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Kept,
    OldestDropped,
}

/// Everything that one participant's transport and room exchange while media flows.
#[derive(Debug)]
pub(crate) struct Link {
    room_start: Instant,
    /// Milliseconds of the room when the last packet came.
    heard_ms: AtomicU64,
    /// What the participant says.
    pub(crate) audio_in: Ring<AudioPacket>,
    /// What the participant shows.
    pub(crate) video_in: Ring<VideoPacket>,
    audio_out: Ring<AudioOut>,
    video_out: Ring<VideoOut>,
    outgoing: Notify,
    viewer_wants_keyframe: AtomicBool,
    source_owes_keyframe: Notify,
    audio_asked: Ring<SeqNo>,
    source_owes_audio: Notify,
    orientation_extension: AtomicU8,
    level_minus_dbov: AtomicU8,
    max_packet_ms: AtomicU32,
    /// What is known of the network between the two.
    pub(crate) path: Path,
}

impl Link {
    /// A link into a room that began at `room_start`.
    pub(crate) fn new(room_start: Instant) -> Self {
        Self {
            room_start,
            heard_ms: AtomicU64::new(0),
            audio_in: Ring::new(AUDIO_IN_PACKETS),
            video_in: Ring::new(VIDEO_IN_PACKETS),
            audio_out: Ring::new(AUDIO_OUT_PACKETS),
            video_out: Ring::new(VIDEO_OUT_FRAMES),
            outgoing: Notify::new(),
            viewer_wants_keyframe: AtomicBool::new(false),
            source_owes_keyframe: Notify::new(),
            audio_asked: Ring::new(AUDIO_ASKED_PACKETS),
            source_owes_audio: Notify::new(),
            orientation_extension: AtomicU8::new(NO_ORIENTATION),
            level_minus_dbov: AtomicU8::new(Level::SILENT.minus_dbov()),
            max_packet_ms: AtomicU32::new(u32::MAX),
            path: Path::default(),
        }
    }

    /// The most sound that the participant takes in one packet, in milliseconds; `u32::MAX` if that
    /// is for us to say.
    pub(crate) fn max_packet_ms(&self) -> u32 {
        self.max_packet_ms.load(Ordering::Relaxed)
    }

    /// Notes what the participant's offer says of it.
    pub(crate) fn set_max_packet_ms(&self, ms: Option<u32>) {
        self.max_packet_ms
            .store(ms.unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// The room's time at `instant`.
    pub(crate) fn room_time(&self, instant: Instant) -> RoomTime {
        RoomTime::new(instant.saturating_duration_since(self.room_start))
    }

    /// A packet of any kind has come at `now`, or the path is known to have begun.
    pub(crate) fn hear(&self, now: Instant) {
        let since_start = now.saturating_duration_since(self.room_start);
        let ms = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.fetch_max(ms, Ordering::Relaxed);
    }

    /// For how long nothing has come.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(self.room_start)
            .saturating_sub(heard)
    }

    /// Leaves audio for the transport to send.
    pub(crate) fn send_audio(&self, audio: AudioOut) {
        self.audio_out.push(audio);
        self.outgoing.notify_one();
    }

    /// Leaves a frame for the transport to send. A viewer that lost one needs a keyframe.
    pub(crate) fn send_video(&self, video: VideoOut) {
        if self.video_out.push(video) == Pushed::OldestDropped {
            self.want_keyframe();
        }
        self.outgoing.notify_one();
    }

    /// The next audio packet to send.
    pub(crate) fn next_audio_out(&self) -> Option<AudioOut> {
        self.audio_out.pop()
    }

    /// The next frame to send.
    pub(crate) fn next_video_out(&self) -> Option<VideoOut> {
        self.video_out.pop()
    }

    /// How many frames wait to be sent.
    pub(crate) fn video_out_waiting(&self) -> usize {
        self.video_out.queue.len()
    }

    /// Resolves when something was left to send since the last time.
    pub(crate) async fn outgoing(&self) {
        self.outgoing.notified().await;
    }

    /// The viewer at the other end cannot go on without a keyframe. Any number of requests between
    /// two ticks count as one.
    pub(crate) fn want_keyframe(&self) {
        self.viewer_wants_keyframe.store(true, Ordering::Release);
    }

    /// Whether the viewer has asked for a keyframe since the last time.
    pub(crate) fn take_keyframe_request(&self) -> KeyframeWish {
        if self.viewer_wants_keyframe.swap(false, Ordering::AcqRel) {
            KeyframeWish::Wanted
        } else {
            KeyframeWish::None
        }
    }

    /// Has the transport ask the participant for a keyframe.
    pub(crate) fn request_source_keyframe(&self) {
        self.source_owes_keyframe.notify_one();
    }

    /// Resolves when the participant is to be asked for a keyframe.
    pub(crate) async fn source_owes_keyframe(&self) {
        self.source_owes_keyframe.notified().await;
    }

    /// Has the transport ask the participant for an audio packet again.
    pub(crate) fn request_audio(&self, seq: SeqNo) {
        self.audio_asked.push(seq);
        self.source_owes_audio.notify_one();
    }

    /// Resolves with the audio packets that the participant is to be asked for; never empty.
    pub(crate) async fn source_owes_audio(&self) -> Vec<u16> {
        loop {
            self.source_owes_audio.notified().await;
            let owed: Vec<u16> = std::iter::from_fn(|| self.audio_asked.pop())
                .map(|seq| seq.0)
                .collect();
            if !owed.is_empty() {
                return owed;
            }
        }
    }

    /// Incoming video says how it is to be turned in this header extension.
    pub(crate) fn set_orientation_extension(&self, number: u8) {
        self.orientation_extension.store(number, Ordering::Relaxed);
    }

    /// The header extension that says how incoming video is to be turned, or [`NO_ORIENTATION`].
    pub(crate) fn orientation_extension(&self) -> u8 {
        self.orientation_extension.load(Ordering::Relaxed)
    }

    /// How loud the participant is at this tick, as far as anybody hears it.
    pub(crate) fn set_level(&self, level: Level) {
        self.level_minus_dbov
            .store(level.minus_dbov(), Ordering::Relaxed);
    }

    /// How loud they were at the last tick: −dBov, 127 is silence.
    pub(crate) fn level_minus_dbov(&self) -> u8 {
        self.level_minus_dbov.load(Ordering::Relaxed)
    }

    /// Packets in that were dropped for want of room: more came than anybody may send, or the room
    /// did not take them.
    pub(crate) fn dropped_in(&self) -> u64 {
        self.audio_in.dropped() + self.video_in.dropped()
    }

    /// What was dropped for want of room: packets in, audio packets out and frames out.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped_in() + self.audio_out.dropped() + self.video_out.dropped()
    }
}

/// Whether somebody waits for a keyframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyframeWish {
    Wanted,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(timestamp: u32) -> VideoOut {
        VideoOut {
            timestamp,
            payloads: Arc::from([]),
            number: PictureNumber::default(),
        }
    }

    #[test]
    fn a_full_ring_drops_its_oldest_and_counts_it() {
        let ring = Ring::new(2);

        assert_eq!(ring.push(1), Pushed::Kept);
        assert_eq!(ring.push(2), Pushed::Kept);
        assert_eq!(ring.push(3), Pushed::OldestDropped);

        assert_eq!(ring.dropped(), 1);
        assert_eq!(ring.pop(), Some(2));
        assert_eq!(ring.pop(), Some(3));
        assert_eq!(ring.pop(), None);
    }

    #[tokio::test]
    async fn audio_that_is_owed_is_asked_for_in_one_go_and_at_most_as_much_as_fits() {
        let link = Link::new(Instant::now());
        for seq in 0..20 {
            link.request_audio(SeqNo(seq));
        }

        let owed = link.source_owes_audio().await;

        let expected: Vec<u16> = (4..20).collect();
        assert_eq!(owed, expected);
        link.request_audio(SeqNo(7));
        assert_eq!(link.source_owes_audio().await, [7]);
    }

    #[test]
    fn a_transport_that_falls_behind_asks_for_a_keyframe() {
        let link = Link::new(Instant::now());
        for n in 0..VIDEO_OUT_FRAMES {
            link.send_video(frame(u32::try_from(n).unwrap()));
        }
        assert_eq!(link.take_keyframe_request(), KeyframeWish::None);

        link.send_video(frame(99));

        assert_eq!(link.take_keyframe_request(), KeyframeWish::Wanted);
        assert_eq!(link.next_video_out().unwrap().timestamp, 1);
        assert_eq!(link.dropped(), 1);
    }
}
