//! Who sits in a room, and who of them can be reached. Pure: time is an argument.
//!
//! A seat outlives its session and its transport: somebody who vanished without a word is marked
//! absent and may take the seat back with its token until it is given up. Each session that takes
//! a seat gets a generation of its own, so that what an earlier one left behind can no longer
//! change anything. Who can be reached is in [`reach`], what participants say in [`saying`], what
//! moderators do to seats in [`roles`].

mod connection;
mod reach;
mod roles;
mod saying;
mod seat;
mod switch;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use mixer::ladder::Wish;

pub(super) use connection::{Connection, Wiring};
pub(crate) use reach::Client;
pub(crate) use saying::StatusChange;
pub(super) use switch::{By, Device, Grip, Held};
pub(super) use token::{new_token, same_token};

use super::chat::ChatPace;
use super::moment::Moment;
use crate::access::{Capabilities, Grant};
use crate::limits::Permit;
use crate::rtc::Transport;
use crate::signaling::message::{Participant, Role};
use crate::signaling::{DisplayName, Line};
use seat::Seat;
use switch::{License, Switch};

/// A seat, as held by one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatId {
    pub(crate) participant: ParticipantId,
    generation: u64,
}

/// How somebody takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Part {
    /// In a session, which shows that they are there.
    #[default]
    InSession,
    /// By media alone: they are there while something comes over their transport.
    Publishing,
    /// The same, but they send nothing that could be shown: they have no tile.
    Watching,
}

impl Part {
    /// Whether one may use what a credential allows, or not.
    fn license(self, allowed: bool) -> License {
        License::to(allowed && self != Self::Watching)
    }
}

/// Somebody who is to have a seat.
#[derive(Clone, Debug)]
pub(super) struct Newcomer {
    pub(super) name: DisplayName,
    pub(super) grant: Grant,
    /// For the seat.
    pub(super) token: String,
    pub(super) part: Part,
    /// Held for as long as they wait or sit.
    pub(super) permit: Option<Arc<Permit>>,
}

impl Newcomer {
    /// Somebody who calls themselves `name`, unless that is not for them to choose.
    pub(super) fn new(name: DisplayName, grant: Grant) -> Self {
        Self {
            name: grant.name.clone().unwrap_or(name),
            grant,
            token: new_token(),
            part: Part::InSession,
            permit: None,
        }
    }
}

/// A seat was taken.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) seat: SeatId,
    pub(super) token: String,
    /// The session that had the seat until now, if it is still there.
    pub(super) displaced: Option<Line>,
    /// The transport that the seat had until now, and has until there is another.
    pub(super) transport: Option<Arc<Transport>>,
}

/// A seat was taken away.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) line: Option<Line>,
    pub(super) token: String,
    pub(super) identity: Option<String>,
}

/// Somebody in a seat, as whoever runs the server sees them.
#[derive(Debug)]
pub(super) struct Sitting {
    pub(super) participant: Participant,
    pub(super) identity: Option<String>,
    /// In milliseconds since 1970 (UTC).
    pub(super) joined_ms: u64,
    pub(super) absent_for: Option<Duration>,
}

/// All seats of a room.
#[derive(Debug)]
pub(super) struct Seats {
    seats: BTreeMap<ParticipantId, Seat>,
    max: usize,
    hold: Duration,
    next_participant: u32,
    next_generation: u64,
}

