//! A room in virtual time.

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::{
    AudioConfig, AudioInput, AudioMixer, AudioPacket, AudioRung, Level, Muted, PacketTime,
};
use mixer::{ParticipantId, RoomTime};

use crate::fake::{PcmDecoder, packet};

/// Samples per channel of a tick.
pub(crate) const TICK: usize = 960;

/// Writes samples as the fake decoder reads them.
#[derive(Clone, Debug)]
pub(crate) struct PcmEncoder;

/// What everybody hears unless a test says otherwise: a packet per tick.
pub(crate) fn rung() -> AudioRung {
    AudioRung::new(32, PacketTime::Ms20).expect("within the range")
}

impl AudioEncoder for PcmEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        Box::new(self.clone())
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

/// One packet, kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packet {
    pub(crate) listeners: Vec<u32>,
    pub(crate) first_sample: u64,
    pub(crate) payload: Vec<u8>,
}

impl Room {
    pub(crate) fn new(channels: Channels) -> Self {
        Self::with(Box::new(PcmEncoder), channels)
    }

    pub(crate) fn with(encoder: Box<dyn AudioEncoder>, channels: Channels) -> Self {
        let config = AudioConfig {
            channels,
            ..AudioConfig::default()
        };
        Self::of_config(encoder, config)
    }

    pub(crate) fn of_config(encoder: Box<dyn AudioEncoder>, config: AudioConfig) -> Self {
        let channels = config.channels;
        Self {
            mixer: AudioMixer::new(config, encoder),
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
            rung: rung(),
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

    /// Lets the time of `ticks` pass without one.
    pub(crate) fn skip(&mut self, ticks: u64) {
        self.tick += ticks;
    }

    /// The packets of the next tick.
    pub(crate) fn packets(&mut self) -> Vec<Packet> {
        let now = self.now();
        self.tick += 1;
        let packets = self.mixer.tick(now).packets();
        packets
            .map(|packet| Packet {
                listeners: packet.listeners.iter().map(|id| id.0).collect(),
                first_sample: packet.first_sample,
                payload: packet.payload.to_vec(),
            })
            .collect()
    }

    pub(crate) fn set_rung(&mut self, id: u32, rung: AudioRung) {
        let participant = ParticipantId(id);
        self.mixer.handle(AudioInput::SetRung { participant, rung });
    }

    pub(crate) fn mute(&mut self, id: u32, muted: Muted) {
        let participant = ParticipantId(id);
        self.mixer.handle(AudioInput::Mute { participant, muted });
    }

    pub(crate) fn tick(&mut self) -> Heard {
        let now = self.now();
        self.tick += 1;
        let tick = self.mixer.tick(now);
        let mut outputs: Vec<_> = tick
            .packets()
            .flat_map(|packet| {
                let pcm = samples(packet.payload);
                let listeners = packet.listeners.iter();
                listeners.map(move |&listener| (listener, pcm.clone()))
            })
            .collect();
        outputs.sort();
        Heard {
            outputs,
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

pub(crate) fn samples(payload: &[u8]) -> Vec<i16> {
    payload
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}
