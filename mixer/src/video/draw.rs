//! Shapes with smooth edges, drawn with integers: the same pixels everywhere.

use codecs::video::{PictureSize, PictureViewMut};

/// A color as `[y, u, v]`, studio range.
pub(crate) type Color = [u8; 3];

/// A point of a picture in eighths of a luma pixel from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: i64,
    pub(crate) y: i64,
}

/// Eighths of a luma pixel in one pixel.
pub(crate) const PIXEL: i64 = 8;

/// A color from red, green and blue (BT.601, as VP8 means it).
pub(crate) const fn rgb(red: u8, green: u8, blue: u8) -> Color {
    let (r, g, b) = (red as i32, green as i32, blue as i32);
    [
        studio((66 * r + 129 * g + 25 * b + 128) / 256 + 16),
        studio((-38 * r - 74 * g + 112 * b + 128 + 128 * 256) / 256),
        studio((112 * r - 94 * g - 18 * b + 128 + 128 * 256) / 256),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the weights of `rgb` add up to less than 240"
)]
const fn studio(value: i32) -> u8 {
    debug_assert!(16 <= value && value <= 240);
    value as u8
}

impl Point {
    /// The middle of a picture.
    pub(crate) const fn center_of(size: PictureSize) -> Self {
        Self {
            x: size.width() as i64 * PIXEL / 2,
            y: size.height() as i64 * PIXEL / 2,
        }
    }

    /// The point `right` and `down` of this one.
    pub(crate) const fn offset(self, right: i64, down: i64) -> Self {
        Self {
            x: self.x + right,
            y: self.y + down,
        }
    }

    /// Whether it is within `radius` of `center`.
    pub(crate) const fn in_disc(self, center: Self, radius: i64) -> bool {
        let (x, y) = (self.x - center.x, self.y - center.y);
        x * x + y * y <= radius * radius
    }
}

/// A square around a center: where [`paint`] looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) center: Point,
    /// Half of the square's side, in eighths of a pixel.
    pub(crate) reach: i64,
}

/// Paints what is both inside of `bounds` and, as `inside` says, of the shape.
///
/// The shape must be thicker than a pixel; finer detail may be passed over.
pub(crate) fn paint(
    picture: &mut PictureViewMut<'_>,
    bounds: Bounds,
    color: Color,
    inside: impl Fn(Point) -> bool,
) {
    let size = picture.size();
    let planes = picture.planes();
    let luma = (size.width(), size.height());
    let chroma = (size.chroma_width(), size.chroma_height());
    let [y, u, v] = color;
    for (plane, stride, sides, pixel, value) in [
        (planes.y, planes.y_stride, luma, PIXEL, y),
        (planes.u, planes.chroma_stride, chroma, 2 * PIXEL, u),
        (planes.v, planes.chroma_stride, chroma, 2 * PIXEL, v),
    ] {
        let columns = span(bounds.center.x, bounds.reach, pixel, sides.0);
        let rows = span(bounds.center.y, bounds.reach, pixel, sides.1);
        for row in rows {
            let samples = &mut plane[row * stride..][..sides.0];
            for column in columns.clone() {
                let corner = Point {
                    x: column as i64 * pixel,
                    y: row as i64 * pixel,
                };
                let share = coverage(corner, pixel, &inside);
                samples[column] = blend(samples[column], value, share);
            }
        }
    }
}

/// How many of 16 samples of the square at `corner` are inside.
fn coverage(corner: Point, side: i64, inside: &impl Fn(Point) -> bool) -> u16 {
    let corners = [(0, 0), (side, 0), (0, side), (side, side)];
    let touched = corners
        .iter()
        .filter(|(x, y)| inside(corner.offset(*x, *y)));
    // Shapes are thicker than a pixel, so the corners tell nearly always.
    match touched.count() {
        0 => return 0,
        4 => return 16,
        _ => {}
    }
    let steps = [1, 3, 5, 7].map(|eighth| eighth * side / 8);
    let samples = steps
        .iter()
        .flat_map(|x| steps.iter().map(|y| corner.offset(*x, *y)));
    u16::try_from(samples.filter(|sample| inside(*sample)).count()).unwrap_or(16)
}

fn blend(below: u8, above: u8, share: u16) -> u8 {
    let mixed = (u16::from(below) * (16 - share) + u16::from(above) * share + 8) / 16;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// The samples of a line of `count` that a square reaches.
fn span(center: i64, reach: i64, pixel: i64, count: usize) -> std::ops::Range<usize> {
    let first = usize::try_from((center - reach) / pixel).unwrap_or(0);
    let end = usize::try_from((center + reach) / pixel + 1).unwrap_or(0);
    first.min(count)..end.min(count)
}

#[cfg(test)]
mod tests {
    use codecs::video::I420;

    use super::*;

    fn canvas() -> I420 {
        I420::black(PictureSize::new(40, 30).unwrap())
    }

    fn disc(picture: &mut I420, center: Point, radius: i64) {
        let bounds = Bounds {
            center,
            reach: radius,
        };
        paint(&mut picture.view_mut(), bounds, [216, 60, 200], |point| {
            point.in_disc(center, radius)
        });
    }

    #[test]
    fn a_disc_has_the_area_of_a_disc() {
        let mut picture = canvas();
        let center = Point::center_of(picture.size());

        disc(&mut picture, center, 10 * PIXEL);

        let light: u64 = picture.view().y().iter().map(|y| u64::from(*y) - 16).sum();
        let area = light as f64 / 200.0;
        assert!((area - 314.2).abs() < 3.0, "{area} pixels");
        assert_eq!(
            picture.view().u().iter().filter(|u| **u == 60).count() / 10,
            6
        );
    }

    #[test]
    fn what_reaches_beyond_the_picture_is_cut_off() {
        let mut picture = canvas();

        for (x, y) in [
            (-20, -20),
            (0, 0),
            (320, 240),
            (1_000_000, 100),
            (100, -1_000_000),
        ] {
            disc(&mut picture, Point { x, y }, 100);
        }

        assert_eq!(picture.view().y()[0], 216);
    }

    #[test]
    fn colors_have_their_known_values() {
        assert_eq!(rgb(0, 0, 0), [16, 128, 128]);
        assert_eq!(rgb(255, 255, 255), [235, 128, 128]);
        assert_eq!(rgb(255, 0, 0), [82, 90, 240]);
        assert_eq!(rgb(0, 0, 255), [41, 240, 110]);
    }
}
