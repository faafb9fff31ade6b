//! Cuts frames into payloads (RFC 7741 §4).

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::descriptor::{Descriptor, MAX_DESCRIPTOR_BYTES, PictureId, TemporalLayer};

/// The least `max_payload_bytes`: a descriptor and as much again of the frame.
pub const MIN_PAYLOAD_BYTES: usize = 2 * MAX_DESCRIPTOR_BYTES;

const PAYLOAD_RANGE: RangeInclusive<usize> = MIN_PAYLOAD_BYTES..=65_535;

/// A picture id has 15 bits.
const PICTURE_ID_MASK: u16 = 0x7fff;

/// How frames are cut and where the counters start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketizerConfig {
    /// The longest payload in bytes, descriptor included, 12 to 65 535. 1 200 less the RTP header
    /// and its extensions passes everywhere.
    pub max_payload_bytes: usize,
    /// Picture id of the first frame; its upper bit is ignored. Random, so that a receiver does
    /// not take a stream for the one before it.
    pub first_picture_id: u16,
    /// TL0PICIDX of the first frame.
    pub first_tl0_pic_idx: u8,
}

/// Why a packetizer could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketizerError {
    /// A payload size in which no piece of a frame fits, or that no packet can hold.
    #[error("max_payload_bytes is {0}, expected {min} to {max}", min = PAYLOAD_RANGE.start(), max = PAYLOAD_RANGE.end())]
    MaxPayload(usize),
}

/// Cuts the frames of one outgoing stream, all in the base layer, into payloads.
///
/// Picture id and TL0PICIDX rise by one with every frame and wrap.
#[derive(Clone, Debug)]
pub struct Packetizer {
    max_payload_bytes: usize,
    picture_id: u16,
    tl0_pic_idx: u8,
}

impl Packetizer {
    /// A packetizer whose first frame has the counters of `config`.
    ///
    /// # Errors
    ///
    /// [`PacketizerError::MaxPayload`] outside 12 to 65 535.
    pub fn new(config: PacketizerConfig) -> Result<Self, PacketizerError> {
        if !PAYLOAD_RANGE.contains(&config.max_payload_bytes) {
            return Err(PacketizerError::MaxPayload(config.max_payload_bytes));
        }
        Ok(Self {
            max_payload_bytes: config.max_payload_bytes,
            picture_id: config.first_picture_id & PICTURE_ID_MASK,
            tl0_pic_idx: config.first_tl0_pic_idx,
        })
    }

    /// Replaces `payloads` by those of `frame`, in order. The last one's packet bears the marker.
    ///
    /// The pieces are as equal as can be: one more than needed would cost as much, and a short
    /// last one would arrive before the rest. All payloads are slices of one allocation. An empty
    /// frame gives none and counts for none.
    pub fn packetize(&mut self, frame: &[u8], payloads: &mut Vec<Bytes>) {
        payloads.clear();
        if frame.is_empty() {
            return;
        }
        let count = frame
            .len()
            .div_ceil(self.max_payload_bytes - MAX_DESCRIPTOR_BYTES);
        let (least, longer) = (frame.len() / count, frame.len() % count);
        let mut joined = Vec::with_capacity(frame.len() + count * MAX_DESCRIPTOR_BYTES);
        let mut rest = frame;
        for index in 0..count {
            self.descriptor(index == 0).write(&mut joined);
            let (piece, tail) = rest.split_at(least + usize::from(index < longer));
            joined.extend_from_slice(piece);
            rest = tail;
        }
        let mut joined = Bytes::from(joined);
        payloads.extend((0..count).map(|index| {
            joined.split_to(MAX_DESCRIPTOR_BYTES + least + usize::from(index < longer))
        }));
        self.picture_id = self.picture_id.wrapping_add(1) & PICTURE_ID_MASK;
        self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
    }

