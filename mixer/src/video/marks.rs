//! Signs drawn over a tile: who speaks, whose picture stands still, who is gone.

use codecs::video::{PictureSize, PictureViewMut};

use super::draw::{Bounds, Color, PIXEL, Point, paint, rgb};

/// The frame around the active speaker.
const SPEAKING: Color = rgb(0x4F, 0xD6, 0x9C);

/// Between neighbors.
const EDGE: Color = rgb(0x12, 0x14, 0x18);

const SIGN: Color = rgb(0xF4, 0xF4, 0xF4);
const SIGN_GROUND: Color = rgb(0x1C, 0x1E, 0x24);

/// What surrounds a tile, inside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outline {
    /// Nothing: the tile is alone.
    #[default]
    None,
    /// A thin dark line that sets neighbors apart.
    Edge,
    /// A bright line: the active speaker.
    Speaking,
}

/// Draws `outline` just inside of the tile's four sides.
pub(crate) fn outline(tile: &mut PictureViewMut<'_>, outline: Outline) {
    match outline {
        Outline::None => {}
        Outline::Edge => frame(tile, 2, EDGE),
        Outline::Speaking => frame(tile, speaking_px(tile.size()), SPEAKING),
    }
}

/// Thick enough to be seen, even, and never more than 1/45 of the shorter side but for tiny tiles.
const fn speaking_px(size: PictureSize) -> usize {
    let shorter = if size.width() < size.height() {
        size.width()
    } else {
        size.height()
    };
    2 * (1 + shorter / 180)
}

/// A picture that has stood still for too long: a little darker, with three dots near the bottom,
/// where they hide no face.
pub(crate) fn stale(tile: &mut PictureViewMut<'_>) {
    dim(tile, 6, 6);
    let size = tile.size();
    let unit = sign_unit(size);
    let middle = Point::center_of(size);
    let center = middle.offset(0, middle.y - 6 * unit);
    capsule(tile, center, (unit * 6, unit * 3), SIGN_GROUND);
    for step in [-1, 0, 1] {
        let dot = center.offset(step * unit * 3, 0);
        capsule(tile, dot, (unit, unit), SIGN);
    }
}

/// What is left of somebody who is gone: gray, dark, with a struck-out circle around `center`.
pub(crate) fn absent(tile: &mut PictureViewMut<'_>, center: Point) {
    dim(tile, 3, 1);
    let unit = sign_unit(tile.size());
    let (outer, inner) = (unit * 7, unit * 5);
    capsule(tile, center, (unit * 8, unit * 8), SIGN_GROUND);
    let bounds = Bounds {
        center,
        reach: outer,
    };
    paint(tile, bounds, SIGN, |point| {
        let ring = point.in_disc(center, outer) && !point.in_disc(center, inner);
        let (x, y) = (point.x - center.x, point.y - center.y);
        // A bar along the falling diagonal, `unit` to either side of it.
        let bar = (x - y) * (x - y) <= 2 * unit * unit && point.in_disc(center, inner + unit);
        ring || bar
    });
}

/// Signs are in proportion to the tile's shorter side.
fn sign_unit(size: PictureSize) -> i64 {
    let Point { x, y } = Point::center_of(size);
    (x.min(y) / 24).max(PIXEL)
}

/// A rectangle of half sides `half` with round ends.
fn capsule(tile: &mut PictureViewMut<'_>, center: Point, half: (i64, i64), color: Color) {
    let bounds = Bounds {
        center,
        reach: half.0,
    };
    let straight = half.0 - half.1;
    paint(tile, bounds, color, |point| {
        let along = (point.x - center.x).clamp(-straight, straight);
        point.in_disc(center.offset(along, 0), half.1)
    });
}

/// Leaves `luma` eighths of the light and `chroma` eighths of the color.
fn dim(tile: &mut PictureViewMut<'_>, luma: i32, chroma: i32) {
    let size = tile.size();
    let planes = tile.planes();
    let chroma_sides = (size.chroma_width(), size.chroma_height());
    scale_around(
        planes.y,
        planes.y_stride,
        (size.width(), size.height()),
        (16, luma),
    );
    scale_around(planes.u, planes.chroma_stride, chroma_sides, (128, chroma));
    scale_around(planes.v, planes.chroma_stride, chroma_sides, (128, chroma));
}

fn scale_around(
    plane: &mut [u8],
    stride: usize,
    (width, height): (usize, usize),
    (zero, eighths): (i32, i32),
) {
    for row in plane.chunks_mut(stride).take(height) {
        for sample in &mut row[..width] {
            let scaled = zero + (i32::from(*sample) - zero) * eighths / 8;
            *sample = u8::try_from(scaled.max(0)).unwrap_or(u8::MAX);
        }
    }
}

fn frame(tile: &mut PictureViewMut<'_>, thickness_px: usize, color: Color) {
    let (width, height) = (tile.size().width(), tile.size().height());
    let thickness_px = thickness_px.min(width).min(height);
    for (left, top, side_px) in [
        (0, 0, (width, thickness_px)),
        (0, height - thickness_px, (width, thickness_px)),
        (0, 0, (thickness_px, height)),
        (width - thickness_px, 0, (thickness_px, height)),
    ] {
        let side = super::region::picture_size(side_px.0, side_px.1);
        if let Some(mut strip) = side.and_then(|side| tile.crop(left, top, side)) {
            strip.fill(color);
        }
    }
}

#[cfg(test)]
mod tests {
    use codecs::video::I420;

    use super::*;

    const COLOR: Color = [180, 60, 200];

    fn tile(width: u32, height: u32) -> I420 {
        let mut tile = I420::black(PictureSize::new(width, height).unwrap());
        tile.fill(COLOR);
        tile
    }

    #[test]
    fn an_outline_touches_the_rim_and_nothing_else() {
        for (kind, thickness) in [(Outline::Edge, 2), (Outline::Speaking, 4)] {
            let mut tile = tile(320, 180);

            outline(&mut tile.view_mut(), kind);

            let painted = tile.view().y().iter().filter(|y| **y != COLOR[0]).count();
            let inner = (320 - 2 * thickness) * (180 - 2 * thickness);
            assert_eq!(painted, 320 * 180 - inner);
        }
    }

    #[test]
    fn a_stale_picture_keeps_its_color_but_is_darker() {
        let mut tile = tile(320, 180);

        stale(&mut tile.view_mut());

        assert_eq!(tile.view().y()[0], 139);
        assert_eq!(tile.view().u()[0], 77);
        assert_eq!(tile.view().y()[90 * 320 + 160], 139);
        assert_eq!(tile.view().y()[160 * 320 + 160], SIGN[0]);
    }

    #[test]
    fn an_absent_picture_is_gray_dark_and_struck_out() {
        let mut tile = tile(320, 180);

        absent(
            &mut tile.view_mut(),
            Point {
                x: 160 * PIXEL,
                y: 90 * PIXEL,
            },
        );

        assert_eq!(tile.view().y()[0], 77);
        assert_eq!(tile.view().u()[0], 120);
        assert_eq!(tile.view().y()[90 * 320 + 160], SIGN[0]);
    }

    #[test]
    fn tiles_of_any_size_can_be_marked() {
        for (width, height) in [(2, 2), (2, 200), (200, 2), (90, 160)] {
            let mut tile = tile(width, height);

            stale(&mut tile.view_mut());
            absent(&mut tile.view_mut(), Point { x: -8, y: 1_000 });
            outline(&mut tile.view_mut(), Outline::Speaking);
        }
    }
}
