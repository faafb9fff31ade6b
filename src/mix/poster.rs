//! A still of the canvas, as PNG.

use std::path::{Path, PathBuf};

use codecs::video::I420;
use mixer::RoomTime;

use super::MixError;
use super::output::{beside, keep};
use crate::still::{self, StillFormat};

/// The poster shows the picture at this time, or the last one of a shorter mix.
const POSTER_AT: RoomTime = RoomTime::from_ms(3_000);

/// The picture to keep.
#[derive(Debug)]
pub(super) struct Poster {
    path: PathBuf,
    canvas: Option<I420>,
}

impl Poster {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, canvas: None }
    }

    /// Looks at one picture after the other.
    pub(super) fn follow(&mut self, time: RoomTime, canvas: &I420) {
        if self.canvas.is_none() || time <= POSTER_AT {
            self.canvas = Some(canvas.clone());
        }
    }

    /// Writes what was kept.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn write(self) -> Result<(), MixError> {
        let Some(canvas) = &self.canvas else {
            return Ok(());
        };
        let mut file = beside(&self.path)?;
        still::write(canvas, StillFormat::Png, &mut file)
            .map_err(|error| write_error(&self.path, &error))?;
        keep(file, &self.path).map(|_| ())
    }
}

fn write_error(path: &Path, error: &dyn std::error::Error) -> MixError {
    MixError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
