//! What one frame and one packet cost.
//!
//! Absolute times are the machine's; what must hold on every machine are ratios within one run:
//!
//! | piece | budget | why |
//! |---|---|---|
//! | decode 640x360 | 1/8 of encode 1280x720 | nine sources cost no more than the one encode |
//! | scale 1280x720 by half | 1/50 of decode 1280x720 | exact ratios are nearly free |
//! | scale 640x360 to 426x240 | 1/2 of decode 640x360 | scaling stays below decoding |
//! | Opus decode | 1/4 of Opus encode | encoders set the price of a listener |
#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]

#[expect(dead_code, reason = "shared with tests")]
#[path = "../tests/synthetic/picture.rs"]
mod picture;
#[expect(dead_code, reason = "shared with tests")]
#[path = "../tests/synthetic/sound.rs"]
mod sound;

use codecs::audio::{AudioDecoder, AudioEncoder, Channels, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::scale::PlainScaler;
use codecs::video::{FrameKind, I420, PictureSize, Scaler, VideoDecoder, VideoEncoder};
use codecs::vp8::{CpuUsed, Vp8Decoder, Vp8DecoderLimits, Vp8Encoder, Vp8EncoderConfig};
use codecs::yuv::YuvScaler;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use picture::{moving_picture, size};

const PICTURES: usize = 30;
const TICKS_PER_PICTURE: u64 = 3_000;

/// Size, bitrate in kb/s and `cpu_used` of an encode.
type Rung = (PictureSize, u32, i32);

fn encoder((size, bitrate_kbps, cpu_used): Rung) -> Vp8Encoder {
    let cpu_used = CpuUsed::new(cpu_used).unwrap();
    Vp8Encoder::new(Vp8EncoderConfig {
        cpu_used,
        ..Vp8EncoderConfig::new(size, bitrate_kbps)
    })
    .unwrap()
}

fn pictures(size: PictureSize) -> Vec<I420> {
    (0..PICTURES)
        .map(|step| moving_picture(size, step))
        .collect()
}

/// One pass over pictures that came before, in running time.
fn encode(encoder: &mut Vp8Encoder, pictures: &[I420], time: &mut u64, frame: &mut Vec<u8>) {
    for picture in pictures {
        encoder
            .encode(picture, *time, FrameKind::Delta, frame)
            .unwrap();
        *time += TICKS_PER_PICTURE;
    }
}

fn vp8_encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("vp8_encode");
    group
        .throughput(Throughput::Elements(PICTURES as u64))
        .sample_size(10);
    let rungs = [
        (size(1280, 720), 1_500, -8),
        (size(1280, 720), 1_500, -16),
        (size(640, 360), 300, -8),
    ];
    for rung in rungs {
        let pictures = pictures(rung.0);
        let (mut encoder, mut time, mut frame) = (encoder(rung), 0, Vec::new());
        let id = BenchmarkId::new(rung.0.to_string(), rung.2);
        group.bench_function(id, |bencher| {
            bencher.iter(|| encode(&mut encoder, &pictures, &mut time, &mut frame));
        });
    }
    group.finish();
}

fn vp8_decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("vp8_decode");
    group
        .throughput(Throughput::Elements(PICTURES as u64))
        .sample_size(20);
    for (size, bitrate_kbps) in [(size(1280, 720), 1_500), (size(640, 360), 600)] {
        let mut encoder = encoder((size, bitrate_kbps, -8));
        let frames: Vec<Vec<u8>> = pictures(size)
            .iter()
            .enumerate()
            .map(|(step, picture)| {
                let (time, mut frame) = (step as u64 * TICKS_PER_PICTURE, Vec::new());
                encoder
                    .encode(picture, time, FrameKind::Delta, &mut frame)
                    .unwrap();
                frame
            })
            .collect();
        let mut decoder = Vp8Decoder::new(Vp8DecoderLimits::default()).unwrap();
        let mut picture = I420::black(size);
        group.bench_function(size.to_string(), |bencher| {
            bencher.iter(|| {
                for frame in &frames {
                    decoder.decode(frame, &mut picture).unwrap();
                }
            });
        });
    }
    group.finish();
}

fn scale(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scale");
    let rows = [
        (size(1280, 720), size(640, 360)),
        (size(640, 360), size(480, 270)),
        (size(640, 360), size(426, 240)),
        (size(640, 360), size(256, 144)),
    ];
    let scalers: [(&str, Box<dyn Scaler>); 2] = [
        ("yuv", Box::new(YuvScaler::new())),
        ("plain", Box::new(PlainScaler::new())),
    ];
    for (name, mut scaler) in scalers {
        for (from, to) in rows {
            let (from, mut to) = (moving_picture(from, 0), I420::black(to));
            let id = BenchmarkId::new(name, format!("{} to {}", from.size(), to.size()));
            group.bench_function(id, |bencher| {
                bencher.iter(|| scaler.scale(from.view(), to.view_mut()));
            });
        }
    }
    group.finish();
}

fn opus(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("opus");
    let voice = sound::voice();
    let ticks: Vec<&[i16]> = voice.chunks_exact(TICK_SAMPLES).collect();
    group
        .throughput(Throughput::Elements(ticks.len() as u64))
        .sample_size(20);

    let config = OpusEncoderConfig {
        expected_loss_percent: 10,
        ..OpusEncoderConfig::new(Channels::Mono, 32)
    };
    let mut encoder = OpusEncoder::new(config).unwrap();
    let mut packet = Vec::new();
    group.bench_function("encode mono 32k", |bencher| {
        bencher.iter(|| {
            for pcm in &ticks {
                encoder.encode(pcm, &mut packet).unwrap();
            }
        });
    });

    let packets: Vec<Vec<u8>> = ticks
        .iter()
        .map(|pcm| {
            encoder.encode(pcm, &mut packet).unwrap();
            packet.clone()
        })
        .collect();
    let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
    let mut pcm = Vec::new();
    group.bench_function("decode mono 32k", |bencher| {
        bencher.iter(|| {
            for packet in &packets {
                pcm.clear();
                decoder.decode(packet, &mut pcm).unwrap();
            }
        });
    });
    group.finish();
}

criterion_group!(benches, vp8_encode, vp8_decode, scale, opus);
criterion_main!(benches);
