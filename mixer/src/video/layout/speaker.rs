//! One large, the others small.
//!
//! The canvas is cut into n by n cells. The large region covers all but the last column and the
//! last row, which hold 2n − 1 small ones: five at n = 3, seven at 4, nine at 5. Cells have the
//! canvas's aspect, so nothing is left over but what rounding to even pixels leaves.

use codecs::video::PictureSize;

use super::{Layout, Region, centered, even_floor, picture_size};
use crate::ParticipantId;

/// Cells in a row with few others, and with many: below, the large one is not large; above, the
/// small ones show nothing.
const SIDES: [usize; 3] = [3, 4, 5];

/// The most that are shown beside the large one.
pub(in crate::video) const MAX_SMALL: usize = 2 * SIDES[2] - 1;

/// `None` if there are no others, or no even pixels for them.
pub(super) fn arrange(
    canvas: PictureSize,
    large: ParticipantId,
    participants: &[ParticipantId],
) -> Option<Layout> {
    let others = || participants.iter().filter(|other| **other != large);
    let count = others().count();
    if count == 0 {
        return None;
    }
    let enough = |side: &usize| 2 * side > count;
    let side = SIDES.into_iter().find(enough).unwrap_or(SIDES[2]);
    let cell_px = (
        even_floor(canvas.width() / side),
        even_floor(canvas.height() / side),
    );
    let small = picture_size(cell_px.0, cell_px.1)?;
    let large_px = (cell_px.0 * (side - 1), cell_px.1 * (side - 1));
    // With nobody below, the row below is not there.
    let rows = if count < side { side - 1 } else { side };
    let left_px = centered(canvas.width(), cell_px.0 * side);
    let top_px = centered(canvas.height(), cell_px.1 * rows);

    let place = |column: usize, row: usize, size: PictureSize| {
        let (left_px, top_px) = (left_px + column * cell_px.0, top_px + row * cell_px.1);
        Region::new(left_px, top_px, size, canvas).ok()
    };
    let down = (0..rows).map(|row| (side - 1, row));
    let along = (0..side - 1).map(|column| (column, side - 1));
    let mut tiles = vec![(large, place(0, 0, picture_size(large_px.0, large_px.1)?)?)];
    for (other, (column, row)) in others().zip(down.chain(along)) {
        tiles.push((*other, place(column, row, small)?));
    }
    Some(Layout { canvas, tiles })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::GridStyle;
    use super::*;

    fn speaker(canvas: (u32, u32), count: u32, large: u32) -> Layout {
        let canvas = PictureSize::new(canvas.0, canvas.1).unwrap();
        let participants: Vec<ParticipantId> = (0..count).map(ParticipantId).collect();
        Layout::speaker(
            canvas,
            ParticipantId(large),
            &participants,
            GridStyle::default(),
        )
    }

    /// Left, top, width and height of a tile.
    fn place(layout: &Layout, index: usize) -> [usize; 4] {
        let region = layout.tiles()[index].1;
        [
            region.left(),
            region.top(),
            region.size().width(),
            region.size().height(),
        ]
    }

    #[test]
    fn the_small_ones_go_down_the_side_and_then_along_the_bottom() {
        let layout = speaker((480, 270), 8, 5);

        assert_eq!(layout.tiles().len(), 8);
        assert_eq!(layout.tiles()[0].0, ParticipantId(5));
        assert_eq!(place(&layout, 0), [0, 2, 360, 198]);
        assert_eq!(place(&layout, 1), [360, 2, 120, 66]);
        assert_eq!(place(&layout, 4), [360, 200, 120, 66]);
        assert_eq!(place(&layout, 5), [0, 200, 120, 66]);
        assert_eq!(place(&layout, 7), [240, 200, 120, 66]);
    }

    #[test]
    fn one_other_stands_beside_the_large_one_and_nobody_leaves_it_alone() {
        let two = speaker((426, 240), 2, 0);
        assert_eq!(place(&two, 0), [0, 40, 284, 160]);
        assert_eq!(place(&two, 1), [284, 40, 142, 80]);

        let one = speaker((426, 240), 1, 0);
        assert_eq!(place(&one, 0), [0, 0, 426, 240]);
    }

    #[test]
    fn of_many_others_the_first_nine_are_shown() {
        let layout = speaker((640, 360), 49, 0);

        let shown: Vec<u32> = layout.tiles().iter().map(|(who, _)| who.0).collect();
        assert_eq!(shown, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    proptest! {
        #[test]
        fn regions_are_disjoint_and_the_large_one_is_the_largest(
            width in 2_u32..2_000,
            height in 2_u32..2_000,
            count in 1_u32..20,
        ) {
            let layout = speaker((width, height), count, count - 1);

            let regions: Vec<Region> = layout.tiles().iter().map(|tile| tile.1).collect();
            for (index, region) in regions.iter().enumerate() {
                prop_assert!(region.size().pixels() <= regions[0].size().pixels());
                for later in &regions[index + 1..] {
                    let beside = region.left() + region.size().width() <= later.left()
                        || later.left() + later.size().width() <= region.left();
                    let below = region.top() + region.size().height() <= later.top()
                        || later.top() + later.size().height() <= region.top();
                    prop_assert!(beside || below);
                }
            }
        }
    }
}
