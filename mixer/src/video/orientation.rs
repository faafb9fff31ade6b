//! How a picture has to be turned so that it stands upright.
//!
//! A phone held upright sends its pictures lying on their side and says so beside them. They are
//! turned after scaling, where a tile is all there is to turn.

use codecs::video::{I420, PictureSize, PictureView, PictureViewMut};

/// How a picture is to be turned, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Not at all.
    #[default]
    None,
    /// By 90°.
    Quarter,
    /// By 180°.
    Half,
    /// By 270°.
    ThreeQuarters,
}

/// Whether a picture is to be mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mirroring {
    /// It is as it should be.
    #[default]
    None,
    /// Left and right of the picture as sent are to be exchanged, before it is turned.
    LeftRight,
}

/// What makes a picture stand upright (3GPP TS 26.114 §7.4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orientation {
    /// The turn.
    pub rotation: Rotation,
    /// What is done before it.
    pub mirroring: Mirroring,
}

impl Orientation {
    /// As it is sent, so it stands.
    pub const UPRIGHT: Self = Self {
        rotation: Rotation::None,
        mirroring: Mirroring::None,
    };

    /// The size that a picture of `size` has before or after the turn.
    pub(crate) fn turned(self, size: PictureSize) -> PictureSize {
        match self.rotation {
            Rotation::None | Rotation::Half => size,
            Rotation::Quarter | Rotation::ThreeQuarters => size.transposed(),
        }
    }

    /// The corner of a rectangle before or after the turn, where it lies in the middle.
    pub(crate) const fn turned_corner(self, left_px: usize, top_px: usize) -> (usize, usize) {
        match self.rotation {
            Rotation::None | Rotation::Half => (left_px, top_px),
            Rotation::Quarter | Rotation::ThreeQuarters => (top_px, left_px),
        }
    }

    /// Fills `to` with all of `from`, turned. `to` has the size that [`Self::turned`] says, or
    /// stays as it is.
    pub(crate) fn turn(self, from: &I420, mut to: PictureViewMut<'_>) {
        let size = from.size();
        if to.size() != self.turned(size) {
            return;
        }
        let from: PictureView<'_> = from.view();
        let luma = (size.width(), size.height());
        let chroma = (size.chroma_width(), size.chroma_height());
        let planes = to.planes();
        let (y_stride, chroma_stride) = (planes.y_stride, planes.chroma_stride);
        self.turn_plane((from.y(), from.y_stride(), luma), (planes.y, y_stride));
        let from_stride = from.chroma_stride();
        self.turn_plane((from.u(), from_stride, chroma), (planes.u, chroma_stride));
        self.turn_plane((from.v(), from_stride, chroma), (planes.v, chroma_stride));
    }

    fn turn_plane(
        self,
        (from, from_stride, (width, height)): (&[u8], usize, (usize, usize)),
        (to, to_stride): (&mut [u8], usize),
    ) {
        let walk = self.walk(width, height, from_stride);
        let (columns, rows) = match self.rotation {
            Rotation::None | Rotation::Half => (width, height),
            Rotation::Quarter | Rotation::ThreeQuarters => (height, width),
        };
        // Block by block: a turned row is a column, and each of its samples in another cache line.
        for top in (0..rows).step_by(BLOCK) {
            for left in (0..columns).step_by(BLOCK) {
                let right = columns.min(left + BLOCK);
                for row in top..rows.min(top + BLOCK) {
                    let line = &mut to[row * to_stride..][left..right];
                    for (sample, column) in line.iter_mut().zip(left..) {
                        *sample = from[walk.at(row, column)];
                    }
                }
            }
        }
    }

    fn walk(self, width: usize, height: usize, stride: usize) -> Walk {
        let (column, row) = match self.rotation {
            Rotation::None => (Direction::Right, Direction::Down),
            Rotation::Quarter => (Direction::Up, Direction::Right),
            Rotation::Half => (Direction::Left, Direction::Up),
            Rotation::ThreeQuarters => (Direction::Down, Direction::Left),
        };
        let [column, row] = [column, row].map(|direction| match self.mirroring {
            Mirroring::None => direction,
            Mirroring::LeftRight => direction.mirrored(),
        });
        let begin = |direction| match direction {
            Direction::Right | Direction::Down => 0,
            Direction::Left => width - 1,
            Direction::Up => (height - 1) * stride,
        };
        Walk {
            origin: begin(column) + begin(row),
            column: column.step(stride),
            row: row.step(stride),
        }
    }
}

/// Samples to a side of what is turned at a time: sixteen lines of a cache.
const BLOCK: usize = 16;

/// Where the next sample of a plane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Right,
    Left,
    Down,
    Up,
}

