//! Where a picture goes in its region: never stretched, upright, centered.

use codecs::video::PictureSize;

use super::region::{even_floor, even_share, picture_size};

/// What happens when a picture has another aspect than its region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// All of the picture is shown; the background fills the rest.
    #[default]
    Fit,
    /// All of the region is filled; what does not fit is cut off on both sides alike.
    Fill,
}

/// A rectangle of the source and the rectangle of the region that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Taken from the source.
    pub(crate) from: Rect,
    /// Drawn to in the region.
    pub(crate) to: Rect,
}

/// An even corner and a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) left_px: usize,
    pub(crate) top_px: usize,
    pub(crate) size: PictureSize,
}

/// A bar or a cut this narrow is not worth having: the picture is widened by it instead.
const IMPERCEPTIBLE_PX: usize = 2;

impl Placement {
    /// Places a picture of size `source` in a region of size `region`, whose sides are even.
    pub(crate) fn new(source: PictureSize, region: PictureSize, fit: Fit) -> Self {
        let whole_source = Rect::whole(source);
        let whole_region = Rect::whole(region);
        match fit {
            Fit::Fit => Self {
                from: whole_source,
                to: Rect::largest(region, source),
            },
            Fit::Fill => Self {
                from: Rect::largest(source, region),
                to: whole_region,
            },
        }
    }
}

impl Rect {
    const fn whole(size: PictureSize) -> Self {
        Self {
            left_px: 0,
            top_px: 0,
            size,
        }
    }

    /// The largest centered rectangle of `outer` that has the aspect of `shape`.
    fn largest(outer: PictureSize, shape: PictureSize) -> Self {
        let (width_px, height_px) = (outer.width(), outer.height());
        let wide = area(width_px, shape.height()) > area(height_px, shape.width());
        let (inner_width_px, inner_height_px) = if wide {
            let share = even_share(height_px, shape.width(), shape.height());
            (shortened(width_px, share), height_px)
        } else {
            let share = even_share(width_px, shape.height(), shape.width());
            (width_px, shortened(height_px, share))
        };
        let Some(size) = picture_size(inner_width_px, inner_height_px) else {
            return Self::whole(outer);
        };
        Self {
            left_px: even_floor((width_px - inner_width_px) / 2),
            top_px: even_floor((height_px - inner_height_px) / 2),
            size,
        }
    }
}

/// `side_px` cut to `share_px`, unless that makes no visible difference. Never nothing.
fn shortened(side_px: usize, share_px: usize) -> usize {
    if share_px + IMPERCEPTIBLE_PX >= side_px {
        side_px
    } else {
        share_px.max(2)
    }
}

const fn area(width_px: usize, height_px: usize) -> u64 {
    width_px as u64 * height_px as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    fn rect((left_px, top_px, width, height): (usize, usize, u32, u32)) -> Rect {
        Rect {
            left_px,
            top_px,
            size: size(width, height),
        }
    }

    #[test]
    fn fit_shows_all_of_the_picture_and_fill_all_of_the_region() {
        let (wide, tall, low) = ((640, 360), (360, 640), (320, 180));
        // Source, region; where fit draws to, what fill takes from the source.
        let rows = [
            // Same aspect, within the rounding of the region: no bars, no cut.
            ((1280, 720), (426, 240), (0, 0, 426, 240), (0, 0, 1280, 720)),
            (wide, wide, (0, 0, 640, 360), (0, 0, 640, 360)),
            // 4:3 in 16:9.
            ((640, 480), wide, (80, 0, 480, 360), (0, 60, 640, 360)),
            // Portrait in 16:9.
            (tall, wide, (218, 0, 202, 360), (0, 218, 360, 202)),
            // 16:9 in portrait.
            (wide, tall, (0, 218, 360, 202), (218, 0, 202, 360)),
            // Odd sources.
            ((321, 181), low, (0, 0, 320, 180), (0, 0, 321, 181)),
            ((1, 1), low, (70, 0, 180, 180), (0, 0, 1, 1)),
            // Extremes keep a visible line.
            ((16_383, 1), low, (0, 88, 320, 2), (8_190, 0, 2, 1)),
        ];
        for (source, region, fit_to, fill_from) in rows {
            let (source, region) = (size(source.0, source.1), size(region.0, region.1));

            let fit = Placement::new(source, region, Fit::Fit);
            let fill = Placement::new(source, region, Fit::Fill);

            let whole = Rect::whole(source);
            assert_eq!((fit.from, fit.to), (whole, rect(fit_to)));
            let whole = Rect::whole(region);
            assert_eq!((fill.from, fill.to), (rect(fill_from), whole));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_stretched_by_more_than_two_pixels(
            source in (16u32..=4096, 16u32..=4096),
            region in (8u32..=960, 8u32..=960),
        ) {
            let source = size(source.0, source.1);
            let region = size(region.0 * 2, region.1 * 2);

            let to = Placement::new(source, region, Fit::Fit).to;

            let height = to.size.width() as f64 * source.height() as f64 / source.width() as f64;
            let width = to.size.height() as f64 * source.width() as f64 / source.height() as f64;
            let off_by = (height - to.size.height() as f64).abs().min((width - to.size.width() as f64).abs());
            prop_assert!(off_by <= 3.0, "{source} became {}", to.size);
        }

        #[test]
        fn both_rectangles_lie_inside_with_even_corners(
            source in (1u32..=16_383, 1u32..=16_383),
            region in (1u32..=2_000, 1u32..=2_000),
        ) {
            let source = size(source.0, source.1);
            let region = size(region.0 * 2, region.1 * 2);

            for fit in [Fit::Fit, Fit::Fill] {
                let Placement { from, to } = Placement::new(source, region, fit);
                for (outer, inner) in [(source, from), (region, to)] {
                    prop_assert!(inner.left_px % 2 == 0 && inner.top_px % 2 == 0);
                    prop_assert!(inner.left_px + inner.size.width() <= outer.width());
                    prop_assert!(inner.top_px + inner.size.height() <= outer.height());
                }
            }
        }
    }
}
