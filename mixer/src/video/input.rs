//! What one can tell the video mixer.

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use codecs::video::{PictureSize, Scaler, VideoDecoder, VideoEncoder};

use super::orientation::Orientation;
use crate::{ParticipantId, RoomTime};

/// Names one rung of the ladder. The driver chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RungId(pub u64);

/// The marker bit of an RTP header (RFC 7741 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Set: the packet is the last of its frame.
    Last,
    /// Not set: more packets of the frame follow.
    NotLast,
}

/// Whether a participant's endpoint is reachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It is heard from.
    #[default]
    Present,
    /// It has gone silent: its last picture must not pass for a live one.
    Absent,
}

/// Whether a participant wants to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Camera {
    /// Show what it sends.
    #[default]
    On,
    /// Show a placeholder, whatever it sends.
    Off,
}

/// One RTP packet of a live track, header taken apart, in whatever order it came.
#[derive(Clone, Debug)]
pub struct VideoPacket {
    /// Sequence number of the header.
    pub seq: SeqNo,
    /// Media time of the header, 90 kHz.
    pub timestamp: RtpTimestamp,
    /// Marker bit of the header.
    pub marker: Marker,
    /// When the packet reached us.
    pub arrival: RoomTime,
    /// How the frame is to be turned, if the packet says so. What is said in any packet of a frame
    /// is true of all of it, and of the frames after it up to the next keyframe; a keyframe that
    /// says nothing stands upright.
    pub orientation: Option<Orientation>,
    /// The payload: VP8 payload descriptor and VP8 data (RFC 7741 §4). Empty for padding.
    pub payload: Bytes,
}

/// One whole frame of a recording.
#[derive(Clone, Debug)]
pub struct RecordedFrame {
    /// When the frame is to be shown.
    pub time: RoomTime,
    /// The encoded frame.
    pub data: Bytes,
}

/// Who is shown on a rung, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arrangement {
    /// Everybody alike.
    #[default]
    Grid,
    /// One participant large, the others small beside and below.
    SpeakerLarge,
    /// One participant on all of the canvas.
    SpeakerAlone,
}

/// Whom a rung shows large, if it shows anybody so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Focus {
    /// Who is pinned for the room, else the active speaker: for everybody else.
    #[default]
    Speaker,
    /// For the one whom that is: the active speaker, or who spoke before.
    SpeakerBefore,
    /// This participant, whoever speaks; without them, as [`Focus::Speaker`].
    On(ParticipantId),
}

/// Which of a rung's frames can be decoded by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyframes {
    /// The first one, and those that viewers ask for.
    #[default]
    OnRequest,
    /// All of them: stills. A request is answered by the next one.
    Always,
}

/// What a rung encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RungConfig {
    /// Size of the canvas.
    pub size: PictureSize,
    /// Time between two frames in ticks of 90 kHz; 3000 is 30 fps. No rung is faster than the
    /// mixer ticks, and 0 means every tick.
    pub frame_interval: u32,
    /// Target bitrate in kb/s, told to the encoder when the rung is added.
    pub bitrate_kbps: u32,
    /// Who is shown, and how large.
    pub arrangement: Arrangement,
    /// Whom the arrangement shows large.
    pub focus: Focus,
    /// Which frames can be decoded by themselves.
    pub keyframes: Keyframes,
}

impl RungConfig {
    /// The grid at every tick.
    #[must_use]
    pub const fn grid(size: PictureSize, bitrate_kbps: u32) -> Self {
        Self {
            size,
            frame_interval: 0,
            bitrate_kbps,
            arrangement: Arrangement::Grid,
            focus: Focus::Speaker,
            keyframes: Keyframes::OnRequest,
        }
    }
}

/// One thing that happened. Order matters; what names an unknown participant or rung is ignored
/// and counted.
#[derive(Debug)]
pub enum VideoInput {
    /// A participant gets a tile, a placeholder until there is a picture.
    Join {
        /// Who.
        participant: ParticipantId,
    },
    /// A participant's tile is gone at the next tick, along with its track.
    Leave {
        /// Who.
        participant: ParticipantId,
    },
    /// A participant begins to send. Replaces the track it had.
    AddTrack {
        /// Who.
        participant: ParticipantId,
        /// Decodes the track.
        decoder: Box<dyn VideoDecoder>,
        /// Scales its pictures to its tiles.
        scaler: Box<dyn Scaler>,
    },
    /// A participant stops sending: placeholder.
    RemoveTrack {
        /// Who.
        participant: ParticipantId,
    },
    /// A packet of a live track.
    Packet {
        /// Who sent it.
        participant: ParticipantId,
        /// The packet.
        packet: VideoPacket,
    },
    /// A frame of a recorded track, in decoding order.
    Recorded {
        /// Whose recording.
        participant: ParticipantId,
        /// The frame.
        frame: RecordedFrame,
    },
    /// A participant's endpoint went silent or is back.
    Presence {
        /// Who.
        participant: ParticipantId,
        /// How it is now.
        presence: Presence,
    },
    /// A participant switched its camera.
    Camera {
        /// Who.
        participant: ParticipantId,
        /// How it is now.
        camera: Camera,
    },
    /// Audio found another active speaker, or none.
    ActiveSpeaker(Option<ParticipantId>),
    /// Somebody is pinned for the room, in place of the active speaker, or nobody any more. Who is
    /// not there counts as nobody.
    Pin(Option<ParticipantId>),
    /// A rung has its first viewer. Replaces the rung of that name.
    AddRung {
        /// Its name.
        rung: RungId,
        /// What it encodes.
        config: RungConfig,
        /// Encodes it. Made for `config.size`.
        encoder: Box<dyn VideoEncoder>,
    },
    /// A rung has no viewers anymore.
    RemoveRung {
        /// Its name.
        rung: RungId,
    },
    /// The link to a rung's viewers changed.
    SetBitrate {
        /// Which rung.
        rung: RungId,
        /// The new target in kb/s.
        bitrate_kbps: u32,
    },
    /// No frame of a rung is to be made at the next tick: its viewers have yet to be sent the ones
    /// before.
    PassOver {
        /// Which rung.
        rung: RungId,
    },
    /// A viewer cannot decode a rung. Many such requests make one keyframe.
    RequestKeyframe {
        /// Which rung.
        rung: RungId,
    },
}