impl Direction {
    const fn mirrored(self) -> Self {
        match self {
            Self::Right => Self::Left,
            Self::Left => Self::Right,
            Self::Down | Self::Up => self,
        }
    }

    const fn step(self, stride: usize) -> Step {
        match self {
            Self::Right => Step::Forth(1),
            Self::Left => Step::Back(1),
            Self::Down => Step::Forth(stride),
            Self::Up => Step::Back(stride),
        }
    }
}

/// How the samples of a plane are met while the turned plane is written line by line.
#[derive(Clone, Copy, Debug)]
struct Walk {
    origin: usize,
    column: Step,
    row: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Forth(usize),
    Back(usize),
}

impl Step {
    const fn times(self, count: usize, from: usize) -> usize {
        match self {
            Self::Forth(by) => from + by * count,
            Self::Back(by) => from - by * count,
        }
    }
}

impl Walk {
    /// Row before column, each from where it begins: never below zero.
    const fn at(&self, row: usize, column: usize) -> usize {
        self.column.times(column, self.row.times(row, self.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATIONS: [Rotation; 4] = [
        Rotation::None,
        Rotation::Quarter,
        Rotation::Half,
        Rotation::ThreeQuarters,
    ];

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    /// What is done, the samples that gives, and the sides of the picture.
    type Row = (Rotation, Mirroring, [u8; 6], (u32, u32));

    /// Every sample of a plane is its place.
    fn numbered(size: PictureSize) -> I420 {
        let mut picture = I420::black(size);
        let mut view = picture.view_mut();
        let planes = view.planes();
        for plane in [planes.y, planes.u, planes.v] {
            for (sample, number) in plane.iter_mut().zip((0..=255).cycle()) {
                *sample = number;
            }
        }
        picture
    }

    fn turned(picture: &I420, orientation: Orientation) -> I420 {
        let mut turned = I420::black(orientation.turned(picture.size()));
        orientation.turn(picture, turned.view_mut());
        turned
    }

    #[test]
    fn each_orientation_puts_every_sample_where_it_belongs() {
        // 0 1 2
        // 3 4 5
        let picture = numbered(size(3, 2));
        let rows: [Row; 8] = {
            use Mirroring::{LeftRight, None as Plain};
            [
                (Rotation::None, Plain, [0, 1, 2, 3, 4, 5], (3, 2)),
                (Rotation::Quarter, Plain, [3, 0, 4, 1, 5, 2], (2, 3)),
                (Rotation::Half, Plain, [5, 4, 3, 2, 1, 0], (3, 2)),
                (Rotation::ThreeQuarters, Plain, [2, 5, 1, 4, 0, 3], (2, 3)),
                (Rotation::None, LeftRight, [2, 1, 0, 5, 4, 3], (3, 2)),
                (Rotation::Quarter, LeftRight, [5, 2, 4, 1, 3, 0], (2, 3)),
                (Rotation::Half, LeftRight, [3, 4, 5, 0, 1, 2], (3, 2)),
                (
                    Rotation::ThreeQuarters,
                    LeftRight,
                    [0, 3, 1, 4, 2, 5],
                    (2, 3),
                ),
            ]
        };

        for (rotation, mirroring, luma, (width, height)) in rows {
            let orientation = Orientation {
                rotation,
                mirroring,
            };
            let turned = turned(&picture, orientation);

            assert_eq!(turned.view().y()[..6], luma, "{orientation:?}");
            assert_eq!(turned.size(), size(width, height));
        }
    }

    #[test]
    fn four_quarters_or_two_mirrors_make_the_picture_it_was() {
        // In a plane of one column, its width and the way to the next row are the same.
        for picture in [
            (1, 1),
            (2, 2),
            (1, 9),
            (2, 32),
            (9, 1),
            (33, 18),
            (64, 36),
            (17, 35),
        ] {
            let picture = numbered(size(picture.0, picture.1));

            for rotation in ROTATIONS {
                let quarters = std::iter::repeat_n(rotation, 4);
                let round = quarters.fold(picture.clone(), |picture, rotation| {
                    turned(
                        &picture,
                        Orientation {
                            rotation,
                            ..Orientation::UPRIGHT
                        },
                    )
                });
                assert!(round == picture, "{rotation:?} of {picture:?}");
            }
            for rotation in ROTATIONS {
                let mirrored = Orientation {
                    mirroring: Mirroring::LeftRight,
                    rotation,
                };
                let quarters = std::iter::repeat_n(mirrored, 4);
                let round = quarters.fold(picture.clone(), |it, turn| turned(&it, turn));
                assert!(round == picture, "mirrored {rotation:?} of {picture:?}");
            }
        }
    }
}
