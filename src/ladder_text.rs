//! Ladders as text: JSON, in a file or in what an operator sends. OPERATING.md describes it.
//!
//! It is an array of rungs, the lowest first: 1 to [`MAX_RUNGS`](mixer::ladder::MAX_RUNGS)
//! of them, checked as a whole before any room has them. A file has at most [`MAX_FILE_BYTES`]; what
//! operators send is bounded by the body that holds it.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

use std::fs::File;
use std::io;
use std::path::Path;

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};
use mixer::ladder::{Ladder, LadderError, Pace, RungSpec};
use mixer::video::Arrangement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::from_file::text_of;

/// The longest file: as long as what operators may send.
const MAX_FILE_BYTES: usize = 64 * 1024;

/// Room for all headers below the smallest usual path MTU of 1,280 bytes.
const USUAL_PAYLOAD_BYTES: usize = 1_180;

/// Ticks of 90 kHz in a millisecond.
const TICKS_PER_MS: u32 = VIDEO_CLOCK_HZ / 1_000;

/// Why a file is not a ladder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LadderFileError {
    /// It cannot be read, or is too long.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not an array of rungs.
    #[error("not an array of rungs: {0}")]
    Json(#[from] serde_json::Error),
    /// Its rungs are none.
    #[error(transparent)]
    Ladder(#[from] BadLadder),
}

/// Why rungs are not a ladder, though each has its fields.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadLadder {
    /// A size is not of WIDTHxHEIGHT.
    #[error("size of rung {name} is {size:?}, expected WIDTHxHEIGHT")]
    Size {
        /// Of the rung.
        name: String,
        /// What it says.
        size: String,
    },
    /// A rung says how fast it is in no way, or in two.
    #[error("rung {0} has fps and every_ms, or neither; expected one of them")]
    Pace(String),
    /// The rungs do not make a ladder.
    #[error(transparent)]
    Ladder(#[from] LadderError),
}

/// One rung of a ladder: a picture that a room offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Rung")]
#[serde(deny_unknown_fields)]
pub(crate) struct RungText {
    /// 1 to 32 bytes, unlike any other.
    #[schemars(length(min = 1, max = 32))]
    name: String,
    /// `WIDTHxHEIGHT` in pixels, both even and 64 to 4096.
    #[schemars(regex(pattern = "^[0-9]+x[0-9]+$"))]
    size: String,
    /// Pictures per second, 1 to 60, such as 7.5. For video.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "whole_if_whole"
    )]
    #[schemars(range(min = 1, max = 60))]
    fps: Option<f64>,
    /// Time between two pictures in milliseconds, 17 to 10000. For stills, in place of `fps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 17, max = 10_000))]
    every_ms: Option<u32>,
    /// The least bitrate in kb/s, 10 to 50000: below it, a lower rung is better.
    #[schemars(range(min = 10, max = 50_000))]
    min_kbps: u32,
    /// The most that the rung makes use of, in kb/s: `min_kbps` to 50000.
    #[schemars(range(min = 10, max = 50_000))]
    max_kbps: u32,
    /// Who is shown; the grid unless told otherwise.
    #[serde(default)]
    arrangement: ArrangementText,
    /// The longest RTP payload in bytes, 200 to 1180, which is the default.
    #[serde(default = "usual_payload_bytes")]
    #[schemars(range(min = 200, max = 1_180))]
    payload_bytes: usize,
}

/// Who is shown, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Arrangement")]
#[serde(rename_all = "snake_case")]
enum ArrangementText {
    /// Everybody alike.
    #[default]
    Grid,
    /// The active speaker large, the others small.
    SpeakerLarge,
    /// Only the active speaker.
    SpeakerAlone,
}

/// Reads the ladder in `file`.
///
/// # Errors
///
/// Any [`LadderFileError`].
pub(crate) fn read(file: &Path) -> Result<Ladder, LadderFileError> {
    parse(&text_of(File::open(file)?, MAX_FILE_BYTES)?)
}

