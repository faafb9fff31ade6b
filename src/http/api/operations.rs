//! All that operators may ask for. The routes and their description are made of this one list.

use axum::http::StatusCode;
use axum::routing::{MethodRouter, delete, get, patch, post};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::body::{NewMessage, NewRoom, ParticipantChange, RoomChange};
use super::rooms::{Ban, RoomSummary};
use super::status::ServerStatus;
use super::{events, openapi, people, rooms, snapshot, status};
use crate::http::Doors;
use crate::room::{RoomDescription, Sitter};
use crate::signaling::message::Act;

/// Has a type described, and gives what refers to it.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One thing that can be asked for.
pub(super) struct Operation {
    /// In lower case.
    pub(super) method: &'static str,
    /// Below the prefix; parameters are in braces.
    pub(super) path: &'static str,
    /// What it is, in a word for programs.
    pub(super) id: &'static str,
    /// What it is, for people.
    pub(super) summary: &'static str,
    pub(super) handler: MethodRouter<Doors>,
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<SchemaOf>,
    pub(super) answer: Answer,
}

/// A parameter of the query, which may be absent.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// As JSON Schema has it.
    pub(super) kind: &'static str,
}

/// What comes back when it was done.
pub(super) enum Answer {
    Json(StatusCode, SchemaOf),
    /// JSON if there is anything to say.
    JsonOrNothing(SchemaOf),
    /// Server-sent events, the data of each JSON.
    Events(SchemaOf),
    /// PNG or JPEG.
    Picture,
    /// JSON that describes itself.
    Document,
    Nothing,
}

impl Operation {
    fn new(
        (method, path): (&'static str, &'static str),
        (id, summary): (&'static str, &'static str),
        handler: MethodRouter<Doors>,
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            handler,
            query: &[],
            body: None,
            answer,
        }
    }

    fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    fn asks(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }
}

fn gives<T: JsonSchema>() -> Answer {
    Answer::Json(StatusCode::OK, SchemaGenerator::subschema_for::<T>)
}

fn makes<T: JsonSchema>() -> Answer {
    Answer::Json(StatusCode::CREATED, SchemaGenerator::subschema_for::<T>)
}

fn may_give<T: JsonSchema>() -> Answer {
    Answer::JsonOrNothing(SchemaGenerator::subschema_for::<T>)
}

/// The list.
pub(super) fn all() -> Vec<Operation> {
    const WHICH: &[Parameter] = &[
        Parameter {
            name: "room",
            summary: "Whose events; absent: of all rooms",
            kind: "string",
        },
        Parameter {
            name: "after",
            summary: "The id of the last event that was seen, as the header Last-Event-ID, which goes \
                      before it; absent: from now on",
            kind: "string",
        },
    ];
    let mut all = of_rooms();
    all.extend(of_people());
    all.extend([
        Operation::new(
            ("get", "/status"),
            ("showStatus", "The server in numbers"),
            get(status::show),
            gives::<ServerStatus>(),
        ),
        Operation::new(
            ("get", "/events"),
            ("followEvents", "What happens, as it happens"),
            get(events::follow),
            Answer::Events(SchemaGenerator::subschema_for::<events::Told<'_>>),
        )
        .asks(WHICH),
        Operation::new(
            ("get", "/openapi.json"),
            ("showInterface", "This description"),
            get(openapi::show),
            Answer::Document,
        ),
    ]);
    all
}

fn of_rooms() -> Vec<Operation> {
    vec![
        Operation::new(
            ("get", "/rooms"),
            ("listRooms", "All rooms, by name"),
            get(rooms::list),
            gives::<Vec<RoomSummary>>(),
        ),
        Operation::new(
            ("post", "/rooms"),
            (
                "createRoom",
                "Makes a room, which stays until it is deleted",
            ),
            post(rooms::create),
            makes::<RoomDescription>(),
        )
        .takes::<NewRoom>(),
        Operation::new(
            ("get", "/rooms/{room}"),
            ("showRoom", "A room with everybody in it"),
            get(rooms::show),
            gives::<RoomDescription>(),
        ),
        Operation::new(
            ("patch", "/rooms/{room}"),
            ("changeRoom", "Changes what holds in a room"),
            patch(rooms::change),
            gives::<RoomDescription>(),
        )
        .takes::<RoomChange>(),
        Operation::new(
            ("delete", "/rooms/{room}"),
            ("endRoom", "Ends a room for everybody"),
            delete(rooms::end),
            Answer::Nothing,
        ),
        Operation::new(
            ("get", "/rooms/{room}/snapshot"),
            (
                "takeSnapshot",
                "The largest picture that somebody in a room gets, as it is now",
            ),
            get(snapshot::take),
            Answer::Picture,
        ),
        Operation::new(
            ("post", "/rooms/{room}/acts"),
            ("moderate", "Does what a moderator may do"),
            post(rooms::moderate),
            may_give::<Ban>(),
        )
        .takes::<Act>(),
        Operation::new(
            ("post", "/rooms/{room}/messages"),
            ("writeMessage", "Writes to everybody in a room"),
            post(rooms::announce),
            Answer::Nothing,
        )
        .takes::<NewMessage>(),
    ]
}

fn of_people() -> Vec<Operation> {
    const BAN: &[Parameter] = &[Parameter {
        name: "ban",
        summary: "Whether they are kept out for the life of the room; absent: no",
        kind: "boolean",
    }];
    vec![
        Operation::new(
            ("get", "/rooms/{room}/participants"),
            (
                "listParticipants",
                "Everybody in a room, in the order of joining",
            ),
            get(people::list),
            gives::<Vec<Sitter>>(),
        ),
        Operation::new(
            ("get", "/rooms/{room}/participants/{participant}"),
            ("showParticipant", "Somebody in a room"),
            get(people::show),
            gives::<Sitter>(),
        ),
        Operation::new(
            ("patch", "/rooms/{room}/participants/{participant}"),
            ("changeParticipant", "Moderates somebody"),
            patch(people::change),
            gives::<Sitter>(),
        )
        .takes::<ParticipantChange>(),
        Operation::new(
            ("delete", "/rooms/{room}/participants/{participant}"),
            ("removeParticipant", "Takes somebody's seat away"),
            delete(people::remove),
            may_give::<Ban>(),
        )
        .asks(BAN),
        Operation::new(
            ("post", "/rooms/{room}/waiting/{waiting}/admit"),
            ("admit", "Lets in somebody who waits"),
            post(people::admit),
            Answer::Nothing,
        ),
        Operation::new(
            ("post", "/rooms/{room}/waiting/{waiting}/deny"),
            ("deny", "Sends away somebody who waits"),
            post(people::deny),
            Answer::Nothing,
        ),
    ]
}
