//! The WebM file that is written: beside its place first, and moved there when it is whole.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::video::FrameKind;
use codecs::webm::{Block, Track, WriteError, Writer, WriterTracks};
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
        let tracks = WriterTracks {
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
        self.write(Block {
            track: Track::Video,
            time: time.since_start(),
            keyframe: kind == FrameKind::Key,
            data: Bytes::copy_from_slice(frame),
        })
    }

    /// Appends a tick of audio.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn audio(&mut self, time: RoomTime, packet: &[u8]) -> Result<(), MixError> {
        self.write(Block {
            track: Track::Audio,
            time: time.since_start(),
            keyframe: true,
            data: Bytes::copy_from_slice(packet),
        })
    }

    fn write(&mut self, block: Block) -> Result<(), MixError> {
        self.writer
            .write(&block)
            .map_err(|error| failed(&self.path, error))
    }

    /// Ends the file and moves it to its place; how long it is in bytes.
    ///
    /// # Errors
    ///
    /// [`MixError::Write`].
    pub(super) fn finish(self, length: RoomTime) -> Result<u64, MixError> {
        let Self { writer, path } = self;
        match writer.finish(length.since_start()) {
            Ok(file) => keep(file, &path),
            Err(WriteError::Nothing) => Err(failed(&path, "the recordings hold nothing to mix")),
            Err(error) => Err(failed(&path, error)),
        }
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
