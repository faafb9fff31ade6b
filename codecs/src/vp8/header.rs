//! The uncompressed header at the head of every VP8 frame (RFC 6386 §9.1).
//!
//! Three bytes for every frame and seven more for a keyframe. They tell what a frame needs and
//! what it will cost before a decoder touches it.

use crate::video::{FrameKind, PictureSize, PictureSizeError};

const TAG_BYTES: usize = 3;
const KEYFRAME_HEADER_BYTES: usize = 10;
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

/// What the uncompressed header of one frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether the frame stands by itself.
    pub kind: FrameKind,
    /// The bitstream profile, 0 to 7; 0 to 3 are defined, browsers send 0.
    pub profile: u8,
    /// Whether the decoded picture is meant to be seen.
    pub shown: bool,
    /// Length of the first partition in bytes, at most 2¹⁹ − 1 and never beyond the frame's end.
    pub first_partition_bytes: u32,
    /// The picture's size, in a keyframe; a delta frame has that of the keyframe before it.
    pub size: Option<PictureSize>,
}

/// Why these bytes are not the head of a VP8 frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The frame ends inside the header or inside the first partition.
    #[error("frame is {got} bytes, expected at least {expected}")]
    Truncated {
        /// Length of the frame.
        got: usize,
        /// The least length that would do.
        expected: usize,
    },
    /// A keyframe without the start code 9d 01 2a.
    #[error("start code is {0:02x?}, expected 9d 01 2a")]
    StartCode([u8; 3]),
    /// A keyframe that claims a side of zero.
    #[error(transparent)]
    Size(#[from] PictureSizeError),
}

impl FrameHeader {
    /// Parses the header of `frame`, a whole frame as it comes out of the depacketizer or a
    /// container.
    ///
    /// # Errors
    ///
    /// Any [`HeaderError`].
    pub fn parse(frame: &[u8]) -> Result<Self, HeaderError> {
        let tag = frame
            .first_chunk()
            .ok_or_else(|| truncated(frame, TAG_BYTES))?;
        let tag = u32::from_le_bytes(widen(*tag));
        let (kind, size, header_bytes) = if tag & 1 == 0 {
            (
                FrameKind::Key,
                Some(keyframe_size(frame)?),
                KEYFRAME_HEADER_BYTES,
            )
        } else {
            (FrameKind::Delta, None, TAG_BYTES)
        };
        let first_partition_bytes = tag >> 5;
        let expected = header_bytes + first_partition_bytes as usize;
        if frame.len() < expected {
            return Err(truncated(frame, expected));
        }
        Ok(Self {
            kind,
            profile: ((tag >> 1) & 0b111) as u8,
            shown: (tag >> 4) & 1 == 1,
            first_partition_bytes,
            size,
        })
    }

    /// The kind of `frame`, from its first bit alone: for choosing among frames that will be
    /// parsed later. `None` if there is no bit.
    #[must_use]
    pub fn peek_kind(frame: &[u8]) -> Option<FrameKind> {
        let first = frame.first()?;
        Some(if first & 1 == 0 {
            FrameKind::Key
        } else {
            FrameKind::Delta
        })
    }
}

fn keyframe_size(frame: &[u8]) -> Result<PictureSize, HeaderError> {
    let header: &[u8; KEYFRAME_HEADER_BYTES] = frame
        .first_chunk()
        .ok_or_else(|| truncated(frame, KEYFRAME_HEADER_BYTES))?;
    let [_, _, _, s0, s1, s2, w0, w1, h0, h1] = *header;
    if [s0, s1, s2] != START_CODE {
        return Err(HeaderError::StartCode([s0, s1, s2]));
    }
    // The two bits above each side ask for upscaling by the player; nobody ever did.
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Ok(PictureSize::new(side(w0, w1), side(h0, h1))?)
}

const fn widen([a, b, c]: [u8; TAG_BYTES]) -> [u8; 4] {
    [a, b, c, 0]
}

const fn truncated(frame: &[u8], expected: usize) -> HeaderError {
    HeaderError::Truncated {
        got: frame.len(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A keyframe of 640x360 whose first partition is empty.
    const KEYFRAME: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];

    #[test]
    fn keyframe_tells_its_size_and_that_it_is_shown() {
        let header = FrameHeader::parse(&KEYFRAME).unwrap();

        assert_eq!(header.kind, FrameKind::Key);
        assert_eq!(header.size, Some(PictureSize::new(640, 360).unwrap()));
        assert!(header.shown);
        assert_eq!(header.profile, 0);
    }

    #[test]
    fn delta_frame_needs_three_bytes_and_has_no_size() {
        let header = FrameHeader::parse(&[0x01, 0, 0]).unwrap();

        assert_eq!(header.kind, FrameKind::Delta);
        assert_eq!(header.size, None);
        assert!(!header.shown);
    }

    #[test]
    fn scaling_bits_do_not_count_as_size() {
        let mut frame = KEYFRAME;
        frame[7] |= 0xc0;
        frame[9] |= 0x40;

        let header = FrameHeader::parse(&frame).unwrap();

        assert_eq!(header.size, Some(PictureSize::new(640, 360).unwrap()));
    }

    #[test]
    fn every_cut_inside_the_header_is_truncated() {
        for length in 0..KEYFRAME.len() {
            assert!(matches!(
                FrameHeader::parse(&KEYFRAME[..length]),
                Err(HeaderError::Truncated { got, .. }) if got == length
            ));
        }
    }

    #[test]
    fn first_partition_beyond_the_end_is_truncated() {
        let mut frame = KEYFRAME;
        frame[0] |= 1 << 5;

        assert_eq!(
            FrameHeader::parse(&frame),
            Err(HeaderError::Truncated {
                got: 10,
                expected: 11
            })
        );
    }

    #[test]
    fn wrong_start_code_and_zero_side_are_refused() {
        let mut frame = KEYFRAME;
        frame[4] = 2;
        assert_eq!(
            FrameHeader::parse(&frame),
            Err(HeaderError::StartCode([0x9d, 2, 0x2a]))
        );

        let mut frame = KEYFRAME;
        frame[6] = 0;
        frame[7] = 0;
        assert!(matches!(
            FrameHeader::parse(&frame),
            Err(HeaderError::Size(_))
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail_and_agree_with_the_peeked_kind(frame: Vec<u8>) {
            if let Ok(header) = FrameHeader::parse(&frame) {
                prop_assert_eq!(FrameHeader::peek_kind(&frame), Some(header.kind));
                prop_assert_eq!(header.size.is_some(), header.kind == FrameKind::Key);
            }
        }
    }
}
