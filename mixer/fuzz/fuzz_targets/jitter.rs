//! A live track takes any packets at any time, and every tick of it ends.
//!
//! The input is a list of operations, of up to eight bytes each: packets that follow the one
//! before or do not, ticks that are late or not, round trips, new decoders. Checked after each: no
//! packet is unaccounted for, nobody is asked for more than twice, no delay target beyond the
//! maximum, and the listener gets a whole tick.
#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioDecoder, AudioEncoder, TICK_SAMPLES};
use codecs::rtp::{RtpTimestamp, SeqNo};
use libfuzzer_sys::fuzz_target;
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioPacket, AudioRung, PacketTime};
use mixer::{ParticipantId, RoomTime};

const TALKER: ParticipantId = ParticipantId(0);

/// The first byte of a packet is its length in steps of 2.5 ms, the second its loudness. Length 0
/// is corrupt.
#[derive(Debug)]
struct Decoder;

impl AudioDecoder for Decoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        let samples = usize::from(packet[0] % 49) * 120;
        if samples == 0 {
            return Err(AudioCodecError::Corrupt("of no length".into()));
        }
        let loudness = i16::from(packet[1]) * 100;
        let wave = |at: usize| {
            if (at / 60).is_multiple_of(2) {
                loudness
            } else {
                -loudness
            }
        };
        pcm.extend((0..samples).map(wave));
        Ok(samples)
    }

    fn carries_copy(&self, packet: &[u8]) -> bool {
        packet[1].is_multiple_of(2)
    }

    fn recover(
        &mut self,
        _: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError> {
        self.conceal(samples, pcm)
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        assert!(samples > 0 && samples.is_multiple_of(120), "{samples}");
        pcm.resize(pcm.len() + samples, 1);
        Ok(samples)
    }
}

#[derive(Debug)]
struct Encoder;

impl AudioEncoder for Encoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        assert_eq!(pcm.len(), TICK_SAMPLES);
        packet.clear();
        packet.push(0);
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(Self)
    }
}

fuzz_target!(|operations: &[u8]| {
    let maximum = AudioConfig::default().jitter_maximum;
    let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(Encoder));
    add_track(&mut mixer);
    mixer.handle(AudioInput::AddOutput {
        participant: TALKER,
        rung: AudioRung::nearest(48, PacketTime::Ms20),
    });
    let (mut seq, mut timestamp, mut now) = (0u16, 0u32, Duration::ZERO);
    let (mut sent, mut resets) = (0, false);
    let mut asked: BTreeMap<u16, u32> = BTreeMap::new();

    for operation in operations.chunks(8) {
        let at = |index: usize| operation.get(index).copied().unwrap_or(0);
        match at(0) % 8 {
            0..=2 => {
                seq = seq.wrapping_add(u16::from(at(1) % 4));
                timestamp = timestamp.wrapping_add(u32::from(at(2) % 50) * 120);
            }
            3 => {
                seq = u16::from_be_bytes([at(1), at(2)]);
                timestamp = u32::from_be_bytes([at(3), at(4), at(5), at(6)]);
                resets = true;
            }
            4..=5 => {
                now += Duration::from_millis(u64::from(at(1) % 4) * 20);
                let tick = mixer.tick(RoomTime::new(now));
                assert_eq!(tick.packets().count(), 1);
                for (_, seq) in tick.missing {
                    *asked.entry(seq.0).or_default() += 1;
                }
                let delay = mixer.playout_delay(TALKER);
                assert!(delay.is_none_or(|delay| delay.target <= maximum));
                continue;
            }
            6 => {
                mixer.handle(AudioInput::RoundTrip {
                    participant: TALKER,
                    rtt: Duration::from_millis(u64::from(at(1))),
                });
                continue;
            }
            _ => {
                add_track(&mut mixer);
                resets = true;
                continue;
            }
        }
        sent += 1;
        mixer.handle(AudioInput::Packet {
            participant: TALKER,
            packet: AudioPacket {
                seq: SeqNo(seq),
                timestamp: RtpTimestamp(timestamp),
                arrival: RoomTime::new(now) - Duration::from_millis(u64::from(at(7))),
                payload: Bytes::copy_from_slice(&[at(3), at(4)]),
            },
        });
    }

    let counters = mixer.counters(TALKER).expect("is in the room");
    assert_eq!(counters.received, sent);
    assert!(counters.late + counters.duplicate + counters.dropped <= sent);
    // A number that begins anew may be asked for anew.
    assert!(resets || asked.values().all(|&times| times <= 2) || sent > 1 << 14);
});

fn add_track(mixer: &mut AudioMixer) {
    mixer.handle(AudioInput::AddTrack {
        participant: TALKER,
        decoder: Box::new(Decoder),
    });
}
