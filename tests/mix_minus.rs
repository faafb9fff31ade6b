//! Everybody hears everybody else and not oneself, through real Opus both ways.
//!
//! Participant n sends a steady tone of its own. What each listener gets is decoded again and
//! measured with the Goertzel algorithm at every tone. Exactness is shown in the mixer's own tests
//! with codecs that copy; here the thresholds are those that Opus at 32 kb/s leaves room for:
//! coding noise grows with the number of tones, so one's own tone is at least 30 dB below the
//! weakest of the others, and those are within 3 dB of each other's mean.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::f64::consts::TAU;

use bytes::Bytes;
use codecs::audio::{AudioDecoder, AudioEncoder, Channels, SAMPLE_RATE_HZ, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioPacket, AudioRung, PacketTime};
use mixer::{ParticipantId, RoomTime};

/// Ticks of 20 ms: codecs and jitter buffers settle in the first, the last are measured.
const TICKS: u32 = 150;
const MEASURED_TICKS: usize = 50;

/// Nine of these together stay below full scale, so the limiter has nothing to do.
const AMPLITUDE: f64 = 3_000.0;

/// No harmonics of each other; each fits a whole number of times into a second.
const TONES_HZ: [f64; 9] = [
    300.0, 370.0, 460.0, 570.0, 710.0, 890.0, 1_110.0, 1_390.0, 1_730.0,
];

fn tone(hz: f64, tick: u32) -> Vec<i16> {
    let first = f64::from(tick) * TICK_SAMPLES as f64;
    let sample = |n: usize| {
        let phase = TAU * hz * (first + n as f64) / f64::from(SAMPLE_RATE_HZ);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the amplitude fits 16 bits"
        )]
        let sample = (AMPLITUDE * phase.sin()) as i16;
        sample
    };
    (0..TICK_SAMPLES).map(sample).collect()
}

/// Level of one frequency in dB, of any reference.
fn level_db(samples: &[i16], hz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hz / f64::from(SAMPLE_RATE_HZ)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (f64::from(*sample) + coefficient * last - before, last);
    }
    let power = last * last + before * before - coefficient * last * before;
    10.0 * power.max(1e-9).log10()
}

/// What each of `count` participants hears, decoded.
fn confer(count: usize) -> Vec<Vec<i16>> {
    let codec = OpusEncoderConfig::new(Channels::Mono, 32);
    let mut mixer = AudioMixer::new(
        AudioConfig::default(),
        Box::new(OpusEncoder::new(codec).unwrap()),
    );
    let ids: Vec<ParticipantId> = (0..).map(ParticipantId).take(count).collect();
    let mut senders: Vec<OpusEncoder> = Vec::new();
    for participant in ids.iter().copied() {
        let decoder = Box::new(OpusDecoder::new(Channels::Mono).unwrap());
        mixer.handle(AudioInput::AddTrack {
            participant,
            decoder,
        });
        mixer.handle(AudioInput::AddOutput {
            participant,
            rung: AudioRung::new(32, PacketTime::Ms20).unwrap(),
        });
        senders.push(OpusEncoder::new(codec).unwrap());
    }
    let mut listeners: Vec<OpusDecoder> = ids
        .iter()
        .map(|_| OpusDecoder::new(Channels::Mono).unwrap())
        .collect();
    let mut heard = vec![Vec::new(); count];

    for tick in 0..TICKS {
        let now = RoomTime::from_ms(20 * u64::from(tick));
        for ((participant, sender), hz) in ids.iter().zip(&mut senders).zip(TONES_HZ) {
            let mut payload = Vec::new();
            sender.encode(&tone(hz, tick), &mut payload).unwrap();
            let packet = AudioPacket {
                seq: SeqNo(u16::try_from(tick).unwrap()),
                timestamp: RtpTimestamp(tick * 960),
                arrival: now,
                payload: Bytes::from(payload),
            };
            mixer.handle(AudioInput::Packet {
                participant: *participant,
                packet,
            });
        }
        for packet in mixer.tick(now).packets() {
            for listener in packet.listeners {
                let n = ids.iter().position(|id| id == listener).unwrap();
                listeners[n].decode(packet.payload, &mut heard[n]).unwrap();
            }
        }
    }
    heard
}

#[test]
fn ones_own_tone_stays_thirty_db_below_the_others_for_up_to_nine() {
    for count in [2, 3, 5, 9] {
        for (own, heard) in confer(count).iter().enumerate() {
            let measured = &heard[heard.len() - MEASURED_TICKS * TICK_SAMPLES..];
            let levels: Vec<f64> = TONES_HZ[..count]
                .iter()
                .map(|hz| level_db(measured, *hz))
                .collect();

            let others: Vec<f64> = levels
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != own)
                .map(|(_, db)| *db)
                .collect();
            let mean = others.iter().sum::<f64>() / others.len() as f64;
            let weakest = others.iter().copied().fold(f64::INFINITY, f64::min);
            for db in &others {
                assert!(
                    (db - mean).abs() < 3.0,
                    "{count} participants, {own} hears {levels:.1?}"
                );
            }
            assert!(
                levels[own] < weakest - 30.0,
                "{count} participants, {own} hears {levels:.1?}"
            );
        }
    }
}
