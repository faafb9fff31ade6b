//! A session's requests, for clients without a WebSocket: opening one, saying something, leaving.
//!
//! What the server says comes beside them, see [`super::stream`]. A body is read up to so many times
//! the longest message, and has at most [`MAX_MESSAGES`] messages. Of one session, so many requests
//! with messages are under way at a time (`posts-per-session`).

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::Value;
use tokio::time::timeout;

use super::failure::{failure, respond};
use super::guard::Visitor;
use super::{Doors, stream};
use crate::signaling::message::{ErrorCode, Event, ServerMessage};
use crate::signaling::{Carrier, Next, Opened, SessionId};

/// Messages in one body, at most.
const MAX_MESSAGES: usize = 64;

/// How long the reply to the first message may take.
const REPLY_WITHIN: Duration = Duration::from_secs(10);

/// The routes below `/sessions`. Bodies are read up to `longest` bytes.
pub(super) fn router(longest: usize) -> Router<Doors> {
    Router::new()
        .route("/sessions", post(open))
        .route("/sessions/{id}", post(say).delete(leave))
        .route("/sessions/{id}/events", get(stream::events))
        .route("/sessions/{id}/poll", get(stream::poll))
        .layer(DefaultBodyLimit::max(longest))
}

/// Answers `POST /sessions`: the body is a session's first message, the answer the reply to it.
async fn open(
    State(doors): State<Doors>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let first = match body {
        Ok(body) => text(&body),
        Err(rejection) => return unreadable(&rejection),
    };
    let opened = doors
        .sessions
        .open(first, visitor.caller(&headers), Carrier::Request);
    let Opened {
        id,
        mut attachment,
        resumed,
    } = match opened.await {
        Ok(opened) => opened,
        Err(error) => return respond(error),
    };
    if let Some(resumed) = resumed {
        let body = serde_json::to_string(&resumed).expect("plain data with text keys");
        return located(StatusCode::OK, &id, body);
    }
    let reply = timeout(REPLY_WITHIN, attachment.next()).await;
    let Ok(Next::Say(event)) = reply else {
        doors.sessions.dismiss(&id);
        let message = "the session did not begin";
        return respond(failure(ErrorCode::Internal, message));
    };
    match serde_json::from_str(&event.text) {
        Ok(Event {
            message: ServerMessage::Error(error),
            ..
        }) => {
            doors.sessions.dismiss(&id);
            respond(error)
        }
        _ => located(StatusCode::CREATED, &id, event.text.to_string()),
    }
}

/// Answers `POST /sessions/{id}`: the body is a message, or an array of them.
///
/// Nothing of it is read before it is its turn.
async fn say(State(doors): State<Doors>, Path(id): Path<String>, request: Request) -> Response {
    let turn = match doors.sessions.turn(&SessionId::from_address(&id)) {
        Ok(turn) => turn,
        Err(refusal) => return respond(refusal.answer(None)),
    };
    let messages = match Bytes::from_request(request, &()).await {
        Ok(body) => split(&text(&body)),
        Err(rejection) => return unreadable(&rejection),
    };
    if messages.len() > MAX_MESSAGES {
        let message = format!(
            "{} messages, expected at most {MAX_MESSAGES}",
            messages.len()
        );
        return respond(failure(ErrorCode::TooLarge, message));
    }
    for message in messages {
        turn.request(message).await;
    }
    StatusCode::ACCEPTED.into_response()
}

/// Answers `DELETE /sessions/{id}`: the same as the message `leave`.
async fn leave(State(doors): State<Doors>, Path(id): Path<String>) -> Response {
    let turn = match doors.sessions.turn(&SessionId::from_address(&id)) {
        Ok(turn) => turn,
        Err(refusal) => return respond(refusal.answer(None)),
    };
    turn.request(r#"{"type":"leave"}"#.to_owned()).await;
    StatusCode::NO_CONTENT.into_response()
}

fn located(status: StatusCode, id: &SessionId, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        // Relative to `sessions`, wherever a proxy may have put that.
        (LOCATION, format!("sessions/{}", id.as_str())),
    ];
    (status, headers, body).into_response()
}

/// What is not text is no message either, and answered like any other nonsense.
fn text(body: &Bytes) -> String {
    str::from_utf8(body).unwrap_or_default().to_owned()
}

fn split(text: &str) -> Vec<String> {
    if !text.trim_start().starts_with('[') {
        return vec![text.to_owned()];
    }
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(messages) => messages.iter().map(Value::to_string).collect(),
        Err(_) => vec![text.to_owned()],
    }
}

fn unreadable(rejection: &BytesRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = "the body is longer than the messages that are taken";
        return respond(failure(ErrorCode::TooLarge, message));
    }
    let message = "the body could not be read";
    respond(failure(ErrorCode::BadMessage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_so_many_messages_and_anything_else_is_one() {
        let rows: [(&str, &[&str]); 6] = [
            (r#"{"type":"ping"}"#, &[r#"{"type":"ping"}"#]),
            (
                r#" [{"type":"ping"}, {"id":18446744073709551615}]"#,
                &[r#"{"type":"ping"}"#, r#"{"id":18446744073709551615}"#],
            ),
            ("[]", &[]),
            ("[[1]]", &["[1]"]),
            ("[1", &["[1"]),
            ("", &[""]),
        ];

        for (body, messages) in rows {
            assert_eq!(split(body), messages, "{body}");
        }
    }
}
