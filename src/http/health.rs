//! `GET /healthz`: that the server accepts calls, and how much there is of what must not pile up.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::runtime::Handle;

use super::Doors;
use crate::room::Census;
use crate::signaling::message::ErrorCode;

/// The answer, as PROTOCOL.md describes it.
#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    rooms: usize,
    participants: usize,
    sessions: usize,
    tasks: usize,
    refused: BTreeMap<ErrorCode, u64>,
}

/// Answers `GET /healthz`.
pub(super) async fn report(State(doors): State<Doors>) -> Response {
    let Census {
        rooms,
        participants,
    } = doors.venue.rooms.census();
    let health = Health {
        status: "ok",
        rooms,
        participants,
        sessions: doors.sessions.count(),
        tasks: Handle::current().metrics().num_alive_tasks(),
        refused: doors.guard.limiter.counters().by_code(),
    };
    let body = serde_json::to_string(&health).expect("plain fields, and a map by plain words");
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}
