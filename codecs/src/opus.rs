//! Opus (RFC 6716): what a packet's head says, and, with the feature `native`, an encoder and a
//! decoder over libopus.
//!
//! Everything runs at 48 kHz, whatever bandwidth a packet was coded with: Opus resamples inside.

mod packet;

#[cfg(feature = "native")]
mod decoder;
#[cfg(feature = "native")]
mod encoder;
#[cfg(feature = "native")]
mod ffi;

pub use packet::{MAX_FRAME_BYTES, MAX_PACKET_FRAMES, Packet, PacketError};

#[cfg(feature = "native")]
pub use decoder::OpusDecoder;
#[cfg(feature = "native")]
pub use encoder::{Application, OpusConfigError, OpusEncoder, OpusEncoderConfig};
