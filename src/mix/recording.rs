//! One file of an offline mix, read as far as the mix has come.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use codecs::audio::{Channels, SAMPLE_RATE_HZ};
use codecs::webm::{Block, Reader, Track};
use mixer::audio::{AudioInput, RecordedAudio};
use mixer::video::{RecordedFrame, VideoInput};
use mixer::{ParticipantId, RoomTime};
use tracing::warn;

use super::MixError;
use super::mixers::Mixers;

/// Files are read this far ahead: the tracks of a file are interleaved only roughly.
const READ_AHEAD: Duration = Duration::from_secs(1);

/// How long the last picture of a file counts, for want of a next one: that of 30 fps.
const LAST_PICTURE: Duration = Duration::from_millis(33);

/// A file that jumps further ahead than this is taken to be damaged: nobody waits so long, and the
/// time in between would have to be written.
const LONGEST_JUMP: Duration = Duration::from_secs(300);

/// Whether the participant still had to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    Now,
    Before,
}

/// A file as a participant.
#[derive(Debug)]
pub(super) struct Recording {
    participant: ParticipantId,
    path: PathBuf,
    reader: Reader<Counted<File>>,
    bytes_read: Rc<Cell<u64>>,
    /// Read, but lies too far ahead.
    pending: Option<Block>,
    exhausted: bool,
    left: bool,
    /// Where what was read so far ends.
    end: Duration,
}

impl Recording {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`MixError::Open`] or [`MixError::Read`].
    pub(super) fn open(participant: ParticipantId, path: &Path) -> Result<Self, MixError> {
        let open = |source| MixError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        if file.metadata().map_err(open)?.is_dir() {
            return Err(open(io::ErrorKind::IsADirectory.into()));
        }
        let bytes_read = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: file,
            count: Rc::clone(&bytes_read),
        };
        let reader = Reader::new(counted).map_err(|source| MixError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            participant,
            path: path.to_owned(),
            reader,
            bytes_read,
            pending: None,
            exhausted: false,
            left: false,
            end: Duration::ZERO,
        })
    }

    /// Who plays it.
    pub(super) fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// How many channels its audio has, if it has audio.
    pub(super) fn channels(&self) -> Option<Channels> {
        self.reader.tracks().audio.map(|audio| audio.channels)
    }

    /// Bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// Whether nothing of it is left at `now`.
    pub(super) fn is_over(&self, now: RoomTime) -> bool {
        self.exhausted && self.pending.is_none() && now.since_start() >= self.end
    }

    /// Notes that the participant has left; says whether it had before.
    pub(super) fn leave(&mut self) -> Leaving {
        if std::mem::replace(&mut self.left, true) {
            Leaving::Before
        } else {
            Leaving::Now
        }
    }

    /// Gives the mixers what they need up to `now`, and a little more.
    ///
    /// # Errors
    ///
    /// [`MixError::Read`] for a file that turns out not to be what it seemed. One that merely ends
    /// early is mixed up to there, with a warning.
    pub(super) fn feed(&mut self, now: RoomTime, mixers: &mut Mixers) -> Result<(), MixError> {
        let horizon = now.since_start() + READ_AHEAD;
        while let Some(block) = self.next_block()? {
            if block.time > horizon {
                self.pending = Some(block);
                return Ok(());
            }
            self.hand_over(block, mixers);
        }
        Ok(())
    }

    fn next_block(&mut self) -> Result<Option<Block>, MixError> {
        if let Some(block) = self.pending.take() {
            return Ok(Some(block));
        }
        if self.exhausted {
            return Ok(None);
        }
        let read = self.reader.next().transpose();
        let block = read.map_err(|source| MixError::Read {
            path: self.path.clone(),
            source,
        })?;
        if let Some(block) = &block
            && block.time > self.end + LONGEST_JUMP
        {
            warn!(
                file = %self.path.display(),
                "the file jumps to {:.1} s, it is mixed up to {:.1} s",
                block.time.as_secs_f64(),
                self.end.as_secs_f64()
            );
            self.exhausted = true;
            return Ok(None);
        }
        if block.is_none() {
            self.exhausted = true;
            if self.reader.truncated() {
                warn!(
                    file = %self.path.display(),
                    "the file is cut off, it is mixed up to {:.1} s",
                    self.end.as_secs_f64()
                );
            }
        }
        Ok(block)
    }

    fn hand_over(&mut self, block: Block, mixers: &mut Mixers) {
        let participant = self.participant;
        let time = RoomTime::new(block.time);
        match block.track {
            Track::Audio => {
                self.reaches(block.time + packet_duration(&block.data));
                let packet = RecordedAudio {
                    time,
                    payload: block.data,
                };
                mixers.audio.handle(AudioInput::Recorded {
                    participant,
                    packet,
                });
            }
            Track::Video => {
                self.reaches(block.time + LAST_PICTURE);
                let frame = RecordedFrame {
                    time,
                    data: block.data,
                };
                mixers
                    .video
                    .handle(VideoInput::Recorded { participant, frame });
            }
        }
    }

    fn reaches(&mut self, end: Duration) {
        self.end = self.end.max(end);
    }
}

/// Counts what is read, for the progress bar.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// How long an Opus packet sounds; nothing if it is none.
fn packet_duration(packet: &[u8]) -> Duration {
    let samples = codecs::opus::Packet::parse(packet).map_or(0, |packet| packet.samples());
    Duration::from_secs(1) * u32::try_from(samples).unwrap_or(0) / SAMPLE_RATE_HZ
}
