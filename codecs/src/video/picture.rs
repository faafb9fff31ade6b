//! One picture as three planes (I420): luma at full size, two chroma planes at half size.
//!
//! Values are studio range (luma 16 to 235, chroma around 128). A side may be odd; the chroma
//! planes then round up.

use std::fmt;

/// The longest side VP8 can state (14 bits, RFC 6386 §9.1).
pub const MAX_SIDE_PX: u32 = 16_383;

/// Width and height of a picture in pixels, each from 1 to [`MAX_SIDE_PX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PictureSize {
    width_px: u32,
    height_px: u32,
}

/// A side of zero, or longer than VP8 can state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("picture is {width_px}x{height_px}, expected sides from 1 to {MAX_SIDE_PX}")]
pub struct PictureSizeError {
    width_px: u32,
    height_px: u32,
}

impl PictureSize {
    /// A size of `width_px` by `height_px`.
    ///
    /// # Errors
    ///
    /// [`PictureSizeError`] unless both sides are from 1 to [`MAX_SIDE_PX`].
    pub const fn new(width_px: u32, height_px: u32) -> Result<Self, PictureSizeError> {
        if width_px == 0 || height_px == 0 || width_px > MAX_SIDE_PX || height_px > MAX_SIDE_PX {
            return Err(PictureSizeError {
                width_px,
                height_px,
            });
        }
        Ok(Self {
            width_px,
            height_px,
        })
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(self) -> usize {
        self.width_px as usize
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(self) -> usize {
        self.height_px as usize
    }

    /// Width of the chroma planes in pixels.
    #[must_use]
    pub const fn chroma_width(self) -> usize {
        self.width().div_ceil(2)
    }

    /// Height of the chroma planes in pixels.
    #[must_use]
    pub const fn chroma_height(self) -> usize {
        self.height().div_ceil(2)
    }

    /// The size of the same picture lying on its side.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            width_px: self.height_px,
            height_px: self.width_px,
        }
    }

    /// The smallest size that both this one and `other` fit into.
    #[must_use]
    pub fn covering(self, other: Self) -> Self {
        Self {
            width_px: self.width_px.max(other.width_px),
            height_px: self.height_px.max(other.height_px),
        }
    }

    /// Luma samples of the whole picture.
    #[must_use]
    pub const fn pixels(self) -> usize {
        self.width() * self.height()
    }

    const fn chroma_pixels(self) -> usize {
        self.chroma_width() * self.chroma_height()
    }
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width_px, self.height_px)
    }
}

/// An owned picture. Its planes lie tightly one after the other: stride equals width.
#[derive(Clone, PartialEq, Eq)]
pub struct I420 {
    size: PictureSize,
    planes: Vec<u8>,
}

impl I420 {
    /// A black picture.
    #[must_use]
    pub fn black(size: PictureSize) -> Self {
        let mut picture = Self {
            size,
            planes: Vec::new(),
        };
        picture.resize(size);
        picture.fill([16, 128, 128]);
        picture
    }

    /// Changes the size, reusing the memory. What the picture shows afterwards is unspecified.
    pub fn resize(&mut self, size: PictureSize) {
        self.size = size;
        self.planes
            .resize(size.pixels() + 2 * size.chroma_pixels(), 128);
    }

    /// Paints everything in one color, `[y, u, v]`.
    pub fn fill(&mut self, color: [u8; 3]) {
        self.view_mut().fill(color);
    }

    /// The picture's size.
    #[must_use]
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// The three planes one after the other: Y, U, V, without padding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.planes
    }

    /// The whole picture, to read.
    #[must_use]
    pub fn view(&self) -> PictureView<'_> {
        let (y, chroma) = self.planes.split_at(self.size.pixels());
        let (u, v) = chroma.split_at(self.size.chroma_pixels());
        PictureView {
            size: self.size,
            y,
            u,
            v,
            y_stride: self.size.width(),
            chroma_stride: self.size.chroma_width(),
        }
    }

    /// The whole picture, to write.
    #[must_use]
    pub fn view_mut(&mut self) -> PictureViewMut<'_> {
        let size = self.size;
        let (y, chroma) = self.planes.split_at_mut(size.pixels());
        let (u, v) = chroma.split_at_mut(size.chroma_pixels());
        PictureViewMut {
            size,
            y,
            u,
            v,
            y_stride: size.width(),
            chroma_stride: size.chroma_width(),
        }
    }
}

