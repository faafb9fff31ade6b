//! VP8 in RTP (RFC 7741): frames to payloads and back.
//!
//! A payload is a [`Descriptor`] and a piece of one frame. The packet's marker bit, which says
//! that the frame ends, is the transport's.

mod depacketizer;
mod descriptor;
mod number;
mod packetizer;

pub use depacketizer::{Depacketizer, DepacketizerError, MAX_FRAME_BYTES};
pub use descriptor::{Descriptor, DescriptorError, MAX_DESCRIPTOR_BYTES, PictureId, TemporalLayer};
pub use number::PictureNumber;
pub use packetizer::{MIN_PAYLOAD_BYTES, Packetizer, PacketizerConfig, PacketizerError};
