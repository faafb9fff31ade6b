//! Opus in RTP (RFC 7587): the payload is one Opus packet and nothing else, so there is nothing
//! to cut or to join, only to check.

use crate::opus::{Packet, PacketError};

/// The RTP clock of Opus, always (RFC 7587 §4.1): ticks per second.
pub const OPUS_CLOCK_HZ: u32 = 48_000;

/// Checks one RTP payload, and tells how long it plays.
///
/// The timestamp of the packet after it is that much later ([`Packet::samples`], at
/// [`OPUS_CLOCK_HZ`]) unless the sender was silent in between (DTX, RFC 7587 §3.1.3).
///
/// # Errors
///
/// Any [`PacketError`]; [`PacketError::Empty`] for the empty payloads that some stacks send to
/// keep a path open.
pub fn parse(payload: &[u8]) -> Result<Packet<'_>, PacketError> {
    Packet::parse(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_packet_with_its_duration_in_clock_ticks() {
        const HYBRID_FULLBAND_20_MS: u8 = 15 << 3;

        assert_eq!(
            parse(&[HYBRID_FULLBAND_20_MS, 1, 2, 3]).unwrap().samples(),
            960
        );
        assert_eq!(OPUS_CLOCK_HZ / 50, 960);
    }

    #[test]
    fn an_empty_payload_is_refused() {
        assert_eq!(parse(&[]), Err(PacketError::Empty));
    }
}
