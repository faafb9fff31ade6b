//! The Tracks element (RFC 9559 §5.1.4): which of its tracks is to be read, and how.

use std::time::Duration;

use super::Track;
use super::ebml::{Elements, Id, Stop, unsigned};
use crate::audio::Channels;
use crate::video::PictureSize;

/// What is known of a file's tracks before its first block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// The first VP8 track, if there is one.
    pub video: Option<VideoTrack>,
    /// The first Opus track, if there is one.
    pub audio: Option<AudioTrack>,
}

/// A VP8 track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoTrack {
    /// The size that the container states. Keyframes state theirs, and may differ.
    pub size: PictureSize,
}

/// An Opus track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    /// Channels of the original.
    pub channels: Channels,
    /// Samples per channel to throw away at the start of what is decoded (RFC 7845 §4.2).
    pub pre_skip_samples: u16,
    /// How much later than its media time each block is stamped, to make up for `pre_skip`:
    /// zero, or about as long as it.
    pub codec_delay: Duration,
}

/// The tracks to read and the numbers that their blocks bear.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selection {
    pub(super) tracks: Tracks,
    video_number: Option<u64>,
    audio_number: Option<u64>,
}

/// Why there is nothing to read.
#[derive(Debug)]
pub(super) enum Refusal {
    Malformed(&'static str),
    UnsupportedCodec(String),
    NoTracks,
}

const TRACK_ENTRY: Id = 0xae;
const TRACK_NUMBER: Id = 0xd7;
const TRACK_TYPE: Id = 0x83;
const CODEC_ID: Id = 0x86;
const CODEC_PRIVATE: Id = 0x63a2;
const CODEC_DELAY: Id = 0x56aa;
const CONTENT_ENCODINGS: Id = 0x6d80;
const VIDEO: Id = 0xe0;
const PIXEL_WIDTH: Id = 0xb0;
const PIXEL_HEIGHT: Id = 0xba;
const AUDIO: Id = 0xe1;
const CHANNELS: Id = 0x9f;

const TYPE_VIDEO: u64 = 1;
const TYPE_AUDIO: u64 = 2;

/// A track has a number of up to 126 in every file seen.
const MAX_ENTRIES: usize = 128;

/// Codec names reach terminals.
const MAX_CODEC_ID_CHARS: usize = 40;

impl Selection {
    /// Chooses the first VP8 and the first Opus track of a Tracks element's content.
    ///
    /// Another codec is refused only if it is all there is of its kind.
    pub(super) fn from_tracks(content: &[u8]) -> Result<Self, Refusal> {
        let mut selection = Self::default();
        let mut refused = [None, None];
        for entry in entries(content)? {
            let (chosen, refused) = match entry.kind {
                TYPE_VIDEO => (&mut selection.video_number, &mut refused[0]),
                TYPE_AUDIO => (&mut selection.audio_number, &mut refused[1]),
                _ => continue,
            };
            if chosen.is_some() {
                continue;
            }
            let accepted = match entry.kind {
                TYPE_VIDEO => entry
                    .video()
                    .map(|track| selection.tracks.video = Some(track)),
                _ => entry
                    .audio()
                    .map(|track| selection.tracks.audio = Some(track)),
            };
            match accepted {
                Ok(()) => *chosen = Some(entry.number),
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        let [video, audio] = refused;
        for (error, chosen) in [
            (video, selection.video_number),
            (audio, selection.audio_number),
        ] {
            if let (Some(error), None) = (error, chosen) {
                return Err(error);
            }
        }
        if selection.tracks == Tracks::default() {
            return Err(Refusal::NoTracks);
        }
        Ok(selection)
    }

    /// Which track a block of this number belongs to, if it is one to read.
    pub(super) fn track(&self, number: u64) -> Option<Track> {
        let number = Some(number);
        if number == self.video_number {
            Some(Track::Video)
        } else if number == self.audio_number {
            Some(Track::Audio)
        } else {
            None
        }
    }
}

/// One TrackEntry. What it does not state is zero or empty.
#[derive(Default)]
struct Entry {
    number: u64,
    kind: u64,
    codec_id: Vec<u8>,
    codec_private: Vec<u8>,
    codec_delay_ns: u64,
    width: u64,
    height: u64,
    channels: u64,
    encoded: bool,
}

fn entries(content: &[u8]) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    each_child(content, |id, content| {
        if id == TRACK_ENTRY {
            entries.push(Entry::parse(content)?);
        }
        if entries.len() > MAX_ENTRIES {
            Err(Stop::Malformed("count of tracks"))
        } else {
            Ok(())
        }
    })
    .map_err(|_| Refusal::Malformed("track description"))?;
    Ok(entries)
}

fn each_child(
    content: &[u8],
    mut child: impl FnMut(Id, &[u8]) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut elements = Elements::new(content);
    while let Some(element) = elements.next()? {
        let content = elements.content(element, content.len() as u64)?;
        child(element.id, &content)?;
    }
    Ok(())
}

fn number(content: &[u8]) -> Result<u64, Stop> {
    unsigned(content).ok_or(Stop::Malformed("integer"))
}

impl Entry {
    fn parse(content: &[u8]) -> Result<Self, Stop> {
        let mut entry = Self {
            channels: 1,
            ..Self::default()
        };
        each_child(content, |id, content| {
            match id {
                TRACK_NUMBER => entry.number = number(content)?,
                TRACK_TYPE => entry.kind = number(content)?,
                CODEC_ID => entry.codec_id = content.to_vec(),
                CODEC_PRIVATE => entry.codec_private = content.to_vec(),
                CODEC_DELAY => entry.codec_delay_ns = number(content)?,
                CONTENT_ENCODINGS => entry.encoded = true,
                VIDEO | AUDIO => entry.parse_media(content)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(entry)
    }

    fn parse_media(&mut self, content: &[u8]) -> Result<(), Stop> {
        each_child(content, |id, content| {
            match id {
                PIXEL_WIDTH => self.width = number(content)?,
                PIXEL_HEIGHT => self.height = number(content)?,
                CHANNELS => self.channels = number(content)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn video(&self) -> Result<VideoTrack, Refusal> {
        self.expect_codec(b"V_VP8")?;
        let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
        let size = PictureSize::new(side(self.width), side(self.height))
            .map_err(|_| Refusal::Malformed("picture size"))?;
        Ok(VideoTrack { size })
    }

    fn audio(&self) -> Result<AudioTrack, Refusal> {
        self.expect_codec(b"A_OPUS")?;
        // RFC 7845 §5.1: "OpusHead", version, channels, pre-skip, and eight bytes more.
        let (channels, pre_skip_samples) = match self.codec_private[..] {
            [
                b'O',
                b'p',
                b'u',
                b's',
                b'H',
                b'e',
                b'a',
                b'd',
                _,
                channels,
                low,
                high,
                ..,
            ] => (u64::from(channels), u16::from_le_bytes([low, high])),
            _ => (self.channels, 0),
        };
        let channels = match channels {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            more => {
                let codec = format!("Opus with {more} channels");
                return Err(Refusal::UnsupportedCodec(codec));
            }
        };
        let codec_delay = Duration::from_nanos(self.codec_delay_ns);
        Ok(AudioTrack {
            channels,
            pre_skip_samples,
            codec_delay,
        })
    }

    fn expect_codec(&self, codec_id: &[u8]) -> Result<(), Refusal> {
        if self.codec_id != codec_id {
            return Err(Refusal::UnsupportedCodec(codec_name(&self.codec_id)));
        }
        if self.encoded {
            let codec = format!("{} compressed or encrypted", codec_name(codec_id));
            return Err(Refusal::UnsupportedCodec(codec));
        }
        Ok(())
    }
}

/// The name people know, or else the id itself, fit for a terminal.
fn codec_name(codec_id: &[u8]) -> String {
    let id: String = String::from_utf8_lossy(codec_id)
        .trim_end_matches('\0')
        .escape_debug()
        .take(MAX_CODEC_ID_CHARS)
        .collect();
    let name = match id.as_str() {
        "V_VP8" => "VP8",
        "V_VP9" => "VP9",
        "V_AV1" => "AV1",
        "V_MPEG4/ISO/AVC" => "H.264",
        "V_MPEGH/ISO/HEVC" => "H.265",
        "A_OPUS" => "Opus",
        "A_VORBIS" => "Vorbis",
        "A_FLAC" => "FLAC",
        _ if id.starts_with("A_AAC") => "AAC",
        _ if id.starts_with("A_PCM") => "PCM",
        _ => return id,
    };
    name.to_owned()
}
