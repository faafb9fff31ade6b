//! Real Opus over a simulated path that loses ten percent: what in-band FEC brings back, and that
//! what is heard stays what was said.
//!
//! A talker says "na na na" on one note (200 Hz and its harmonics, four syllables a second) to one
//! listener. The same is done over a path that loses nothing, and the two are compared: how loud
//! it is, how much there is besides the harmonics, and how steep the waveform gets, since a click
//! is a step.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::f64::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioEncoder, Channels, SAMPLE_RATE_HZ, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::rtp::{RtpTimestamp, SeqNo};
use link::{Jitter, Link, LinkConfig, Loss, Random};
use mixer::audio::{
    AudioConfig, AudioCounters, AudioInput, AudioMixer, AudioPacket, AudioRung, PacketTime,
};
use mixer::{ParticipantId, RoomTime};

const SECONDS: u32 = 60;

const PITCH_HZ: f64 = 200.0;
const HARMONICS: [f64; 5] = [5_000.0, 3_000.0, 2_000.0, 1_000.0, 500.0];

/// A little noise: libopus adds copies to what it takes for speech, and not to music.
const BREATH: f64 = 200.0;

const TALKER: ParticipantId = ParticipantId(1);
const LISTENER: ParticipantId = ParticipantId(2);

/// Writes samples into the packet as they are: what the listener's own encoder would be given.
#[derive(Debug)]
struct Verbatim;

impl AudioEncoder for Verbatim {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(Self)
    }
}

/// What the listener got of a minute.
struct Heard {
    pcm: Vec<i16>,
    counters: AudioCounters,
}

fn hum(tick: u32, random: &mut Random) -> Vec<i16> {
    let first = f64::from(tick) * TICK_SAMPLES as f64;
    let mut sample = |n: usize| -> f64 {
        let seconds = (first + n as f64) / f64::from(SAMPLE_RATE_HZ);
        let syllable = (TAU * 2.0 * seconds).sin().powi(2);
        let voice: f64 = HARMONICS
            .iter()
            .zip(1..)
            .map(|(amplitude, harmonic)| {
                amplitude * (TAU * PITCH_HZ * f64::from(harmonic) * seconds).sin()
            })
            .sum();
        let breath = 2.0 * random.unit() - 1.0;
        syllable * voice + BREATH * breath
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 11 500")]
    let mut rounded = |n: usize| sample(n) as i16;
    (0..TICK_SAMPLES).map(&mut rounded).collect()
}

fn listen(config: LinkConfig, round_trip: Option<Duration>) -> Heard {
    let mut codec = OpusEncoderConfig::new(Channels::Mono, 32);
    codec.expected_loss_percent = 10;
    let mut encoder = OpusEncoder::new(codec).unwrap();
    let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(Verbatim));
    mixer.handle(AudioInput::AddTrack {
        participant: TALKER,
        decoder: Box::new(OpusDecoder::new(Channels::Mono).unwrap()),
    });
    mixer.handle(AudioInput::AddOutput {
        participant: LISTENER,
        rung: AudioRung::new(32, PacketTime::Ms20).unwrap(),
    });
    if let Some(rtt) = round_trip {
        mixer.handle(AudioInput::RoundTrip {
            participant: TALKER,
            rtt,
        });
    }
    let mut link = Link::new(config.clone(), 1);
    let mut answers: Link<u32> = Link::new(
        LinkConfig {
            delay: round_trip.unwrap_or_default(),
            ..config
        },
        2,
    );
    let mut random = Random::new(3);
    let mut sent: Vec<Bytes> = Vec::new();
    let mut pcm = Vec::new();

    for tick in 0..SECONDS * 50 {
        let now = Duration::from_millis(20) * tick;
        let mut payload = Vec::new();
        encoder
            .encode(&hum(tick, &mut random), &mut payload)
            .unwrap();
        link.send(now, payload.len(), tick);
        sent.push(payload.into());
        let arrivals: Vec<_> = link.deliver(now).chain(answers.deliver(now)).collect();
        for arrived in arrivals {
            mixer.handle(AudioInput::Packet {
                participant: TALKER,
                packet: AudioPacket {
                    seq: SeqNo(u16::try_from(arrived.packet).unwrap()),
                    timestamp: RtpTimestamp(arrived.packet * 960),
                    arrival: RoomTime::new(arrived.at),
                    payload: sent[usize::try_from(arrived.packet).unwrap()].clone(),
                },
            });
        }

        let output = mixer.tick(RoomTime::new(now));

        for (_, seq) in output.missing {
            answers.send(now, 100, u32::from(seq.0));
        }
        pcm.extend(
            output
                .packets()
                .next()
                .unwrap()
                .payload
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]])),
        );
    }
    Heard {
        pcm,
        counters: mixer.counters(TALKER).unwrap(),
    }
}

