//! The VP8 encoder and decoder against libvpx itself.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "synthetic/picture.rs"]
mod picture;
#[path = "vp8/weight.rs"]
mod weight;

use codecs::video::{
    Decoded, FrameKind, I420, PictureSize, VideoDecodeError, VideoDecoder, VideoEncodeError,
    VideoEncoder,
};
use codecs::vp8::{
    CpuUsed, FrameHeader, KeyframePolicy, Vp8ConfigError, Vp8Decoder, Vp8DecoderLimits, Vp8Encoder,
    Vp8EncoderConfig,
};
use picture::{moving_picture, psnr_db, size};
use proptest::prelude::*;

const TICKS_PER_PICTURE: u64 = 3_000;

fn encoder(size: PictureSize, bitrate_kbps: u32) -> Vp8Encoder {
    Vp8Encoder::new(Vp8EncoderConfig::new(size, bitrate_kbps)).unwrap()
}

fn decoder() -> Vp8Decoder {
    Vp8Decoder::new(Vp8DecoderLimits::default()).unwrap()
}

/// The frames of `count` moving pictures, the first of them a keyframe.
fn frames(encoder: &mut Vp8Encoder, first: u64, count: u64) -> Vec<Vec<u8>> {
    (first..first + count)
        .map(|step| {
            let picture = moving_picture(encoder.config().size, usize::try_from(step).unwrap());
            let mut frame = Vec::new();
            encoder
                .encode(
                    &picture,
                    step * TICKS_PER_PICTURE,
                    FrameKind::Delta,
                    &mut frame,
                )
                .unwrap();
            frame
        })
        .collect()
}

#[test]
fn colors_come_back_as_they_went_in() {
    let size = size(320, 180);
    let colors = [
        [60, 90, 200],
        [150, 50, 30],
        [100, 200, 100],
        [220, 120, 140],
    ];
    let mut picture = I420::black(size);
    let quarter = picture::size(160, 90);
    for (index, color) in colors.into_iter().enumerate() {
        let (left, top) = (index % 2 * 160, index / 2 * 90);
        picture
            .view_mut()
            .crop(left, top, quarter)
            .unwrap()
            .fill(color);
    }
    let (mut encoder, mut decoder) = (encoder(size, 500), decoder());
    let (mut frame, mut decoded) = (Vec::new(), I420::black(size));

    for step in 0..10 {
        encoder
            .encode(
                &picture,
                step * TICKS_PER_PICTURE,
                FrameKind::Delta,
                &mut frame,
            )
            .unwrap();
        assert_eq!(decoder.decode(&frame, &mut decoded), Ok(Decoded::Picture));
    }

    for (index, [y, u, v]) in colors.into_iter().enumerate() {
        // The middle of each quarter: at the borders the block transform rings.
        let (left, top) = (index % 2 * 160 + 40, index / 2 * 90 + 22);
        let middle = decoded
            .view()
            .crop(left, top, picture::size(80, 40))
            .unwrap();
        // Quantizer 2 and deblocking may move a plain area by a step or two.
        assert!(middle.y()[0].abs_diff(y) <= 2, "{} for {y}", middle.y()[0]);
        assert!(middle.u()[0].abs_diff(u) <= 2, "{} for {u}", middle.u()[0]);
        assert!(middle.v()[0].abs_diff(v) <= 2, "{} for {v}", middle.v()[0]);
    }
}

#[test]
fn a_moving_picture_stays_close_to_the_original() {
    let size = size(320, 180);
    let (mut encoder, mut decoder) = (encoder(size, 1_000), decoder());
    let mut decoded = I420::black(size);

    let mut worst = f64::INFINITY;
    for (step, frame) in frames(&mut encoder, 0, 30).iter().enumerate() {
        decoder.decode(frame, &mut decoded).unwrap();
        worst = worst.min(psnr_db(&moving_picture(size, step), &decoded));
    }

    // Noise of plus and minus three alone puts a ceiling of about 41 dB on what is worth keeping.
    assert!(worst > 30.0, "{worst:.1} dB");
}

#[test]
fn odd_sides_survive() {
    let size = size(161, 91);
    let (mut encoder, mut decoder) = (encoder(size, 400), decoder());
    let mut decoded = I420::black(picture::size(2, 2));

    for frame in frames(&mut encoder, 0, 5) {
        decoder.decode(&frame, &mut decoded).unwrap();
    }

    assert_eq!(decoded.size(), size);
    assert!(psnr_db(&moving_picture(size, 4), &decoded) > 30.0);
}

#[test]
fn the_same_pictures_give_the_same_frames_at_every_speed() {
    for cpu_used in [-6, -8, -12, -16] {
        let config = Vp8EncoderConfig {
            cpu_used: CpuUsed::new(cpu_used).unwrap(),
            ..Vp8EncoderConfig::new(size(320, 180), 300)
        };

        let first = frames(&mut Vp8Encoder::new(config).unwrap(), 0, 20);
        let second = frames(&mut Vp8Encoder::new(config).unwrap(), 0, 20);

        assert!(first == second, "cpu_used {cpu_used}");
    }
}

