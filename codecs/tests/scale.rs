//! Both scalers under the same rules, and beside each other.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "synthetic/picture.rs"]
mod picture;

use codecs::scale::PlainScaler;
use codecs::video::{I420, PictureSize, Scaler};
use codecs::yuv::YuvScaler;
use picture::{moving_picture, psnr_db, size};
use proptest::prelude::*;

fn scalers() -> [(&'static str, Box<dyn Scaler>); 2] {
    [
        ("plain", Box::new(PlainScaler::new())),
        ("yuv", Box::new(YuvScaler::new())),
    ]
}

fn scaled(scaler: &mut dyn Scaler, from: &I420, to: PictureSize) -> I420 {
    let mut picture = I420::black(to);
    scaler.scale(from.view(), picture.view_mut());
    picture
}

/// Frequencies that survive any of the reductions below: the same picture at every size.
fn smooth_picture(size: PictureSize) -> I420 {
    let mut picture = I420::black(size);
    let mut view = picture.view_mut();
    let planes = view.planes();
    for (row, line) in planes.y.chunks_mut(planes.y_stride).enumerate() {
        for (column, y) in line.iter_mut().enumerate() {
            let across = (2 * column + 1) * 100 / (2 * size.width());
            let down = (2 * row + 1) * 100 / (2 * size.height());
            *y = u8::try_from(20 + across + down).unwrap();
        }
    }
    picture
}

#[test]
fn quadrants_keep_their_place_and_color_at_every_ratio() {
    let from_size = size(640, 360);
    let mut from = I420::black(from_size);
    let colors = [
        [60, 90, 200],
        [150, 50, 30],
        [100, 200, 100],
        [220, 120, 140],
    ];
    for (index, color) in colors.into_iter().enumerate() {
        let (left, top) = (index % 2 * 320, index / 2 * 180);
        from.view_mut()
            .crop(left, top, size(320, 180))
            .unwrap()
            .fill(color);
    }
    for to in [
        (640, 360),
        (320, 180),
        (160, 90),
        (480, 270),
        (426, 240),
        (213, 120),
        (1280, 720),
    ] {
        for (name, mut scaler) in scalers() {
            let picture = scaled(&mut *scaler, &from, size(to.0, to.1));

            let view = picture.view();
            let (width, height) = (view.size().width(), view.size().height());
            for (index, [y, u, v]) in colors.into_iter().enumerate() {
                let column = width * (1 + 2 * (index % 2)) / 4;
                let row = height * (1 + 2 * (index / 2)) / 4;
                let chroma = row / 2 * view.chroma_stride() + column / 2;
                let found = [
                    view.y()[row * view.y_stride() + column],
                    view.u()[chroma],
                    view.v()[chroma],
                ];
                assert_eq!(found, [y, u, v], "{name} to {to:?}, quadrant {index}");
            }
        }
    }
}

#[test]
fn a_checkerboard_turns_gray_instead_of_crawling() {
    let mut from = I420::black(size(320, 180));
    let mut view = from.view_mut();
    let planes = view.planes();
    for (row, line) in planes.y.chunks_mut(planes.y_stride).enumerate() {
        for (column, y) in line.iter_mut().enumerate() {
            *y = if (row + column) % 2 == 0 { 40 } else { 200 };
        }
    }
    for to in [(160, 90), (80, 45), (120, 67), (100, 56), (33, 19)] {
        for (name, mut scaler) in scalers() {
            let picture = scaled(&mut *scaler, &from, size(to.0, to.1));

            let (low, high) = picture
                .view()
                .y()
                .iter()
                .fold((255, 0), |(low, high), y| (*y.min(&low), *y.max(&high)));
            assert!(
                low >= 110 && high <= 130,
                "{name} to {to:?}: {low} to {high}"
            );
        }
    }
}

#[test]
fn nothing_outside_the_target_is_touched() {
    for (name, mut scaler) in scalers() {
        let from = moving_picture(size(641, 359), 0);
        let mut canvas = I420::black(size(640, 360));
        canvas.fill([7, 8, 9]);
        let (left, top, tile) = (102, 54, size(211, 119));

        scaler.scale(
            from.view(),
            canvas.view_mut().crop(left, top, tile).unwrap(),
        );

        for (row, line) in canvas.view().y().chunks(640).enumerate() {
            for (column, y) in line.iter().enumerate() {
                let inside =
                    (left..left + 211).contains(&column) && (top..top + 119).contains(&row);
                assert!(inside || *y == 7, "{name} wrote at {column},{row}");
            }
        }
        for (row, line) in canvas.view().u().chunks(320).enumerate() {
            for (column, u) in line.iter().enumerate() {
                let inside = (51..51 + 106).contains(&column) && (27..27 + 60).contains(&row);
                assert!(inside || *u == 8, "{name} wrote at chroma {column},{row}");
            }
        }
    }
}

#[test]
fn a_cropped_source_is_all_that_is_seen() {
    let mut from = I420::black(size(640, 360));
    from.fill([250, 250, 250]);
    from.view_mut()
        .crop(100, 60, size(300, 200))
        .unwrap()
        .fill([50, 60, 70]);
    for (name, mut scaler) in scalers() {
        let mut to = I420::black(size(211, 133));

        scaler.scale(
            from.view().crop(100, 60, size(300, 200)).unwrap(),
            to.view_mut(),
        );

        let mut expected = I420::black(size(211, 133));
        expected.fill([50, 60, 70]);
        assert!(to == expected, "{name}");
    }
}

#[test]
fn both_scalers_show_the_same_picture() {
    let from = smooth_picture(size(640, 360));
    for to in [
        (320, 180),
        (160, 90),
        (480, 270),
        (240, 135),
        (426, 240),
        (640, 90),
        (100, 100),
    ] {
        let to = size(to.0, to.1);
        for (name, mut scaler) in scalers() {
            let psnr = psnr_db(&scaled(&mut *scaler, &from, to), &smooth_picture(to));

            // A step or two off everywhere is 44 dB.
            assert!(psnr > 44.0, "{name} to {to}: {psnr:.1} dB");
        }
    }
}

#[test]
fn one_scaler_serves_sources_of_any_size_in_any_order() {
    for (name, mut scaler) in scalers() {
        let sizes = [(1280, 720), (64, 48), (641, 361), (2, 2), (1920, 1080)];
        for (index, (width, height)) in sizes.into_iter().enumerate() {
            let from = moving_picture(size(width, height), index);
            let used = scaled(&mut *scaler, &from, size(213, 120));

            let (_, mut fresh) = scalers()
                .into_iter()
                .find(|(other, _)| *other == name)
                .unwrap();
            assert!(
                used == scaled(&mut *fresh, &from, size(213, 120)),
                "{name} {width}x{height}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_plain_color_stays_itself_whatever_the_sizes(
        from in (1..700u32, 1..700u32),
        to in (1..700u32, 1..700u32),
        color: [u8; 3],
    ) {
        let mut picture = I420::black(size(from.0, from.1));
        picture.fill(color);
        let mut expected = I420::black(size(to.0, to.1));
        expected.fill(color);
        for (name, mut scaler) in scalers() {
            prop_assert!(scaled(&mut *scaler, &picture, expected.size()) == expected, "{}", name);
        }
    }
}

#[test]
fn sides_of_one_and_of_the_longest_kind_are_scaled() {
    let longest = 16_383;
    for (from, to) in [
        ((longest, 1), (1, longest)),
        ((1, longest), (longest, 1)),
        ((1, 1), (64, 48)),
    ] {
        let mut picture = I420::black(size(from.0, from.1));
        picture.fill([99, 98, 97]);
        let mut expected = I420::black(size(to.0, to.1));
        expected.fill([99, 98, 97]);
        for (name, mut scaler) in scalers() {
            assert!(
                scaled(&mut *scaler, &picture, expected.size()) == expected,
                "{name}"
            );
        }
    }
}
