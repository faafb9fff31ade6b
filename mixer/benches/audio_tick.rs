//! What a tick costs beyond the codecs: jitter buffers, mixing, limiting, levels.
//!
//! The codecs here copy samples, so the figure is the mixer's own. Budget: the codec work of one
//! listener (decode 32 us, encode 235 us for 20 ms of mono Opus) is not to be visible beside it, so
//! one participant's share of a tick stays under 10 us. Shortening a delay searches for a splice
//! on top, which no steady stream needs: it may cost as much as decoding does.

#[path = "../tests/audio/fake.rs"]
mod fake;

use std::hint::black_box;

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioPacket, AudioRung, PacketTime};
use mixer::{ParticipantId, RoomTime};

use crate::fake::{PcmDecoder, packet};

/// Looks at one sample, so that nothing is optimized away and nothing is measured of it.
#[derive(Debug)]
struct NoEncoder;

impl AudioEncoder for NoEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.push(black_box(pcm)[0].to_le_bytes()[0]);
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(Self)
    }
}

fn audio_tick(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("audio_tick");
    for (loudness, amplitude) in [("calm", 1_000i16), ("limiting", 12_000)] {
        for count in [9u32, 25] {
            group.throughput(Throughput::Elements(u64::from(count)));
            group.bench_function(BenchmarkId::new(loudness, count), |bencher| {
                let mut room = Room::new(count, amplitude);
                bencher.iter(|| room.tick());
            });
        }
    }
    // Every talker's clock runs a third too fast, so that every track is shortened all the time.
    for count in [9u32, 25] {
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(BenchmarkId::new("shortening", count), |bencher| {
            let mut room = Room::new(count, 1_000);
            bencher.iter(|| {
                if room.tick.is_multiple_of(3) {
                    room.send();
                }
                room.tick();
            });
            let counters = room.mixer.counters(ParticipantId(0)).expect("has joined");
            assert!(room.tick < 100 || counters.accelerated > 0, "{counters:?}");
        });
    }
    group.finish();
}

struct Room {
    mixer: AudioMixer,
    count: u32,
    tick: u32,
    seq: u16,
    /// Packets sent by each.
    sent: u32,
    payload: Bytes,
}

impl Room {
    fn new(count: u32, amplitude: i16) -> Self {
        let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(NoEncoder));
        for id in 0..count {
            let participant = ParticipantId(id);
            mixer.handle(AudioInput::AddTrack {
                participant,
                decoder: Box::new(PcmDecoder(Channels::Mono)),
            });
            mixer.handle(AudioInput::AddOutput {
                participant,
                rung: AudioRung::nearest(48, PacketTime::Ms20),
            });
        }
        // A square wave of 400 Hz.
        let wave: Vec<i16> = (0..960)
            .map(|at| {
                if at / 60 % 2 == 0 {
                    amplitude
                } else {
                    -amplitude
                }
            })
            .collect();
        Self {
            mixer,
            count,
            tick: 0,
            seq: 0,
            sent: 0,
            payload: packet(&wave),
        }
    }

    fn tick(&mut self) {
        self.send();
        black_box(self.mixer.tick(self.now()).packets().count());
        self.tick = self.tick.wrapping_add(1);
    }

    fn now(&self) -> RoomTime {
        RoomTime::from_ms(u64::from(self.tick) * 20)
    }

    /// Sends everybody's next packet.
    fn send(&mut self) {
        let now = self.now();
        for id in 0..self.count {
            self.mixer.handle(AudioInput::Packet {
                participant: ParticipantId(id),
                packet: AudioPacket {
                    seq: SeqNo(self.seq),
                    timestamp: RtpTimestamp(self.sent.wrapping_mul(960)),
                    arrival: now,
                    payload: self.payload.clone(),
                },
            });
        }
        self.seq = self.seq.wrapping_add(1);
        self.sent = self.sent.wrapping_add(1);
    }
}

criterion_group!(benches, audio_tick);
criterion_main!(benches);
