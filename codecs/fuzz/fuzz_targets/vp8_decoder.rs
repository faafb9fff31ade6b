//! A decoder takes any frames, stays within its cap, and leaves the picture alone on errors.
//!
//! Each frame is preceded by its length in two bytes, low byte first.
#![no_main]

use codecs::video::{Decoded, I420, PictureSize, VideoDecoder};
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u32 = 256 * 256;

fuzz_target!(|frames: &[u8]| {
    let mut decoder = Vp8Decoder::new(Vp8DecoderLimits {
        max_pixels: MAX_PIXELS,
    })
    .unwrap();
    let mut picture = I420::black(PictureSize::new(2, 2).unwrap());
    let mut rest = frames;
    while let Some((length, tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes(*length)).min(tail.len());
        let (frame, tail) = tail.split_at(length);
        rest = tail;
        let before = picture.clone();
        match decoder.decode(frame, &mut picture) {
            Ok(Decoded::Picture) => assert!(picture.size().pixels() <= MAX_PIXELS as usize),
            Ok(Decoded::Nothing) | Err(_) => assert!(picture == before),
        }
    }
});
