//! One participant's incoming video, from packets or frames to the newest picture.

use std::time::Duration;

use codecs::video::{
    Decoded, FrameKind, I420, PictureSize, Scaler, VideoDecodeError, VideoDecoder,
};

use super::assembly::{Assembly, Overflow, Taken};
use super::budget::Budget;
use super::config::VideoConfig;
use super::counters::{FrameCounters, VideoCounters};
use super::input::{RecordedFrame, VideoPacket};
use super::keyframes::KeyframeRequests;
use super::orientation::Orientation;
use super::payload;
use super::recording::Recording;
use crate::RoomTime;

/// The most frames of a live track that one tick decodes; more wait for the next. A camera sends
/// one or two, and a filled gap sets free what came in a [`VideoConfig::reorder_window`].
const MAX_FRAMES_PER_TICK: usize = 12;

/// Frames that the budget holds back wait for no longer: a picture that is thinned is not to be late as
/// well. Longer than any [`VideoConfig::reorder_window`] in use.
const MAX_BACKLOG: Duration = Duration::from_millis(500);

/// The size of a picture that was never decoded, and is never shown.
const NOTHING_YET: PictureSize = match PictureSize::new(2, 2) {
    Ok(size) => size,
    Err(_) => panic!("two pixels are a side"),
};

/// A decoder and what it is fed from.
#[derive(Debug)]
pub(crate) struct Track {
    decoder: Box<dyn VideoDecoder>,
    scaler: Box<dyn Scaler>,
    live: Assembly,
    recorded: Recording,
    budget: Budget,
    requests: KeyframeRequests,
    picture: I420,
    /// How pictures are to be turned from now on.
    orientation: Orientation,
    /// The encoded frame being decoded; kept for its memory.
    frame: Vec<u8>,
}

/// What a tick brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The picture is a new one.
    NewPicture(Origin),
    /// The picture is as it was.
    None,
}

/// Whether a source sends more than it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thinned {
    /// A bound keeps some of it waiting, or has dropped it.
    Yes,
    /// It does not.
    #[default]
    No,
}

/// Where a picture came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A network: the next one ought to come soon.
    Live,
    /// A file, which says itself how long it lasts.
    Recorded,
}

impl Track {
    pub(crate) fn new(
        decoder: Box<dyn VideoDecoder>,
        scaler: Box<dyn Scaler>,
        config: &VideoConfig,
    ) -> Self {
        Self {
            decoder,
            scaler,
            live: Assembly::new(config.reorder_window),
            recorded: Recording::default(),
            budget: Budget::new(config.source_pixels_per_s),
            requests: KeyframeRequests::default(),
            picture: I420::black(NOTHING_YET),
            orientation: Orientation::UPRIGHT,
            frame: Vec::new(),
        }
    }

    /// Takes in a packet of a live track.
    pub(crate) fn push_packet(&mut self, packet: VideoPacket, counters: &mut VideoCounters) {
        counters.packets.received += 1;
        match payload::parse(packet) {
            Ok(fragment) => {
                if fragment.part.is_keyframe_head() {
                    self.requests.answered();
                }
                self.live.push(fragment, &mut counters.packets);
            }
            Err(_) => counters.packets.malformed += 1,
        }
    }

    /// Takes in a frame of a recorded track.
    pub(crate) fn push_recorded(&mut self, frame: RecordedFrame, counters: &mut VideoCounters) {
        self.recorded.push(frame, &mut counters.frames);
    }

    /// Decodes whatever is due at `now`, and says whether a bound kept back more than that.
    pub(crate) fn decode_due(
        &mut self,
        now: RoomTime,
        counters: &mut VideoCounters,
    ) -> (Progress, Thinned) {
        let mut progress = Progress::None;
        let mut thinned = match self.live.take_overflow() {
            Overflow::Dropped => Thinned::Yes,
            Overflow::None => Thinned::No,
        };
        while let Some((kind, data)) = self.recorded.take(now, &mut counters.frames) {
            let decoded = self.decoder.decode(&data, &mut self.picture);
            match self.judge(kind, &decoded, &mut counters.frames) {
                Verdict::Shown => progress = Progress::NewPicture(Origin::Recorded),
                Verdict::Hidden => {}
                Verdict::Refused => self.recorded.break_chain(),
            }
        }
        for nth in 0..=MAX_FRAMES_PER_TICK {
            if nth == MAX_FRAMES_PER_TICK || !self.budget.allows(now) {
                if !self.live.is_empty() {
                    thinned = Thinned::Yes;
                    self.live.shed(now, MAX_BACKLOG, &mut counters.packets);
                }
                break;
            }
            let Some(taken) = self.live.take(now, &mut self.frame, &mut counters.packets) else {
                break;
            };
            let Taken { kind, orientation } = taken;
            let decoded = self.decoder.decode(&self.frame, &mut self.picture);
            self.budget.spend(kind, self.picture.size().pixels());
            if decoded.is_ok() {
                self.turn(kind, orientation);
                counters.frames.turned += u64::from(self.orientation != Orientation::UPRIGHT);
            }
            match self.judge(kind, &decoded, &mut counters.frames) {
                Verdict::Shown => progress = Progress::NewPicture(Origin::Live),
                Verdict::Hidden => {}
                Verdict::Refused => self.live.break_chain(),
            }
        }
        counters.thinned_ticks += u64::from(thinned == Thinned::Yes);
        (progress, thinned)
    }

    /// Drops what has come of a live track, which will have to begin with a keyframe again, to be
    /// asked for at once.
    pub(crate) fn rest(&mut self, counters: &mut VideoCounters) {
        self.live.rest(&mut counters.packets);
        self.requests.satisfied();
        counters.resting_ticks += 1;
    }

    /// Whether the sender is to be asked for a keyframe at `now`.
    pub(crate) fn poll_keyframe_request(&mut self, now: RoomTime) -> bool {
        self.live.needs_keyframe() && self.requests.poll(now)
    }

    /// The newest picture, how it is to be turned, and what scales it.
    pub(crate) fn picture(&mut self) -> (&I420, Orientation, &mut dyn Scaler) {
        (&self.picture, self.orientation, self.scaler.as_mut())
    }

    /// Senders say how a keyframe lies, and else what changes, or all the time what is not upright.
    fn turn(&mut self, kind: FrameKind, said: Option<Orientation>) {
        match (said, kind) {
            (Some(orientation), _) => self.orientation = orientation,
            (None, FrameKind::Key) => self.orientation = Orientation::UPRIGHT,
            (None, FrameKind::Delta) => {}
        }
    }

    fn judge(
        &mut self,
        kind: FrameKind,
        decoded: &Result<Decoded, VideoDecodeError>,
        counters: &mut FrameCounters,
    ) -> Verdict {
        match decoded {
            Err(VideoDecodeError::Corrupt(_)) => counters.corrupt += 1,
            Err(VideoDecodeError::TooLarge { .. }) => counters.too_large += 1,
            Ok(_) => counters.decoded += 1,
        }
        if decoded.is_ok() && kind == FrameKind::Key {
            self.requests.satisfied();
        }
        match decoded {
            Ok(Decoded::Picture) => Verdict::Shown,
            Ok(Decoded::Nothing) => Verdict::Hidden,
            Err(_) => Verdict::Refused,
        }
    }
}

/// What came of one frame.
enum Verdict {
    Shown,
    Hidden,
    Refused,
}
