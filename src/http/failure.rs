//! What HTTP says when a request of the signaling fails: a status, and the `error` object.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::signaling::message::{ErrorCode, ErrorMessage, ServerMessage};

/// The credential of an `Authorization: Bearer` header (RFC 6750 §2.1), if there is one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, credential) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| credential.trim().to_owned())
}

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
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(ms) = retry_after_ms {
        let seconds = Duration::from_millis(ms).as_millis().div_ceil(1000);
        response.headers_mut().insert(RETRY_AFTER, whole(seconds));
    }
    response
}

fn whole(seconds: u128) -> HeaderValue {
    HeaderValue::from_str(&seconds.to_string()).unwrap_or(HeaderValue::from_static("1"))
}

fn status(code: ErrorCode) -> StatusCode {
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
        | ErrorCode::BadCandidate => StatusCode::BAD_REQUEST,
        ErrorCode::BadToken
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
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RoomFull
        | ErrorCode::LobbyFull
        | ErrorCode::TooManyRooms
        | ErrorCode::TooManySessions => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
