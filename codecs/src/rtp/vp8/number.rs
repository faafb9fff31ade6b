//! The counters of frames as one receiver is to see them.
//!
//! A receiver that is moved from one encoder's frames to another's must not notice: to it both
//! counters go on. So whoever sends frames of several packetizers as one stream numbers them anew.

use bytes::Bytes;

use super::descriptor::MAX_DESCRIPTOR_BYTES;

/// A picture id has 15 bits.
const PICTURE_ID_MASK: u16 = 0x7fff;

/// Says that a picture id has 15 bits and not 7 (RFC 7741 §4.2).
const LONG_PICTURE_ID: u16 = 0x8000;

/// Picture id and TL0PICIDX of one frame of a stream without temporal layers (RFC 7741 §4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PictureNumber {
    picture_id: u16,
    tl0_pic_idx: u8,
}

impl PictureNumber {
    /// The upper bit of `picture_id` is ignored.
    #[must_use]
    pub const fn new(picture_id: u16, tl0_pic_idx: u8) -> Self {
        Self {
            picture_id: picture_id & PICTURE_ID_MASK,
            tl0_pic_idx,
        }
    }

    /// The picture id, 0 to 32 767.
    #[must_use]
    pub const fn picture_id(self) -> u16 {
        self.picture_id
    }

    /// TL0PICIDX.
    #[must_use]
    pub const fn tl0_pic_idx(self) -> u8 {
        self.tl0_pic_idx
    }

    /// That of the frame after. Both counters wrap.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(
            self.picture_id.wrapping_add(1),
            self.tl0_pic_idx.wrapping_add(1),
        )
    }

    /// A copy of `payload` with these counters, if a [`Packetizer`](super::Packetizer) made it: its
    /// descriptors are all of the same six bytes. Anything too short for one is as it was.
    #[must_use]
    pub fn on(self, payload: &[u8]) -> Bytes {
        let mut copy = payload.to_vec();
        if let Some([_, _, high, low, tl0_pic_idx, _]) =
            copy.first_chunk_mut::<MAX_DESCRIPTOR_BYTES>()
        {
            [*high, *low] = (self.picture_id | LONG_PICTURE_ID).to_be_bytes();
            *tl0_pic_idx = self.tl0_pic_idx;
        }
        Bytes::from(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Descriptor, Packetizer, PacketizerConfig, PictureId};
    use super::*;

    fn payloads(frame: &[u8]) -> Vec<Bytes> {
        let config = PacketizerConfig {
            max_payload_bytes: 500,
            first_picture_id: 77,
            first_tl0_pic_idx: 78,
        };
        let mut payloads = Vec::new();
        let mut packetizer = Packetizer::new(config).unwrap();
        packetizer.packetize(frame, &mut payloads);
        payloads
    }

    #[test]
    fn only_the_counters_change() {
        for payload in payloads(&[9; 2_000]) {
            let (before, piece) = Descriptor::parse(&payload).unwrap();

            let numbered = PictureNumber::new(300, 200).on(&payload);

            let (after, same_piece) = Descriptor::parse(&numbered).unwrap();
            assert_eq!(same_piece, piece);
            let expected = Descriptor {
                picture_id: Some(PictureId::Long(300)),
                tl0_pic_idx: Some(200),
                ..before
            };
            assert_eq!(after, expected);
        }
    }

    #[test]
    fn counters_rise_by_one_and_wrap_from_every_start() {
        for start in [0u16, 1, 32_767, 32_768, 65_534, 65_535] {
            let [_, tl0] = start.to_be_bytes();
            let mut number = PictureNumber::new(start, tl0);

            for step in 1..300_u16 {
                number = number.next();

                let expected = start.wrapping_add(step);
                assert_eq!(number.picture_id(), expected & 0x7fff);
                assert_eq!(number.tl0_pic_idx(), expected.to_be_bytes()[1]);
            }
        }
    }

    #[test]
    fn what_is_too_short_for_a_descriptor_stays() {
        assert_eq!(PictureNumber::new(1, 1).on(b"short"), b"short"[..]);
    }
}
