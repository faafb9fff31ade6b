//! Participants to regions: the grid here, one large and the others small in [`speaker`].
//!
//! A layout is data. The grid puts up to [`MAX_TILES`] participants into regions of one size and
//! one aspect, row after row in the order given, the last row centered, the whole centered on the
//! canvas. It is computed anew whenever somebody joins or leaves, so there are no holes.

mod speaker;

use codecs::video::PictureSize;

pub(super) use self::speaker::MAX_SMALL;

use super::region::{Region, even_floor, even_share, picture_size};
use crate::ParticipantId;

/// The most participants a grid shows.
pub const MAX_TILES: usize = 49;

/// Sizes that cameras usually send. [`EXACT_RATIOS`] of them make cheap tiles.
const USUAL_SOURCES: [(usize, usize); 7] = [
    (1920, 1080),
    (1280, 720),
    (960, 540),
    (640, 480),
    (640, 360),
    (480, 270),
    (320, 180),
];

/// The ratios for which libyuv has special code, 10 to 30 times cheaper than any other.
const EXACT_RATIOS: [(usize, usize); 5] = [(1, 1), (3, 4), (1, 2), (3, 8), (1, 4)];

/// A cheap size is taken if it has at least this share of the best-fitting area.
const CHEAP_AREA_PERCENT: u64 = 90;

/// Width to height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aspect {
    width: u16,
    height: u16,
}

/// One side of an aspect is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("aspect is {width}:{height}, expected sides above 0")]
pub struct AspectError {
    width: u16,
    height: u16,
}

impl Aspect {
    /// 16:9, what cameras send.
    pub const WIDE: Self = Self {
        width: 16,
        height: 9,
    };

    /// `width` to `height`.
    ///
    /// # Errors
    ///
    /// [`AspectError`] if either is zero.
    pub const fn new(width: u16, height: u16) -> Result<Self, AspectError> {
        if width == 0 || height == 0 {
            return Err(AspectError { width, height });
        }
        Ok(Self { width, height })
    }

    fn matches(self, (width, height): (usize, usize)) -> bool {
        width * usize::from(self.height) == height * usize::from(self.width)
    }

    /// How large this aspect fits into one of `columns` by `rows` cells, in no unit, unrounded but
    /// for 16 bits behind the point.
    const fn scale_in(
        self,
        (width_px, columns): (usize, usize),
        (height_px, rows): (usize, usize),
    ) -> u64 {
        let across = ((width_px as u64 * self.height as u64) << 16) / columns as u64;
        let down = ((height_px as u64 * self.width as u64) << 16) / rows as u64;
        if across < down { across } else { down }
    }

    /// The largest even rectangle of this aspect in a cell, off by less than a pixel per side.
    fn largest_in(self, (width_px, height_px): (usize, usize)) -> (usize, usize) {
        let (across, down) = (usize::from(self.width), usize::from(self.height));
        let (width_px, height_px) = (even_floor(width_px), even_floor(height_px));
        if width_px * down <= height_px * across {
            (width_px, even_share(width_px, down, across).min(height_px))
        } else {
            (even_share(height_px, across, down).min(width_px), height_px)
        }
    }
}

/// How a grid is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridStyle {
    /// Aspect of every region. Default 16:9.
    pub aspect: Aspect,
    /// Space between regions in pixels, rounded up to an even number. Default 0, because four
    /// 640x360 tiles fill 1280x720 exactly only without it, and an exact ratio costs next to
    /// nothing; neighbors are set apart by the edge that is drawn inside of each tile.
    pub gap_px: u16,
}

impl Default for GridStyle {
    fn default() -> Self {
        Self {
            aspect: Aspect::WIDE,
            gap_px: 0,
        }
    }
}

/// Which participant is drawn where. Regions are disjoint and inside the canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    canvas: PictureSize,
    tiles: Vec<(ParticipantId, Region)>,
}

impl Layout {
    /// A canvas without anybody on it.
    #[must_use]
    pub const fn empty(canvas: PictureSize) -> Self {
        Self {
            canvas,
            tiles: Vec::new(),
        }
    }

    /// The grid for `participants`, in their order.
    ///
    /// Shows the first [`MAX_TILES`], or fewer where a canvas is too small to give each an even
    /// pixel.
    #[must_use]
    pub fn grid(canvas: PictureSize, participants: &[ParticipantId], style: GridStyle) -> Self {
        let most = participants.len().min(MAX_TILES);
        (1..=most)
            .rev()
            .find_map(|count| Grid::best(canvas, count, style))
            .map_or_else(
                || Self::empty(canvas),
                |grid| grid.place(canvas, participants),
            )
    }