impl Seats {
    /// At most `max` seats, each held for `hold` while its participant is absent.
    pub(super) fn new(max: usize, hold: Duration) -> Self {
        Self {
            seats: BTreeMap::new(),
            max,
            hold,
            next_participant: 1,
            next_generation: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether somebody has ever had a seat.
    pub(super) const fn were_ever_taken(&self) -> bool {
        self.next_participant > 1
    }

    /// Whether there is none left.
    pub(super) fn is_full(&self) -> bool {
        self.seats.len() >= self.max
    }

    /// The most there can be.
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    /// Whether they have a tile.
    pub(super) fn is_shown(&self, id: ParticipantId) -> bool {
        let seat = self.seats.get(&id);
        seat.is_some_and(|seat| seat.part != Part::Watching)
    }

    /// Sets the most there can be. Those who have one keep it.
    pub(super) const fn resize(&mut self, max: usize) {
        self.max = max;
    }

    /// Takes a new seat. [`Self::is_full`] is for the caller to ask before.
    pub(super) fn take(
        &mut self,
        newcomer: Newcomer,
        line: Option<Line>,
        moment: Moment,
    ) -> Entered {
        let Newcomer {
            name,
            grant,
            token,
            part,
            permit,
        } = newcomer;
        let participant = ParticipantId(self.next_participant);
        self.next_participant += 1;
        let generation = self.generation();
        let mut seat = Seat {
            generation,
            token: token.clone(),
            name,
            identity: grant.identity,
            role: grant.role.unwrap_or(Role::Participant),
            granted: grant.role,
            can: grant.can,
            joined: moment,
            microphone: Switch::under(part.license(grant.can.publish_audio)),
            camera: Switch::under(part.license(grant.can.publish_video)),
            hand_raised_ms: None,
            chat_pace: ChatPace::default(),
            part,
            wish: Wish::default(),
            line,
            client: Client::Here,
            connection: None,
            absent_since: None,
            permit,
        };
        seat.judge(moment.now);
        self.seats.insert(participant, seat);
        let seat = SeatId {
            participant,
            generation,
        };
        Entered {
            seat,
            token,
            displaced: None,
            transport: None,
        }
    }

    /// Whose seat this token is for. A credential of somebody else does not take it.
    pub(super) fn find(&self, token: &str, identity: Option<&str>) -> Option<ParticipantId> {
        let mut all = self.seats.iter();
        let found = all.find(|(_, seat)| {
            same_token(&seat.token, token) && seat.identity.as_deref() == identity
        });
        found.map(|(id, _)| *id)
    }

    /// Who has this identity.
    pub(super) fn of_identity(&self, identity: &str) -> Option<ParticipantId> {
        let mut all = self.seats.iter();
        let found = all.find(|(_, seat)| seat.identity.as_deref() == Some(identity));
        found.map(|(id, _)| *id)
    }

    /// Gives a seat to another session of the same participant; `None` if there is no such seat.
    pub(super) fn retake(
        &mut self,
        id: ParticipantId,
        (name, grant): (DisplayName, &Grant),
        line: Line,
        now: Instant,
    ) -> Option<Entered> {
        let generation = self.generation();
        let seat = self.seats.get_mut(&id)?;
        seat.generation = generation;
        seat.name = grant.name.clone().unwrap_or(name);
        if grant.role != seat.granted {
            seat.granted = grant.role;
            seat.role = grant.role.unwrap_or(seat.role);
        }
        seat.can = grant.can;
        seat.follow_licenses();
        let displaced = seat.line.replace(line);
        seat.client = Client::Here;
        seat.judge(now);
        seat.hold_anew(now);
        Some(Entered {
            seat: SeatId {
                participant: id,
                generation,
            },
            token: seat.token.clone(),
            displaced,
            transport: seat
                .connection
                .as_ref()
                .and_then(|connection| connection.transport.clone()),
        })
    }

    /// Makes a seat ready for another device of the same person: the one that had it can neither
    /// take it back nor send any more, and its hand, switches and wishes are forgotten, except for
    /// what a moderator holds off.
    pub(super) fn hand_over(&mut self, id: ParticipantId, part: Part) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.part = part;
            seat.follow_licenses();
            seat.token = new_token();
            seat.connection = None;
            seat.microphone.hand_over();
            seat.camera.hand_over();
            seat.hand_raised_ms = None;
            seat.wish = Wish::default();
        }
    }

    /// Has the seat hold another permit than the one that it may have had.
    pub(super) fn keep(&mut self, seat: SeatId, permit: Arc<Permit>) {
        if let Some(held) = self.held(seat) {
            held.permit = Some(permit);
        }
    }

    /// What a participant's credential lets them do.
    pub(super) fn can(&self, id: ParticipantId) -> Capabilities {
        let seat = self.seats.get(&id);
        seat.map_or(Capabilities::ALL, |seat| seat.can)
    }

    /// Gives the seat up; false if it has another session by now.
    pub(super) fn leave(&mut self, seat: SeatId) -> bool {
        self.held(seat).is_some() && self.seats.remove(&seat.participant).is_some()
    }

    /// Takes a seat away.
    pub(super) fn remove(&mut self, id: ParticipantId) -> Option<Removed> {
        let seat = self.seats.remove(&id)?;
        Some(Removed {
            line: seat.line,
            token: seat.token,
            identity: seat.identity,
        })
    }

    /// Everybody, in the order of joining.
    pub(super) fn ids(&self) -> impl Iterator<Item = ParticipantId> {
        self.seats.keys().copied()
    }

    /// Everybody as they are now, in the order of joining.
    pub(super) fn participants(&self) -> Vec<Participant> {
        self.seats
            .iter()
            .map(|(id, seat)| seat.describe(*id))
            .collect()
    }

    /// One of them.
    pub(super) fn participant(&self, id: ParticipantId) -> Option<Participant> {
        self.seats.get(&id).map(|seat| seat.describe(id))
    }

    /// The seat, as held by the session that has it now.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn seat_id(&self, participant: ParticipantId) -> Option<SeatId> {
        let generation = self.seats.get(&participant)?.generation;
        Some(SeatId {
            participant,
            generation,
        })
    }

    /// Who one of them is to whoever made their credential.
    pub(super) fn identity(&self, id: ParticipantId) -> Option<String> {
        self.seats.get(&id)?.identity.clone()
    }

    /// One of them, with what is not for everybody to know.
    pub(super) fn sitting(&self, id: ParticipantId, now: Instant) -> Option<Sitting> {
        let seat = self.seats.get(&id)?;
        let absent_for = |since| now.saturating_duration_since(since);
        Some(Sitting {
            participant: seat.describe(id),
            identity: seat.identity.clone(),
            joined_ms: seat.joined.wall_ms,
            absent_for: seat.absent_since.map(absent_for),
        })
    }

    fn generation(&mut self) -> u64 {
        self.next_generation += 1;
        self.next_generation
    }

    fn held(&mut self, seat: SeatId) -> Option<&mut Seat> {
        let held = self.seats.get_mut(&seat.participant)?;
        (held.generation == seat.generation).then_some(held)
    }
}

#[cfg(test)]
mod tests;
