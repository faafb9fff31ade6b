//! RTP counters and payload formats (RFC 3550, RFC 7587, RFC 7741).
//!
//! The transport has taken the RTP header apart already; this module knows what its counters mean
//! and what is in the payload.

mod counter;
pub mod opus;
pub mod vp8;

pub use counter::{ExtSeqNo, ExtTimestamp, RtpTimestamp, SeqNo, SeqUnwrapper, TimestampUnwrapper};
