//! One rung of the ladder: a canvas and its encoder.

use std::time::Duration;

use codecs::video::{FrameKind, I420, VideoEncoder};

use super::counters::RungCounters;
use super::input::{Arrangement, Focus, Keyframes, RungConfig, RungId};
use super::keyframes::KeyframeThrottle;
use super::layout::Layout;
use super::tile::{Change, Tiles};
use crate::RoomTime;

/// Half a frame at 30 fps, in ticks of 90 kHz: stills must not drift by more.
const EARLY_TICKS: u64 = 1_500;

/// Whether a canvas is another than in the frame before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanvasChange {
    /// At least one tile is new.
    Changed,
    /// Every pixel is as it was.
    Unchanged,
}

/// One encoded picture of a rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungFrame {
    /// Whose.
    pub rung: RungId,
    /// The encoded frame.
    pub data: Vec<u8>,
    /// Whether it can be decoded by itself.
    pub kind: FrameKind,
    /// Media time in ticks of 90 kHz since the room began, strictly rising.
    pub timestamp: u64,
    /// Whether there was anything new to see.
    pub canvas: CanvasChange,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Rung {
    id: RungId,
    encoder: Box<dyn VideoEncoder>,
    throttle: KeyframeThrottle,
    keyframes: Keyframes,
    arrangement: Arrangement,
    focus: Focus,
    frame_interval: u64,
    /// When the next frame is due, in ticks of 90 kHz. `None` before the first.
    next_at: Option<u64>,
    next_tick: NextTick,
    /// When the latest frame was due, made or not.
    last_due: Option<u64>,
    /// What was passed over, in ticks of 90 kHz: no time, to the encoder.
    passed_over: u64,
    layout: Layout,
    canvas: I420,
    background: [u8; 3],
    canvas_state: CanvasState,
    counters: RungCounters,
    encoded: Option<RungFrame>,
    /// Memory of the frame that was taken last, to be filled again.
    spare: Vec<u8>,
}

/// Whether a frame that is due at the next tick is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextTick {
    MakesIt,
    PassesItOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CanvasState {
    /// Shows another layout: every tile must be copied.
    Outdated,
    /// Only tiles that were redrawn must be copied.
    Current,
}

impl Rung {
    pub(crate) fn new(
        id: RungId,
        config: RungConfig,
        mut encoder: Box<dyn VideoEncoder>,
        keyframe_interval: Duration,
        background: [u8; 3],
    ) -> Self {
        let mut counters = RungCounters::default();
        if encoder.set_bitrate(config.bitrate_kbps).is_err() {
            counters.encoder_errors += 1;
        }
        let mut throttle = KeyframeThrottle::new(keyframe_interval);
        // Whatever was sent on this rung before, its viewers cannot go on from it.
        throttle.request();
        Self {
            id,
            encoder,
            throttle,
            keyframes: config.keyframes,
            arrangement: config.arrangement,
            focus: config.focus,
            frame_interval: u64::from(config.frame_interval),
            next_at: None,
            next_tick: NextTick::MakesIt,
            last_due: None,
            passed_over: 0,
            layout: Layout::empty(config.size),
            canvas: I420::black(config.size),
            background,
            canvas_state: CanvasState::Outdated,
            counters,
            encoded: None,
            spare: Vec::new(),
        }
    }

    pub(crate) const fn id(&self) -> RungId {
        self.id
    }

    pub(crate) const fn arrangement(&self) -> Arrangement {
        self.arrangement
    }

    pub(crate) const fn focus(&self) -> Focus {
        self.focus
    }

