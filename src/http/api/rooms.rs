//! Rooms: which there are, what they are like, and what is to be different there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::body::{Json, NewMessage, NewRoom, RoomChange};
use super::problem::{Code, Problem};
use super::{PREFIX, json};
use crate::http::Doors;
use crate::ladder_text;
use crate::room::{Acted, Actor, RoomDescription, RoomHandle, RoomSettings, Stay};
use crate::signaling::RoomName;
use crate::signaling::message::Act;

/// A room, in short.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RoomSummary {
    /// Its name.
    room: String,
    /// Seats taken, those held for the absent included.
    participants: usize,
}

/// What there is to say of a removal with a ban.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Ban {
    /// Whether it holds: they would be known again. If not, they come back as somebody new.
    kept_out: bool,
}

/// Answers `GET /rooms`.
pub(super) async fn list(State(doors): State<Doors>) -> Response {
    let rooms = &doors.venue.rooms;
    let summaries: Vec<RoomSummary> = rooms
        .summaries()
        .into_iter()
        .map(|(room, participants)| RoomSummary { room, participants })
        .collect();
    json(StatusCode::OK, &summaries)
}

/// Answers `POST /rooms`.
pub(super) async fn create(
    State(doors): State<Doors>,
    Json(new): Json<NewRoom>,
) -> Result<Response, Problem> {
    let name = parse(&new.room)?;
    let settings = RoomSettings {
        max_participants: new.max_participants.map(seats).transpose()?,
        lobby: new.lobby,
        layout: new.layout,
        ladder: new
            .ladder
            .map(ladder_text::ladder)
            .transpose()?
            .map(Arc::new),
        stay: Stay::UntilEnded,
    };
    let room = doors.venue.rooms.create(&name, settings)?;
    if new.locked {
        act(&room, Act::Lock).await?;
    }
    let described = describe(&room).await?;
    let at = [(LOCATION, format!("{PREFIX}/rooms/{name}"))];
    Ok((at, json(StatusCode::CREATED, &described)).into_response())
}

/// Answers `GET /rooms/{room}`.
pub(super) async fn show(
    State(doors): State<Doors>,
    Path(room): Path<String>,
) -> Result<Response, Problem> {
    let room = find(&doors, &room)?;
    Ok(json(StatusCode::OK, &describe(&room).await?))
}

/// Answers `PATCH /rooms/{room}`.
pub(super) async fn change(
    State(doors): State<Doors>,
    Path(room): Path<String>,
    Json(change): Json<RoomChange>,
) -> Result<Response, Problem> {
    let room = find(&doors, &room)?;
    let max_participants = change.max_participants.map(seats).transpose()?;
    // First what may be refused: then nothing was done.
    if let Some(participant) = change.pinned {
        act(&room, Act::Pin { participant }).await?;
    }
    if let Some(max) = max_participants {
        room.resize(max).await.map_err(|_| Problem::no_room())?;
    }
    if let Some(locked) = change.locked {
        act(&room, if locked { Act::Lock } else { Act::Unlock }).await?;
    }
    if let Some(layout) = change.layout {
        act(&room, Act::Layout { layout }).await?;
    }
    if let Some(on) = change.lobby {
        act(&room, Act::Lobby { on }).await?;
    }
    Ok(json(StatusCode::OK, &describe(&room).await?))
}

/// Answers `DELETE /rooms/{room}`: ends it for everybody.
pub(super) async fn end(
    State(doors): State<Doors>,
    Path(room): Path<String>,
) -> Result<StatusCode, Problem> {
    act(&find(&doors, &room)?, Act::End).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers `POST /rooms/{room}/acts`: whatever a moderator may do.
pub(super) async fn moderate(
    State(doors): State<Doors>,
    Path(room): Path<String>,
    Json(wanted): Json<Act>,
) -> Result<Response, Problem> {
    let acted = act(&find(&doors, &room)?, wanted).await?;
    Ok(said_of(acted))
}

/// Answers `POST /rooms/{room}/messages`.
pub(super) async fn announce(
    State(doors): State<Doors>,
    Path(room): Path<String>,
    Json(message): Json<NewMessage>,
) -> Result<StatusCode, Problem> {
    let room = find(&doors, &room)?;
    room.announce(message.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The room of that name.
pub(super) fn find(doors: &Doors, room: &str) -> Result<RoomHandle, Problem> {
    let name = parse(room)?;
    doors.venue.rooms.find(&name).ok_or_else(Problem::no_room)
}

/// What it is like now.
pub(super) async fn describe(room: &RoomHandle) -> Result<RoomDescription, Problem> {
    room.describe().await.map_err(|_| Problem::no_room())
}

/// Does something there on the operator's word.
pub(super) async fn act(room: &RoomHandle, act: Act) -> Result<Acted, Problem> {
    Ok(room.moderate(Actor::Operator, act, None).await?)
}

/// The answer to an act that is done.
pub(super) fn said_of(Acted { kept_out }: Acted) -> Response {
    match kept_out {
        Some(kept_out) => json(StatusCode::OK, &Ban { kept_out }),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A name from outside.
pub(super) fn parse(room: &str) -> Result<RoomName, Problem> {
    let wrong = || {
        let detail = "a room's name is 1 to 64 of A-Z a-z 0-9 . _ -";
        Problem::new(Code::BadRoom, detail)
    };
    RoomName::parse(room).ok_or_else(wrong)
}

fn seats(max: u16) -> Result<usize, Problem> {
    match max {
        0 => {
            let detail = "max_participants is 0, expected 1 or more";
            Err(Problem::new(Code::BadRequest, detail))
        }
        max => Ok(max.into()),
    }
}
