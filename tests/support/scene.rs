//! One talker and one listener in a room with real Opus, in virtual time, and what the listener
//! hears when something changes.
//!
//! The talker says "na na na": 200 Hz and its harmonics, and some breath.

use std::f64::consts::TAU;

use bytes::Bytes;
use codecs::audio::{AudioDecoder, Channels, SAMPLE_RATE_HZ, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioRung, Muted, RecordedAudio};
use mixer::{ParticipantId, RoomTime};

use super::verbatim::Verbatim;

const TALKER: ParticipantId = ParticipantId(1);
const LISTENER: ParticipantId = ParticipantId(2);
const OTHER: ParticipantId = ParticipantId(3);

/// Eight seconds, of which the first two are for settling.
pub(crate) const TICKS: u64 = 400;
const SETTLED_TICK: u64 = 100;
pub(crate) const FIRST_SECOND: u64 = 50;

/// What is compared: 5 ms.
const WINDOW: usize = 240;
const WINDOWS_PER_TICK: usize = TICK_SAMPLES / WINDOW;

#[derive(Clone, Copy)]
pub(crate) enum Change {
    Talker(Muted),
    Listener(Muted),
    Rung(AudioRung),
}

/// What the listener got.
pub(crate) struct Heard {
    pub(crate) pcm: Vec<i16>,
    pub(crate) packets: Vec<Vec<u8>>,
}

/// A listener in a room, alone on their rung or with another on one that is named.
pub(crate) struct Scene<'a> {
    pub(crate) rung: AudioRung,
    pub(crate) with: Option<AudioRung>,
    pub(crate) changes: &'a [(u64, Change)],
    /// Of the breath of the first second.
    pub(crate) seed: u32,
}

impl Scene<'_> {
    pub(crate) fn alone(rung: AudioRung) -> Self {
        Self {
            rung,
            with: None,
            changes: &[],
            seed: 1,
        }
    }

    pub(crate) fn play(&self) -> Heard {
        let config = OpusEncoderConfig::new(Channels::Mono, 32);
        let encoder = Box::new(OpusEncoder::new(config).unwrap());
        let mut mixer = AudioMixer::new(AudioConfig::default(), encoder);
        for participant in [TALKER, LISTENER] {
            let decoder = Box::new(Verbatim);
            mixer.handle(AudioInput::AddTrack {
                participant,
                decoder,
            });
        }
        let listeners = [(LISTENER, Some(self.rung)), (OTHER, self.with)];
        for (participant, rung) in listeners {
            if let Some(rung) = rung {
                mixer.handle(AudioInput::AddOutput { participant, rung });
            }
        }
        apply(&mut mixer, Change::Listener(Muted::Yes));
        let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
        let (mut breath, mut other_breath) = (self.seed, 2);
        let (mut pcm, mut packets) = (Vec::new(), Vec::new());

        for tick in 0..TICKS {
            let changes = self.changes.iter().filter(|(at, _)| *at == tick);
            changes.for_each(|(_, change)| apply(&mut mixer, *change));
            if tick == FIRST_SECOND {
                breath = 77;
            }
            let now = RoomTime::from_ms(tick * 20);
            let voices = [
                (TALKER, hum(200.0, tick, &mut breath)),
                (LISTENER, hum(310.0, tick, &mut other_breath)),
            ];
            for (participant, voice) in voices {
                let payload = Bytes::from_iter(voice.iter().flat_map(|s| s.to_le_bytes()));
                mixer.handle(AudioInput::Recorded {
                    participant,
                    packet: RecordedAudio { time: now, payload },
                });
            }
            for packet in mixer.tick(now).packets() {
                if packet.listeners.contains(&LISTENER) {
                    let begin = usize::try_from(packet.first_sample).unwrap();
                    // Pauses are silence, and a packet that begins one is as long as any.
                    pcm.resize(begin, 0);
                    decoder.decode(packet.payload, &mut pcm).unwrap();
                    pcm.resize(begin + packet.packet_time.samples(), 0);
                    packets.push(packet.payload.to_vec());
                }
            }
        }
        Heard { pcm, packets }
    }
}

fn apply(mixer: &mut AudioMixer, change: Change) {
    mixer.handle(match change {
        Change::Talker(muted) => AudioInput::Mute {
            participant: TALKER,
            muted,
        },
        Change::Listener(muted) => AudioInput::Mute {
            participant: LISTENER,
            muted,
        },
        Change::Rung(rung) => AudioInput::SetRung {
            participant: LISTENER,
            rung,
        },
    });
}

pub(crate) fn hum(pitch_hz: f64, tick: u64, breath: &mut u32) -> Vec<i16> {
    const HARMONICS: [f64; 5] = [4_000.0, 2_500.0, 1_600.0, 800.0, 400.0];
    let first = tick as f64 * TICK_SAMPLES as f64;
    let mut sample = |n: usize| {
        let seconds = (first + n as f64) / f64::from(SAMPLE_RATE_HZ);
        let syllable = 0.3 + 0.7 * (TAU * 2.0 * seconds).sin().powi(2);
        let wander = 1.0 + 0.01 * (TAU * 0.7 * seconds).sin();
        let voice: f64 = HARMONICS
            .iter()
            .zip(1..)
            .map(|(loud, n)| loud * (TAU * pitch_hz * wander * f64::from(n) * seconds).sin())
            .sum();
        *breath = breath.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let breath = f64::from(*breath >> 16) / 65_536.0 * 400.0 - 200.0;
        #[expect(clippy::cast_possible_truncation, reason = "at most 9 500")]
        let sample = (syllable * (voice + breath)) as i16;
        sample
    };
    (0..TICK_SAMPLES).map(&mut sample).collect()
}

impl Heard {
    /// How much of each window differs from what `other` heard then, in dB of any reference.
    pub(crate) fn unlike_db(&self, other: &Self) -> Vec<f64> {
        let pairs = self.pcm.iter().zip(&other.pcm);
        let differences: Vec<f64> = pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
        differences.chunks_exact(WINDOW).map(power_db).collect()
    }

    /// How much of each window is high.
    pub(crate) fn high_db(&self) -> Vec<f64> {
        let bends: Vec<f64> = self
            .pcm
            .windows(3)
            .map(|it| f64::from(it[0]) - 2.0 * f64::from(it[1]) + f64::from(it[2]))
            .collect();
        bends.chunks_exact(WINDOW).map(power_db).collect()
    }
}

fn power_db(samples: &[f64]) -> f64 {
    let power: f64 = samples.iter().map(|sample| sample * sample).sum();
    10.0 * (power / samples.len() as f64).max(1.0).log10()
}

/// The loudest window from when everything has settled.
pub(crate) fn loudest(windows: &[f64]) -> f64 {
    let settled = usize::try_from(SETTLED_TICK).unwrap() * WINDOWS_PER_TICK;
    windows[settled..].iter().copied().fold(0.0, f64::max)
}
