//! How a camera is held: coordination of video orientation (3GPP TS 26.114 §7.4.5), a header
//! extension (RFC 8285) of one byte, `0 0 0 0 C F R1 R0`.
//!
//! Which extension it is follows from the offer; whatever else comes under its number, or does not
//! have its length, is passed over.

use mixer::video::{Mirroring, Orientation, Rotation};
use rtc::interceptor::StreamInfo;
use rtc::rtp::header::Header;

/// What the extension is called in session descriptions.
pub(super) const URI: &str = "urn:3gpp:video-orientation";

/// What stands for an extension that was not negotiated: no extension has this number (RFC 8285
/// §4.2).
pub(crate) const NOT_NEGOTIATED: u8 = 0;

const FLIP: u8 = 0b100;
const ROTATION: u8 = 0b011;

/// The number of the extension in a stream's packets, or [`NOT_NEGOTIATED`].
pub(super) fn extension_of(info: &StreamInfo) -> u8 {
    let mut extensions = info.rtp_header_extensions.iter();
    let negotiated = extensions.find(|extension| extension.uri == URI);
    negotiated
        .and_then(|extension| u8::try_from(extension.id).ok())
        .unwrap_or(NOT_NEGOTIATED)
}

/// What a packet says of how its picture is to be turned, in the extension of number `extension`.
///
/// Whether the camera faces its holder (C) makes no difference to us.
pub(super) fn of(header: &Header, extension: u8) -> Option<Orientation> {
    if extension == NOT_NEGOTIATED {
        return None;
    }
    let mut extensions = header.extensions.iter();
    let said = extensions.find(|said| said.id == extension)?;
    let [byte] = said.payload[..] else {
        return None;
    };
    let rotation = match byte & ROTATION {
        0 => Rotation::None,
        1 => Rotation::Quarter,
        2 => Rotation::Half,
        _ => Rotation::ThreeQuarters,
    };
    let mirroring = match byte & FLIP {
        0 => Mirroring::None,
        _ => Mirroring::LeftRight,
    };
    Some(Orientation {
        rotation,
        mirroring,
    })
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;
    use rtc::interceptor::RTPHeaderExtension;
    use rtc::rtp::header::Extension;
    use rtc::shared::marshal::Unmarshal;

    use super::*;

    fn header(id: u8, payload: &'static [u8]) -> Header {
        Header {
            extension: true,
            extensions: vec![Extension {
                id,
                payload: Bytes::from_static(payload),
            }],
            ..Header::default()
        }
    }

    #[test]
    fn the_two_lowest_bits_turn_and_the_next_mirrors() {
        use Mirroring::{LeftRight, None as Plain};
        use Rotation::{Half, None as Upright, Quarter, ThreeQuarters};
        let rows: [(&'static [u8], Rotation, Mirroring); 7] = [
            (&[0], Upright, Plain),
            (&[1], Quarter, Plain),
            (&[2], Half, Plain),
            (&[3], ThreeQuarters, Plain),
            (&[0b0100], Upright, LeftRight),
            (&[0b1111], ThreeQuarters, LeftRight),
            (&[0b1111_1000], Upright, Plain),
        ];

        for (payload, rotation, mirroring) in rows {
            let expected = Orientation {
                rotation,
                mirroring,
            };
            assert_eq!(of(&header(4, payload), 4), Some(expected), "{payload:?}");
        }
    }

    #[test]
    fn what_is_no_orientation_says_nothing() {
        for (id, payload, negotiated) in [
            (4, &[][..], 4),
            (4, &[1, 1][..], 4),
            (5, &[1][..], 4),
            (0, &[1][..], NOT_NEGOTIATED),
        ] {
            assert_eq!(
                of(&header(id, payload), negotiated),
                None,
                "{id} {payload:?}"
            );
        }
        assert_eq!(of(&Header::default(), 4), None);
    }

    #[test]
    fn the_number_is_the_one_negotiated_for_the_stream() {
        let extension = |uri: &str, id| RTPHeaderExtension {
            uri: uri.to_owned(),
            id,
        };
        let info = |extensions| StreamInfo {
            rtp_header_extensions: extensions,
            ..StreamInfo::default()
        };

        let negotiated = info(vec![extension("urn:other", 3), extension(URI, 13)]);
        assert_eq!(extension_of(&negotiated), 13);
        assert_eq!(extension_of(&info(vec![])), NOT_NEGOTIATED);
        let absurd = info(vec![extension(URI, 4_000)]);
        assert_eq!(extension_of(&absurd), NOT_NEGOTIATED);
    }

    proptest! {
        /// Headers whose extensions are anything, in the one-byte, the two-byte or another form.
        #[test]
        fn any_extensions_are_read_without_panic(
            profile in prop::sample::select(vec![0xbede_u16, 0x1000, 0x100f, 0]),
            words in prop::collection::vec(any::<u32>(), 0..12),
            wanted in any::<u8>(),
        ) {
            let mut packet = vec![0x90, 96];
            packet.extend([0; 10]);
            packet.extend(profile.to_be_bytes());
            packet.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
            packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));

            if let Ok(header) = Header::unmarshal(&mut BytesMut::from(&packet[..]).freeze()) {
                let said = of(&header, wanted);
                prop_assert!(wanted != NOT_NEGOTIATED || said.is_none());
            }
        }
    }
}
