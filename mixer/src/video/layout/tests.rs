use proptest::prelude::*;

use super::*;

fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).unwrap()
}

fn participants(count: usize) -> Vec<ParticipantId> {
    let ids = 0..u32::try_from(count).unwrap();
    ids.map(|id| ParticipantId(id * 3 + 1)).collect()
}

fn grid(canvas: PictureSize, count: usize) -> Layout {
    Layout::grid(canvas, &participants(count), GridStyle::default())
}

/// What a person would find with pencil and paper: the largest 16:9 area for one of `count`.
fn best_area(canvas: PictureSize, count: usize) -> f64 {
    let areas = (1..=count).map(|columns| {
        let width = canvas.width() as f64 / columns as f64;
        let height = canvas.height() as f64 / count.div_ceil(columns) as f64;
        let fitting = width.min(height * 16.0 / 9.0);
        fitting * fitting * 9.0 / 16.0
    });
    areas.fold(0.0, f64::max)
}

fn disjoint(a: Region, b: Region) -> bool {
    a.left() + a.size().width() <= b.left()
        || b.left() + b.size().width() <= a.left()
        || a.top() + a.size().height() <= b.top()
        || b.top() + b.size().height() <= a.top()
}

#[test]
fn common_rooms_get_the_grids_one_expects() {
    let canvas = size(1280, 720);

    for (count, expected, in_first_row) in [
        (1, size(1280, 720), 1),
        (2, size(640, 360), 2),
        (3, size(640, 360), 2),
        (4, size(640, 360), 2),
        (5, size(426, 240), 3),
        (9, size(426, 240), 3),
        (10, size(320, 180), 4),
        (16, size(320, 180), 4),
        (25, size(256, 144), 5),
        (49, size(182, 102), 7),
    ] {
        let layout = grid(canvas, count);

        let regions: Vec<Region> = layout.tiles().iter().map(|tile| tile.1).collect();
        let top = regions[0].top();
        assert_eq!(regions[0].size(), expected, "{count} tiles");
        assert_eq!(
            regions.iter().filter(|region| region.top() == top).count(),
            in_first_row,
            "{count} tiles"
        );
    }
}

#[test]
fn canvases_of_one_aspect_get_one_grid_at_every_size() {
    for count in 1..=MAX_TILES {
        let [large, medium, small] =
            [size(1920, 1080), size(1280, 720), size(640, 360)].map(|canvas| {
                let layout = grid(canvas, count);
                let rows = layout.tiles().chunk_by(|a, b| a.1.top() == b.1.top());
                rows.map(<[_]>::len).collect::<Vec<_>>()
            });

        assert_eq!(large, medium, "{count} tiles");
        assert_eq!(medium, small, "{count} tiles");
    }
}

#[test]
fn an_incomplete_last_row_is_centered() {
    let layout = grid(size(1280, 720), 3);

    let last = layout.tiles()[2].1;

    assert_eq!((last.left(), last.top()), (320, 360));
}

#[test]
fn a_slightly_smaller_size_is_taken_where_it_is_cheap_to_scale_to() {
    let layout = grid(size(1312, 738), 4);

    assert_eq!(layout.tiles()[0].1.size(), size(640, 360));
}

#[test]
fn a_gap_sets_regions_apart() {
    let style = GridStyle {
        gap_px: 3,
        ..GridStyle::default()
    };

    let layout = Layout::grid(size(640, 360), &participants(4), style);

    let [first, second, third, _] = [0, 1, 2, 3].map(|index| layout.tiles()[index].1);
    assert_eq!(second.left() - first.left() - first.size().width(), 4);
    assert_eq!(third.top() - first.top() - first.size().height(), 4);
}

#[test]
fn the_fiftieth_is_not_shown() {
    let layout = grid(size(1280, 720), 60);

    let shown: Vec<ParticipantId> = layout.tiles().iter().map(|tile| tile.0).collect();

    assert_eq!(shown, participants(MAX_TILES));
}

#[test]
fn a_canvas_too_small_for_everybody_shows_the_first_ones() {
    let layout = grid(size(6, 6), 49);

    assert!(!layout.tiles().is_empty());
    assert_eq!(layout.tiles()[0].0, participants(1)[0]);
    assert!(grid(size(1, 1), 5).tiles().is_empty());
    assert!(grid(size(1280, 720), 0).tiles().is_empty());
}

#[test]
fn aspects_without_a_side_are_refused() {
    assert!(Aspect::new(0, 9).is_err());
    assert!(Aspect::new(16, 0).is_err());
    assert_eq!(Aspect::new(16, 9), Ok(Aspect::WIDE));
}

proptest! {
    #[test]
    fn regions_are_disjoint_ordered_complete_and_of_the_right_aspect(
        width in 128u32..=2560,
        height in 128u32..=2560,
        count in 1usize..=MAX_TILES,
        gap_px in 0u16..=8,
    ) {
        let style = GridStyle { gap_px, ..GridStyle::default() };

        let layout = Layout::grid(size(width, height), &participants(count), style);

        let tiles = layout.tiles();
        prop_assert_eq!(tiles.len(), count);
        for (index, (_, region)) in tiles.iter().enumerate() {
            let (across, down) = (region.size().width() as f64, region.size().height() as f64);
            prop_assert!((across - down * 16.0 / 9.0).abs() <= 2.0 || (down - across * 9.0 / 16.0).abs() <= 2.0);
            for (_, later) in &tiles[index + 1..] {
                prop_assert!(disjoint(*region, *later));
                prop_assert!((region.top(), region.left()) < (later.top(), later.left()));
            }
        }
        let shown: Vec<ParticipantId> = tiles.iter().map(|tile| tile.0).collect();
        prop_assert_eq!(shown, participants(count));
    }

    #[test]
    fn tiles_have_nine_tenths_of_the_best_area_wherever_rounding_is_small(
        width in 640u32..=2560,
        height in 640u32..=2560,
        count in 1usize..=MAX_TILES,
    ) {
        let layout = grid(size(width, height), count);

        // Rounding to even pixels costs up to two pixels per side.
        let region = layout.tiles()[0].1.size();
        let rounded_up = (region.width() + 2) * (region.height() + 2);
        prop_assert!(rounded_up as f64 >= 0.9 * best_area(size(width, height), count));
    }

    #[test]
    fn every_row_but_the_last_is_full(width in 320u32..=2560, height in 320u32..=2560, count in 1usize..=MAX_TILES) {
        let layout = grid(size(width, height), count);

        let rows = layout.tiles().chunk_by(|a, b| a.1.top() == b.1.top());
        let lengths: Vec<usize> = rows.map(<[_]>::len).collect();
        let (last, full) = lengths.split_last().unwrap();
        prop_assert!(full.iter().all(|length| *length == full[0]));
        prop_assert!(full.first().is_none_or(|length| last <= length));
        // A row that could be left out would be a hole as large as a row.
        prop_assert!(*last > 0);
    }

    #[test]
    fn no_canvas_and_no_number_of_people_panics(
        width in 1u32..=64,
        height in 1u32..=64,
        count in 0usize..=70,
        gap_px in 0u16..=u16::MAX,
    ) {
        let style = GridStyle { gap_px, ..GridStyle::default() };

        let layout = Layout::grid(size(width, height), &participants(count), style);

        prop_assert!(layout.tiles().len() <= count.min(MAX_TILES));
    }
}
