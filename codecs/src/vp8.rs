//! VP8 (RFC 6386): what a frame's header says, and, with the feature `native`, an encoder and a
//! decoder over libvpx.
//!
//! One encoder serves one rung and one decoder one track. Both run in the thread of their caller:
//! they start no threads and read no clock, so the same pictures give the same frames.

mod header;

#[cfg(feature = "native")]
mod decoder;
#[cfg(feature = "native")]
mod encoder;
#[cfg(feature = "native")]
mod ffi;
#[cfg(feature = "native")]
mod weight;

pub use header::{FrameHeader, HeaderError};

#[cfg(feature = "native")]
pub use decoder::{Vp8Decoder, Vp8DecoderLimits};
#[cfg(feature = "native")]
pub use encoder::{
    BITRATE_RANGE_KBPS, CpuUsed, KeyframePolicy, Vp8ConfigError, Vp8Encoder, Vp8EncoderConfig,
};
