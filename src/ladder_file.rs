//! A ladder read from a JSON file: an array of rungs, the lowest first.
//!
//! ```json
//! [
//!   {"name": "stills", "size": "320x180", "every_ms": 1500, "min_kbps": 10, "max_kbps": 40,
//!    "arrangement": "speaker_alone", "payload_bytes": 480},
//!   {"name": "high", "size": "1280x720", "fps": 30, "min_kbps": 40, "max_kbps": 2500}
//! ]
//! ```

use std::io;
use std::path::Path;

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};
use mixer::ladder::{Ladder, LadderError, Pace, RungSpec};
use mixer::video::Arrangement;
use serde::Deserialize;

/// Room for all headers below the smallest usual path MTU of 1,280 bytes.
const USUAL_PAYLOAD_BYTES: usize = 1_180;

/// Why a file is not a ladder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LadderFileError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not an array of rungs.
    #[error("not an array of rungs: {0}")]
    Json(#[from] serde_json::Error),
    /// A rung is not of WIDTHxHEIGHT.
    #[error("size of rung {name} is {size:?}, expected WIDTHxHEIGHT")]
    Size {
        /// Of the rung.
        name: String,
        /// What it says.
        size: String,
    },
    /// A rung says how fast it is in no way, or in two.
    #[error("rung {0} has fps and every_ms, or neither; expected one of them, above 0")]
    Pace(String),
    /// The rungs do not make a ladder.
    #[error(transparent)]
    Ladder(#[from] LadderError),
}

/// One rung as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RungText {
    /// 1 to 32 bytes, unlike any other.
    name: String,
    /// `WIDTHxHEIGHT` in pixels, both even.
    size: String,
    /// Pictures per second, 1 to 60, such as 7.5. For video.
    fps: Option<f64>,
    /// Time between two pictures in milliseconds, up to 10 000. For stills.
    every_ms: Option<u32>,
    /// The least bitrate: below it, a lower rung is better.
    min_kbps: u32,
    /// The most the rung makes use of.
    max_kbps: u32,
    /// Who is shown; the grid unless told otherwise.
    #[serde(default)]
    arrangement: ArrangementText,
    /// The longest RTP payload, 200 to 1180, which is the default.
    #[serde(default = "usual_payload_bytes")]
    payload_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ArrangementText {
    #[default]
    Grid,
    SpeakerLarge,
    SpeakerAlone,
}

/// Reads the ladder in `file`.
///
/// # Errors
///
/// Any [`LadderFileError`].
pub(crate) fn read(file: &Path) -> Result<Ladder, LadderFileError> {
    parse(&std::fs::read_to_string(file)?)
}

fn parse(text: &str) -> Result<Ladder, LadderFileError> {
    let rungs: Vec<RungText> = serde_json::from_str(text)?;
    let rungs: Result<Vec<RungSpec>, _> = rungs.into_iter().map(RungText::spec).collect();
    Ok(Ladder::new(rungs?)?)
}

impl RungText {
    fn spec(self) -> Result<RungSpec, LadderFileError> {
        let pace = match (self.fps, self.every_ms) {
            (Some(fps), None) => {
                interval(fps).map(|frame_interval| Pace::Moving { frame_interval })
            }
            (None, Some(ms)) => ms
                .checked_mul(VIDEO_CLOCK_HZ / 1_000)
                .map(|interval| Pace::Stills { interval }),
            _ => None,
        };
        let Some(pace) = pace else {
            return Err(LadderFileError::Pace(self.name));
        };
        let Some(size) = size(&self.size) else {
            let Self { name, size, .. } = self;
            return Err(LadderFileError::Size { name, size });
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

const fn usual_payload_bytes() -> usize {
    USUAL_PAYLOAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_rungs() {
        let ladder = parse(
            r#"[
              {"name": "stills", "size": "320x180", "every_ms": 1500, "min_kbps": 10,
               "max_kbps": 40, "arrangement": "speaker_alone", "payload_bytes": 480},
              {"name": "slow", "size": "320x180", "fps": 7.5, "min_kbps": 40, "max_kbps": 300}
            ]"#,
        )
        .unwrap();

        let [stills, slow] = ladder.rungs() else {
            panic!("two rungs were given");
        };
        assert_eq!(stills.pace, Pace::Stills { interval: 135_000 });
        assert_eq!(stills.arrangement, Arrangement::SpeakerAlone);
        assert_eq!(
            slow.pace,
            Pace::Moving {
                frame_interval: 12_000
            }
        );
        assert_eq!(
            (slow.arrangement, slow.payload_bytes),
            (Arrangement::Grid, 1_180)
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let rung = |fields: &str| {
            format!(r#"[{{"name": "a", "min_kbps": 10, "max_kbps": 40, {fields}}}]"#)
        };
        let rows = [
            ("{}".to_owned(), "not an array of rungs"),
            (
                rung(r#""size": "64x64", "colour": 1"#),
                "unknown field `colour`",
            ),
            (
                rung(r#""size": "64", "fps": 30"#),
                "size of rung a is \"64\"",
            ),
            (
                rung(r#""size": "64x64""#),
                "rung a has fps and every_ms, or neither",
            ),
            (
                rung(r#""size": "64x64", "fps": 0"#),
                "rung a has fps and every_ms, or neither",
            ),
            (
                rung(r#""size": "64x64", "fps": 1, "every_ms": 5"#),
                "rung a has fps and",
            ),
            (
                rung(r#""size": "64x64", "every_ms": 20000"#),
                "a still every 10 s or less",
            ),
            (rung(r#""size": "63x64", "fps": 30"#), "rung a is 63x64"),
        ];

        for (text, reason) in rows {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error:?} for {text}");
        }
    }
}