    pub(crate) const fn canvas(&self) -> &I420 {
        &self.canvas
    }

    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) const fn counters(&self) -> RungCounters {
        self.counters
    }

    pub(crate) const fn request_keyframe(&mut self) {
        self.throttle.request();
    }

    /// Makes no frame at the next tick. Its share of the bitrate is nobody's: an encoder that found the
    /// time in its timestamps would spend it on the frame after, and nobody would be less behind.
    pub(crate) const fn pass_over(&mut self) {
        self.next_tick = NextTick::PassesItOver;
    }

    pub(crate) fn set_bitrate(&mut self, bitrate_kbps: u32) {
        if self.encoder.set_bitrate(bitrate_kbps).is_err() {
            self.counters.encoder_errors += 1;
        }
    }

    /// Shows `layout` from the next frame on: as a keyframe where another is shown large. An encoder
    /// that goes on as if nothing had happened makes a frame of two and a half times that.
    pub(crate) fn set_layout(&mut self, layout: Layout) {
        let first = |layout: &Layout| layout.tiles().first().map(|(participant, _)| *participant);
        let speaker_matters = match self.arrangement {
            Arrangement::Grid => false,
            Arrangement::SpeakerLarge | Arrangement::SpeakerAlone => true,
        };
        if speaker_matters && first(&layout) != first(&self.layout) {
            self.throttle.request();
        }
        self.layout = layout;
        self.canvas_state = CanvasState::Outdated;
    }

    /// Whether a frame is to be made at `timestamp`. Ticks come with a rounding error, so a frame
    /// may be early by a quarter of its interval, or [`EARLY_TICKS`] if that is less.
    pub(crate) fn poll_due(&mut self, timestamp: u64) -> bool {
        let next_tick = std::mem::replace(&mut self.next_tick, NextTick::MakesIt);
        let due_at = self.next_at.unwrap_or(timestamp);
        if timestamp + (self.frame_interval / 4).min(EARLY_TICKS) < due_at {
            return false;
        }
        let on_grid = due_at + self.frame_interval;
        // After a pause the grid begins anew, instead of a burst that catches up.
        self.next_at = Some(if on_grid > timestamp {
            on_grid
        } else {
            timestamp + self.frame_interval
        });
        let since_last = timestamp - self.last_due.replace(timestamp).unwrap_or(timestamp);
        if next_tick == NextTick::PassesItOver {
            self.passed_over += since_last;
        }
        next_tick == NextTick::MakesIt
    }

    /// Copies what is new to the canvas and encodes it.
    pub(crate) fn produce(&mut self, tiles: &[Tiles], now: RoomTime, timestamp: u64) {
        let canvas = self.compose(tiles);
        let asked = self.throttle.poll(now);
        let wanted = if asked || self.keyframes == Keyframes::Always {
            FrameKind::Key
        } else {
            FrameKind::Delta
        };
        let mut data = std::mem::take(&mut self.spare);
        let encoded = self.encoder.encode(
            &self.canvas,
            timestamp - self.passed_over,
            wanted,
            &mut data,
        );
        let Ok(kind) = encoded else {
            self.counters.encoder_errors += 1;
            self.spare = data;
            if wanted == FrameKind::Key {
                self.throttle.request();
            }
            return;
        };
        self.counters.frames += 1;
        self.counters.keyframes += u64::from(kind == FrameKind::Key);
        self.counters.bytes += data.len() as u64;
        self.encoded = Some(RungFrame {
            rung: self.id,
            data,
            kind,
            timestamp,
            canvas,
        });
    }

    /// The frame that was made, in exchange for memory to make the next one in.
    pub(crate) fn take_frame(&mut self) -> Option<RungFrame> {
        self.encoded.take()
    }

    /// Gives back the memory of a frame.
    pub(crate) fn recycle(&mut self, data: Vec<u8>) {
        self.spare = data;
    }

    fn compose(&mut self, tiles: &[Tiles]) -> CanvasChange {
        let whole = self.canvas_state == CanvasState::Outdated;
        if whole {
            self.canvas.fill(self.background);
            self.canvas_state = CanvasState::Current;
        }
        let mut change = if whole {
            CanvasChange::Changed
        } else {
            CanvasChange::Unchanged
        };
        for (participant, region) in self.layout.tiles() {
            let found = tiles.binary_search_by_key(participant, |tiles| tiles.participant);
            let tile = found.ok().and_then(|index| tiles[index].on(self.id));
            let Some((picture, redrawn)) = tile else {
                continue;
            };
            if !whole && redrawn == Change::None {
                continue;
            }
            let mut canvas = self.canvas.view_mut();
            if let Some(mut place) = canvas.crop(region.left(), region.top(), region.size()) {
                place.copy_from(picture.view());
                change = CanvasChange::Changed;
            }
        }
        change
    }
}
