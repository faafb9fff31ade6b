//! A room in virtual time.

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioPacket, Level};
use mixer::{ParticipantId, RoomTime};

use crate::fake::{PcmDecoder, packet};

/// Samples per channel of a tick.
pub(crate) const TICK: usize = 960;

/// Writes samples as the fake decoder reads them.
#[derive(Debug)]
pub(crate) struct PcmEncoder;

impl AudioEncoder for PcmEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        Ok(())
    }
}

/// A mixer and the number of its next tick.
pub(crate) struct Room {
    pub(crate) mixer: AudioMixer,
    channels: Channels,
    tick: u64,
}

/// What one tick gave out, kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) outputs: Vec<(ParticipantId, Vec<i16>)>,
    pub(crate) active_speaker: Option<ParticipantId>,
    pub(crate) levels: Vec<(ParticipantId, Level)>,
}

impl Room {
    pub(crate) fn new(channels: Channels) -> Self {
        Self {
            mixer: AudioMixer::new(AudioConfig {
                channels,
                ..AudioConfig::default()
            }),
            channels,
            tick: 0,
        }
    }

    /// A room in which participants 0 to `count` send and listen.
    pub(crate) fn of(count: u32, channels: Channels) -> Self {
        let mut room = Self::new(channels);
        (0..count).for_each(|id| room.join(id));
        room
    }

    pub(crate) fn join(&mut self, id: u32) {
        let participant = ParticipantId(id);
        self.mixer.handle(AudioInput::AddTrack {
            participant,
            decoder: Box::new(PcmDecoder(self.channels)),
        });
        self.mixer.handle(AudioInput::AddOutput {
            participant,
            encoder: Box::new(PcmEncoder),
        });
    }

    pub(crate) fn now(&self) -> RoomTime {
        RoomTime::from_ms(self.tick * 20)
    }

    /// Sends packet `seq` of a stream of whole ticks, arriving now.
    pub(crate) fn send(&mut self, id: u32, seq: usize, pcm: &[i16]) {
        self.send_bytes(id, seq, packet(pcm));
    }

    pub(crate) fn send_bytes(&mut self, id: u32, seq: usize, payload: Bytes) {
        let packet = AudioPacket {
            seq: SeqNo((seq % (1 << 16)) as u16),
            timestamp: RtpTimestamp((seq * TICK) as u32),
            arrival: self.now(),
            payload,
        };
        self.mixer.handle(AudioInput::Packet {
            participant: ParticipantId(id),
            packet,
        });
    }

    pub(crate) fn tick(&mut self) -> Heard {
        let now = self.now();
        self.tick += 1;
        let tick = self.mixer.tick(now);
        Heard {
            outputs: tick
                .packets
                .iter()
                .map(|packet| (packet.participant, samples(&packet.payload)))
                .collect(),
            active_speaker: tick.active_speaker,
            levels: tick.levels.to_vec(),
        }
    }
}

impl Heard {
    /// What `id` hears.
    pub(crate) fn by(&self, id: u32) -> &[i16] {
        let found = self.outputs.iter().find(|(to, _)| *to == ParticipantId(id));
        &found.expect("has an output").1
    }
}

fn samples(payload: &[u8]) -> Vec<i16> {
    payload
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}
