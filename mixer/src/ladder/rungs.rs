//! The ladder that a room has unless it is given another.
//!
//! | rung | shows | kb/s | fits a downlink of |
//! |---|---|---|---|
//! | stills, 320x180, every 1.5 s | the active speaker | 10 to 40 | 64 kb/s |
//! | 320x180, 10 fps | the active speaker | 30 to 90 | 100 kb/s |
//! | 426x240, 15 fps | the active speaker large, others small | 70 to 240 | 200 kb/s |
//! | 640x360, 30 fps | everybody | 200 to 700 | 400 kb/s |
//! | 1280x720, 30 fps | everybody | 600 and up | 1.2 Mb/s |
//!
//! The lower ends are where libvpx at `cpu_used` -8 still reaches about 34 dB with nine talking
//! heads (natural and drawn, in these arrangements): 320x180 at 7.5 fps had 36 to 40 dB at 25 kb/s,
//! 426x240 at 15 fps 34 to 35 dB at 80, 640x360 35 dB at 200, 1280x720 38 dB at 600. Cameras with
//! more noise need more. A still of 320x180 is good for 33 dB in a kilobyte and 46 dB in six.
//!
//! In a room of nine, video with all four moving rungs costs 1.24 times what it costs with the
//! highest alone, and 1.31 times with those that only the active speaker sees.

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};

use super::{Ladder, LadderError, Pace, RungSpec};
use crate::video::Arrangement;

/// Payloads of rungs for links on which a full packet would keep audio waiting: 500 bytes are
/// 40 ms at 100 kb/s.
const SHORT_PAYLOAD_BYTES: usize = 480;

/// Payloads of stills, beside which audio comes in packets of 120 ms: 320 bytes are 47 ms at 64 kb/s.
const SHORTEST_PAYLOAD_BYTES: usize = 320;

/// Payloads of 640x360: 800 bytes are 16 ms at 400 kb/s.
const MEDIUM_PAYLOAD_BYTES: usize = 800;

/// Room for RTP, SRTP, UDP and IPv6 headers below the smallest usual path MTU of 1,280 bytes.
const LONG_PAYLOAD_BYTES: usize = 1_180;

/// What a canvas of so many pixels is good for at 30 fps, in kb/s; in between, in proportion.
const LEAST_KBPS: [(u64, u64); 5] = [
    (0, 0),
    (320 * 180, 70),
    (640 * 360, 200),
    (1280 * 720, 600),
    (1920 * 1080, 1_200),
];

/// A rung of the usual ladder, for whatever aspect the canvas has.
struct Usual {
    name: &'static str,
    height_px: usize,
    pace: Pace,
    kbps: (u32, u32),
    arrangement: Arrangement,
    payload_bytes: usize,
}

const USUAL: [Usual; 5] = [
    Usual {
        name: "stills",
        height_px: 180,
        pace: Pace::Stills {
            interval: VIDEO_CLOCK_HZ * 3 / 2,
        },
        kbps: (10, 40),
        arrangement: Arrangement::SpeakerAlone,
        payload_bytes: SHORTEST_PAYLOAD_BYTES,
    },
    Usual {
        name: "speaker",
        height_px: 180,
        pace: Pace::Moving {
            frame_interval: 9_000,
        },
        kbps: (30, 90),
        arrangement: Arrangement::SpeakerAlone,
        payload_bytes: SHORT_PAYLOAD_BYTES,
    },
    Usual {
        name: "low",
        height_px: 240,
        pace: Pace::Moving {
            frame_interval: 6_000,
        },
        kbps: (70, 240),
        arrangement: Arrangement::SpeakerLarge,
        payload_bytes: SHORT_PAYLOAD_BYTES,
    },
    Usual {
        name: "medium",
        height_px: 360,
        pace: Pace::Moving {
            frame_interval: 3_000,
        },
        kbps: (200, 700),
        arrangement: Arrangement::Grid,
        payload_bytes: MEDIUM_PAYLOAD_BYTES,
    },
    Usual {
        name: "high",
        height_px: 720,
        pace: Pace::Moving {
            frame_interval: 3_000,
        },
        kbps: (600, 1_500),
        arrangement: Arrangement::Grid,
        payload_bytes: LONG_PAYLOAD_BYTES,
    },
];

impl Ladder {
    /// The usual ladder below a grid of `size` at `fps` pictures per second and `kbps`, which is
    /// its highest rung.
    ///
    /// Lower rungs have the canvas's aspect, are no larger and no faster than it, and are left out
    /// where they would need as much as what is above them.
    ///
    /// # Errors
    ///
    /// [`LadderError`] if the highest rung is none: an odd or too small canvas, more than 60 fps
    /// or none, a bitrate no encoder takes.
    pub fn usual(size: PictureSize, fps: u32, kbps: u32) -> Result<Self, LadderError> {
        let frame_interval = VIDEO_CLOCK_HZ.checked_div(fps).unwrap_or_default();
        let least = least_kbps(size).clamp(10, kbps.max(10));
        let mut rungs = vec![RungSpec {
            name: "top".to_owned(),
            size,
            pace: Pace::Moving { frame_interval },
            kbps: least..=kbps,
            arrangement: Arrangement::Grid,
            payload_bytes: LONG_PAYLOAD_BYTES,
        }];
        for usual in USUAL.iter().rev() {
            let Some(lower) = usual.below(&rungs[rungs.len() - 1], size) else {
                continue;
            };
            rungs.push(lower);
        }
        rungs.reverse();
        Self::new(rungs)
    }
}

impl Usual {
    /// This rung below `upper`, if there is any use for it there.
    fn below(&self, upper: &RungSpec, canvas: PictureSize) -> Option<RungSpec> {
        let upper_min = *upper.kbps.start();
        let pace = match (self.pace, upper.pace) {
            (
                Pace::Moving { frame_interval },
                Pace::Moving {
                    frame_interval: fastest,
                },
            ) => Pace::Moving {
                frame_interval: frame_interval.max(fastest),
            },
            (pace, _) => pace,
        };
        let size = scaled(canvas, self.height_px);
        let smaller = size.pixels() < upper.size.pixels();
        let less = smaller || pace.interval() > upper.pace.interval();
        (less && self.kbps.0 < upper_min).then(|| RungSpec {
            name: self.name.to_owned(),
            size,
            pace,
            kbps: self.kbps.0..=self.kbps.1.max(upper_min).min(*upper.kbps.end()),
            arrangement: self.arrangement,
            payload_bytes: self.payload_bytes.min(upper.payload_bytes),
        })
    }
}

/// The canvas at another height, no larger than it is, with even sides of 64 pixels or more.
fn scaled(canvas: PictureSize, height_px: usize) -> PictureSize {
    if height_px >= canvas.height() {
        return canvas;
    }
    let width_px = canvas.width() * height_px / canvas.height() / 2 * 2;
    let side = |px: usize| u32::try_from(px).unwrap_or_default();
    PictureSize::new(side(width_px.max(64)), side(height_px)).unwrap_or(canvas)
}

fn least_kbps(size: PictureSize) -> u32 {
    let pixels = size.pixels() as u64;
    let above = LEAST_KBPS
        .iter()
        .position(|(at, _)| *at >= pixels)
        .unwrap_or(LEAST_KBPS.len() - 1)
        .max(1);
    let ((from, low), (to, high)) = (LEAST_KBPS[above - 1], LEAST_KBPS[above]);
    // Beyond the last row the line goes on.
    let kbps = low + pixels.saturating_sub(from) * (high - low) / (to - from);
    u32::try_from(kbps).unwrap_or(u32::MAX)
}
