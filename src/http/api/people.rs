//! Participants and those who wait: who they are, and what is to become of them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::body::{Json, ParticipantChange};
use super::json;
use super::problem::{Code, Problem};
use super::rooms::{act, describe, find, said_of};
use crate::http::Doors;
use crate::room::{RoomHandle, Sitter};
use crate::signaling::message::Act;

/// How somebody is removed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    /// Whether they are kept out for the life of the room.
    #[serde(default)]
    ban: bool,
}

/// Answers `GET /rooms/{room}/participants`.
pub(super) async fn list(
    State(doors): State<Doors>,
    Path(room): Path<String>,
) -> Result<Response, Problem> {
    let described = describe(&find(&doors, &room)?).await?;
    Ok(json(StatusCode::OK, &described.participants))
}

/// Answers `GET /rooms/{room}/participants/{participant}`.
pub(super) async fn show(
    State(doors): State<Doors>,
    Path((room, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let sitter = sitter(&find(&doors, &room)?, &id).await?;
    Ok(json(StatusCode::OK, &sitter))
}

/// Answers `PATCH /rooms/{room}/participants/{participant}`.
pub(super) async fn change(
    State(doors): State<Doors>,
    Path((room, id)): Path<(String, String)>,
    Json(change): Json<ParticipantChange>,
) -> Result<Response, Problem> {
    let room = find(&doors, &room)?;
    if change.hand_raised == Some(true) {
        let detail = "hand_raised is true, expected false: a hand is for its owner to raise";
        return Err(Problem::new(Code::BadRequest, detail));
    }
    for wanted in acts(&id, &change) {
        act(&room, wanted).await?;
    }
    Ok(json(StatusCode::OK, &sitter(&room, &id).await?))
}

/// Answers `DELETE /rooms/{room}/participants/{participant}`.
pub(super) async fn remove(
    State(doors): State<Doors>,
    Path((room, participant)): Path<(String, String)>,
    removal: Result<Query<Removal>, QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = |_| Problem::new(Code::BadRequest, "expected at most ban=true or ban=false");
    let Query(Removal { ban }) = removal.map_err(wrong)?;
    let acted = act(&find(&doors, &room)?, Act::Remove { participant, ban }).await?;
    Ok(said_of(acted))
}

/// Answers `POST /rooms/{room}/waiting/{waiting}/admit`.
pub(super) async fn admit(
    State(doors): State<Doors>,
    Path((room, waiting)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let waiting = Some(waiting);
    act(&find(&doors, &room)?, Act::Admit { waiting }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers `POST /rooms/{room}/waiting/{waiting}/deny`.
pub(super) async fn deny(
    State(doors): State<Doors>,
    Path((room, waiting)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let waiting = Some(waiting);
    act(&find(&doors, &room)?, Act::Deny { waiting }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sitter(room: &RoomHandle, id: &str) -> Result<Sitter, Problem> {
    let sitters = describe(room).await?.participants;
    let mut sitters = sitters.into_iter();
    let found = sitters.find(|sitter| sitter.participant.id == id);
    found.ok_or_else(|| Problem::nobody(id))
}

/// What has to be done for a change, first what may be refused.
fn acts(id: &str, change: &ParticipantChange) -> Vec<Act> {
    let (participant, how) = (id.to_owned(), change.how);
    let some = Some(participant.clone());
    let allowed = [
        (change.muted == Some(false)).then(|| Act::Unmute {
            participant: participant.clone(),
        }),
        (change.camera == Some(true)).then(|| Act::CameraOn {
            participant: participant.clone(),
        }),
    ];
    let done = [
        (change.muted == Some(true)).then(|| Act::Mute {
            participant: some.clone(),
            how,
        }),
        (change.camera == Some(false)).then(|| Act::CameraOff {
            participant: some.clone(),
            how,
        }),
        change.role.map(|role| Act::Role { participant, role }),
        change
            .hand_raised
            .map(|_| Act::LowerHand { participant: some }),
    ];
    allowed.into_iter().chain(done).flatten().collect()
}
