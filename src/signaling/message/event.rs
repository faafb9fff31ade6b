//! What the server says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Asked, Candidate, ChatMessage, ErrorMessage, Knock, Layout, Quality, RequestId, Role,
    RoomState, Uplink, Waiting,
};

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The seat is taken; everything about the room.
    Joined(Joined),
    /// The session goes on over this carrier; what it missed follows.
    Resumed(Resumed),
    /// The join is heard: somebody inside has to say yes first.
    Waiting(Waiting),
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
    /// Something is another way for everybody in the room.
    Room(RoomState),
    /// To moderators: all who wait, in the order in which they came.
    Knocking {
        /// Who.
        waiting: Vec<Knock>,
    },
    /// A moderator asks for something that is for the participant to do.
    Asked {
        /// What.
        to: Asked,
        /// Who asks: a participant's id, or `operator`.
        by: String,
    },
    /// Somebody wrote to everybody.
    Chat(ChatMessage),
    /// What was asked for is done.
    Done {
        /// The request's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// Of a `remove` with a ban alone: whether whoever was removed would be known again. False where
        /// they came without an identity: then nothing keeps them from coming back as somebody new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_out: Option<bool>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Continues this session over another carrier. The room does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The room's name.
    pub room: String,
    /// What to put into `RTCConfiguration.iceServers`.
    pub ice_servers: Vec<IceServer>,
    /// How often the client should ping, in milliseconds.
    pub ping_interval_ms: u64,
    /// After how long without a word either side takes the carrier for dead, in milliseconds.
    pub silence_ms: u64,
    /// How long the seat of somebody absent is held, in milliseconds.
    pub seat_ms: u64,
    /// The most participants the room takes.
    pub max_participants: usize,
    /// The best picture there is.
    pub canvas: Canvas,
    /// What holds for everybody.
    pub state: RoomState,
    /// Everybody in the room, oneself included, in the order of joining.
    pub participants: Vec<Participant>,
    /// What was written lately, the oldest first.
    pub chat: Vec<ChatMessage>,
}

/// A session goes on. The one message beside `error` that has no number: it is the carrier's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    /// The request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The last event that counts as seen, as the client said.
    pub after: u64,
    /// The last event there is so far: those between the two follow at once.
    pub last: u64,
}

/// What a session says, numbered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What is said.
    #[serde(flatten)]
    pub message: ServerMessage,
    /// Counts from 1 in each session.
    pub seq: u64,
}

/// A STUN or TURN server, as `RTCIceServer` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Canvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pictures per second.
    pub fps: u32,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Given once in the room's life.
    pub id: String,
    /// What they call themselves; may be empty.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they are silent, by their own word or a moderator's.
    pub muted: bool,
    /// The moderator who muted them: a participant's id, or `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_by: Option<String>,
    /// Whether they may open their microphone; absent: yes.
    #[serde(default = "super::yes", skip_serializing_if = "super::is_yes")]
    pub may_unmute: bool,
    /// Whether their camera is on, by their own word, unless a moderator switched it off.
    pub camera: bool,
    /// The moderator who switched it off: a participant's id, or `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_off_by: Option<String>,
    /// Whether they may switch it on; absent: yes.
    #[serde(default = "super::yes", skip_serializing_if = "super::is_yes")]
    pub may_use_camera: bool,
    /// When they raised their hand, in milliseconds since 1970 (UTC); absent: it is not raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_raised_ms: Option<u64>,
    /// Whether they are out of reach at the moment.
    pub absent: bool,
    /// Whether they only watch: they send nothing, and have no tile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watching: bool,
}

/// Something that one participant is told about what they send or receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// More pixels, frames or packets come than the server takes: some are dropped.
    SourceThinned,
}

/// Why somebody's seat is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// By their own will.
    Left,
    /// They were absent for too long.
    Gone,
    /// A moderator took the seat away.
    Removed,
}

/// Why the server ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// Another session took the seat with its token.
    Taken,
    /// The seat was held too long for somebody who was not there.
    Gone,
    /// The client took its messages too slowly.
    Slow,
    /// Nobody joined a room in time.
    NotJoined,
    /// The server is about to stop.
    Draining,
    /// Somebody with the same identity came in, in place of this one.
    Replaced,
    /// A moderator took the seat away.
    Removed,
    /// A moderator ended the room, or it ended while one waited for it.
    Ended,
    /// The room's media failed again and again, so that the server gave the room up.
    Failed,
}
