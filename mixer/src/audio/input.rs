//! What can happen to a room's audio.

use std::time::Duration;

use bytes::Bytes;
use codecs::audio::AudioDecoder;
use codecs::rtp::{RtpTimestamp, SeqNo};

use crate::audio::AudioRung;
use crate::{ParticipantId, RoomTime};

/// Something that happened to a room's audio. What names an unknown participant is ignored and
/// counted in [`AudioMixer::ignored`](super::AudioMixer::ignored).
#[derive(Debug)]
pub enum AudioInput {
    /// The participant begins to send, or begins anew: a track it had is replaced, with its
    /// buffers. Whoever is muted stays muted.
    AddTrack {
        /// Who sends.
        participant: ParticipantId,
        /// Decodes what it sends, to the mixer's channels.
        decoder: Box<dyn AudioDecoder>,
    },
    /// The participant sends no more; it is silent from the next tick on.
    RemoveTrack {
        /// Who sent.
        participant: ParticipantId,
    },
    /// The participant begins to listen, or begins anew.
    AddOutput {
        /// Who listens.
        participant: ParticipantId,
        /// How what it hears is encoded.
        rung: AudioRung,
    },
    /// A listener goes over to another rung, where packets of both begin: in at most 120 ms.
    SetRung {
        /// Who listens.
        participant: ParticipantId,
        /// How what it hears is to be encoded.
        rung: AudioRung,
    },
    /// The participant listens no more.
    RemoveOutput {
        /// Who listened.
        participant: ParticipantId,
    },
    /// A live packet, in whatever order the network brought it.
    Packet {
        /// Who sent it.
        participant: ParticipantId,
        /// The packet.
        packet: AudioPacket,
    },
    /// How long a packet takes to the participant and back, as last measured. Without it nothing
    /// is asked for again.
    RoundTrip {
        /// Who sends.
        participant: ParticipantId,
        /// The round trip.
        rtt: Duration,
    },
    /// Sound is to be kept back for at least so long, because the picture that belongs to it takes
    /// longer to get here; 200 ms at most, beyond which it is the lesser evil to be early. At first
    /// there is no such delay.
    LeastDelay {
        /// Who sends.
        participant: ParticipantId,
        /// From the arrival of a packet on the fastest path to when it plays.
        delay: Duration,
    },
    /// A packet of a recording, in order. A track is fed either live or from a recording: its
    /// first packet decides, and packets of the other kind are dropped.
    Recorded {
        /// Whose recording.
        participant: ParticipantId,
        /// The packet.
        packet: RecordedAudio,
    },
    /// Silences the participant's track, or ends that. Takes effect over one tick.
    Mute {
        /// Whose track.
        participant: ParticipantId,
        /// Silent or not.
        muted: Muted,
    },
}

/// Whether a track is kept silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Muted {
    /// It contributes nothing.
    Yes,
    /// It is heard.
    #[default]
    No,
}

/// One RTP packet of a live track, header taken apart.
#[derive(Clone, Debug)]
pub struct AudioPacket {
    /// Its place in the stream.
    pub seq: SeqNo,
    /// Its media time at 48 kHz (RFC 7587 §4.1).
    pub timestamp: RtpTimestamp,
    /// When it reached this machine.
    pub arrival: RoomTime,
    /// One codec packet. Empty counts as corrupt.
    pub payload: Bytes,
}

/// One packet of a recording.
#[derive(Clone, Debug)]
pub struct RecordedAudio {
    /// When it is to be heard.
    pub time: RoomTime,
    /// One codec packet.
    pub payload: Bytes,
}
