//! What an RTP payload carries: the one place that knows which codec the tracks use.

use bytes::Bytes;
use codecs::rtp::vp8::{Descriptor, DescriptorError};
use codecs::video::FrameKind;

use super::assembly::{Fragment, Part};
use super::input::VideoPacket;

/// Understands one packet. An empty payload is padding.
///
/// # Errors
///
/// [`DescriptorError`] if the payload has no usable descriptor.
pub(crate) fn parse(packet: VideoPacket) -> Result<Fragment, DescriptorError> {
    let part = if packet.payload.is_empty() {
        Part::Padding
    } else {
        let (descriptor, data) = Descriptor::parse(&packet.payload)?;
        let data = packet.payload.slice_ref(data);
        if descriptor.starts_frame() {
            Part::Head(kind_of(&data), data)
        } else {
            Part::Rest(data)
        }
    };
    Ok(Fragment {
        seq: packet.seq,
        timestamp: packet.timestamp,
        marker: packet.marker,
        arrival: packet.arrival,
        orientation: packet.orientation,
        part,
    })
}

/// The kind of the frame that begins with `frame` (the first bit of its tag, RFC 6386 §9.1).
pub(crate) fn kind_of(frame: &Bytes) -> FrameKind {
    match frame.first() {
        Some(tag) if tag & 1 == 0 => FrameKind::Key,
        _ => FrameKind::Delta,
    }
}

#[cfg(test)]
mod tests {
    use codecs::rtp::{RtpTimestamp, SeqNo};

    use super::*;
    use crate::RoomTime;
    use crate::video::Marker;

    fn packet(payload: &'static [u8]) -> VideoPacket {
        VideoPacket {
            seq: SeqNo(7),
            timestamp: RtpTimestamp(90),
            marker: Marker::Last,
            arrival: RoomTime::from_ms(3),
            orientation: None,
            payload: Bytes::from_static(payload),
        }
    }

    #[test]
    fn payloads_are_heads_of_frames_more_of_them_or_padding() {
        let rows: [(&'static [u8], Part); 5] = [
            (
                &[0x10, 0x00],
                Part::Head(FrameKind::Key, Bytes::from_static(&[0x00])),
            ),
            (
                &[0x10, 0x01, 9],
                Part::Head(FrameKind::Delta, Bytes::from_static(&[0x01, 9])),
            ),
            (&[0x00, 0x00], Part::Rest(Bytes::from_static(&[0x00]))),
            // Begins a partition, but not the first.
            (&[0x11, 0x00], Part::Rest(Bytes::from_static(&[0x00]))),
            (&[], Part::Padding),
        ];
        for (payload, expected) in rows {
            assert_eq!(
                parse(packet(payload)).unwrap().part,
                expected,
                "{payload:02x?}"
            );
        }
    }

    #[test]
    fn payloads_that_end_inside_the_descriptor_are_refused() {
        for payload in [
            &[0x10][..],
            &[0x90, 0x80],
            &[0x90, 0x80, 0x92],
            &[0x90, 0x80, 0x92, 0x34],
        ] {
            assert!(parse(packet(payload)).is_err());
        }
    }
}
