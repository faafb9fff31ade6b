//! What a session says, for clients without a WebSocket: as server-sent events (the HTML standard's
//! §9.2), or in answers to polls.
//!
//! Either begins behind the last event that the client has seen. A poll is answered within
//! [`POLL_WAIT`], with at most what the session's log holds.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use tokio::time::timeout;

use super::Doors;
use super::failure::{failure, no_session, respond};
use crate::signaling::message::{ErrorCode, ErrorMessage};
use crate::signaling::{Attachment, Carrier, Gap, Next, PING_INTERVAL, SessionId};

/// How long a poll waits for something to say: shorter than the 30 s after which proxies give up.
const POLL_WAIT: Duration = Duration::from_secs(25);

/// The last event that the client has seen; none is 0.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    after: u64,
}

/// Answers `GET /sessions/{id}/events`.
pub(super) async fn events(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    query: Result<Query<Seen>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let last_event_id = headers.get("last-event-id").map(|id| id.to_str());
    let after = match (last_event_id, query) {
        (Some(Ok(id)), _) => id.parse().ok(),
        (None, Ok(Query(seen))) => Some(seen.after),
        _ => None,
    };
    let session = match attach(&doors, &id, after, Carrier::Stream) {
        Ok(session) => session,
        Err(error) => return respond(error),
    };
    // Whatever buffers on the way is to let something through at once: a client can tell.
    let hello = stream::once(async { Ok(Event::default().comment("")) });
    let keep_alive = KeepAlive::new().interval(PING_INTERVAL);
    let stream = Sse::new(hello.chain(said(session))).keep_alive(keep_alive);
    let headers = [
        (CACHE_CONTROL, "no-store, no-transform"),
        // For nginx.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, stream).into_response()
}

/// Answers `GET /sessions/{id}/poll`.
pub(super) async fn poll(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    query: Result<Query<Seen>, QueryRejection>,
) -> Response {
    let after = query.ok().map(|Query(seen)| seen.after);
    let mut session = match attach(&doors, &id, after, Carrier::Request) {
        Ok(session) => session,
        Err(error) => return respond(error),
    };
    let mut body = String::from("[");
    let mut next = timeout(POLL_WAIT, session.next()).await.ok();
    while let Some(Next::Say(event)) = next {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(&event.text);
        next = session.try_next();
    }
    body.push(']');
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

fn attach(
    doors: &Doors,
    id: &str,
    after: Option<u64>,
    carrier: Carrier,
) -> Result<Attachment, ErrorMessage> {
    let after = after.ok_or_else(|| {
        let message = "after is the number of the last event that was seen";
        failure(ErrorCode::BadMessage, message)
    })?;
    let session = doors.sessions.find(&SessionId::from_address(id));
    let session = session.ok_or_else(no_session)?;
    let gap = |gap: Gap| failure(ErrorCode::BadResume, gap.to_string());
    session.attach(after, carrier).map_err(gap)
}

/// All that there is to say, until the last word or until another carrier goes on.
fn said(session: Attachment) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(session, async |mut session| match session.next().await {
        Next::Say(event) => {
            let told = Event::default()
                .id(event.seq.to_string())
                .data(&*event.text);
            Some((Ok(told), session))
        }
        Next::Close | Next::Detached => None,
    })
}
