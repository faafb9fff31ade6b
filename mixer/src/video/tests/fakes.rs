//! A codec whose frames are seven bytes: tag, color, number, size. More are filler.
//!
//! A picture is all of one color, but for its lower right quarter, whose luma is the number.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use codecs::video::{
    Decoded, FrameKind, I420, PictureSize, PictureView, PictureViewMut, Scaler, VideoDecodeError,
    VideoDecoder, VideoEncodeError, VideoEncoder,
};

pub(super) fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).unwrap()
}

/// What a fake frame does. As in VP8, an even tag begins a keyframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Key = 0,
    Delta = 1,
    Hidden = 3,
    Corrupt = 5,
    TooLarge = 6,
}

/// One encoded frame. Sides are in units of four pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) tag: Tag,
    pub(super) color: [u8; 3],
    pub(super) number: u8,
    pub(super) sides: [u8; 2],
}

/// 160x90, rounded to units of four.
const WIDE: [u8; 2] = [40, 22];

impl Frame {
    pub(super) fn key(color: [u8; 3], number: u8) -> Self {
        let sides = WIDE;
        Self {
            tag: Tag::Key,
            color,
            number,
            sides,
        }
    }

    pub(super) fn delta(color: [u8; 3], number: u8) -> Self {
        let tag = Tag::Delta;
        Self {
            tag,
            ..Self::key(color, number)
        }
    }

    pub(super) fn encode(self) -> Bytes {
        let [y, u, v] = self.color;
        let [across, down] = self.sides;
        Bytes::from(vec![self.tag as u8, y, u, v, self.number, across, down])
    }
}

/// The numbers of the frames that were decoded, shared with the test.
pub(super) type DecodeLog = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Default)]
pub(super) struct FakeDecoder {
    pub(super) log: DecodeLog,
}

impl VideoDecoder for FakeDecoder {
    fn decode(&mut self, frame: &[u8], picture: &mut I420) -> Result<Decoded, VideoDecodeError> {
        let corrupt = || VideoDecodeError::Corrupt("not a fake frame".to_owned());
        let [tag, y, u, v, number, across, down, ..] = *frame else {
            return Err(corrupt());
        };
        let shown = match tag {
            0 | 1 => Decoded::Picture,
            3 => Decoded::Nothing,
            6 => {
                let (width, height, max_pixels) = (16_383, 16_383, 9_437_184);
                return Err(VideoDecodeError::TooLarge {
                    width,
                    height,
                    max_pixels,
                });
            }
            _ => return Err(corrupt()),
        };
        let sides = [across, down].map(|side| u32::from(side) * 4);
        let size = PictureSize::new(sides[0], sides[1]).map_err(|_| corrupt())?;
        self.log.lock().unwrap().push(number);
        if shown == Decoded::Picture {
            picture.resize(size);
            picture.fill([y, u, v]);
            let quarter = PictureSize::new(sides[0] / 2, sides[1] / 2).unwrap();
            let mut view = picture.view_mut();
            let mut corner = view
                .crop(quarter.width(), quarter.height(), quarter)
                .unwrap();
            corner.fill([number, u, v]);
        }
        Ok(shown)
    }
}

/// Takes the nearest pixel.
#[derive(Debug)]
pub(super) struct NearestScaler;

impl Scaler for NearestScaler {
    fn scale(&mut self, from: PictureView<'_>, mut to: PictureViewMut<'_>) {
        let (source, target) = (from.size(), to.size());
        let luma = (
            (source.width(), source.height()),
            (target.width(), target.height()),
        );
        let chroma = (
            (source.chroma_width(), source.chroma_height()),
            (target.chroma_width(), target.chroma_height()),
        );
        let planes = to.planes();
        for (read, read_stride, write, write_stride, (source, target)) in [
            (from.y(), from.y_stride(), planes.y, planes.y_stride, luma),
            (
                from.u(),
                from.chroma_stride(),
                planes.u,
                planes.chroma_stride,
                chroma,
            ),
            (
                from.v(),
                from.chroma_stride(),
                planes.v,
                planes.chroma_stride,
                chroma,
            ),
        ] {
            for row in 0..target.1 {
                for column in 0..target.0 {
                    let (x, y) = (column * source.0 / target.0, row * source.1 / target.1);
                    write[row * write_stride + column] = read[y * read_stride + x];
                }
            }
        }
    }
}

/// What an encoder was told, shared with the test.
#[derive(Debug, Default)]
pub(super) struct EncoderLog {
    pub(super) bitrates: Vec<u32>,
    pub(super) timestamps: Vec<u64>,
    /// So many frames from now on are refused.
    pub(super) failing: usize,
}

/// Its frames are the kind and a hash of the picture.
#[derive(Debug, Default)]
pub(super) struct FakeEncoder {
    pub(super) log: Arc<Mutex<EncoderLog>>,
}

impl VideoEncoder for FakeEncoder {
    fn encode(
        &mut self,
        picture: &I420,
        timestamp: u64,
        wanted: FrameKind,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError> {
        frame.clear();
        let mut log = self.log.lock().unwrap();
        if log.failing > 0 {
            log.failing -= 1;
            return Err(VideoEncodeError::Codec("told to fail".to_owned()));
        }
        log.timestamps.push(timestamp);
        frame.push(u8::from(wanted == FrameKind::Delta));
        frame.extend(hash(picture).to_be_bytes());
        Ok(wanted)
    }

    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<(), VideoEncodeError> {
        self.log.lock().unwrap().bitrates.push(bitrate_kbps);
        Ok(())
    }
}

/// FNV-1a.
pub(super) fn hash(picture: &I420) -> u64 {
    picture
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