impl Heard {
    /// Seconds of sound, without the first, in which codec and delay settle.
    fn seconds(&self) -> impl Iterator<Item = &[i16]> {
        self.pcm
            .chunks_exact(usize::try_from(SAMPLE_RATE_HZ).unwrap())
            .skip(1)
    }

    /// The weakest and the strongest second of the hum as a whole, in dB of any reference.
    fn levels_db(&self) -> (f64, f64) {
        let levels = self.seconds().map(|second| {
            let power: f64 = second.iter().map(|&s| f64::from(s).powi(2)).sum();
            10.0 * power.max(1.0).log10()
        });
        levels.fold((f64::MAX, f64::MIN), |(least, most), level| {
            (least.min(level), most.max(level))
        })
    }

    /// How much of a packet's time is not the hum, in dB below it, on average: what is left of
    /// 20 ms when all harmonics are taken out.
    fn noise_db(&self) -> f64 {
        let (mut hum, mut rest) = (0.0, 0.0);
        for tick in self
            .seconds()
            .flat_map(|second| second.chunks_exact(TICK_SAMPLES))
        {
            let power: f64 = tick.iter().map(|&s| f64::from(s).powi(2)).sum();
            let harmonic: f64 = (1..=5)
                .map(|n| power_at(tick, PITCH_HZ * f64::from(n)))
                .sum();
            hum += harmonic;
            rest += (power - harmonic).max(0.0);
        }
        10.0 * (rest / hum).log10()
    }

    fn steepest(&self) -> i32 {
        self.pcm[48_000..]
            .windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max()
            .unwrap_or(0)
    }
}

/// The power of one frequency that fits a whole number of times into `samples`.
fn power_at(samples: &[i16], hz: f64) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (at, &sample) in samples.iter().enumerate() {
        let phase = TAU * hz * at as f64 / f64::from(SAMPLE_RATE_HZ);
        real += f64::from(sample) * phase.cos();
        imaginary += f64::from(sample) * phase.sin();
    }
    2.0 * (real * real + imaginary * imaginary) / samples.len() as f64
}

#[test]
fn ten_percent_loss_is_recovered_from_fec_and_the_voice_stays_a_voice() {
    let path = LinkConfig {
        delay: Duration::from_millis(25),
        jitter: Jitter::Uniform(Duration::from_millis(5)),
        ..LinkConfig::default()
    };
    let lossy = LinkConfig {
        loss: Loss::Random { share: 0.1 },
        ..path.clone()
    };

    let clean = listen(path, None);
    let mended = listen(lossy.clone(), None);
    let asked = listen(lossy, Some(Duration::from_millis(50)));

    // Of two packets lost in a row the first has no copy: 1 in 100. The sender leaves out some.
    let concealed = |heard: &Heard| heard.counters.concealed as f64 / heard.pcm.len() as f64;
    assert!(concealed(&mended) < 0.03, "{}", concealed(&mended));
    assert!(concealed(&asked) < 0.01, "{}", concealed(&asked));
    let recovered = mended.counters.recovered as f64 / (mended.counters.lost * 960) as f64;
    assert!(recovered > 0.75, "{recovered}");
    for heard in [&mended, &asked] {
        let (weakest_db, strongest_db) = heard.levels_db();
        let (weakest_clean_db, strongest_clean_db) = clean.levels_db();
        // A copy is coarser, and a tick concealed fades at worst: a second loses little by it.
        assert!(weakest_db > weakest_clean_db - 2.0, "{weakest_db}");
        assert!(strongest_db < strongest_clean_db + 0.5, "{strongest_db}");
        let more_noise_db = heard.noise_db() - clean.noise_db();
        assert!(more_noise_db < 1.5, "{more_noise_db}");
        let steeper = f64::from(heard.steepest()) / f64::from(clean.steepest());
        assert!(steeper < 1.1, "{steeper}");
    }
}
