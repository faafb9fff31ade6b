//! The inside of a SimpleBlock or Block: which track, when, and one frame or several laced ones
//! (RFC 9559 §10).

use std::ops::Range;

/// The head of a block and where its frames lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlockLayout {
    pub(super) track_number: u64,
    /// Relative to the cluster, in units of the file's timestamp scale.
    pub(super) timestamp: i16,
    /// Ranges of the block's bytes, in order, none of them empty: 1 to 256, fewer if a lace holds
    /// empty frames.
    pub(super) frames: Vec<Range<usize>>,
}

/// Frames whose sizes are stated before them.
const XIPH: u8 = 0b010;
const FIXED: u8 = 0b100;
const EBML: u8 = 0b110;
const LACING: u8 = 0b110;

/// Takes a block's content apart; `None` if it is not a block.
pub(super) fn layout(content: &[u8]) -> Option<BlockLayout> {
    let mut cursor = Cursor { content, at: 0 };
    let track_number = cursor.number()?.value;
    let timestamp = i16::from_be_bytes([cursor.byte()?, cursor.byte()?]);
    let sizes = match cursor.byte()? & LACING {
        0 => Vec::new(),
        lacing => sizes_but_last(lacing, &mut cursor)?,
    };
    let mut frames = Vec::with_capacity(sizes.len() + 1);
    let mut start = cursor.at;
    for size in sizes {
        let end = start
            .checked_add(size)
            .filter(|end| *end <= content.len())?;
        frames.push(start..end);
        start = end;
    }
    frames.push(start..content.len());
    frames.retain(|frame| !frame.is_empty());
    Some(BlockLayout {
        track_number,
        timestamp,
        frames,
    })
}

fn sizes_but_last(lacing: u8, cursor: &mut Cursor<'_>) -> Option<Vec<usize>> {
    let but_last = usize::from(cursor.byte()?);
    match lacing {
        FIXED => {
            let bytes = cursor.content.len() - cursor.at;
            let frames = but_last + 1;
            bytes
                .is_multiple_of(frames)
                .then(|| vec![bytes / frames; but_last])
        }
        XIPH => (0..but_last).map(|_| cursor.xiph_size()).collect(),
        EBML => {
            let mut size = 0_i64;
            (0..but_last)
                .map(|index| {
                    let number = cursor.number()?;
                    let value = i64::try_from(number.value).ok()?;
                    // The first size stands for itself, each later one for the difference to the
                    // one before, shifted by half the range of its length.
                    size = if index == 0 {
                        value
                    } else {
                        size.checked_add(value - number.half)?
                    };
                    usize::try_from(size).ok()
                })
                .collect()
        }
        _ => None,
    }
}

struct Cursor<'a> {
    content: &'a [u8],
    at: usize,
}

struct Number {
    value: u64,
    /// Half the range of a number of this length.
    half: i64,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.content.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<Number> {
        let first = self.byte()?;
        let length = first.leading_zeros() + 1;
        if length > 8 {
            return None;
        }
        let mut value = u64::from(first) & !(0x80 >> (length - 1));
        for _ in 1..length {
            value = value << 8 | u64::from(self.byte()?);
        }
        Some(Number {
            value,
            half: (1 << (7 * length - 1)) - 1,
        })
    }

    fn xiph_size(&mut self) -> Option<usize> {
        let mut size = 0;
        loop {
            let byte = self.byte()?;
            size += usize::from(byte);
            if byte < 255 {
                return Some(size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(content: &[u8]) -> Option<Vec<&[u8]>> {
        let layout = layout(content)?;
        Some(
            layout
                .frames
                .into_iter()
                .map(|frame| &content[frame])
                .collect(),
        )
    }

    #[test]
    fn a_plain_block_is_one_frame() {
        let content = [0x81, 0xff, 0xfe, 0x80, 7, 8, 9];

        let layout = layout(&content).unwrap();

        assert_eq!((layout.track_number, layout.timestamp), (1, -2));
        assert_eq!(frames(&content).unwrap(), [&[7, 8, 9]]);
    }

    #[test]
    fn each_kind_of_lacing_gives_its_frames() {
        let rows: [(&[u8], &[&[u8]]); 5] = [
            (
                &[0x81, 0, 0, XIPH, 2, 1, 2, 5, 6, 6, 7],
                &[&[5], &[6, 6], &[7]],
            ),
            (&[0x81, 0, 0, FIXED, 1, 5, 5, 6, 6], &[&[5, 5], &[6, 6]]),
            // Sizes 2, then one less.
            (
                &[0x81, 0, 0, EBML, 2, 0x82, 0xbe, 5, 5, 6, 7],
                &[&[5, 5], &[6], &[7]],
            ),
            // An empty frame in the middle is left out.
            (&[0x81, 0, 0, XIPH, 2, 1, 0, 5, 7], &[&[5], &[7]]),
            (&[0x81, 0, 0, FIXED, 0, 5], &[&[5]]),
        ];
        for (content, expected) in rows {
            assert_eq!(frames(content).unwrap(), expected, "{content:02x?}");
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let rows: [&[u8]; 8] = [
            &[],
            &[0x81, 0, 0],
            &[0x00, 0, 0, 0, 0],
            &[0x81, 0, 0, XIPH],
            &[0x81, 0, 0, XIPH, 1, 255],
            &[0x81, 0, 0, XIPH, 1, 3, 5, 6],
            &[0x81, 0, 0, FIXED, 1, 5],
            &[0x81, 0, 0, EBML, 2, 0x80, 0x80, 5],
        ];
        for content in rows {
            assert_eq!(frames(content), None, "{content:02x?}");
        }
    }

    proptest! {
        #[test]
        fn frames_of_any_bytes_lie_inside_and_in_order(content in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(layout) = layout(&content) {
                prop_assert!(layout.frames.len() <= 256);
                let mut end = 0;
                for frame in layout.frames {
                    prop_assert!(frame.start >= end && frame.end <= content.len());
                    prop_assert!(!frame.is_empty());
                    end = frame.end;
                }
            }
        }
    }
}
