//! Reads a file's blocks in the order they lie in it.
//!
//! Goes by element ids alone and ignores where clusters end: so clusters of unknown size, as
//! browsers and live muxers write them, are no special case, and whatever is not needed is passed
//! over without being held.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::time::Duration;

use bytes::Bytes;

use super::block::layout;
use super::ebml::{Element, Elements, Id, Stop, float, unsigned};
use super::tracks::{Refusal, Selection, Tracks};
use super::{Block, Track};
use crate::opus::Packet;
use crate::video::FrameKind;
use crate::vp8::FrameHeader;

/// The longest block that is read: several times a keyframe of any camera.
pub const MAX_BLOCK_BYTES: u64 = 8 << 20;

/// The longest Info or Tracks element that is read.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 20;

const EBML_HEADER: Id = 0x1a45_dfa3;
const SEGMENT: Id = 0x1853_8067;
const INFO: Id = 0x1549_a966;
const TIMESTAMP_SCALE: Id = 0x2a_d7b1;
const DURATION: Id = 0x4489;
const TRACKS: Id = 0x1654_ae6b;
const CLUSTER: Id = 0x1f43_b675;
const TIMESTAMP: Id = 0xe7;
const SIMPLE_BLOCK: Id = 0xa3;
const BLOCK_GROUP: Id = 0xa0;
const BLOCK: Id = 0xa1;

const DEFAULT_SCALE_NS: u64 = 1_000_000;

/// Why a file cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not one byte.
    #[error("file is empty")]
    Empty,
    /// Something else, named where it is known.
    #[error("not a WebM file, but {found}")]
    NotWebm {
        /// What it seems to be.
        found: &'static str,
    },
    /// The file ends before its tracks are described, or has neither video nor audio.
    #[error("file has neither a VP8 nor an Opus track")]
    NoTracks,
    /// A track that would have to be read is of another codec.
    #[error("codec is {codec}, expected VP8 for video and Opus for audio")]
    UnsupportedCodec {
        /// Its name, or its id in the file.
        codec: String,
    },
    /// What lies at `position` makes no sense, so nothing after it can be found.
    #[error("file is corrupt at byte {position}: {what}")]
    Corrupt {
        /// Bytes from the start of the file, about.
        position: u64,
        /// What was expected there or is wrong there.
        what: &'static str,
    },
    /// The file itself failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
}

/// A WebM file being read. An iterator over its [`Block`]s; after an error or the end it gives
/// `None`.
#[derive(Debug)]
pub struct Reader<R> {
    elements: Elements<BufReader<R>>,
    selection: Selection,
    duration: Option<Duration>,
    scale_ns: u64,
    cluster_timestamp: u64,
    /// Frames of a lace whose first one has been given.
    pending: VecDeque<Block>,
    /// Where the file says that its segment ends, and the latest end of any element in it.
    segment_end: Option<u64>,
    declared_end: u64,
    ended: bool,
    truncated: bool,
}

impl<R: Read> Reader<R> {
    /// Reads up to the first cluster.
    ///
    /// # Errors
    ///
    /// Any [`ReadError`].
    pub fn new(source: R) -> Result<Self, ReadError> {
        let mut source = BufReader::new(source);
        recognize(&mut source)?;
        let mut reader = Self {
            elements: Elements::new(source),
            selection: Selection::default(),
            duration: None,
            scale_ns: DEFAULT_SCALE_NS,
            cluster_timestamp: 0,
            pending: VecDeque::new(),
            segment_end: None,
            declared_end: 0,
            ended: false,
            truncated: false,
        };
        reader.read_descriptions()?;
        Ok(reader)
    }

    /// The tracks whose blocks are given.
    #[must_use]
    pub const fn tracks(&self) -> Tracks {
        self.selection.tracks
    }

    /// How long the file claims to play. Recordings by browsers and live muxers do not say.
    #[must_use]
    pub const fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Whether the file turned out to end before its own end. Everything up to the cut has been
    /// given. Known once the iterator has given `None`.
    #[must_use]
    pub const fn truncated(&self) -> bool {
        self.truncated
    }

    fn read_descriptions(&mut self) -> Result<(), ReadError> {
        loop {
            match self.next_element()? {
                Some(element) if element.id == INFO => self.read_info(element)?,
                Some(element) if element.id == TRACKS => self.read_tracks(element)?,
                Some(element) if element.id == CLUSTER => break,
                Some(element) => self.pass(element)?,
                None => break,
            }
        }
        if self.selection.tracks == Tracks::default() {
            Err(ReadError::NoTracks)
        } else {
            Ok(())
        }
    }