impl fmt::Debug for I420 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I420({})", self.size)
    }
}

/// A rectangle of somebody's picture, to read. Rows lie a stride apart.
#[derive(Clone, Copy)]
pub struct PictureView<'a> {
    size: PictureSize,
    y: &'a [u8],
    u: &'a [u8],
    v: &'a [u8],
    y_stride: usize,
    chroma_stride: usize,
}

impl<'a> PictureView<'a> {
    /// The size of the rectangle.
    #[must_use]
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// The luma samples, rows [`Self::y_stride`] apart; the last row may end at the width.
    #[must_use]
    pub const fn y(&self) -> &'a [u8] {
        self.y
    }

    /// The blue chroma samples, rows [`Self::chroma_stride`] apart.
    #[must_use]
    pub const fn u(&self) -> &'a [u8] {
        self.u
    }

    /// The red chroma samples, rows [`Self::chroma_stride`] apart.
    #[must_use]
    pub const fn v(&self) -> &'a [u8] {
        self.v
    }

    /// Distance between luma rows, in bytes.
    #[must_use]
    pub const fn y_stride(&self) -> usize {
        self.y_stride
    }

    /// Distance between chroma rows, in bytes.
    #[must_use]
    pub const fn chroma_stride(&self) -> usize {
        self.chroma_stride
    }

    /// The rectangle of `size` whose upper left corner is at (`left_px`, `top_px`), or `None` if
    /// it does not lie inside or its corner is not on even coordinates (chroma has half the
    /// resolution).
    #[must_use]
    pub fn crop(&self, left_px: usize, top_px: usize, size: PictureSize) -> Option<Self> {
        let at = Corner::inside(self.size, left_px, top_px, size)?;
        let (luma, chroma) = at.offsets(self.y_stride, self.chroma_stride);
        Some(Self {
            size,
            y: &self.y[luma..],
            u: &self.u[chroma..],
            v: &self.v[chroma..],
            y_stride: self.y_stride,
            chroma_stride: self.chroma_stride,
        })
    }
}

impl fmt::Debug for PictureView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureView({})", self.size)
    }
}

/// A rectangle of somebody's picture, to write. Rows lie a stride apart.
pub struct PictureViewMut<'a> {
    size: PictureSize,
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    y_stride: usize,
    chroma_stride: usize,
}

/// The three planes of a [`PictureViewMut`], borrowed at once.
#[derive(Debug)]
pub struct PlanesMut<'a> {
    /// Luma.
    pub y: &'a mut [u8],
    /// Blue chroma.
    pub u: &'a mut [u8],
    /// Red chroma.
    pub v: &'a mut [u8],
    /// Distance between luma rows, in bytes.
    pub y_stride: usize,
    /// Distance between chroma rows, in bytes.
    pub chroma_stride: usize,
}

impl PictureViewMut<'_> {
    /// The size of the rectangle.
    #[must_use]
    pub const fn size(&self) -> PictureSize {
        self.size
    }

    /// All three planes, to write.
    #[must_use]
    pub const fn planes(&mut self) -> PlanesMut<'_> {
        PlanesMut {
            y: self.y,
            u: self.u,
            v: self.v,
            y_stride: self.y_stride,
            chroma_stride: self.chroma_stride,
        }
    }

    /// The rectangle of `size` at (`left_px`, `top_px`), under the rules of [`PictureView::crop`].
    #[must_use]
    pub fn crop(
        &mut self,
        left_px: usize,
        top_px: usize,
        size: PictureSize,
    ) -> Option<PictureViewMut<'_>> {
        let at = Corner::inside(self.size, left_px, top_px, size)?;
        let (luma, chroma) = at.offsets(self.y_stride, self.chroma_stride);
        Some(PictureViewMut {
            size,
            y: &mut self.y[luma..],
            u: &mut self.u[chroma..],
            v: &mut self.v[chroma..],
            y_stride: self.y_stride,
            chroma_stride: self.chroma_stride,
        })
    }

    /// Paints the rectangle in one color, `[y, u, v]`.
    pub fn fill(&mut self, [y, u, v]: [u8; 3]) {
        let size = self.size;
        fill_plane(self.y, self.y_stride, size.width(), size.height(), y);
        fill_plane(
            self.u,
            self.chroma_stride,
            size.chroma_width(),
            size.chroma_height(),
            u,
        );
        fill_plane(
            self.v,
            self.chroma_stride,
            size.chroma_width(),
            size.chroma_height(),
            v,
        );
    }

    /// Copies `from` into the upper left corner: as much of it as both rectangles hold.
    pub fn copy_from(&mut self, from: PictureView<'_>) {
        let width = self.size.width().min(from.size.width());
        let height = self.size.height().min(from.size.height());
        copy_plane(
            (self.y, self.y_stride),
            (from.y, from.y_stride),
            width,
            height,
        );
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        copy_plane(
            (self.u, self.chroma_stride),
            (from.u, from.chroma_stride),
            width,
            height,
        );
        copy_plane(
            (self.v, self.chroma_stride),
            (from.v, from.chroma_stride),
            width,
            height,
        );
    }
}

