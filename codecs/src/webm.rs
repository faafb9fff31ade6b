//! WebM files with one VP8 and one Opus track: read block by block, written block by block.
//!
//! Reading is plain Rust; writing needs the feature `native`. Neither direction holds a file in memory, and what a file claims about itself is bounded
//! before memory is set aside for it.

mod block;
mod ebml;
mod reader;
mod tracks;
#[cfg(feature = "native")]
mod writer;

use std::time::Duration;

use bytes::Bytes;

pub use reader::{MAX_BLOCK_BYTES, ReadError, Reader};
pub use tracks::{AudioTrack, Tracks, VideoTrack};
#[cfg(feature = "native")]
pub use writer::{WriteError, Writer, WriterTracks};

/// Which of a file's two tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// The VP8 track.
    Video,
    /// The Opus track.
    Audio,
}

/// One frame or one packet and when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The track it belongs to.
    pub track: Track,
    /// When it is due, from the start of the file. A file resolves no finer than its timestamp
    /// scale, usually 1 ms.
    pub time: Duration,
    /// Whether it can be decoded by itself: what the VP8 header says, not the container; `true`
    /// for audio.
    pub keyframe: bool,
    /// The frame or packet, not empty.
    pub data: Bytes,
}