    fn read_info(&mut self, element: Element) -> Result<(), ReadError> {
        let Some(content) = self.content(element, MAX_DESCRIPTION_BYTES)? else {
            return Ok(());
        };
        let mut duration = None;
        let mut children = Elements::new(&content[..]);
        while let Ok(Some(child)) = children.next() {
            let Ok(content) = children.content(child, MAX_DESCRIPTION_BYTES) else {
                break;
            };
            match child.id {
                TIMESTAMP_SCALE => {
                    self.scale_ns = unsigned(&content)
                        .filter(|scale| *scale > 0)
                        .unwrap_or(DEFAULT_SCALE_NS);
                }
                DURATION => duration = float(&content),
                _ => {}
            }
        }
        self.duration = duration
            .map(|units| units * self.scale_ns as f64 / 1e9)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero());
        Ok(())
    }

    fn read_tracks(&mut self, element: Element) -> Result<(), ReadError> {
        let position = self.elements.position();
        let Some(content) = self.content(element, MAX_DESCRIPTION_BYTES)? else {
            return Ok(());
        };
        if self.selection.tracks != Tracks::default() {
            return Ok(());
        }
        self.selection = Selection::from_tracks(&content).map_err(|refusal| match refusal {
            Refusal::Malformed(what) => ReadError::Corrupt { position, what },
            Refusal::UnsupportedCodec(codec) => ReadError::UnsupportedCodec { codec },
            Refusal::NoTracks => ReadError::NoTracks,
        })?;
        Ok(())
    }

    /// The next block of a chosen track, or `None` at the end.
    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some(block) = self.pending.pop_front() {
                return Ok(Some(block));
            }
            let Some(element) = self.next_element()? else {
                return Ok(None);
            };
            match element.id {
                TIMESTAMP => {
                    let Some(content) = self.content(element, 8)? else {
                        return Ok(None);
                    };
                    self.cluster_timestamp = unsigned(&content).unwrap_or_default();
                }
                SIMPLE_BLOCK | BLOCK => {
                    let position = self.elements.position();
                    let Some(content) = self.content(element, MAX_BLOCK_BYTES)? else {
                        return Ok(None);
                    };
                    self.open_block(&Bytes::from(content), position)?;
                }
                _ => self.pass(element)?,
            }
        }
    }

    /// Queues the frames of a block of a chosen track.
    fn open_block(&mut self, content: &Bytes, position: u64) -> Result<(), ReadError> {
        let layout = layout(content).ok_or(ReadError::Corrupt {
            position,
            what: "layout of a block",
        })?;
        let Some(track) = self.selection.track(layout.track_number) else {
            return Ok(());
        };
        let units = self
            .cluster_timestamp
            .saturating_add_signed(i64::from(layout.timestamp));
        let mut time = Duration::from_nanos(units.saturating_mul(self.scale_ns));
        for frame in layout.frames {
            let data = content.slice(frame);
            let plays = match track {
                Track::Audio => playing_time(&data),
                Track::Video => Duration::ZERO,
            };
            let keyframe = match track {
                Track::Audio => true,
                Track::Video => FrameHeader::peek_kind(&data) == Some(FrameKind::Key),
            };
            self.pending.push_back(Block {
                track,
                time,
                keyframe,
                data,
            });
            time = time.saturating_add(plays);
        }
        Ok(())
    }

    /// The next element of any level, or `None` at the end.
    fn next_element(&mut self) -> Result<Option<Element>, ReadError> {
        let position = self.elements.position();
        if self.ended || self.segment_end.is_some_and(|end| position >= end) {
            self.ended = true;
            return Ok(None);
        }
        let next = self.elements.next();
        let Some(element) = self.or_end(next)?.flatten() else {
            self.ended = true;
            self.truncated |= self.elements.position() < self.declared_end;
            return Ok(None);
        };
        let end = element
            .size
            .map(|size| self.elements.position().saturating_add(size));
        self.declared_end = self.declared_end.max(end.unwrap_or_default());
        if element.id == SEGMENT {
            self.segment_end = end;
        }
        Ok(Some(element))
    }

    /// Enters what has blocks inside, passes over everything else.
    fn pass(&mut self, element: Element) -> Result<(), ReadError> {
        if matches!(element.id, SEGMENT | CLUSTER | BLOCK_GROUP) {
            return Ok(());
        }
        let skipped = self.elements.skip(element);
        self.or_end(skipped).map(|_| ())
    }

    fn content(&mut self, element: Element, most: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let content = self.elements.content(element, most);
        self.or_end(content)
    }

    /// Makes a cut the end of the file.
    fn or_end<T>(&mut self, read: Result<T, Stop>) -> Result<Option<T>, ReadError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Stop::Truncated) => {
                self.ended = true;
                self.truncated = true;
                Ok(None)
            }
            Err(Stop::Malformed(what)) => Err(ReadError::Corrupt {
                position: self.elements.position(),
                what,
            }),
            Err(Stop::Io(error)) => Err(error.into()),
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Block, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_block();
        if next.is_err() {
            self.ended = true;
        }
        next.transpose()
    }
}

fn playing_time(packet: &[u8]) -> Duration {
    let samples = Packet::parse(packet).map_or(0, |packet| packet.samples());
    Duration::from_nanos(samples as u64 * 1_000_000 / 48)
}

/// Looks at the first bytes without taking them.
fn recognize<R: Read>(source: &mut BufReader<R>) -> Result<(), ReadError> {
    use std::io::BufRead;

    let head = source.fill_buf()?;
    let found = match head {
        [] => return Err(ReadError::Empty),
        _ if EBML_HEADER
            .to_be_bytes()
            .starts_with(&head[..head.len().min(4)]) =>
        {
            return Ok(());
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "MP4",
        [b'O', b'g', b'g', b'S', ..] => "Ogg",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => "WAV",
        [b'R', b'I', b'F', b'F', ..] => "AVI",
        [b'I', b'D', b'3', ..] => "MP3",
        [b'D', b'K', b'I', b'F', ..] => "IVF",
        [b'F', b'L', b'V', ..] => "FLV",
        [0x89, b'P', b'N', b'G', ..] => "PNG",
        [b'f', b'L', b'a', b'C', ..] => "FLAC",
        _ => "something unknown",
    };
    Err(ReadError::NotWebm { found })
}
