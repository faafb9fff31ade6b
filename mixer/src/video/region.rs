//! A rectangle of the canvas.

use codecs::video::{MAX_SIDE_PX, PictureSize};

/// An even rectangle that lies inside a canvas: once it exists, it can be drawn into.
///
/// Corner and sides are even because chroma has half the resolution: an odd edge would mix the
/// colors of two neighbors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    left_px: usize,
    top_px: usize,
    size: PictureSize,
}

/// Why a rectangle is not a [`Region`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// A corner or a side is odd.
    #[error("region {size} at {left_px},{top_px} is odd, expected even corner and sides")]
    Odd {
        /// Distance from the canvas's left edge in pixels.
        left_px: usize,
        /// Distance from the canvas's top edge in pixels.
        top_px: usize,
        /// The rectangle's size.
        size: PictureSize,
    },
    /// Some of it lies outside of the canvas.
    #[error("region {size} at {left_px},{top_px} leaves the canvas of {canvas}")]
    Outside {
        /// Distance from the canvas's left edge in pixels.
        left_px: usize,
        /// Distance from the canvas's top edge in pixels.
        top_px: usize,
        /// The rectangle's size.
        size: PictureSize,
        /// The canvas's size.
        canvas: PictureSize,
    },
}

impl Region {
    /// The rectangle of `size` whose upper left corner is at (`left_px`, `top_px`) of `canvas`.
    ///
    /// # Errors
    ///
    /// [`RegionError::Odd`] unless corner and sides are even, [`RegionError::Outside`] unless all
    /// of it is inside `canvas`.
    pub fn new(
        left_px: usize,
        top_px: usize,
        size: PictureSize,
        canvas: PictureSize,
    ) -> Result<Self, RegionError> {
        let numbers = [left_px, top_px, size.width(), size.height()];
        if numbers.iter().any(|px| !px.is_multiple_of(2)) {
            return Err(RegionError::Odd {
                left_px,
                top_px,
                size,
            });
        }
        let inside = left_px.saturating_add(size.width()) <= canvas.width()
            && top_px.saturating_add(size.height()) <= canvas.height();
        if !inside {
            return Err(RegionError::Outside {
                left_px,
                top_px,
                size,
                canvas,
            });
        }
        Ok(Self {
            left_px,
            top_px,
            size,
        })
    }

    /// Distance from the canvas's left edge in pixels, even.
    #[must_use]
    pub const fn left(self) -> usize {
        self.left_px
    }

    /// Distance from the canvas's top edge in pixels, even.
    #[must_use]
    pub const fn top(self) -> usize {
        self.top_px
    }

    /// Width and height, both even.
    #[must_use]
    pub const fn size(self) -> PictureSize {
        self.size
    }
}

/// The size with these sides, or `None` if no picture has it.
pub(crate) fn picture_size(width_px: usize, height_px: usize) -> Option<PictureSize> {
    let width = u32::try_from(width_px).ok()?;
    let height = u32::try_from(height_px).ok()?;
    PictureSize::new(width, height).ok()
}

/// The largest even number that is not above `px`.
pub(crate) const fn even_floor(px: usize) -> usize {
    px & !1
}

/// `px * numerator / denominator`, rounded to the nearest even number.
///
/// All three must be at most [`MAX_SIDE_PX`] squared, so that nothing can overflow.
pub(crate) fn even_share(px: usize, numerator: usize, denominator: usize) -> usize {
    const LIMIT: u64 = MAX_SIDE_PX as u64 * MAX_SIDE_PX as u64;
    let [px, numerator, denominator] = [px, numerator, denominator].map(|n| n as u64);
    debug_assert!(px.max(numerator).max(denominator) <= LIMIT);
    let halves = (px * numerator + denominator) / (2 * denominator);
    usize::try_from(halves * 2).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    #[test]
    fn odd_corners_and_sides_are_refused() {
        let canvas = size(20, 20);

        for (left, top, width, height) in [(1, 0, 2, 2), (0, 1, 2, 2), (0, 0, 3, 2), (0, 0, 2, 3)] {
            let region = Region::new(left, top, size(width, height), canvas);
            assert!(matches!(region, Err(RegionError::Odd { .. })));
        }
    }

    #[test]
    fn a_region_may_touch_the_edges_but_not_cross_them() {
        let canvas = size(20, 10);

        assert!(Region::new(0, 0, size(20, 10), canvas).is_ok());
        assert!(Region::new(18, 8, size(2, 2), canvas).is_ok());
        for (left, top) in [(20, 0), (0, 10), (usize::MAX - 1, 0), (0, usize::MAX - 1)] {
            let region = Region::new(left, top, size(2, 2), canvas);
            assert!(matches!(region, Err(RegionError::Outside { .. })));
        }
    }

    #[test]
    fn shares_round_to_the_nearest_even_number() {
        assert_eq!(even_share(426, 9, 16), 240);
        assert_eq!(even_share(636, 9, 16), 358);
        assert_eq!(even_share(10, 1, 10), 2);
        assert_eq!(even_share(9, 1, 10), 0);
    }
}