#[test]
fn where_the_timestamps_begin_makes_no_difference() {
    let size = size(160, 90);
    let picture = moving_picture(size, 0);
    let encode = |start: u64| -> Vec<Vec<u8>> {
        let mut encoder = encoder(size, 200);
        (0..5)
            .map(|step| {
                let mut frame = Vec::new();
                let timestamp = start + step * TICKS_PER_PICTURE;
                encoder
                    .encode(&picture, timestamp, FrameKind::Delta, &mut frame)
                    .unwrap();
                frame
            })
            .collect()
    };

    assert!(encode(0) == encode(u64::MAX - 100_000));
}

#[test]
fn keyframes_come_first_and_when_asked_for() {
    let size = size(160, 90);
    let mut encoder = encoder(size, 300);
    let mut kinds = Vec::new();

    for step in 0..60 {
        let wanted = if step == 40 {
            FrameKind::Key
        } else {
            FrameKind::Delta
        };
        let mut frame = Vec::new();
        // A new scene every ten pictures: no reason for a keyframe unless asked.
        let picture = moving_picture(size, usize::try_from(step / 10 * 40).unwrap());
        let kind = encoder
            .encode(&picture, step * TICKS_PER_PICTURE, wanted, &mut frame)
            .unwrap();
        assert_eq!(FrameHeader::parse(&frame).unwrap().kind, kind);
        kinds.push(kind);
    }

    let keys: Vec<usize> = (0..60)
        .filter(|step| kinds[*step] == FrameKind::Key)
        .collect();
    assert_eq!(keys, [0, 40]);
}

#[test]
fn a_file_gets_keyframes_at_the_latest_when_its_policy_says() {
    let config = Vp8EncoderConfig {
        keyframes: KeyframePolicy::AtLeastEvery(10),
        ..Vp8EncoderConfig::new(size(160, 90), 300)
    };

    let frames = frames(&mut Vp8Encoder::new(config).unwrap(), 0, 25);

    let keys: Vec<usize> = (0..25)
        .filter(|step| FrameHeader::peek_kind(&frames[*step]) == Some(FrameKind::Key))
        .collect();
    assert_eq!(keys, [0, 10, 20]);
}

#[test]
fn settings_out_of_range_are_refused() {
    assert_eq!(CpuUsed::new(-5), Err(Vp8ConfigError::CpuUsed(-5)));
    assert_eq!(CpuUsed::new(-17), Err(Vp8ConfigError::CpuUsed(-17)));
    let config = Vp8EncoderConfig::new(size(16, 16), 9);
    assert_eq!(
        Vp8Encoder::new(config).unwrap_err(),
        Vp8ConfigError::Bitrate(9)
    );
    let config = Vp8EncoderConfig {
        frame_rate_hz: 0,
        ..Vp8EncoderConfig::new(size(16, 16), 99)
    };
    assert_eq!(
        Vp8Encoder::new(config).unwrap_err(),
        Vp8ConfigError::FrameRate(0)
    );

    let mut encoder = encoder(size(16, 16), 99);
    assert!(encoder.set_bitrate(0).is_err());
    assert_eq!(encoder.config().bitrate_kbps, 99);
}

#[test]
fn a_picture_of_another_size_and_a_time_that_stands_still_are_refused() {
    let mut encoder = encoder(size(160, 90), 300);
    let mut frame = vec![1];

    let refused = encoder
        .encode(&I420::black(size(90, 160)), 0, FrameKind::Delta, &mut frame)
        .unwrap_err();
    assert_eq!(
        refused,
        VideoEncodeError::Size {
            got: size(90, 160),
            expected: size(160, 90)
        }
    );
    assert!(frame.is_empty());

    let picture = I420::black(size(160, 90));
    encoder
        .encode(&picture, 3_000, FrameKind::Delta, &mut frame)
        .unwrap();
    let refused = encoder.encode(&picture, 3_000, FrameKind::Delta, &mut frame);
    assert!(matches!(refused, Err(VideoEncodeError::Codec(_))));
    assert!(frame.is_empty());

    encoder
        .encode(&picture, 6_000, FrameKind::Delta, &mut frame)
        .unwrap();
    assert!(!frame.is_empty());
}

