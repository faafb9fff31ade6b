//! The live encoder: constant bitrate, one thread, keyframes when asked for.

use std::fmt;

use super::ffi::{PictureTime, RawEncoder};
use super::weight::Weight;
use crate::video::{FrameKind, I420, PictureSize, VIDEO_CLOCK_HZ, VideoEncodeError, VideoEncoder};

/// The bitrates an encoder accepts, in kb/s.
pub const BITRATE_RANGE_KBPS: std::ops::RangeInclusive<u32> = 10..=50_000;

/// Frame rates an encoder can be told of, in Hz.
const FRAME_RATE_RANGE_HZ: std::ops::RangeInclusive<u32> = 1..=120;

/// libvpx converts times to 1/10⁷ s in 64 bits; this bound keeps it far from overflowing, and is
/// three thousand years.
const MAX_PTS: u64 = 1 << 53;

/// What a still may weigh, in percent of its share of the bitrate.
const STILL_PERCENT: u32 = 100;

/// How much the encoder saves on time: libvpx's `cpu_used`, from −6 (slow) to −16 (fast).
///
/// Negative values fix the speed. Positive ones would let libvpx look at the wall clock and give
/// other frames for the same pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuUsed(i32);

impl CpuUsed {
    /// −8: within 0.1 dB of −6 at four fifths of its cost.
    pub const DEFAULT: Self = Self(-8);

    /// A speed from −16 to −6.
    ///
    /// # Errors
    ///
    /// [`Vp8ConfigError::CpuUsed`] outside that range.
    pub const fn new(cpu_used: i32) -> Result<Self, Vp8ConfigError> {
        if cpu_used < -16 || cpu_used > -6 {
            return Err(Vp8ConfigError::CpuUsed(cpu_used));
        }
        Ok(Self(cpu_used))
    }
}

impl Default for CpuUsed {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When a keyframe is made. The first frame always is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyframePolicy {
    /// When the caller asks: for live viewers, who ask when they need one, since a keyframe costs
    /// several frames' budget. And, once a second at most, in place of a delta frame that weighs more
    /// than two keyframes: nobody waits for a picture that is all new.
    #[default]
    OnRequest,
    /// When the caller asks, and at the latest this many frames after the one before: for files,
    /// where a player can only seek to keyframes. 0 counts as 1.
    AtLeastEvery(u32),
    /// Every frame is one, and none is aimed at more than its share of the bitrate: stills. Left
    /// alone, libvpx spends several frames' share on a keyframe.
    Always,
}

/// How an encoder is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8EncoderConfig {
    /// Size of every picture. A rung that changes size is a new encoder.
    pub size: PictureSize,
    /// Target bitrate in kb/s, 10 to 50 000. It may be changed while running.
    pub bitrate_kbps: u32,
    /// Speed against quality.
    pub cpu_used: CpuUsed,
    /// Pictures per second to expect, 1 to 120. A hint for the rate control's first frames;
    /// afterwards it goes by the timestamps.
    pub frame_rate_hz: u32,
    /// When a keyframe is made.
    pub keyframes: KeyframePolicy,
}

impl Vp8EncoderConfig {
    /// The settings of a live rung: [`CpuUsed::DEFAULT`], 30 pictures per second, keyframes on
    /// request.
    #[must_use]
    pub const fn new(size: PictureSize, bitrate_kbps: u32) -> Self {
        Self {
            size,
            bitrate_kbps,
            cpu_used: CpuUsed::DEFAULT,
            frame_rate_hz: 30,
            keyframes: KeyframePolicy::OnRequest,
        }
    }
}

/// Why an encoder could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Vp8ConfigError {
    /// A speed that is not fixed, or slower than real time allows.
    #[error("cpu_used is {0}, expected -16 to -6")]
    CpuUsed(i32),
    /// A bitrate outside [`BITRATE_RANGE_KBPS`].
    #[error("bitrate_kbps is {0}, expected {min} to {max}", min = BITRATE_RANGE_KBPS.start(), max = BITRATE_RANGE_KBPS.end())]
    Bitrate(u32),
    /// A frame rate outside 1 to 120.
    #[error("frame_rate_hz is {0}, expected 1 to 120")]
    FrameRate(u32),
    /// libvpx did not open an encoder: most likely out of memory.
    #[error("libvpx refused to open an encoder for {0}")]
    Refused(PictureSize),
}

/// An encoder for one rung.
///
/// The frames depend on the pictures, their timestamps and the settings alone.
pub struct Vp8Encoder {
    raw: RawEncoder,
    config: Vp8EncoderConfig,
    /// Timestamps of the first and of the latest picture.
    times: Option<(u64, u64)>,
    /// Frames since the latest keyframe, that one included.
    frames_since_key: u32,
    weight: Weight,
}

