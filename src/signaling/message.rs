//! The messages of protocol version 1, as PROTOCOL.md documents them.
//!
//! Each is one JSON object with a `type`. Unknown fields are ignored, so that either side may be
//! newer than the other.

use serde::{Deserialize, Serialize};
use serde_json::Number;

pub use crate::rtc::Candidate;

/// The only version there is.
pub const VERSION: u32 = 1;

/// The longest message of a client, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// A client's own mark on a request; its reply carries the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A number.
    Number(u64),
    /// A text, at most 64 bytes (longer ones are refused as `bad_message`).
    Text(String),
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Takes a seat in a room.
    Join(Join),
    /// Offers media: the first one makes the transport, later ones restart or change it.
    Offer {
        /// Echoed in the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// The session description (RFC 8866).
        sdp: String,
    },
    /// One of the client's ICE candidates.
    Candidate {
        /// Echoed in an error, should there be one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// The candidate.
        candidate: Candidate,
    },
    /// Says what the participant sends at the moment.
    Status {
        /// Echoed in an error, should there be one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// Whether the microphone is muted; absent: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted: Option<bool>,
        /// Whether the camera is on; absent: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        camera: Option<bool>,
    },
    /// Says what the participant would rather get. Replaces what was said before.
    Prefer(Prefer),
    /// Gives the seat up.
    Leave {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// Asks for a sign of life.
    Ping {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
}

impl ClientMessage {
    /// The request's id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Join(join) => join.id.as_ref(),
            Self::Prefer(prefer) => prefer.id.as_ref(),
            Self::Offer { id, .. }
            | Self::Candidate { id, .. }
            | Self::Status { id, .. }
            | Self::Leave { id }
            | Self::Ping { id } => id.as_ref(),
        }
    }
}

/// The first message of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Echoed in the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The protocol version, [`VERSION`].
    pub version: u32,
    /// The room's name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub room: String,
    /// What the others see: at most 64 characters, none of them a control character.
    #[serde(default)]
    pub name: String,
    /// Takes a seat back that this token was given for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What a participant would rather get than what its link allows. What is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefer {
    /// Echoed in an error, should there be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Whom to see large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<PreferredLayout>,
    /// The most that is to come over the link, everything counted. Audio comes in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_kbps: Option<u32>,
    /// The highest picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_height: Option<u32>,
    /// Whether to get video; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<bool>,
}

/// Whom to see large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreferredLayout {
    /// Everybody alike.
    Grid,
    /// The active speaker.
    Speaker,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The seat is taken; everything about the room.
    Joined(Joined),
    /// Answers an offer.
    Answer {
        /// The offer's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// The session description.
        sdp: String,
    },
    /// One of the server's ICE candidates.
    Candidate {
        /// The candidate.
        candidate: Candidate,
    },
    /// Somebody joined, or is no longer as before.
    Participant {
        /// How it is now.
        participant: Participant,
    },
    /// Somebody's seat is gone.
    ParticipantLeft {
        /// Whose.
        participant: String,
        /// Why.
        reason: LeaveReason,
    },
    /// The active speaker is somebody else now.
    Speaker {
        /// Who; null if nobody has spoken yet, or the speaker left.
        participant: Option<String>,
    },
    /// Where everybody is now in the picture that this participant gets.
    Layout(Layout),
    /// What this participant gets now, and why it is no better.
    Quality(Quality),
    /// What is worth sending: more would be seen and heard by nobody.
    Uplink(Uplink),
    /// Something that the participant ought to know, and may do something about.
    Notice(Notice),
    /// The seat was given up, as asked.
    Left {
        /// The request's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// A sign of life.
    Pong {
        /// The request's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
    /// The server ends the session after this.
    Bye {
        /// Why.
        reason: ByeReason,
    },
    /// A request failed, or a message made no sense.
    Error(ErrorMessage),
}

/// Everything about the room one has just joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The protocol version spoken.
    pub version: u32,
    /// One's own id.
    pub participant: String,
    /// Takes this seat back in a later session, as long as it is held.
    pub token: String,
    /// The room's name.
    pub room: String,
    /// What to put into `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
    /// How often the client should ping, in milliseconds.
    pub ping_interval_ms: u64,
    /// How long the seat of somebody absent is held, in milliseconds.
    pub seat_ms: u64,
    /// The most participants the room takes.
    pub max_participants: usize,
    /// The best picture there is.
    pub canvas: Canvas,
    /// Everybody in the room, oneself included, in the order of joining.
    pub participants: Vec<Participant>,
}

