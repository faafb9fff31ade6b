//! What happens in rooms, as server-sent events (the HTML standard's §9.2).
//!
//! From the request on, or behind the event that the client has seen last. The server keeps only so
//! many: who has missed more is told so, and goes on with what there is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response, Sse};
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use super::problem::{Code, Problem};
use super::rooms::parse;
use crate::http::Doors;
use crate::room::{Kept, Next, Reader, ServerEvent};
use crate::signaling::RoomName;

/// How often something is said where nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Those of one room; absent: all.
    room: Option<String>,
    /// Those behind the one with this id; the header `Last-Event-ID` goes before it.
    after: Option<String>,
}

/// Who listens.
struct Listener {
    events: Reader,
    room: Option<RoomName>,
    draining: watch::Receiver<bool>,
}

/// What is told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Told<'a> {
    Happened(&'a ServerEvent),
    Missed(Missed),
}

/// That something is not told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Missed {
    /// Events that are not kept any more are lost: look at the rooms anew.
    Lost {
        /// How many; null: not known, since the server was started anew meanwhile.
        count: Option<u64>,
    },
}

/// Answers `GET /events`.
pub(super) async fn follow(
    State(doors): State<Doors>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wrong = |_| Problem::new(Code::BadRequest, "expected at most room=NAME and after=ID");
    let Query(Wanted { room, after }) = wanted.map_err(wrong)?;
    let last_event_id = headers.get("last-event-id");
    let after = match last_event_id {
        Some(id) => Some(String::from_utf8_lossy(id.as_bytes()).into_owned()),
        None => after,
    };
    let events = doors.venue.rooms.events();
    let listener = Listener {
        room: room.as_deref().map(parse).transpose()?,
        events: match after {
            Some(id) => events.reader_after(&id),
            None => events.reader(),
        },
        draining: doors.draining.clone(),
    };
    // Whatever buffers on the way is to let something through at once: a client can tell. One that
    // loses its line before anything happened knows where it was.
    let hello = Event::default().comment("").id(listener.events.id());
    let hello = stream::once(async { Ok(hello) });
    let stream = Sse::new(hello.chain(told(listener)));
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
    /// What to say next, at the latest after [`KEEP_ALIVE`].
    async fn next(&mut self) -> Option<Event> {
        match timeout(KEEP_ALIVE, self.next_of_room()).await {
            Ok(Some(Next::Event(kept))) => Some(self.event(&Told::Happened(&kept.event))),
            Ok(Some(Next::Lost(count))) => Some(self.event(&Told::Missed(Missed::Lost { count }))),
            Ok(None) => None,
            // Without data it is no event: it only moves the place to come back to.
            Err(_) => Some(Event::default().comment("").id(self.events.id())),
        }
    }

    async fn next_of_room(&mut self) -> Option<Next> {
        loop {
            let next = tokio::select! {
                // First: what was said before the server stops is told.
                biased;
                next = self.events.next() => next,
                _ = self.draining.wait_for(|draining| *draining) => return None,
            };
            match next {
                Next::Event(kept) if !self.wants(&kept) => {}
                next => return Some(next),
            }
        }
    }

    fn wants(&self, kept: &Arc<Kept>) -> bool {
        match (&self.room, &kept.event.room) {
            (Some(wanted), Some(room)) => wanted.as_str() == room,
            (None, _) | (_, None) => true,
        }
    }

    fn event(&self, told: &Told<'_>) -> Event {
        let text = serde_json::to_string(told).expect("events are plain data with text keys");
        Event::default().id(self.events.id()).data(text)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::room::{Events, Happening};

    fn listen(events: &Events, room: Option<&str>) -> (Response, watch::Sender<bool>) {
        let (drain, draining) = watch::channel(false);
        let listener = Listener {
            events: events.reader(),
            room: room.and_then(RoomName::parse),
            draining,
        };
        (Sse::new(told(listener)).into_response(), drain)
    }

    /// The next lines of a stream; `None` after its end.
    async fn next(stream: &mut Response) -> Option<String> {
        let frame = stream.body_mut().frame().await?.unwrap();
        let bytes = frame.into_data().unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_told_nothing_for_long_learns_where_the_stream_is() {
        let events = Events::new(9);
        let (mut stream, _drain) = listen(&events, Some("demo"));
        let began = tokio::time::Instant::now();

        events.say(Some("other"), Happening::Opened);

        let said = next(&mut stream).await.unwrap();
        assert_eq!(said, format!(": \nid: {}\n\n", events.reader().id()));
        assert_eq!(began.elapsed(), KEEP_ALIVE);
    }

    #[tokio::test]
    async fn what_was_said_before_the_end_is_told_to_listeners_of_any_room() {
        let events = Events::new(9);
        let (mut stream, drain) = listen(&events, Some("demo"));

        events.say(Some("other"), Happening::Opened);
        events.say(None, Happening::Stopping);
        drain.send_replace(true);

        let said = next(&mut stream).await.unwrap();
        assert!(said.contains(r#""event":"stopping""#), "{said}");
        assert_eq!(next(&mut stream).await, None);
    }
}
