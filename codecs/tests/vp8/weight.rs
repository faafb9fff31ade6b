//! What frames weigh.

use codecs::video::{FrameKind, I420, PictureSize, VideoDecoder, VideoEncoder};
use codecs::vp8::{KeyframePolicy, Vp8Encoder, Vp8EncoderConfig};

use super::picture::{moving_picture, psnr_db, size};
use super::{TICKS_PER_PICTURE, decoder, encoder, frames};

#[test]
fn stills_are_all_keyframes_and_keep_to_their_bitrate() {
    let kbps = 20;
    let config = Vp8EncoderConfig {
        keyframes: KeyframePolicy::Always,
        frame_rate_hz: 1,
        ..Vp8EncoderConfig::new(size(320, 180), kbps)
    };
    let mut encoder = Vp8Encoder::new(config).unwrap();
    let interval = 135_000;

    let mut bytes = 0;
    for still in 0..20 {
        let picture = moving_picture(size(320, 180), usize::try_from(still).unwrap());
        let mut frame = Vec::new();
        let kind = encoder
            .encode(&picture, still * interval, FrameKind::Delta, &mut frame)
            .unwrap();
        assert_eq!(kind, FrameKind::Key);
        bytes += frame.len();
    }

    // 1.5 s each. The rate control comes from below: a still is never several stills' share.
    let spent_kbps = bytes * 8 / (20 * 1_500);
    assert!(
        (5..=22).contains(&spent_kbps),
        "{spent_kbps} kb/s for {kbps}"
    );
}

#[test]
fn a_picture_that_is_all_new_comes_as_a_keyframe_and_no_heavier_than_one() {
    let size = size(640, 360);
    let plain = I420::black(size);
    let page = page(size);
    // Files keep the delta frame: nobody waits for it.
    let for_a_file = KeyframePolicy::AtLeastEvery(u32::MAX);
    let [live, file] = [KeyframePolicy::OnRequest, for_a_file].map(|keyframes| {
        let config = Vp8EncoderConfig {
            keyframes,
            ..Vp8EncoderConfig::new(size, 300)
        };
        let mut encoder = Vp8Encoder::new(config).unwrap();
        (0..60)
            .map(|step| {
                let picture = if step < 30 { &plain } else { &page };
                let mut frame = Vec::new();
                let time = step * TICKS_PER_PICTURE;
                let kind = encoder.encode(picture, time, FrameKind::Delta, &mut frame);
                (kind.unwrap(), frame)
            })
            .collect::<Vec<_>>()
    });

    let (kind, frame) = &live[30];
    assert_eq!(*kind, FrameKind::Key);
    assert!(frame.len() * 2 < file[30].1.len(), "{} bytes", frame.len());
    let keyframes = |frames: &[(FrameKind, Vec<u8>)]| {
        let kinds = frames.iter().map(|(kind, _)| *kind);
        kinds.filter(|kind| *kind == FrameKind::Key).count()
    };
    assert_eq!((keyframes(&live), keyframes(&file)), (2, 1));
    let (mut decoder, mut last) = (decoder(), I420::black(size));
    for (_, frame) in &live {
        decoder.decode(frame, &mut last).unwrap();
    }
    assert!(psnr_db(&page, &last) > 25.0);
}

#[test]
fn a_new_bitrate_takes_effect_while_running() {
    let mut encoder = encoder(size(640, 360), 1_200);
    let kbps = |frames: &[Vec<u8>]| {
        // 30 pictures per second.
        frames.iter().map(Vec::len).sum::<usize>() * 8 * 30 / frames.len() / 1_000
    };

    let before = kbps(&frames(&mut encoder, 0, 90)[30..]);
    encoder.set_bitrate(300).unwrap();
    let after = kbps(&frames(&mut encoder, 90, 90)[30..]);

    // The rate control is given a second; overshoot is 15 %, and some is left to noise.
    assert!((900..1_500).contains(&before), "{before} kb/s for 1200");
    assert!((200..400).contains(&after), "{after} kb/s for 300");
    assert_eq!(encoder.config().bitrate_kbps, 300);
}

/// A page of a text that nobody can read: a quarter of each line is dark, no two lines alike.
fn page(size: PictureSize) -> I420 {
    let mut picture = I420::black(size);
    let mut view = picture.view_mut();
    let planes = view.planes();
    for (row, line) in planes.y.chunks_mut(planes.y_stride).enumerate() {
        for (column, y) in line.iter_mut().enumerate() {
            let place = u32::try_from(row * size.width() + column).unwrap();
            let is_letter = row % 10 < 7 && place.wrapping_mul(0x9e37_79b9) >> 30 == 0;
            *y = if is_letter { 40 } else { 230 };
        }
    }
    picture
}
