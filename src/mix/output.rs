//! The WebM file that is written: beside its place first, and moved there when it is whole.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use codecs::audio::Channels;
use codecs::video::FrameKind;
use codecs::webm::{Writer, WriterConfig};
use mixer::RoomTime;
use tempfile::NamedTempFile;

use super::{MixConfig, MixError};

/// The output while it is being written.
#[derive(Debug)]
pub(super) struct Output {
    writer: Writer<NamedTempFile>,
    path: PathBuf,
}

impl Output {
    /// Begins a file with a video and an audio track.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn create(config: &MixConfig, channels: Channels) -> Result<Self, MixError> {
        let path = config.output.clone();
        let file = beside(&path)?;
        let tracks = WriterConfig {
            video: Some(config.size),
            audio: Some(channels),
        };
        let writer = Writer::new(file, tracks).map_err(|error| failed(&path, error))?;
        Ok(Self { writer, path })
    }

    /// Appends a frame.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn video(
        &mut self,
        time: RoomTime,
        frame: &[u8],
        kind: FrameKind,
    ) -> Result<(), MixError> {
        let written = self.writer.video(time.since_start(), kind, frame);
        written.map_err(|error| failed(&self.path, error))
    }

    /// Appends a tick of audio.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn audio(&mut self, time: RoomTime, packet: &[u8]) -> Result<(), MixError> {
        let written = self.writer.audio(time.since_start(), packet);
        written.map_err(|error| failed(&self.path, error))
    }

    /// Ends the file and moves it to its place; how long it is in bytes.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn finish(self, length: RoomTime) -> Result<u64, MixError> {
        let Self { writer, path } = self;
        let file = writer
            .finish(length.since_start())
            .map_err(|error| failed(&path, error))?;
        keep(file, &path)
    }
}

/// A temporary file in the folder of `path`, so that moving it there is one step.
///
/// # Errors
///
/// [`MixError::Write`].
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, MixError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".mosaicd-")
        // As any new file: what the umask leaves of it.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| failed(path, error))
}

/// Moves a whole file to its place, over what was there; how long it is in bytes.
///
/// # Errors
///
/// [`MixError::Write`].
pub(super) fn keep(file: NamedTempFile, path: &Path) -> Result<u64, MixError> {
    let file = file
        .persist(path)
        .map_err(|error| failed(path, error.error))?;
    Ok(file.metadata().map_err(|error| failed(path, error))?.len())
}

fn failed(path: &Path, error: impl ToString) -> MixError {
    MixError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
