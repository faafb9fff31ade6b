//! What the server says when a request fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RequestId;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
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
    /// The room does not exist, and is not for this client to open.
    NoSuchRoom,
    /// A moderator has locked the room.
    RoomLocked,
    /// As many wait for the room as may.
    LobbyFull,
    /// Somebody has to let them in first, and a single request cannot wait for that.
    MustWait,
    /// A moderator did not let them in.
    Denied,
    /// Nobody let them in for too long.
    WaitedTooLong,
    /// A moderator removed them from the room for good.
    Banned,
    /// Somebody with the same identity is in the room.
    IdentityTaken,
    /// That is not for this participant to do.
    NotAllowed,
    /// There is nobody of that id here.
    NoSuchParticipant,
    /// As many are pinned by people for themselves as the server draws.
    TooManyPins,
    /// A text is empty, too long, or has control characters.
    BadText,
    /// The room takes no more participants.
    RoomFull,
    /// The server takes no more rooms.
    TooManyRooms,
    /// The token is for no seat that is still held.
    BadToken,
    /// The session does not have, or no longer has, what came after the given event.
    BadResume,
    /// There is no such session, or no longer.
    NoSession,
    /// The server takes no more sessions.
    TooManySessions,
    /// The offer is not a session description.
    BadSdp,
    /// The offer's audio section lacks Opus.
    NoOpus,
    /// The offer's video section lacks VP8.
    NoVp8,
    /// The candidate makes no sense.
    BadCandidate,
    /// The message, or the offer in it, is longer than the server takes.
    TooLarge,
    /// The server asks for a token (`auth`), and there was none.
    AuthRequired,
    /// The token is not one that lets anybody in here.
    BadAuth,
    /// The token let somebody in once, and no longer.
    AuthExpired,
    /// The token is for another room.
    NotThisRoom,
    /// A page of this origin may not connect.
    WrongOrigin,
    /// Too much at once: wait.
    RateLimited,
    /// The address has as many sessions or seats as it may, or has opened as many rooms.
    TooManyFromAddress,
    /// More candidates came than may follow one offer.
    TooManyCandidates,
    /// The server is going away.
    Draining,
    /// The fault is the server's.
    Internal,
}
