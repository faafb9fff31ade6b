//! Pictures that are the same on every machine.

use codecs::video::{I420, PictureSize};

/// A picture size that exists.
pub(crate) fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).unwrap()
}

/// A picture that an encoder has work with: a slanted gradient that moves four pixels a step, and
/// sensor noise of plus and minus three.
pub(crate) fn moving_picture(size: PictureSize, step: usize) -> I420 {
    let mut picture = I420::black(size);
    let mut noise = Noise(0x9e37_79b9 ^ u32::try_from(step).unwrap());
    let mut view = picture.view_mut();
    let planes = view.planes();
    for (row, line) in planes.y.chunks_mut(planes.y_stride).enumerate() {
        for (column, y) in line.iter_mut().enumerate() {
            let slant = (column + 2 * row + 4 * step) % 384;
            let wave = if slant < 192 { slant } else { 383 - slant };
            *y = u8::try_from(32 + wave).unwrap() + noise.up_to(6) - 3;
        }
    }
    for (row, line) in planes.u.chunks_mut(planes.chroma_stride).enumerate() {
        line.fill(u8::try_from(96 + (row + step) % 64).unwrap());
    }
    for line in planes.v.chunks_mut(planes.chroma_stride) {
        for (column, v) in line.iter_mut().enumerate() {
            *v = u8::try_from(96 + (column + step) % 64).unwrap();
        }
    }
    picture
}

/// Peak signal-to-noise ratio of the luma planes, in dB.
pub(crate) fn psnr_db(one: &I420, other: &I420) -> f64 {
    assert_eq!(one.size(), other.size());
    let squares: u64 = one
        .view()
        .y()
        .iter()
        .zip(other.view().y())
        .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
        .sum();
    let mean = squares as f64 / one.size().pixels() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// A repeatable source of small numbers (xorshift).
struct Noise(u32);

impl Noise {
    /// From 0 to `most`.
    fn up_to(&mut self, most: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        u8::try_from((self.0 >> 16) % (u32::from(most) + 1)).unwrap()
    }
}
