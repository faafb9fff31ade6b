//! What the mixer knows of a video codec: three traits and the picture they share.

mod picture;

use std::fmt;

pub use picture::{
    I420, MAX_SIDE_PX, PictureSize, PictureSizeError, PictureView, PictureViewMut, PlanesMut,
};

/// The RTP clock of video (RFC 7741 §5): ticks per second.
pub const VIDEO_CLOCK_HZ: u32 = 90_000;

/// Whether a frame can be decoded by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// Decodable by itself.
    Key,
    /// Needs the frames before it.
    Delta,
}

/// What decoding one frame gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The picture was replaced by a new one.
    Picture,
    /// The frame is not meant to be shown; the picture is as it was.
    Nothing,
}

/// Why a frame could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VideoDecodeError {
    /// The frame is not a frame of this codec, or ends early.
    #[error("corrupt frame: {0}")]
    Corrupt(String),
    /// The keyframe claims a size above the decoder's cap. Nothing was decoded.
    #[error("frame is {width}x{height}, expected at most {max_pixels} pixels")]
    TooLarge {
        /// Claimed width in pixels.
        width: u32,
        /// Claimed height in pixels.
        height: u32,
        /// The cap, in pixels.
        max_pixels: u32,
    },
}

/// Why a picture could not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VideoEncodeError {
    /// The picture's size is not the one the encoder was made for.
    #[error("picture is {got}, expected {expected}")]
    Size {
        /// The size of the picture.
        got: PictureSize,
        /// The size the encoder was made for.
        expected: PictureSize,
    },
    /// The codec refused for a reason of its own.
    #[error("video codec failed: {0}")]
    Codec(String),
}

/// Turns frames into pictures. One decoder serves one track, in decoding order.
pub trait VideoDecoder: Send + fmt::Debug {
    /// Decodes one frame into `picture`, which is resized to the frame's size.
    ///
    /// A decoder does not notice missing frames: the caller must only pass what is decodable.
    ///
    /// # Errors
    ///
    /// Any [`VideoDecodeError`]; `picture` is as it was then, and the next frame that makes sense
    /// is a keyframe.
    fn decode(&mut self, frame: &[u8], picture: &mut I420) -> Result<Decoded, VideoDecodeError>;
}

/// Turns pictures into frames. One encoder serves one rung.
pub trait VideoEncoder: Send + fmt::Debug {
    /// Encodes `picture` into `frame`, replacing what was in it, and says which kind it became.
    ///
    /// `timestamp` is the unwrapped RTP time of the picture in 90 kHz ticks, strictly rising.
    /// [`FrameKind::Key`] forces a keyframe; [`FrameKind::Delta`] leaves the choice to the encoder.
    ///
    /// # Errors
    ///
    /// Any [`VideoEncodeError`]; `frame` is empty then.
    fn encode(
        &mut self,
        picture: &I420,
        timestamp: u64,
        wanted: FrameKind,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError>;

    /// Changes the target bitrate from the next frame on.
    ///
    /// # Errors
    ///
    /// [`VideoEncodeError::Codec`] if the codec refuses; the former bitrate stays.
    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<(), VideoEncodeError>;
}

/// Scales pictures. A scaler keeps scratch space, so each worker has its own.
pub trait Scaler: Send + fmt::Debug {
    /// Fills all of `to` with all of `from`, whatever the two sizes.
    fn scale(&mut self, from: PictureView<'_>, to: PictureViewMut<'_>);
}
