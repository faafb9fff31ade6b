//! The ladder: which encodings of the room there are, and which of them a receiver gets.
//!
//! All of it is arithmetic without a clock, a socket or a codec. A [`Ladder`] is data: its
//! [`RungSpec`]s in order, the lowest first. A [`Receiver`] is told, ten times a second, what the
//! path to one participant carries, and says what goes there: audio first ([`AUDIO_LADDER`]), and
//! with what is left a rung of video or none ([`Allocation`]).
//!
//! Rates are in kb/s. Those of a rung are its encoder's; those of a link count every byte on it,
//! from the IP header on ([`overhead`]).

pub mod overhead;

mod choice;
mod rate;
mod receiver;
mod rungs;
mod split;

use std::ops::RangeInclusive;

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};

pub use choice::{VideoChoice, Why};
pub use rate::RungRate;
pub use receiver::{Allocation, Downlink, Receiver, Wish, WishedLayout, WishedVideo};
pub use split::AUDIO_LADDER;

use crate::video::Arrangement;

/// The most rungs of a ladder. Each one in use costs an encoder.
pub const MAX_RUNGS: usize = 8;

/// Bitrates an encoder takes, in kb/s.
const KBPS_RANGE: RangeInclusive<u32> = 10..=50_000;

/// Payload sizes: below, headers outweigh the picture; above, a packet does not fit every path.
const PAYLOAD_RANGE: RangeInclusive<usize> = 200..=1_180;

/// Sides of a canvas in pixels.
const SIDE_RANGE: RangeInclusive<usize> = 64..=4_096;

/// The longest a still may stand, in ticks of 90 kHz: 10 s.
const LONGEST_STILL: u32 = 10 * VIDEO_CLOCK_HZ;

/// How a rung's pictures follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Video. A frame every so many ticks of 90 kHz: 3000 is 30 fps, 12 000 is 7.5.
    Moving {
        /// From 1500, that is 60 fps, to 90 000.
        frame_interval: u32,
    },
    /// Keyframes only, one every so many ticks of 90 kHz. None needs another, so a lost one costs
    /// only itself.
    Stills {
        /// At most 900 000, that is 10 s.
        interval: u32,
    },
}

impl Pace {
    /// Ticks of 90 kHz between two frames.
    #[must_use]
    pub const fn interval(self) -> u32 {
        match self {
            Self::Moving { frame_interval } => frame_interval,
            Self::Stills { interval } => interval,
        }
    }
}

/// One encoding that a room offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungSpec {
    /// What clients are told it is called: 1 to 32 bytes.
    pub name: String,
    /// Size of the canvas, both sides even.
    pub size: PictureSize,
    /// How its pictures follow one another.
    pub pace: Pace,
    /// What its encoder may be set to, in kb/s. Whoever has less gets a lower rung.
    pub kbps: RangeInclusive<u32>,
    /// Who is shown, and how large.
    pub arrangement: Arrangement,
    /// The longest RTP payload in bytes, 200 to 1180. Short ones keep audio's turn near on a thin
    /// link: 1180 bytes take 150 ms at 64 kb/s.
    pub payload_bytes: usize,
}

/// Rungs in order, the lowest first; checked.
///
/// Names differ, least bitrates rise, ranges leave no hole between them, and stills are below
/// everything that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    rungs: Vec<RungSpec>,
}

/// Why rungs are not a ladder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// None, or too many.
    #[error("ladder has {0} rungs, expected 1 to {MAX_RUNGS}")]
    Count(usize),
    /// A name that is empty, too long, or taken.
    #[error("rung name {0:?} is empty, longer than 32 bytes, or not the only one")]
    Name(String),
    /// A canvas that cannot be drawn or encoded.
    #[error("rung {name} is {size}, expected even sides from 64 to 4096")]
    Size {
        /// Of the rung.
        name: String,
        /// Its canvas.
        size: PictureSize,
    },
    /// Too fast or too slow.
    #[error("rung {name} is not of 1 to 60 fps, or a still every 10 s or less")]
    Pace {
        /// Of the rung.
        name: String,
    },
    /// A range that is empty or leaves what an encoder takes.
    #[error("rung {name} has {min} to {max} kb/s, expected a range within 10 to 50000")]
    Bitrate {
        /// Of the rung.
        name: String,
        /// Its lower end.
        min: u32,
        /// Its upper end.
        max: u32,
    },
    /// A payload size out of range.
    #[error("rung {name} has payloads of {bytes} bytes, expected 200 to 1180")]
    Payload {
        /// Of the rung.
        name: String,
        /// Their size.
        bytes: usize,
    },
    /// Two neighbors of which the upper needs no more than the lower.
    #[error(
        "rung {upper} begins at {upper_min} kb/s, expected more than the {lower_min} of {lower} below it"
    )]
    Order {
        /// The one below.
        lower: String,
        /// The one above.
        upper: String,
        /// The least the one below is good for.
        lower_min: u32,
        /// The least the one above is good for.
        upper_min: u32,
    },
    /// Bitrates between two neighbors that belong to none.
    #[error(
        "rung {lower} ends at {lower_max} kb/s, expected the {upper_min} at which {upper} begins, or more"
    )]
    Hole {
        /// The one below.
        lower: String,
        /// The one above.
        upper: String,
        /// The most the one below makes use of.
        lower_max: u32,
        /// The least the one above is good for.
        upper_min: u32,
    },
    /// Stills above moving pictures.
    #[error("rung {0} is of stills, expected every rung above one that moves to move")]
    StillsAbove(String),
}