/// The ladder of these rungs, the lowest first.
///
/// # Errors
///
/// Any [`BadLadder`].
pub(crate) fn ladder(rungs: Vec<RungText>) -> Result<Ladder, BadLadder> {
    let rungs: Result<Vec<RungSpec>, _> = rungs.into_iter().map(RungText::spec).collect();
    Ok(Ladder::new(rungs?)?)
}

/// What would give this ladder.
pub(crate) fn rungs(ladder: &Ladder) -> Vec<RungText> {
    ladder.rungs().iter().map(RungText::of).collect()
}

fn parse(text: &str) -> Result<Ladder, LadderFileError> {
    Ok(ladder(serde_json::from_str(text)?)?)
}

impl RungText {
    fn of(spec: &RungSpec) -> Self {
        let (fps, every_ms) = match spec.pace {
            Pace::Moving { frame_interval } => {
                let fps = f64::from(VIDEO_CLOCK_HZ) / f64::from(frame_interval);
                (Some(fps), None)
            }
            Pace::Stills { interval } => (None, Some(interval / TICKS_PER_MS)),
        };
        Self {
            name: spec.name.clone(),
            size: spec.size.to_string(),
            fps,
            every_ms,
            min_kbps: *spec.kbps.start(),
            max_kbps: *spec.kbps.end(),
            arrangement: match spec.arrangement {
                Arrangement::Grid => ArrangementText::Grid,
                Arrangement::SpeakerLarge => ArrangementText::SpeakerLarge,
                Arrangement::SpeakerAlone => ArrangementText::SpeakerAlone,
            },
            payload_bytes: spec.payload_bytes,
        }
    }

    fn spec(self) -> Result<RungSpec, BadLadder> {
        let pace = match (self.fps, self.every_ms) {
            (Some(fps), None) => {
                interval(fps).map(|frame_interval| Pace::Moving { frame_interval })
            }
            (None, Some(ms)) => ms
                .checked_mul(TICKS_PER_MS)
                .map(|interval| Pace::Stills { interval }),
            _ => return Err(BadLadder::Pace(self.name)),
        };
        let Some(pace) = pace else {
            return Err(LadderError::Pace { name: self.name }.into());
        };
        let Some(size) = size(&self.size) else {
            let Self { name, size, .. } = self;
            return Err(BadLadder::Size { name, size });
        };
        Ok(RungSpec {
            name: self.name,
            size,
            pace,
            kbps: self.min_kbps..=self.max_kbps,
            arrangement: match self.arrangement {
                ArrangementText::Grid => Arrangement::Grid,
                ArrangementText::SpeakerLarge => Arrangement::SpeakerLarge,
                ArrangementText::SpeakerAlone => Arrangement::SpeakerAlone,
            },
            payload_bytes: self.payload_bytes,
        })
    }
}

/// Ticks of 90 kHz between two pictures; `None` for rates no ladder has.
fn interval(fps: f64) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1500 and 90000, as the rate was looked at"
    )]
    (1.0..=60.0)
        .contains(&fps)
        .then(|| (f64::from(VIDEO_CLOCK_HZ) / fps).round() as u32)
}

fn size(text: &str) -> Option<PictureSize> {
    let (width, height) = text.split_once('x')?;
    PictureSize::new(width.parse().ok()?, height.parse().ok()?).ok()
}

/// Without a point where there is nothing behind it. The least fraction is kept, so that what is shown
/// gives the same rung again.
fn whole_if_whole<S: Serializer>(fps: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rung has at most 60, and of what is larger nothing is shown"
    )]
    match fps {
        None => serializer.serialize_none(),
        Some(fps) if fps.fract() == 0.0 => serializer.serialize_u32(*fps as u32),
        Some(fps) => serializer.serialize_f64(*fps),
    }
}

const fn usual_payload_bytes() -> usize {
    USUAL_PAYLOAD_BYTES
}

#[cfg(test)]
mod tests;
