//! What goes over a link beside what encoders make.

use super::{Pace, RungSpec};
use crate::audio::AudioRung;
use codecs::video::VIDEO_CLOCK_HZ;

/// Headers of a packet in bytes: IPv4 20, UDP 8, RTP 12, transport-wide sequence number 8, SRTP's
/// tag 10, rounded up. IPv6 takes 20 more, by which the link then seems to carry less.
pub const PACKET_HEADER_BYTES: u32 = 60;

/// A VP8 payload descriptor with everything that is used of it (RFC 7741 §4.2).
const DESCRIPTOR_BYTES: u32 = 6;

/// What audio takes on the link: headers are 24 kb/s at 20 ms, 12 at 40, 8 at 60, 4 at 120.
#[must_use]
pub const fn audio_wire_kbps(rung: AudioRung) -> u32 {
    rung.bitrate_kbps() + (PACKET_HEADER_BYTES * 8).div_ceil(rung.packet_time().ms())
}

/// What `rung` takes on the link when its encoder is set to `kbps`.
///
/// Frames end where they end: each costs, on average, half a packet's headers more than its bytes
/// would need.
#[must_use]
pub fn video_wire_kbps(rung: &RungSpec, kbps: u32) -> u32 {
    let piece = piece_bytes(rung);
    let headers = u64::from(kbps) * u64::from(PACKET_HEADER_BYTES + DESCRIPTOR_BYTES);
    let wire = u64::from(kbps) + headers.div_ceil(piece) + u64::from(frame_ends_kbps(rung));
    u32::try_from(wire).unwrap_or(u32::MAX)
}

/// What the encoder of `rung` may be set to where the link has `wire_kbps` for it.
#[must_use]
pub fn video_kbps(rung: &RungSpec, wire_kbps: u32) -> u32 {
    let piece = piece_bytes(rung);
    let left = u64::from(wire_kbps.saturating_sub(frame_ends_kbps(rung)));
    let kbps = left * piece / (piece + u64::from(PACKET_HEADER_BYTES + DESCRIPTOR_BYTES));
    u32::try_from(kbps).unwrap_or(u32::MAX)
}

fn piece_bytes(rung: &RungSpec) -> u64 {
    let payload = u32::try_from(rung.payload_bytes).unwrap_or(u32::MAX);
    u64::from(payload.saturating_sub(DESCRIPTOR_BYTES).max(1))
}

fn frame_ends_kbps(rung: &RungSpec) -> u32 {
    let interval = match rung.pace {
        Pace::Moving { frame_interval } => frame_interval,
        Pace::Stills { interval } => interval,
    };
    let half_a_packet_bits = (PACKET_HEADER_BYTES + DESCRIPTOR_BYTES) * 8 / 2;
    (half_a_packet_bits * (VIDEO_CLOCK_HZ / 1_000)).div_ceil(interval.max(1))
}
