//! Why a request of an operator failed: problem details (RFC 9457) with a code that never changes.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::refused::{PROBLEM, refused};
use crate::ladder_text::BadLadder;
use crate::limits::Excess;
use crate::room::{ActError, CreateError};

/// What failed.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Problem {
    /// What the status means.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// For programs.
    code: Code,
    /// For people.
    detail: String,
    /// After how many milliseconds another try makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// Why, as a word that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Code {
    /// No key was shown.
    KeyRequired,
    /// The key is another.
    WrongKey,
    /// Too much at once: wait.
    RateLimited,
    /// There is nothing at this address.
    NotFound,
    /// There is something, and it does not take this method.
    MethodNotAllowed,
    /// The body is not JSON, a field is unknown, missing or of a wrong type, or a parameter is.
    BadRequest,
    /// The body is longer than is read.
    TooLarge,
    /// The name is not a name for a room.
    BadRoom,
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// There is a room of that name.
    RoomExists,
    /// The server takes no more rooms.
    TooManyRooms,
    /// Nobody in the room gets a picture.
    NoPicture,
    /// Neither of the formats there are is wanted.
    NotAcceptable,
    /// There is nobody of that id in the room, or at its door.
    NoSuchParticipant,
    /// That cannot be done to them, for instance since their credential does not allow it.
    NotAllowed,
    /// A text is empty, too long, or has control characters.
    BadText,
    /// The rungs are not a ladder.
    BadLadder,
    /// The fault is the server's.
    Internal,
}

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::BadRoom | Self::BadText | Self::BadLadder => {
                StatusCode::BAD_REQUEST
            }
            Self::KeyRequired | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoSuchRoom | Self::NoSuchParticipant | Self::NoPicture => {
                StatusCode::NOT_FOUND
            }
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RoomExists => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyRooms => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    /// `detail` is for people.
    pub(in crate::http) fn new(code: Code, detail: impl Into<String>) -> Self {
        let status = code.status();
        Self {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            retry_after_ms: None,
        }
    }

    /// Rounded up: a try at that moment is not too early.
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        let ms = wait.as_micros().div_ceil(1_000);
        self.retry_after_ms = Some(u64::try_from(ms).unwrap_or(u64::MAX));
        self
    }

    /// There is no such room.
    pub(super) fn no_room() -> Self {
        Self::new(Code::NoSuchRoom, "there is no such room, or no longer")
    }

    /// There is nobody of that id.
    pub(super) fn nobody(id: &str) -> Self {
        let error = ActError::NoSuchParticipant(id.to_owned());
        Self::new(Code::NoSuchParticipant, error.to_string())
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let code = match error {
            ActError::NoSeat | ActError::NoRoom => return Self::no_room(),
            ActError::NotModerator
            | ActError::Held(_)
            | ActError::NotGranted(_)
            | ActError::Protected
            | ActError::LastModerator
            | ActError::Oneself
            | ActError::TooManyPins { .. } => Code::NotAllowed,
            ActError::NoSuchParticipant(_) => Code::NoSuchParticipant,
            ActError::BadText => Code::BadText,
            ActError::TooFast(wait) => {
                return Self::new(Code::RateLimited, error.to_string()).retry_after(wait);
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<BadLadder> for Problem {
    fn from(error: BadLadder) -> Self {
        Self::new(Code::BadLadder, error.to_string())
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let code = match error {
            CreateError::TooManyRooms { .. } => Code::TooManyRooms,
            CreateError::Exists => Code::RoomExists,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Excess> for Problem {
    fn from(excess: Excess) -> Self {
        let problem = Self::new(Code::RateLimited, excess.to_string());
        match excess.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).expect("five plain fields");
        let retry_after = self.retry_after_ms.map(Duration::from_millis);
        refused(self.code.status(), PROBLEM, body, retry_after)
    }
}