impl Ladder {
    /// A ladder of these rungs, the lowest first.
    ///
    /// # Errors
    ///
    /// Any [`LadderError`]: of one rung first, of neighbors last.
    pub fn new(rungs: Vec<RungSpec>) -> Result<Self, LadderError> {
        if !(1..=MAX_RUNGS).contains(&rungs.len()) {
            return Err(LadderError::Count(rungs.len()));
        }
        for (index, rung) in rungs.iter().enumerate() {
            let taken = rungs[..index].iter().any(|other| other.name == rung.name);
            if taken || !(1..=32).contains(&rung.name.len()) {
                return Err(LadderError::Name(rung.name.clone()));
            }
            rung.check()?;
        }
        for pair in rungs.windows(2) {
            if let [lower, upper] = pair {
                check_neighbors(lower, upper)?;
            }
        }
        Ok(Self { rungs })
    }

    /// The rungs, the lowest first.
    #[must_use]
    pub fn rungs(&self) -> &[RungSpec] {
        &self.rungs
    }

    /// Ticks of 90 kHz between two frames of the fastest rung.
    #[must_use]
    pub fn shortest_interval(&self) -> u32 {
        let intervals = self.rungs.iter().map(|rung| rung.pace.interval());
        intervals.min().unwrap_or(VIDEO_CLOCK_HZ)
    }

    /// The highest.
    #[must_use]
    pub fn top(&self) -> &RungSpec {
        &self.rungs[self.rungs.len() - 1]
    }
}

impl RungSpec {
    fn check(&self) -> Result<(), LadderError> {
        let name = || self.name.clone();
        let sides = [self.size.width(), self.size.height()];
        if sides
            .iter()
            .any(|side| !SIDE_RANGE.contains(side) || side % 2 != 0)
        {
            return Err(LadderError::Size {
                name: name(),
                size: self.size,
            });
        }
        let paced = match self.pace {
            Pace::Moving { frame_interval } => {
                (VIDEO_CLOCK_HZ / 60..=VIDEO_CLOCK_HZ).contains(&frame_interval)
            }
            Pace::Stills { interval } => (VIDEO_CLOCK_HZ / 60..=LONGEST_STILL).contains(&interval),
        };
        if !paced {
            return Err(LadderError::Pace { name: name() });
        }
        let (min, max) = (*self.kbps.start(), *self.kbps.end());
        if min > max || !KBPS_RANGE.contains(&min) || !KBPS_RANGE.contains(&max) {
            return Err(LadderError::Bitrate {
                name: name(),
                min,
                max,
            });
        }
        if !PAYLOAD_RANGE.contains(&self.payload_bytes) {
            return Err(LadderError::Payload {
                name: name(),
                bytes: self.payload_bytes,
            });
        }
        Ok(())
    }
}

fn check_neighbors(lower: &RungSpec, upper: &RungSpec) -> Result<(), LadderError> {
    let names = || (lower.name.clone(), upper.name.clone());
    let (lower_min, lower_max) = (*lower.kbps.start(), *lower.kbps.end());
    let upper_min = *upper.kbps.start();
    let moving = |rung: &RungSpec| matches!(rung.pace, Pace::Moving { .. });
    if moving(lower) && !moving(upper) {
        return Err(LadderError::StillsAbove(upper.name.clone()));
    }
    if lower_min >= upper_min {
        let (lower, upper) = names();
        return Err(LadderError::Order {
            lower,
            upper,
            lower_min,
            upper_min,
        });
    }
    if lower_max < upper_min {
        let (lower, upper) = names();
        return Err(LadderError::Hole {
            lower,
            upper,
            lower_max,
            upper_min,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
