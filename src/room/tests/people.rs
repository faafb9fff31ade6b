//! People in a room without media: how they come in, and what is said to them.

use tokio::sync::oneshot;

use super::*;
use crate::room::handle::Seated;
use crate::signaling::message::{Act, Participant, Role};

/// Somebody with a seat and no media.
pub(super) struct Person {
    pub(super) seat: SeatId,
    pub(super) line: LineEnd,
}

impl Person {
    pub(super) fn id(&self) -> String {
        self.seat.participant.to_string()
    }

    pub(super) const fn actor(&self) -> Actor {
        Actor::Seat(self.seat)
    }

    /// All that was said to them since the last time.
    pub(super) async fn heard(&mut self) -> Vec<ServerMessage> {
        heard(&mut self.line).await
    }
}

/// All that was said over a line since the last time, a `bye` included.
pub(super) async fn heard(line: &mut LineEnd) -> Vec<ServerMessage> {
    let mut heard = Vec::new();
    loop {
        tokio::select! {
            biased;
            message = line.next() => {
                let over = matches!(message, ServerMessage::Bye { .. });
                heard.push(message);
                if over {
                    return heard;
                }
            }
            () = std::future::ready(()) => return heard,
        }
    }
}

pub(super) fn sit(room: &mut Room, name: &str) -> Person {
    sit_as(room, name, Grant::anybody())
}

pub(super) fn sit_as(room: &mut Room, name: &str, grant: Grant) -> Person {
    let (said, line) = line();
    let request = JoinRequest {
        grant,
        ..request(name, said)
    };
    let seat = join(room, request);
    Person { seat, line }
}

pub(super) fn identity(identity: &str) -> Grant {
    Grant {
        identity: Some(identity.to_owned()),
        ..Grant::anybody()
    }
}

pub(super) fn host() -> Grant {
    Grant {
        role: Some(Role::Moderator),
        ..Grant::anybody()
    }
}

pub(super) fn act(room: &mut Room, actor: Actor, act: Act) -> Result<(), ActError> {
    room.moderate(actor, act, Moment::now()).map(drop)
}

/// What a participant was last said to be like.
pub(super) fn last_seen(heard: &[ServerMessage], id: &str) -> Option<Participant> {
    let seen = heard.iter().rev().find_map(|message| match message {
        ServerMessage::Participant { participant } if participant.id == id => Some(participant),
        _ => None,
    });
    seen.cloned()
}

/// Somebody at the door of a room with a lobby.
pub(super) struct Knocker {
    pub(super) ticket: Ticket,
    pub(super) admitted: oneshot::Receiver<Seated>,
    pub(super) line: LineEnd,
}

pub(super) fn knock(room: &mut Room, request: impl FnOnce(Line) -> JoinRequest) -> Knocker {
    let (said, line) = line();
    match room.join(request(said), Moment::now()) {
        Ok(Entry::Waiting { ticket, admitted }) => Knocker {
            ticket,
            admitted,
            line,
        },
        other => panic!("{other:?}"),
    }
}

/// Who waits, as moderators were told last.
pub(super) fn knocking(heard: &[ServerMessage]) -> Vec<String> {
    let last = heard.iter().rev().find_map(|message| match message {
        ServerMessage::Knocking { waiting } => Some(waiting),
        _ => None,
    });
    let names = last.into_iter().flatten();
    names
        .map(|knock| format!("{} {}", knock.id, knock.name))
        .collect()
}

/// The places that somebody was told.
pub(super) fn places(heard: &[ServerMessage]) -> Vec<usize> {
    let places = heard.iter().filter_map(|message| match message {
        ServerMessage::Waiting(waiting) => Some(waiting.place),
        _ => None,
    });
    places.collect()
}

/// Tells what was not told at once, as if so many seconds had gone by.
pub(super) fn seconds_later(room: &mut Room, seconds: u64) {
    room.tell_lobby_if_due(Instant::now() + Duration::from_secs(seconds));
}
