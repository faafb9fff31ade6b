//! Writes a file that players can seek in: cues, a duration, and a new cluster at every keyframe.

mod sink;

use std::fmt;
use std::io::{self, Seek, Write};
use std::time::Duration;

use sink::{Fault, Sink};
use webm::mux::{self, AudioCodecId, Segment, SegmentBuilder, SegmentMode, VideoCodecId};

use super::{Block, Track};
use crate::audio::{Channels, SAMPLE_RATE_HZ};
use crate::video::PictureSize;

/// The tracks of a file to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterTracks {
    /// The size of the VP8 frames, if there is to be a video track.
    pub video: Option<PictureSize>,
    /// The channels of the Opus packets, if there is to be an audio track.
    pub audio: Option<Channels>,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Neither video nor audio was asked for.
    #[error("file would have no track")]
    NoTracks,
    /// A block of a track that the file does not have.
    #[error("file has no {0:?} track")]
    NoSuchTrack(Track),
    /// A block that is due before the one written last, of either track.
    #[error("block is due at {due:?}, expected {latest:?} or later")]
    OutOfOrder {
        /// When the block is due.
        due: Duration,
        /// When the one before it was due.
        latest: Duration,
    },
    /// A block without data, or a file without blocks or, though it has a video track, without
    /// frames: none of these can be written.
    #[error("nothing to write")]
    Nothing,
    /// The destination failed.
    #[error("writing failed: {0}")]
    Io(#[from] io::Error),
    /// libwebm refused, and the destination did not say why.
    #[error("libwebm refused to {0}")]
    Refused(&'static str),
}

/// A WebM file being written. [`Writer::finish`] completes it; without that it has no duration,
/// no cues, and most of the last cluster may be missing.
///
/// The sound is stamped as if the encoder had no lookahead: pre-skip and codec delay are zero, as
/// browsers' own recorders do it. A player is 6.5 ms late with it, which nobody hears; a pre-skip
/// without the codec delay that the muxing library cannot write would make some refuse the file.
///
/// libwebm draws random track identifiers: two files with the same blocks differ in those bytes.
pub struct Writer<W: Write> {
    segment: Segment<Sink<W>>,
    fault: Fault,
    video: Option<mux::VideoTrack>,
    audio: Option<mux::AudioTrack>,
    latest: Option<Duration>,
    /// The track without whose blocks libwebm completes no file.
    leading: Leading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leading {
    Awaited(Track),
    Written,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file at the current position of `destination`, which need not be buffered.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoTracks`], [`WriteError::Io`] or [`WriteError::Refused`].
    pub fn new(destination: W, tracks: WriterTracks) -> Result<Self, WriteError> {
        if tracks == WriterTracks::default() {
            return Err(WriteError::NoTracks);
        }
        let (sink, fault) = Sink::new(destination);
        let (segment, video, audio) = open(sink, tracks).map_err(|_| fault.or("begin the file"))?;
        let leading = if video.is_some() {
            Track::Video
        } else {
            Track::Audio
        };
        let leading = Leading::Awaited(leading);
        Ok(Self {
            segment,
            fault,
            video,
            audio,
            latest: None,
            leading,
        })
    }

    /// Appends one block. Blocks of both tracks come in the order of their times; the file
    /// resolves 1 ms. Beside a video track, sound is held in memory until the next frame.
    ///
    /// # Errors
    ///
    /// Any [`WriteError`] but [`WriteError::NoTracks`]. After [`WriteError::Io`] and
    /// [`WriteError::Refused`] the file cannot be saved.
    pub fn write(&mut self, block: &Block) -> Result<(), WriteError> {
        let no_such_track = WriteError::NoSuchTrack(block.track);
        let number: mux::TrackNum = match block.track {
            Track::Video => self.video.ok_or(no_such_track)?.into(),
            Track::Audio => self.audio.ok_or(no_such_track)?.into(),
        };
        if block.data.is_empty() {
            return Err(WriteError::Nothing);
        }
        let latest = self.latest.unwrap_or_default();
        if block.time < latest {
            return Err(WriteError::OutOfOrder {
                due: block.time,
                latest,
            });
        }
        let nanos = u64::try_from(block.time.as_nanos())
            .map_err(|_| WriteError::Refused("stamp a block beyond 584 years"))?;
        self.segment
            .add_frame(number, &block.data, nanos, block.keyframe)
            .map_err(|_| self.fault.or("write a block"))?;
        self.latest = Some(block.time);
        if self.leading == Leading::Awaited(block.track) {
            self.leading = Leading::Written;
        }
        Ok(())
    }

    /// Completes the file, of which `duration` is how long it plays, and gives the destination
    /// back. Everything is handed to it, but what it buffers itself it has yet to flush.
    ///
    /// # Errors
    ///
    /// [`WriteError::Nothing`] if no frame was written or, without video, no packet; [`WriteError::Io`] or
    /// [`WriteError::Refused`].
    pub fn finish(self, duration: Duration) -> Result<W, WriteError> {
        let Self {
            segment,
            fault,
            leading,
            ..
        } = self;
        if leading != Leading::Written {
            return Err(WriteError::Nothing);
        }
        // In units of libwebm's timestamp scale, which is 1 ms.
        let units = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let writer = segment
            .finalize(Some(units))
            .map_err(|_| fault.or("complete the file"))?;
        Ok(writer.into_inner().into_inner()?)
    }
}

type Opened<W> = (
    Segment<Sink<W>>,
    Option<mux::VideoTrack>,
    Option<mux::AudioTrack>,
);

fn open<W: Write + Seek>(sink: Sink<W>, tracks: WriterTracks) -> Result<Opened<W>, mux::Error> {
    let mut builder = SegmentBuilder::new(mux::Writer::new(sink))?
        .set_mode(SegmentMode::File)?
        .set_writing_app("mosaicd")?;
    let (mut video, mut audio) = (None, None);
    if let Some(size) = tracks.video {
        let side = |side| u32::try_from(side).map_err(|_| mux::Error::BadParam);
        let (width, height) = (side(size.width())?, side(size.height())?);
        let (added, track) = builder.add_video_track(width, height, VideoCodecId::VP8, None)?;
        (builder, video) = (added, Some(track));
    }
    if let Some(channels) = tracks.audio {
        let count = u8::try_from(channels.count()).map_err(|_| mux::Error::BadParam)?;
        let (added, track) =
            builder.add_audio_track(SAMPLE_RATE_HZ, u32::from(count), AudioCodecId::Opus, None)?;
        builder = added.set_codec_private(track, &opus_head(count))?;
        audio = Some(track);
    }
    Ok((builder.build(), video, audio))
}

/// The identification header (RFC 7845 §5.1), which WebM keeps as the codec's private data.
fn opus_head(channels: u8) -> [u8; 19] {
    let mut head = *b"OpusHead\x01\0\0\0\0\0\0\0\0\0\0";
    head[9] = channels;
    head[12..16].copy_from_slice(&SAMPLE_RATE_HZ.to_le_bytes());
    head
}

impl<W: Write> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("latest", &self.latest)
            .finish_non_exhaustive()
    }
}