/// A STUN or TURN server, as `RTCIceServer` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:` and `turn:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// The mixed picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pictures per second.
    pub fps: u32,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Given once in the room's life.
    pub id: String,
    /// What they call themselves; may be empty.
    pub name: String,
    /// Whether their microphone is muted, by their own word.
    pub muted: bool,
    /// Whether their camera is on, by their own word.
    pub camera: bool,
    /// Whether they are out of reach at the moment.
    pub absent: bool,
}

/// Where everybody is on the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The canvas the tiles are on.
    pub canvas: LayoutCanvas,
    /// In the order of joining, but for one shown large, who is first.
    pub tiles: Vec<Tile>,
    /// The largest that anybody sees this participant, which may be on another canvas: what is
    /// worth sending. Null while nobody does.
    pub seen_as: Option<LayoutCanvas>,
}

/// What a participant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// What video there is.
    pub video: VideoState,
    /// Which; null while it is paused.
    pub rung: Option<VideoRung>,
    /// Bitrate of the audio.
    pub audio_kbps: u32,
    /// Sound per packet, in milliseconds.
    pub packet_ms: u32,
    /// Why the video is no better.
    pub reason: QualityReason,
    /// What would change it; null where the link is not the reason.
    pub next: Option<NextRung>,
}

/// One of the room's encodings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoRung {
    /// As the room calls it.
    pub name: String,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pictures per second, to a tenth.
    pub fps: Number,
}

/// The next rung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextRung {
    /// What the link would have to carry for it, about, everything counted.
    pub kbps: u32,
}

/// What video there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoState {
    /// Moving pictures.
    Moving,
    /// A picture every so often.
    Stills,
    /// None.
    Paused,
}

/// Why video is no better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityReason {
    /// There is no better.
    Best,
    /// The link carries no more.
    Bandwidth,
    /// The participant asked for no more.
    Asked,
    /// What the link carries is not known yet.
    Starting,
}

/// What is worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uplink {
    /// The picture; null while nobody sees it: then it is best paused.
    pub video: Option<UplinkVideo>,
    /// The sound.
    pub audio: UplinkAudio,
}

/// A picture worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UplinkVideo {
    /// The largest that anybody sees it: width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The fastest that anybody sees it, in whole frames per second.
    pub fps: u32,
    /// What that takes.
    pub kbps: u32,
}

/// Sound worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UplinkAudio {
    /// The best that anybody hears.
    pub kbps: u32,
    /// Sound per packet, in milliseconds: longer where links are thin.
    pub packet_ms: u32,
}

/// The size of a canvas in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutCanvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

/// One participant's region, in pixels of the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tile {
    /// Whose.
    pub participant: String,
    /// Distance from the left edge.
    pub left: usize,
    /// Distance from the upper edge.
    pub top: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

/// Something that one participant is told about what they send or receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// For programs.
    pub code: NoticeCode,
    /// For people.
    pub message: String,
}

impl Notice {
    /// The participant sends more than the server decodes.
    #[must_use]
    pub fn source_thinned() -> Self {
        Self {
            code: NoticeCode::SourceThinned,
            message: "you send more than the server takes: the others get it with gaps".to_owned(),
        }
    }
}

/// What a notice is about, as a word that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// More pixels, frames or packets come than the server takes: some are dropped.
    SourceThinned,
}

/// Why somebody's seat is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// By their own will.
    Left,
    /// They were absent for too long.
    Gone,
}

/// Why the server ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// Another session took the seat with its token.
    Taken,
    /// The seat was held too long for somebody who was not there.
    Gone,
    /// The client took its messages too slowly.
    Slow,
    /// The server is about to stop.
    Draining,
    /// The room's media failed again and again, so that the server gave the room up.
    Failed,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// The request's, where it had one and it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// After how many milliseconds another try makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What went wrong, as a word that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The message is not JSON.
    BadJson,
    /// It is JSON, but a field is missing or of a wrong type.
    BadMessage,
    /// Its `type` is not known.
    UnknownType,
    /// The version is not spoken here.
    BadVersion,
    /// The room's name is not a name for a room.
    BadRoom,
    /// The participant's name is too long or has control characters.
    BadName,
    /// This needs a seat, and the session has none.
    NotJoined,
    /// The session has a seat already.
    AlreadyJoined,
    /// The room takes no more participants.
    RoomFull,
    /// The server takes no more rooms.
    TooManyRooms,
    /// The token is for no seat that is still held.
    BadToken,
    /// The offer is not a session description.
    BadSdp,
    /// The offer's audio section lacks Opus.
    NoOpus,
    /// The offer's video section lacks VP8.
    NoVp8,
    /// The candidate makes no sense.
    BadCandidate,
    /// The message is longer than [`MAX_MESSAGE_BYTES`].
    TooLarge,
    /// The fault is the server's.
    Internal,
}
