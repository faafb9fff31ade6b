//! Blocks to write, and what a file of ours holds of them.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::video::PictureSize;
use codecs::webm::{Block, Reader, Track, Writer, WriterTracks};

/// The first byte of an Opus packet of 20 ms (RFC 6716 §3.1).
pub(crate) const HYBRID_20_MS: u8 = 15 << 3;

/// The size that files of ours say their video has.
pub(crate) fn size() -> PictureSize {
    PictureSize::new(640, 360).unwrap()
}

/// A frame of four bytes, the first of which says as VP8 does whether it is a keyframe.
pub(crate) fn video(time_ms: u64, keyframe: bool) -> Block {
    let tag = u8::from(!keyframe);
    let data = Bytes::copy_from_slice(&[tag, time_ms.to_le_bytes()[0], 3, 4]);
    Block {
        track: Track::Video,
        time: Duration::from_millis(time_ms),
        keyframe,
        data,
    }
}

/// A packet of two bytes, of 20 ms.
pub(crate) fn audio(time_ms: u64) -> Block {
    let data = Bytes::copy_from_slice(&[HYBRID_20_MS, time_ms.to_le_bytes()[0]]);
    Block {
        track: Track::Audio,
        time: Duration::from_millis(time_ms),
        keyframe: true,
        data,
    }
}

/// Both tracks for `seconds`: 25 frames a second with a keyframe every two, 50 packets a second.
pub(crate) fn conversation(seconds: u64) -> Vec<Block> {
    (0..seconds * 50)
        .flat_map(|tick| {
            let time_ms = tick * 20;
            let frame = tick
                .is_multiple_of(2)
                .then(|| video(time_ms, tick.is_multiple_of(100)));
            [Some(audio(time_ms)), frame].into_iter().flatten()
        })
        .collect()
}

/// A file with both tracks that holds these, made by our writer.
pub(crate) fn written(blocks: &[Block]) -> Vec<u8> {
    let tracks = WriterTracks {
        video: Some(size()),
        audio: Some(Channels::Mono),
    };
    let mut writer = Writer::new(Cursor::new(Vec::new()), tracks).unwrap();
    for block in blocks {
        writer.write(block).unwrap();
    }
    let duration = blocks.last().unwrap().time + Duration::from_millis(20);
    writer.finish(duration).unwrap().into_inner()
}

/// Per track, for libwebm may put a frame before a packet that is due at the same time.
pub(crate) fn of(track: Track, blocks: &[Block]) -> Vec<Block> {
    blocks
        .iter()
        .filter(|block| block.track == track)
        .cloned()
        .collect()
}

/// All that our reader finds in a file that is in order.
pub(crate) fn read(file: &[u8]) -> Vec<Block> {
    Reader::new(file).unwrap().map(Result::unwrap).collect()
}
