//! The live decoder: one thread, a cap on what a frame may ask for.

use std::fmt;

use super::ffi::RawDecoder;
use super::header::FrameHeader;
use crate::video::{Decoded, FrameKind, I420, VideoDecodeError, VideoDecoder};

/// What a track may make its decoder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8DecoderLimits {
    /// Most luma samples in a picture. A decoder holds up to about 6 bytes for each and the
    /// picture another 1.5. Default 4096 x 2304: every camera and every screen up to 4K; a
    /// keyframe of a few kilobytes that claims 16383 x 16383 would cost a gigabyte and a second.
    pub max_pixels: u32,
}

impl Default for Vp8DecoderLimits {
    fn default() -> Self {
        Self {
            max_pixels: 4096 * 2304,
        }
    }
}

/// A decoder for one track.
///
/// It starts, and after an error goes on, with a keyframe; delta frames before that are refused
/// as corrupt, for they would be painted onto the wrong picture. Sizes may change with every
/// keyframe.
pub struct Vp8Decoder {
    raw: RawDecoder,
    limits: Vp8DecoderLimits,
    expects: Expects,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Keyframe,
    AnyFrame,
}

impl Vp8Decoder {
    /// Opens a decoder.
    ///
    /// # Errors
    ///
    /// [`VideoDecodeError::Corrupt`] if libvpx does not open one, which takes being out of memory.
    pub fn new(limits: Vp8DecoderLimits) -> Result<Self, VideoDecodeError> {
        let raw = RawDecoder::open().ok_or_else(|| {
            VideoDecodeError::Corrupt("libvpx refused to open a decoder".to_owned())
        })?;
        Ok(Self {
            raw,
            limits,
            expects: Expects::Keyframe,
        })
    }

    fn check(&self, frame: &[u8]) -> Result<FrameHeader, VideoDecodeError> {
        let header = FrameHeader::parse(frame)
            .map_err(|error| VideoDecodeError::Corrupt(error.to_string()))?;
        if header.kind == FrameKind::Delta && self.expects == Expects::Keyframe {
            return Err(VideoDecodeError::Corrupt(
                "delta frame, expected a keyframe".to_owned(),
            ));
        }
        let Some(size) = header.size else {
            return Ok(header);
        };
        let (Ok(width), Ok(height)) = (u32::try_from(size.width()), u32::try_from(size.height()))
        else {
            return Err(VideoDecodeError::Corrupt("side beyond 32 bits".to_owned()));
        };
        let max_pixels = self.limits.max_pixels;
        if u64::from(width) * u64::from(height) > u64::from(max_pixels) {
            return Err(VideoDecodeError::TooLarge {
                width,
                height,
                max_pixels,
            });
        }
        Ok(header)
    }
}

impl VideoDecoder for Vp8Decoder {
    fn decode(&mut self, frame: &[u8], picture: &mut I420) -> Result<Decoded, VideoDecodeError> {
        let header = self
            .check(frame)
            .inspect_err(|_| self.expects = Expects::Keyframe)?;
        self.expects = Expects::Keyframe;
        self.raw.decode(frame).map_err(VideoDecodeError::Corrupt)?;
        self.expects = Expects::AnyFrame;
        if header.shown && self.raw.copy_picture(picture) {
            Ok(Decoded::Picture)
        } else {
            Ok(Decoded::Nothing)
        }
    }
}

impl fmt::Debug for Vp8Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vp8Decoder")
            .field("limits", &self.limits)
            .field("expects", &self.expects)
            .finish_non_exhaustive()
    }
}
