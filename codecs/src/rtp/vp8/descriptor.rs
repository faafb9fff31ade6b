//! The payload descriptor (RFC 7741 §4.2).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     |X|R|N|S|R| PID |   always
//! X:  |I|L|T|K|  RSV  |
//! I:  |M| PictureID   |   7 bits, or with M 15 in two bytes
//! L:  |   TL0PICIDX   |
//! T/K:|TID|Y| KEYIDX  |
//! ```

/// The longest descriptor: one byte of each kind, two for the picture id.
pub const MAX_DESCRIPTOR_BYTES: usize = 6;

const X: u8 = 0x80;
const N: u8 = 0x20;
const S: u8 = 0x10;
const I: u8 = 0x80;
const L: u8 = 0x40;
const T: u8 = 0x20;
const K: u8 = 0x10;
const M: u8 = 0x80;
const Y: u8 = 0x20;

/// What stands before a piece of a frame. Reserved bits are ignored when read, zero when written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// No later frame refers to this one: it may be dropped (N).
    pub non_reference: bool,
    /// The payload begins a partition (S). With partition 0, it begins a frame.
    pub starts_partition: bool,
    /// Index of the partition the payload begins with, 0 to 7 (PID).
    pub partition: u8,
    /// The frame's running number.
    pub picture_id: Option<PictureId>,
    /// The running number of base layer frames, modulo 256 (TL0PICIDX).
    pub tl0_pic_idx: Option<u8>,
    /// The temporal layer the frame belongs to (TID, Y).
    pub temporal_layer: Option<TemporalLayer>,
    /// Which keyframe the frame depends on, modulo 32 (KEYIDX).
    pub key_idx: Option<u8>,
}

/// A running number of frames that wraps at the width its sender chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureId {
    /// 0 to 127.
    Short(u8),
    /// 0 to 32 767.
    Long(u16),
}

/// A frame's place among temporal layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporalLayer {
    /// 0, the base layer, to 3.
    pub id: u8,
    /// The frame depends on base layer frames only (Y): from here on a receiver may follow this
    /// layer.
    pub sync: bool,
}

/// Why a payload has no usable descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The payload ends inside the descriptor, or holds nothing after it.
    #[error("payload of {0} bytes ends inside its descriptor or right behind it")]
    Truncated(usize),
}

impl Descriptor {
    /// Parses the descriptor at the head of one RTP payload (RFC 7741 §4.2). Gives it and the
    /// bytes of the frame behind it, of which there is at least one.
    ///
    /// `payload` is the RTP payload alone, without the RTP header.
    ///
    /// # Errors
    ///
    /// [`DescriptorError::Truncated`] if `payload` ends inside the descriptor, or holds nothing
    /// after it.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), DescriptorError> {
        let mut rest = payload;
        match Self::read(&mut rest) {
            Some(descriptor) if !rest.is_empty() => Ok((descriptor, rest)),
            _ => Err(DescriptorError::Truncated(payload.len())),
        }
    }

    fn read(rest: &mut &[u8]) -> Option<Self> {
        let head = next(rest)?;
        let extension = if head & X == 0 { 0 } else { next(rest)? };
        let picture_id = if extension & I == 0 {
            None
        } else {
            Some(read_picture_id(rest)?)
        };
        let tl0_pic_idx = if extension & L == 0 {
            None
        } else {
            Some(next(rest)?)
        };
        let layer = if extension & (T | K) == 0 {
            0
        } else {
            next(rest)?
        };
        Some(Self {
            non_reference: head & N != 0,
            starts_partition: head & S != 0,
            partition: head & 0x07,
            picture_id,
            tl0_pic_idx,
            temporal_layer: (extension & T != 0).then_some(TemporalLayer {
                id: layer >> 6,
                sync: layer & Y != 0,
            }),
            key_idx: (extension & K != 0).then_some(layer & 0x1f),
        })
    }

    /// Appends the descriptor to `payload`. Values wider than their fields lose their upper bits.
    pub fn write(&self, payload: &mut Vec<u8>) {
        let extension = self.extension_bits();
        payload.push(
            flag(extension != 0, X)
                | flag(self.non_reference, N)
                | flag(self.starts_partition, S)
                | (self.partition & 0x07),
        );
        if extension != 0 {
            payload.push(extension);
        }
        match self.picture_id {
            Some(PictureId::Short(id)) => payload.push(id & 0x7f),
            Some(PictureId::Long(id)) => {
                let [high, low] = id.to_be_bytes();
                payload.extend([high | M, low]);
            }
            None => {}
        }
        payload.extend(self.tl0_pic_idx);
        if extension & (T | K) != 0 {
            let layer = self
                .temporal_layer
                .map_or(0, |layer| (layer.id & 0b11) << 6 | flag(layer.sync, Y));
            payload.push(layer | (self.key_idx.unwrap_or(0) & 0x1f));
        }
    }

    /// Whether a payload with this descriptor begins a frame.
    #[must_use]
    pub const fn starts_frame(&self) -> bool {
        self.starts_partition && self.partition == 0
    }

    const fn extension_bits(&self) -> u8 {
        flag(self.picture_id.is_some(), I)
            | flag(self.tl0_pic_idx.is_some(), L)
            | flag(self.temporal_layer.is_some(), T)
            | flag(self.key_idx.is_some(), K)
    }
}

const fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(byte)
}

fn read_picture_id(rest: &mut &[u8]) -> Option<PictureId> {
    let first = next(rest)?;
    if first & M == 0 {
        return Some(PictureId::Short(first));
    }
    Some(PictureId::Long(u16::from_be_bytes([
        first & !M,
        next(rest)?,
    ])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn long(id: u16) -> Option<PictureId> {
        Some(PictureId::Long(id))
    }

    #[test]
    fn descriptors_as_browsers_write_them_parse_to_their_fields() {
        let start = Descriptor {
            starts_partition: true,
            ..Descriptor::default()
        };
        let layer = |id, sync| Some(TemporalLayer { id, sync });
        let rows: [(&[u8], Descriptor); 7] = [
            // Nothing but the first byte.
            (&[0x10, 0xaa], start),
            // Chromium, one layer: long picture id. First and later payloads of a frame.
            (
                &[0x90, 0x80, 0x92, 0x34, 0xaa],
                Descriptor {
                    picture_id: long(0x1234),
                    ..start
                },
            ),
            (
                &[0x80, 0x80, 0xff, 0xff, 0xaa],
                Descriptor {
                    picture_id: long(0x7fff),
                    ..Descriptor::default()
                },
            ),
            // Firefox: short picture id.
            (
                &[0x90, 0x80, 0x7f, 0xaa],
                Descriptor {
                    picture_id: Some(PictureId::Short(127)),
                    ..start
                },
            ),
            // Chromium with temporal layers: everything but KEYIDX; a droppable top layer frame.
            (
                &[0xb0, 0xe0, 0x80, 0x00, 0x05, 0x80, 0xaa],
                Descriptor {
                    non_reference: true,
                    picture_id: long(0),
                    tl0_pic_idx: Some(5),
                    temporal_layer: layer(2, false),
                    ..start
                },
            ),
            // Everything at once.
            (
                &[0x90, 0xf0, 0x80, 0x01, 0xff, 0x7f, 0xaa],
                Descriptor {
                    picture_id: long(1),
                    tl0_pic_idx: Some(255),
                    temporal_layer: layer(1, true),
                    key_idx: Some(31),
                    ..start
                },
            ),
            // KEYIDX alone: what stands at TID and Y means nothing.
            (
                &[0x90, 0x10, 0xe3, 0xaa],
                Descriptor {
                    key_idx: Some(3),
                    ..start
                },
            ),
        ];
        for (payload, expected) in rows {
            assert_eq!(
                Descriptor::parse(payload),
                Ok((expected, &[0xaa][..])),
                "{payload:02x?}"
            );
        }
    }

    #[test]
    fn every_cut_of_a_full_descriptor_is_truncated() {
        let payload = [0x90, 0xf0, 0x80, 0x01, 0xff, 0x7f, 0xaa];

        for length in 0..payload.len() {
            assert_eq!(
                Descriptor::parse(&payload[..length]),
                Err(DescriptorError::Truncated(length))
            );
        }
    }

    #[test]
    fn reserved_bits_are_ignored() {
        let (with, _) = Descriptor::parse(&[0x10 | 0x48, 0xaa]).unwrap();
        let (without, _) = Descriptor::parse(&[0x10, 0xaa]).unwrap();

        assert_eq!(with, without);
    }

    prop_compose! {
        fn descriptors()(
            bits in any::<(bool, bool)>(),
            partition in 0..8u8,
            picture_id in prop::option::of(prop_oneof![
                (0..128u8).prop_map(PictureId::Short),
                (0..32_768u16).prop_map(PictureId::Long),
            ]),
            tl0_pic_idx: Option<u8>,
            layer in prop::option::of((0..4u8, any::<bool>())),
            key_idx in prop::option::of(0..32u8),
        ) -> Descriptor {
            Descriptor {
                non_reference: bits.0,
                starts_partition: bits.1,
                partition,
                picture_id,
                tl0_pic_idx,
                temporal_layer: layer.map(|(id, sync)| TemporalLayer { id, sync }),
                key_idx,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_parsed_back(descriptor in descriptors(), rest in prop::collection::vec(any::<u8>(), 1..9)) {
            let mut payload = Vec::new();
            descriptor.write(&mut payload);
            prop_assert!(payload.len() <= MAX_DESCRIPTOR_BYTES);
            payload.extend(&rest);

            prop_assert_eq!(Descriptor::parse(&payload), Ok((descriptor, &rest[..])));
        }

        #[test]
        fn any_bytes_parse_or_fail_and_what_parses_survives_a_round_trip(payload in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok((descriptor, rest)) = Descriptor::parse(&payload) {
                let mut again = Vec::new();
                descriptor.write(&mut again);
                again.extend(rest);
                prop_assert_eq!(Descriptor::parse(&again), Ok((descriptor, rest)));
            }
        }
    }
}
