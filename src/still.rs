//! A picture as a still: for posters and snapshots.

use std::io::{Seek, Write};

use codecs::video::I420;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, ImageResult, RgbImage};

/// How good a JPEG is, 1 to 100: text in a picture stays readable.
const JPEG_QUALITY: u8 = 85;

/// How a still is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StillFormat {
    Png,
    Jpeg,
}

/// Writes `picture` to `to`.
///
/// # Errors
///
/// If it cannot be written there.
pub(crate) fn write(
    picture: &I420,
    format: StillFormat,
    to: &mut (impl Write + Seek),
) -> ImageResult<()> {
    let rgb = to_rgb(picture);
    match format {
        StillFormat::Png => rgb.write_to(to, ImageFormat::Png),
        StillFormat::Jpeg => {
            rgb.write_with_encoder(JpegEncoder::new_with_quality(to, JPEG_QUALITY))
        }
    }
}

/// Studio-range BT.601, as VP8 is shown by browsers, in 16-bit fixed point.
fn to_rgb(picture: &I420) -> RgbImage {
    let size = picture.size();
    let view = picture.view();
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    RgbImage::from_fn(side(size.width()), side(size.height()), |x, y| {
        let (x, y) = (x as usize, y as usize);
        let luma = i32::from(view.y()[y * view.y_stride() + x]);
        let chroma = y / 2 * view.chroma_stride() + x / 2;
        let (u, v) = (i32::from(view.u()[chroma]), i32::from(view.v()[chroma]));
        let (luma, u, v) = ((luma - 16) * 76_309, u - 128, v - 128);
        let red = luma + 104_597 * v;
        let green = luma - 25_675 * u - 53_279 * v;
        let blue = luma + 132_201 * u;
        image::Rgb([red, green, blue].map(|channel| {
            u8::try_from(((channel + 32_768) >> 16).clamp(0, 255)).unwrap_or_default()
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use codecs::video::PictureSize;

    #[test]
    fn studio_range_becomes_full_range() {
        let mut picture = I420::black(PictureSize::new(2, 2).unwrap());
        let rows = [
            ([16, 128, 128], [0, 0, 0]),
            ([235, 128, 128], [255, 255, 255]),
            ([81, 90, 240], [255, 0, 0]),
            ([145, 54, 34], [0, 255, 1]),
            ([41, 240, 110], [0, 0, 255]),
        ];

        for (yuv, rgb) in rows {
            picture.fill(yuv);
            let near = to_rgb(&picture).get_pixel(1, 1).0;
            let far = near
                .iter()
                .zip(rgb)
                .map(|(a, b): (&u8, u8)| a.abs_diff(b))
                .max();
            assert!(far <= Some(2), "{yuv:?} became {near:?}, expected {rgb:?}");
        }
    }
}
