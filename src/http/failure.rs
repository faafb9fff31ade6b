//! What HTTP says when a request of the signaling fails: a status, and the `error` object.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;

use super::refused::refused;
use crate::signaling::message::{ErrorCode, ErrorMessage, ServerMessage};

/// What there is to say of a request without an id.
pub(super) fn failure(code: ErrorCode, message: impl Into<String>) -> ErrorMessage {
    ErrorMessage {
        id: None,
        code,
        message: message.into(),
        retry_after_ms: None,
    }
}

/// There is no such session.
pub(super) fn no_session() -> ErrorMessage {
    let message = "there is no such session, or no longer";
    failure(ErrorCode::NoSession, message)
}

/// Says that a request failed, in the words of the protocol.
pub(super) fn respond(error: ErrorMessage) -> Response {
    let (status, retry_after_ms) = (status(error.code), error.retry_after_ms);
    let message = ServerMessage::Error(error);
    let body = serde_json::to_string(&message).expect("the messages are plain data with text keys");
    let retry_after = retry_after_ms.map(Duration::from_millis);
    refused(status, "application/json", body, retry_after)
}

/// What goes with a code.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadJson
        | ErrorCode::BadMessage
        | ErrorCode::UnknownType
        | ErrorCode::BadVersion
        | ErrorCode::BadRoom
        | ErrorCode::BadName
        | ErrorCode::BadText
        | ErrorCode::BadSdp
        | ErrorCode::NoOpus
        | ErrorCode::NoVp8
        | ErrorCode::BadCandidate
        | ErrorCode::TooManyCandidates => StatusCode::BAD_REQUEST,
        ErrorCode::AuthRequired | ErrorCode::BadAuth | ErrorCode::AuthExpired => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::BadToken
        | ErrorCode::NotThisRoom
        | ErrorCode::WrongOrigin
        | ErrorCode::RoomLocked
        | ErrorCode::Denied
        | ErrorCode::WaitedTooLong
        | ErrorCode::Banned
        | ErrorCode::NotAllowed => StatusCode::FORBIDDEN,
        ErrorCode::NoSession | ErrorCode::NoSuchRoom | ErrorCode::NoSuchParticipant => {
            StatusCode::NOT_FOUND
        }
        ErrorCode::NotJoined
        | ErrorCode::AlreadyJoined
        | ErrorCode::BadResume
        | ErrorCode::IdentityTaken
        | ErrorCode::TooManyPins => StatusCode::CONFLICT,
        ErrorCode::RateLimited | ErrorCode::TooManyFromAddress => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RoomFull
        | ErrorCode::MustWait
        | ErrorCode::LobbyFull
        | ErrorCode::TooManyRooms
        | ErrorCode::TooManySessions
        | ErrorCode::Draining => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
