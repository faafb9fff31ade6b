//! What a client says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Candidate, Moderate, RequestId};

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Takes a seat in a room.
    Join(Join),
    /// Continues a session over another carrier.
    Resume(Resume),
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
        /// Whether the hand is raised; absent: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hand: Option<bool>,
    },
    /// Says what the participant would rather get. Replaces what was said before.
    Prefer(Prefer),
    /// Says what is to be so in the room; for moderators.
    Moderate(Moderate),
    /// Writes to everybody.
    Chat {
        /// Echoed in the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// 1 to 2,000 bytes, no control characters but line breaks and tabs.
        text: String,
    },
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
        /// The last event that was seen: the server need not keep it any longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
}

impl ClientMessage {
    /// The request's id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Join(join) => join.id.as_ref(),
            Self::Resume(resume) => resume.id.as_ref(),
            Self::Prefer(prefer) => prefer.id.as_ref(),
            Self::Moderate(moderate) => moderate.id.as_ref(),
            Self::Offer { id, .. }
            | Self::Candidate { id, .. }
            | Self::Status { id, .. }
            | Self::Chat { id, .. }
            | Self::Leave { id }
            | Self::Ping { id, .. } => id.as_ref(),
        }
    }
}

/// Takes a seat in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Join {
    /// Echoed in the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The protocol version: 1.
    pub version: u32,
    /// The room's name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub room: String,
    /// What the others see: at most 64 characters, none of them a control character.
    #[serde(default)]
    pub name: String,
    /// What shows that one may come in: a JSON Web Token. Goes before that of the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Takes a seat back that this token was given for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// The first message of a carrier that continues a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resume {
    /// Echoed in the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The protocol version: 1.
    pub version: u32,
    /// The one of `joined`.
    pub session: String,
    /// The last event that was seen.
    pub after: u64,
}

/// What a participant would rather get than what its link allows. What is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prefer {
    /// Echoed in an error, should there be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Whom to see large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<PreferredLayout>,
    /// Whom to see large, whoever speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferredLayout {
    /// Everybody alike.
    Grid,
    /// The active speaker.
    Speaker,
}
