//! What the server is and has, in numbers.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use crate::http::Doors;
use crate::signaling::message::ErrorCode;
use crate::webhooks::WebhookStatus;

/// The server as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ServerStatus {
    /// Of the program.
    version: &'static str,
    /// For how long it has been running, in milliseconds.
    uptime_ms: u64,
    /// How many rooms there are.
    rooms: usize,
    /// Seats taken, those held for the absent included.
    participants: usize,
    /// Signaling sessions, those included whose client is away.
    sessions: usize,
    /// What was refused since the beginning, by kind. Kinds may be added.
    refused: BTreeMap<&'static str, u64>,
    /// How often requests of clients were answered with an error, by its code. One that was refused
    /// may be there as well.
    errors: BTreeMap<ErrorCode, u64>,
    /// Where events are posted to, and what became of that.
    webhooks: Vec<WebhookStatus>,
}

/// Answers `GET /status`.
pub(super) async fn show(State(doors): State<Doors>) -> Response {
    let counters = doors.guard.limiter.counters();
    let census = doors.venue.rooms.census();
    let operators = doors.operators.as_ref();
    let uptime = operators.map(|it| it.since.elapsed());
    let uptime_ms = uptime.unwrap_or_default().as_millis();
    let status = ServerStatus {
        version: env!("CARGO_PKG_VERSION"),
        uptime_ms: u64::try_from(uptime_ms).unwrap_or(u64::MAX),
        rooms: census.rooms,
        participants: census.participants,
        sessions: doors.sessions.count(),
        refused: counters.snapshot(),
        errors: counters.by_code(),
        webhooks: operators.map_or_else(Vec::new, |it| it.webhooks.status()),
    };
    json(StatusCode::OK, &status)
}