    /// Always of the longest kind, so that every descriptor takes [`MAX_DESCRIPTOR_BYTES`].
    fn descriptor(&self, starts_partition: bool) -> Descriptor {
        Descriptor {
            starts_partition,
            picture_id: Some(PictureId::Long(self.picture_id)),
            tl0_pic_idx: Some(self.tl0_pic_idx),
            temporal_layer: Some(TemporalLayer { id: 0, sync: false }),
            ..Descriptor::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Depacketizer, MAX_FRAME_BYTES};
    use super::*;

    fn packetizer(max_payload_bytes: usize, start: u16) -> Packetizer {
        let first_tl0_pic_idx = start.to_be_bytes()[1];
        Packetizer::new(PacketizerConfig {
            max_payload_bytes,
            first_picture_id: start,
            first_tl0_pic_idx,
        })
        .unwrap()
    }

    #[test]
    fn only_the_first_payload_of_a_frame_starts_it() {
        let mut payloads = Vec::new();

        packetizer(100, 7).packetize(&[1; 250], &mut payloads);

        let starts: Vec<bool> = payloads
            .iter()
            .map(|payload| Descriptor::parse(payload).unwrap().0.starts_frame())
            .collect();
        assert_eq!(starts, [true, false, false]);
    }

    #[test]
    fn counters_rise_with_every_frame_and_wrap_from_every_start() {
        for start in [0u16, 1, 32_767, 32_768, 65_534, 65_535] {
            let mut packetizer = packetizer(1_200, start);
            let mut payloads = Vec::new();

            for frame in 0..300u16 {
                packetizer.packetize(&[0; 2_000], &mut payloads);

                assert_eq!(payloads.len(), 2);
                for payload in &payloads {
                    let (descriptor, _) = Descriptor::parse(payload).unwrap();
                    let expected = start.wrapping_add(frame);
                    let id = PictureId::Long(expected & 0x7fff);
                    assert_eq!(descriptor.picture_id, Some(id));
                    assert_eq!(descriptor.tl0_pic_idx, Some(expected.to_be_bytes()[1]));
                }
            }
        }
    }

    #[test]
    fn an_empty_frame_gives_nothing_and_takes_no_number() {
        let mut packetizer = packetizer(1_200, 5);
        let mut payloads = vec![Bytes::from_static(b"before")];

        packetizer.packetize(&[], &mut payloads);
        assert!(payloads.is_empty());

        packetizer.packetize(&[1], &mut payloads);
        let (descriptor, _) = Descriptor::parse(&payloads[0]).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Long(5)));
    }

    #[test]
    fn payload_sizes_that_hold_no_frame_are_refused() {
        for max_payload_bytes in [0, MIN_PAYLOAD_BYTES - 1, 65_536] {
            let config = PacketizerConfig {
                max_payload_bytes,
                first_picture_id: 0,
                first_tl0_pic_idx: 0,
            };

            let refused = Packetizer::new(config).unwrap_err();

            assert_eq!(refused, PacketizerError::MaxPayload(max_payload_bytes));
        }
    }

    proptest! {
        #[test]
        fn packetized_then_depacketized_is_the_same_frame(
            frame in prop::collection::vec(any::<u8>(), 1..5_000),
            max_payload_bytes in MIN_PAYLOAD_BYTES..1_500,
            start: u16,
        ) {
            let mut payloads = Vec::new();
            packetizer(max_payload_bytes, start).packetize(&frame, &mut payloads);

            let mut depacketizer = Depacketizer::default();
            for payload in &payloads {
                prop_assert!(payload.len() <= max_payload_bytes);
                depacketizer.push(payload).unwrap();
            }
            prop_assert_eq!(depacketizer.finish().unwrap(), frame);
        }

        #[test]
        fn pieces_differ_by_at_most_one_byte(
            bytes in 1..20_000usize,
            max_payload_bytes in MIN_PAYLOAD_BYTES..1_500,
        ) {
            let mut payloads = Vec::new();
            packetizer(max_payload_bytes, 0).packetize(&vec![0; bytes], &mut payloads);

            let longest = payloads.iter().map(Bytes::len).max().unwrap();
            let shortest = payloads.iter().map(Bytes::len).min().unwrap();
            prop_assert!(longest - shortest <= 1);
        }
    }

    #[test]
    fn the_longest_frame_that_is_joined_comes_back() {
        let frame = vec![7; MAX_FRAME_BYTES];
        let mut payloads = Vec::new();

        packetizer(1_200, 0).packetize(&frame, &mut payloads);

        let mut depacketizer = Depacketizer::default();
        for payload in &payloads {
            depacketizer.push(payload).unwrap();
        }
        assert_eq!(depacketizer.finish().unwrap(), frame);
    }
}