impl fmt::Debug for PictureViewMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureViewMut({})", self.size)
    }
}

/// An even corner of a rectangle that is known to lie inside another.
struct Corner {
    left_px: usize,
    top_px: usize,
}

impl Corner {
    const fn inside(
        outer: PictureSize,
        left_px: usize,
        top_px: usize,
        inner: PictureSize,
    ) -> Option<Self> {
        let even = left_px.is_multiple_of(2) && top_px.is_multiple_of(2);
        let fits =
            left_px + inner.width() <= outer.width() && top_px + inner.height() <= outer.height();
        if even && fits {
            Some(Self { left_px, top_px })
        } else {
            None
        }
    }

    const fn offsets(&self, y_stride: usize, chroma_stride: usize) -> (usize, usize) {
        (
            self.top_px * y_stride + self.left_px,
            self.top_px / 2 * chroma_stride + self.left_px / 2,
        )
    }
}

fn fill_plane(plane: &mut [u8], stride: usize, width: usize, height: usize, value: u8) {
    for row in plane.chunks_mut(stride).take(height) {
        row[..width].fill(value);
    }
}

fn copy_plane(to: (&mut [u8], usize), from: (&[u8], usize), width: usize, height: usize) {
    let rows = to.0.chunks_mut(to.1).zip(from.0.chunks(from.1));
    for (to, from) in rows.take(height) {
        to[..width].copy_from_slice(&from[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    #[test]
    fn sides_of_zero_and_above_fourteen_bits_are_refused() {
        assert!(PictureSize::new(0, 1).is_err());
        assert!(PictureSize::new(1, 0).is_err());
        assert!(PictureSize::new(16_384, 1).is_err());
        assert!(PictureSize::new(16_383, 1).is_ok());
    }

    #[test]
    fn chroma_of_an_odd_picture_rounds_up() {
        let picture = I420::black(size(5, 3));

        assert_eq!(picture.as_bytes().len(), 15 + 2 * 6);
        assert_eq!(picture.view().u().len(), 6);
    }

    #[test]
    fn a_filled_crop_touches_nothing_outside_itself() {
        let mut picture = I420::black(size(8, 6));

        picture
            .view_mut()
            .crop(2, 2, size(4, 2))
            .unwrap()
            .fill([200, 10, 20]);

        let painted = picture.view().y().iter().filter(|y| **y == 200).count();
        assert_eq!(painted, 8);
        let chroma = picture.view().u().iter().filter(|u| **u == 10).count();
        assert_eq!(chroma, 2);
        assert_eq!(picture.view().crop(2, 2, size(4, 2)).unwrap().y()[0], 200);
    }

    #[test]
    fn crops_outside_or_on_odd_corners_are_refused() {
        let picture = I420::black(size(8, 6));

        assert!(picture.view().crop(6, 0, size(4, 2)).is_none());
        assert!(picture.view().crop(1, 0, size(4, 2)).is_none());
    }

    #[test]
    fn copying_a_larger_picture_keeps_what_fits() {
        let mut large = I420::black(size(10, 10));
        large.fill([90, 1, 2]);
        let mut small = I420::black(size(4, 4));

        small.view_mut().copy_from(large.view());

        assert!(small.view().y().iter().all(|y| *y == 90));
        assert!(small.view().v().iter().all(|v| *v == 2));
    }
}