    /// `large` at the upper left, and of `participants` as many others as there is room for, small,
    /// down the right side and along the bottom; alone, as in the grid.
    ///
    /// Up to nine others are shown, in their order.
    #[must_use]
    pub fn speaker(
        canvas: PictureSize,
        large: ParticipantId,
        participants: &[ParticipantId],
        style: GridStyle,
    ) -> Self {
        speaker::arrange(canvas, large, participants)
            .unwrap_or_else(|| Self::grid(canvas, &[large], style))
    }

    /// The size of the canvas.
    #[must_use]
    pub const fn canvas(&self) -> PictureSize {
        self.canvas
    }

    /// Who is where, row after row.
    #[must_use]
    pub fn tiles(&self) -> &[(ParticipantId, Region)] {
        &self.tiles
    }

    /// Where `participant` is, if shown.
    #[must_use]
    pub fn region(&self, participant: ParticipantId) -> Option<Region> {
        let tile = self.tiles.iter().find(|(id, _)| *id == participant)?;
        Some(tile.1)
    }
}

/// Columns, rows and one size for `count` tiles.
struct Grid {
    count: usize,
    columns: usize,
    gap_px: usize,
    tile_px: (usize, usize),
}

impl Grid {
    /// The grid with the largest tiles, of several the one with the most columns.
    ///
    /// Tiles are compared before they are rounded to even pixels, so that canvases of one aspect
    /// get the same grid at every size.
    fn best(canvas: PictureSize, count: usize, style: GridStyle) -> Option<Self> {
        let gap_px = usize::from(style.gap_px).next_multiple_of(2);
        let candidates = (1..=count).filter_map(|columns| {
            let rows = count.div_ceil(columns);
            let width_px = without_gaps(canvas.width(), columns, gap_px)?;
            let height_px = without_gaps(canvas.height(), rows, gap_px)?;
            let cell_px = (width_px / columns, height_px / rows);
            let tile_px = style.aspect.largest_in(cell_px);
            let scale = style
                .aspect
                .scale_in((width_px, columns), (height_px, rows));
            (area(tile_px) > 0).then_some((scale, columns, cell_px, tile_px))
        });
        let (_, columns, cell_px, tile_px) = candidates.max_by_key(|grid| (grid.0, grid.1))?;
        Some(Self {
            count,
            columns,
            gap_px,
            tile_px: cheap_size(style.aspect, cell_px, tile_px).unwrap_or(tile_px),
        })
    }

    fn place(&self, canvas: PictureSize, participants: &[ParticipantId]) -> Layout {
        let (width_px, height_px) = self.tile_px;
        let rows = self.count.div_ceil(self.columns);
        let top_px = centered(canvas.height(), self.extent(rows, height_px));
        let tiles = participants.iter().take(self.count).enumerate();
        let tiles = tiles.filter_map(|(index, participant)| {
            let (row, column) = (index / self.columns, index % self.columns);
            let in_row = self.columns.min(self.count - row * self.columns);
            let left_px = centered(canvas.width(), self.extent(in_row, width_px));
            let region = Region::new(
                left_px + column * (width_px + self.gap_px),
                top_px + row * (height_px + self.gap_px),
                picture_size(width_px, height_px)?,
                canvas,
            );
            Some((*participant, region.ok()?))
        });
        Layout {
            canvas,
            tiles: tiles.collect(),
        }
    }

    /// How long `tiles` in a line are, each `side_px` long.
    const fn extent(&self, tiles: usize, side_px: usize) -> usize {
        tiles * side_px + (tiles - 1) * self.gap_px
    }
}

/// The largest size that is cheap to scale to, fits the cell, and gives nearly the best area.
fn cheap_size(
    aspect: Aspect,
    cell_px: (usize, usize),
    best_px: (usize, usize),
) -> Option<(usize, usize)> {
    let sizes = USUAL_SOURCES.iter().flat_map(|&(width, height)| {
        EXACT_RATIOS
            .iter()
            .filter(move |(_, whole)| (width % whole, height % whole) == (0, 0))
            .map(move |(part, whole)| (width / whole * part, height / whole * part))
    });
    sizes
        .filter(|size| size.0.is_multiple_of(2) && size.1.is_multiple_of(2))
        .filter(|size| aspect.matches(*size) && size.0 <= cell_px.0 && size.1 <= cell_px.1)
        .filter(|size| area(*size) * 100 >= area(best_px) * CHEAP_AREA_PERCENT)
        .max_by_key(|size| area(*size))
}

/// What `parts` in a line share, gaps taken off.
fn without_gaps(side_px: usize, parts: usize, gap_px: usize) -> Option<usize> {
    side_px.checked_sub((parts - 1) * gap_px)
}

/// Where something starts that is centered on a side, on an even pixel.
const fn centered(side_px: usize, extent_px: usize) -> usize {
    even_floor(side_px.saturating_sub(extent_px) / 2)
}

/// In 64 bits, so that percentages of it fit on every target.
const fn area((width_px, height_px): (usize, usize)) -> u64 {
    width_px as u64 * height_px as u64
}

#[cfg(test)]
mod tests;