impl Vp8Encoder {
    /// Opens an encoder. It holds about 12 bytes per pixel of `config.size`.
    ///
    /// # Errors
    ///
    /// Any [`Vp8ConfigError`].
    pub fn new(config: Vp8EncoderConfig) -> Result<Self, Vp8ConfigError> {
        if !BITRATE_RANGE_KBPS.contains(&config.bitrate_kbps) {
            return Err(Vp8ConfigError::Bitrate(config.bitrate_kbps));
        }
        if !FRAME_RATE_RANGE_HZ.contains(&config.frame_rate_hz) {
            return Err(Vp8ConfigError::FrameRate(config.frame_rate_hz));
        }
        Ok(Self {
            raw: open(&config)?,
            config,
            times: None,
            frames_since_key: 0,
            weight: Weight::default(),
        })
    }

    /// The settings, with the bitrate as last set.
    #[must_use]
    pub const fn config(&self) -> Vp8EncoderConfig {
        self.config
    }

    fn kind_to_ask_for(&self, wanted: FrameKind) -> FrameKind {
        match self.config.keyframes {
            KeyframePolicy::AtLeastEvery(frames) if self.frames_since_key >= frames => {
                FrameKind::Key
            }
            KeyframePolicy::Always => FrameKind::Key,
            _ => wanted,
        }
    }

    fn encode_as(
        &mut self,
        kind: FrameKind,
        picture: &I420,
        time: PictureTime,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError> {
        let encoded = self.raw.encode(picture.view(), time, kind, frame);
        encoded.map_err(|reason| {
            frame.clear();
            VideoEncodeError::Codec(reason)
        })
    }

    fn is_too_heavy(&mut self, kind: FrameKind, frame: &[u8], timestamp: u64) -> bool {
        self.config.keyframes == KeyframePolicy::OnRequest
            && kind == FrameKind::Delta
            && self
                .weight
                .is_too_much(frame.len(), timestamp, self.config.bitrate_kbps)
    }
}

fn open(config: &Vp8EncoderConfig) -> Result<RawEncoder, Vp8ConfigError> {
    let refused = Vp8ConfigError::Refused(config.size);
    let mut raw =
        RawEncoder::open(config.size, config.bitrate_kbps, config.cpu_used.0).ok_or(refused)?;
    if config.keyframes == KeyframePolicy::Always {
        raw.bound_keyframes(STILL_PERCENT).map_err(|_| refused)?;
    }
    Ok(raw)
}

impl VideoEncoder for Vp8Encoder {
    /// # Errors
    ///
    /// [`VideoEncodeError::Size`] for a picture of another size, [`VideoEncodeError::Codec`] for
    /// a timestamp that does not rise or if libvpx refuses.
    fn encode(
        &mut self,
        picture: &I420,
        timestamp: u64,
        wanted: FrameKind,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError> {
        frame.clear();
        if picture.size() != self.config.size {
            return Err(VideoEncodeError::Size {
                got: picture.size(),
                expected: self.config.size,
            });
        }
        let first = match self.times {
            None => timestamp,
            Some((first, latest)) if timestamp > latest => first,
            Some((_, latest)) => {
                return Err(VideoEncodeError::Codec(format!(
                    "timestamp is {timestamp}, expected more than {latest}"
                )));
            }
        };
        let pts = i64::try_from((timestamp - first).min(MAX_PTS)).unwrap_or(i64::MAX);
        let time = PictureTime {
            pts,
            duration: VIDEO_CLOCK_HZ / self.config.frame_rate_hz,
        };
        let asked = self.kind_to_ask_for(wanted);
        let mut kind = self.encode_as(asked, picture, time, frame)?;
        if self.is_too_heavy(kind, frame, timestamp) {
            // What libvpx has made it believes to be sent, and would go on from; so it starts anew.
            self.raw = open(&self.config).map_err(|error| {
                frame.clear();
                VideoEncodeError::Codec(error.to_string())
            })?;
            kind = self.encode_as(FrameKind::Key, picture, time, frame)?;
        }
        if kind == FrameKind::Key {
            self.weight.keyframe(frame.len());
        }
        self.times = Some((first, timestamp));
        self.frames_since_key = match kind {
            FrameKind::Key => 1,
            FrameKind::Delta => self.frames_since_key.saturating_add(1),
        };
        Ok(kind)
    }

    /// # Errors
    ///
    /// [`VideoEncodeError::Codec`] outside [`BITRATE_RANGE_KBPS`] or if libvpx refuses.
    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<(), VideoEncodeError> {
        if !BITRATE_RANGE_KBPS.contains(&bitrate_kbps) {
            let error = Vp8ConfigError::Bitrate(bitrate_kbps);
            return Err(VideoEncodeError::Codec(error.to_string()));
        }
        self.raw
            .set_bitrate(bitrate_kbps)
            .map_err(VideoEncodeError::Codec)?;
        self.config.bitrate_kbps = bitrate_kbps;
        Ok(())
    }
}

impl fmt::Debug for Vp8Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vp8Encoder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
