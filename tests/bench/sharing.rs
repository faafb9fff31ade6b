//! What sharing saves: the audio ticks of a room of nine, through real Opus.
//!
//! All nine listen on one rung. Who speaks sends samples that a decoder only copies, so that the
//! figures are those of mixing and encoding. Budgets are ratios within one run:
//!
//! | who speaks | encodes | budget | why |
//! |---|---|---|---|
//! | all nine | 9 | | what a room costs in which each listener has an encoder |
//! | two | 3 | 0.45 of nine | a third, some room for what is not encoding |
//! | nobody | 0 | 0.05 of nine | silence is sent, but not encoded |

#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]

#[path = "../support/verbatim.rs"]
mod verbatim;

use std::hint::black_box;

use bytes::Bytes;
use codecs::audio::{Channels, TICK_SAMPLES};
use codecs::opus::{OpusEncoder, OpusEncoderConfig};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioRung, PacketTime, RecordedAudio};
use mixer::{ParticipantId, RoomTime};

use verbatim::Verbatim;

const PEOPLE: u32 = 9;

/// Ticks until whoever is silent shares, and silence costs nothing any more.
const SETTLING_TICKS: u64 = 50;

fn sharing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nine listen");
    group.throughput(Throughput::Elements(1)).sample_size(40);
    for speakers in [9, 2, 0] {
        let id = BenchmarkId::new("speak", speakers);
        group.bench_function(id, |bencher| {
            let mut room = Room::new(speakers);
            (0..SETTLING_TICKS).for_each(|_| room.tick());
            bencher.iter(|| room.tick());
        });
    }
    group.finish();
}

struct Room {
    mixer: AudioMixer,
    speakers: u32,
    tick: u64,
    /// A second of voice, a packet per tick.
    voice: Vec<Bytes>,
}

impl Room {
    fn new(speakers: u32) -> Self {
        let encoder = OpusEncoder::new(OpusEncoderConfig::new(Channels::Mono, 32)).unwrap();
        let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(encoder));
        let rung = AudioRung::new(32, PacketTime::Ms20).unwrap();
        for participant in (0..PEOPLE).map(ParticipantId) {
            let decoder = Box::new(Verbatim);
            mixer.handle(AudioInput::AddTrack {
                participant,
                decoder,
            });
            mixer.handle(AudioInput::AddOutput { participant, rung });
        }
        Self {
            mixer,
            speakers,
            tick: 0,
            voice: voice(),
        }
    }

    fn tick(&mut self) {
        let now = RoomTime::from_ms(self.tick * 20);
        for speaker in 0..self.speakers {
            // Everybody is somewhere else in what they say.
            let at = self.tick + 5 * u64::from(speaker);
            let at = usize::try_from(at).unwrap() % self.voice.len();
            self.mixer.handle(AudioInput::Recorded {
                participant: ParticipantId(speaker),
                packet: RecordedAudio {
                    time: now,
                    payload: self.voice[at].clone(),
                },
            });
        }
        self.tick += 1;
        let packets = self.mixer.tick(now).packets();
        assert_eq!(
            packets
                .map(|it| black_box(it).listeners.len())
                .sum::<usize>(),
            9
        );
    }
}

/// A buzz with a wandering pitch and some breath.
fn voice() -> Vec<Bytes> {
    let mut noise = 7_u32;
    let mut phase = 0.0_f64;
    let samples: Vec<i16> = (0..48_000)
        .map(|n| {
            let pitch_hz = 140.0 + 30.0 * (f64::from(n) / 9_000.0).sin();
            phase = (phase + pitch_hz / 48_000.0).fract();
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            #[expect(clippy::cast_possible_truncation, reason = "at most 2 000")]
            let buzz = ((1.0 - phase) * (phase * 40.0).sin() * 2_000.0) as i16;
            buzz + i16::from(noise.to_be_bytes()[0]) / 4
        })
        .collect();
    let tick = |pcm: &[i16]| pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    samples.chunks_exact(TICK_SAMPLES).map(tick).collect()
}

criterion_group!(benches, sharing);
criterion_main!(benches);
