//! What moderators ask for, and what everybody is told of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PreferredLayout, RequestId};

/// What somebody may do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes part.
    Participant,
    /// Also says who else does, and how.
    Moderator,
}

/// A moderator's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moderate {
    /// Echoed in the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// What is to be done.
    #[serde(flatten)]
    pub act: Act,
}

/// What a moderator may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Lets nobody in any more but those who have a seat, and moderators.
    Lock,
    /// Lets people in again.
    Unlock,
    /// Has those who come wait until they are admitted, or admits all who wait and those who come.
    Lobby {
        /// Whether they are to wait.
        on: bool,
    },
    /// Lets in who waits.
    Admit {
        /// Who; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<String>,
    },
    /// Refuses who waits.
    Deny {
        /// Who; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<String>,
    },
    /// Silences somebody.
    Mute {
        /// Whom; absent: everybody who is no moderator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        participant: Option<String>,
        /// How firmly.
        #[serde(default)]
        how: How,
    },
    /// Lets somebody speak again, and asks them to: it is for them to open their microphone.
    Unmute {
        /// Whom.
        participant: String,
    },
    /// Switches somebody's picture off.
    CameraOff {
        /// Whose; absent: of everybody who is no moderator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        participant: Option<String>,
        /// How firmly.
        #[serde(default)]
        how: How,
    },
    /// Lets somebody be seen again, and asks them to: it is for them to switch their camera on.
    CameraOn {
        /// Whom.
        participant: String,
    },
    /// Takes somebody's seat away.
    Remove {
        /// Whose.
        participant: String,
        /// Whether they are kept out for the life of the room; absent: yes.
        #[serde(default = "super::yes")]
        ban: bool,
    },
    /// Gives somebody a role.
    Role {
        /// Whom.
        participant: String,
        /// Which.
        role: Role,
    },
    /// Takes note of raised hands.
    LowerHand {
        /// Whose; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        participant: Option<String>,
    },
    /// Shows somebody large to everybody, whoever speaks.
    Pin {
        /// Whom; absent: nobody any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        participant: Option<String>,
    },
    /// Arranges the picture of everybody who does not ask for another.
    Layout {
        /// How; absent: as each rung has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<PreferredLayout>,
    },
    /// Ends the room for everybody.
    End,
}

/// How firmly a microphone or camera is switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// They are asked, and decide.
    Ask,
    /// It is done; they may undo it.
    #[default]
    Force,
    /// It is done; only a moderator may undo it.
    Hold,
}

/// What holds for everybody in the room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomState {
    /// Whether nobody else gets in.
    pub locked: bool,
    /// Whether those who come wait until they are admitted.
    pub lobby: bool,
    /// The arrangement for those who ask for none; null: as each rung has it.
    pub layout: Option<PreferredLayout>,
    /// Who is shown large to everybody; null: nobody.
    pub pinned: Option<String>,
}

/// What a moderator asks a participant to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Close the microphone.
    Mute,
    /// Open the microphone, which is allowed again.
    Unmute,
    /// Switch the camera off.
    CameraOff,
    /// Switch the camera on, which is allowed again.
    CameraOn,
}

/// To one who waits: the reply to the `join` comes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Takes this place back in a later session, or the seat that it has become.
    pub token: String,
    /// How many are served before: 1 is next.
    pub place: usize,
    /// How often the client should ping, in milliseconds.
    pub ping_interval_ms: u64,
    /// Continues this session over another carrier; a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// After how long without a word from the client a carrier counts as lost, in milliseconds.
    #[serde(default)]
    pub silence_ms: u64,
    /// How long the place is kept without a session, and the session without a carrier, in milliseconds.
    #[serde(default)]
    pub seat_ms: u64,
    /// How long one may wait, from the beginning, in milliseconds.
    pub wait_ms: u64,
}

/// Somebody who waits, as moderators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Knock {
    /// Given once in the room's life; not the later participant's.
    pub id: String,
    /// What they call themselves; may be empty.
    pub name: String,
    /// Since when, in milliseconds since 1970 (UTC).
    pub since_ms: u64,
}

/// What somebody wrote to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatMessage {
    /// Counts the messages of a room, from 1.
    pub number: u64,
    /// Whose id.
    pub from: String,
    /// What they called themselves.
    pub name: String,
    /// 1 to 2,000 bytes.
    pub text: String,
    /// When, in milliseconds since 1970 (UTC).
    pub at_ms: u64,
}
