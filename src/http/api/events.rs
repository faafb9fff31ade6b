//! What happens in rooms, as server-sent events (the HTML standard's §9.2).
//!
//! From the request on; what was before is not told. Who falls behind by more than a room's bound on
//! events is told how many it lost, and goes on.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::problem::{Code, Problem};
use super::rooms::parse;
use crate::http::Doors;
use crate::room::RoomEvent;
use crate::signaling::RoomName;

/// How often something is said where nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Those of one room; absent: all.
    room: Option<String>,
}

/// Who listens.
struct Listener {
    events: Receiver<RoomEvent>,
    room: Option<RoomName>,
    draining: watch::Receiver<bool>,
}

/// What is told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Told {
    Happened(RoomEvent),
    Missed(Missed),
}

/// That something is not told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Missed {
    /// Who listens fell behind, and so many events are lost.
    Lost { count: u64 },
}

/// Answers `GET /events`.
pub(super) async fn follow(
    State(doors): State<Doors>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = |_| Problem::new(Code::BadRequest, "expected at most room=NAME");
    let Query(Wanted { room }) = wanted.map_err(wrong)?;
    let listener = Listener {
        events: doors.venue.rooms.subscribe(),
        room: room.as_deref().map(parse).transpose()?,
        draining: doors.draining.clone(),
    };
    // Whatever buffers on the way is to let something through at once: a client can tell.
    let hello = stream::once(async { Ok(Event::default().comment("")) });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let stream = Sse::new(hello.chain(told(listener))).keep_alive(keep_alive);
    let headers = [
        (CACHE_CONTROL, "no-store, no-transform"),
        // For nginx.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, stream).into_response())
}

/// All that happens, until the server stops.
fn told(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, async |mut listener| {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event,
                _ = self.draining.wait_for(|draining| *draining) => return None,
            };
            let told = match event {
                Ok(event) if self.wants(&event) => Told::Happened(event),
                Ok(_) => continue,
                Err(RecvError::Lagged(count)) => Told::Missed(Missed::Lost { count }),
                Err(RecvError::Closed) => return None,
            };
            let text = serde_json::to_string(&told).expect("events are plain data with text keys");
            return Some(Event::default().data(text));
        }
    }

    fn wants(&self, event: &RoomEvent) -> bool {
        let room = self.room.as_ref();
        room.is_none_or(|room| room.as_str() == event.room)
    }
}