#[test]
fn a_keyframe_that_claims_16383_by_16383_is_refused_and_the_next_one_decodes() {
    let frames = frames(&mut encoder(size(160, 90), 300), 0, 1);
    let mut bomb = frames[0].clone();
    bomb[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    let mut decoder = decoder();
    let mut picture = I420::black(size(2, 2));

    let refused = decoder.decode(&bomb, &mut picture);

    assert_eq!(
        refused,
        Err(VideoDecodeError::TooLarge {
            width: 16_383,
            height: 16_383,
            max_pixels: 4096 * 2304
        })
    );
    assert_eq!(picture, I420::black(size(2, 2)));
    assert_eq!(
        decoder.decode(&frames[0], &mut picture),
        Ok(Decoded::Picture)
    );
}

#[test]
fn delta_frames_are_refused_before_the_first_keyframe_and_after_an_error() {
    let frames = frames(&mut encoder(size(160, 90), 300), 0, 4);
    let mut decoder = decoder();
    let mut picture = I420::black(size(2, 2));
    let corrupt = |decoded| matches!(decoded, Err(VideoDecodeError::Corrupt(_)));

    assert!(corrupt(decoder.decode(&frames[1], &mut picture)));
    assert_eq!(
        decoder.decode(&frames[0], &mut picture),
        Ok(Decoded::Picture)
    );
    assert_eq!(
        decoder.decode(&frames[1], &mut picture),
        Ok(Decoded::Picture)
    );
    assert!(corrupt(decoder.decode(b"nonsense", &mut picture)));
    assert!(corrupt(decoder.decode(&frames[2], &mut picture)));
    assert_eq!(
        decoder.decode(&frames[0], &mut picture),
        Ok(Decoded::Picture)
    );
}

#[test]
fn a_frame_cut_short_is_corrupt_and_leaves_the_picture_alone() {
    let frames = frames(&mut encoder(size(320, 180), 800), 0, 2);
    for frame in &frames {
        for length in [0, 1, 3, 10, frame.len() / 2] {
            let mut decoder = decoder();
            let mut picture = I420::black(size(2, 2));
            decoder.decode(&frames[0], &mut picture).unwrap();
            let before = picture.clone();

            let decoded = decoder.decode(&frame[..length], &mut picture);

            assert!(
                matches!(decoded, Err(VideoDecodeError::Corrupt(_))),
                "{length}: {decoded:?}"
            );
            assert_eq!(picture, before);
        }
    }
}

#[test]
fn a_hidden_frame_is_decoded_and_not_shown() {
    const SHOW_FRAME: u8 = 0x10;
    let frames = frames(&mut encoder(size(160, 90), 300), 0, 3);
    let mut hidden = frames[1].clone();
    hidden[0] &= !SHOW_FRAME;
    let (mut decoder, mut reference) = (decoder(), decoder());
    let (mut picture, mut expected) = (I420::black(size(2, 2)), I420::black(size(2, 2)));
    for frame in &frames {
        reference.decode(frame, &mut expected).unwrap();
    }

    decoder.decode(&frames[0], &mut picture).unwrap();
    let before = picture.clone();
    assert_eq!(decoder.decode(&hidden, &mut picture), Ok(Decoded::Nothing));
    assert_eq!(picture, before);

    // It was decoded all the same: the frame after it builds on it.
    assert_eq!(
        decoder.decode(&frames[2], &mut picture),
        Ok(Decoded::Picture)
    );
    assert_eq!(picture, expected);
}

#[test]
fn the_picture_follows_a_change_of_size() {
    let mut decoder = decoder();
    let mut picture = I420::black(size(2, 2));

    for side in [160, 320, 64, 642] {
        let size = size(side, side / 2);
        for frame in frames(&mut encoder(size, 500), 0, 3) {
            decoder.decode(&frame, &mut picture).unwrap();
        }
        assert_eq!(picture.size(), size);
        assert!(psnr_db(&moving_picture(size, 2), &picture) > 28.0);
    }
}

#[test]
fn codecs_can_be_given_to_another_thread() {
    fn sendable<T: Send + 'static>(_: T) {}

    sendable(encoder(size(16, 16), 100));
    sendable(decoder());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn mutated_frames_decode_or_fail_and_never_touch_the_picture_when_they_fail(
        mutations in prop::collection::vec((0..3usize, any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut frames = frames(&mut encoder(size(64, 48), 300), 0, 3);
        for (frame, at, value) in mutations {
            let at = at.index(frames[frame].len());
            frames[frame][at] = value;
        }
        if let Some(cut) = cut {
            let length = cut.index(frames[1].len());
            frames[1].truncate(length);
        }
        let mut decoder = Vp8Decoder::new(Vp8DecoderLimits { max_pixels: 1 << 16 }).unwrap();
        let mut picture = I420::black(size(2, 2));
        for frame in &frames {
            let before = picture.clone();
            match decoder.decode(frame, &mut picture) {
                Ok(Decoded::Picture) => prop_assert!(picture.size().pixels() <= 1 << 16),
                Ok(Decoded::Nothing) | Err(_) => prop_assert_eq!(&picture, &before),
            }
        }
    }

    #[test]
    fn arbitrary_bytes_behind_a_keyframe_header_decode_or_fail(rest in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut frame = vec![0x10, 0x01, 0x00, 0x9d, 0x01, 0x2a, 64, 0, 48, 0];
        frame.extend(rest);
        let mut picture = I420::black(size(2, 2));

        let decoded = decoder().decode(&frame, &mut picture);

        prop_assert!(decoded.is_err() || picture.size() == size(64, 48));
    }
}
