//! Who sits in a room, and who of them can be reached. Pure: time is an argument.
//!
//! A seat outlives its session and its transport: somebody who vanished without a word is marked
//! absent and may take the seat back with its token until it is given up. Each session that takes
//! a seat gets a generation of its own, so that what an earlier one left behind can no longer
//! change anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use mixer::ladder::{Wish, WishedVideo};

use crate::link::Link;
use crate::rtc::{Direction, Transport, TransportId, TransportState};
use crate::signaling::message::Participant;
use crate::signaling::{DisplayName, Line};

/// A transport that says it is connected is not believed after so long without a packet, where there
/// is no session either: whoever is there sends reports at the least, every few seconds.
const DEAD_AFTER: Duration = Duration::from_secs(15);

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

/// What a participant says of their own microphone and camera. `None`: as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub(crate) muted: Option<bool>,
    pub(crate) camera: Option<bool>,
}

/// Why a seat is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("the room is full, it takes {max} participants")]
    Full { max: usize },
    #[error("no seat is held for this token")]
    BadToken,
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

#[derive(Debug)]
struct Seat {
    generation: u64,
    token: String,
    name: DisplayName,
    part: Part,
    muted: bool,
    camera: bool,
    wish: Wish,
    line: Option<Line>,
    connection: Option<Connection>,
    absent_since: Option<Instant>,
}

/// What a seat's media comes over. When the seat goes, the last handle closes it.
#[derive(Debug)]
pub(super) struct Connection {
    id: TransportId,
    transport: Option<Arc<Transport>>,
    wiring: Wiring,
    state: TransportState,
}

/// What ties a participant's transport to the media threads.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    pub(super) link: Arc<Link>,
    pub(super) hears: Direction,
    pub(super) sees: Direction,
}

impl Connection {
    /// A connection that is about to be made; only tests have none.
    pub(super) const fn new(
        id: TransportId,
        transport: Option<Arc<Transport>>,
        wiring: Wiring,
    ) -> Self {
        Self {
            id,
            transport,
            wiring,
            state: TransportState::Connecting,
        }
    }

    /// Whether anything can come over it at `now`, as far as one can tell without a session.
    fn is_alive(&self, now: Instant) -> bool {
        self.state == TransportState::Connected && self.wiring.link.silence(now) < DEAD_AFTER
    }
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

    /// Takes a new seat, or with a token the one it was given for.
    ///
    /// # Errors
    ///
    /// [`JoinError::Full`] if all seats are taken, [`JoinError::BadToken`] if no seat is held for
    /// the token.
    pub(super) fn join(
        &mut self,
        name: DisplayName,
        token: Option<&str>,
        line: Line,
        now: Instant,
    ) -> Result<Entered, JoinError> {
        let generation = self.next_generation;
        self.next_generation += 1;
        match token {
            Some(token) => self.retake(token, (name, line), generation, now),
            None => self.take(name, line, generation),
        }
    }

    /// Says how somebody takes part, who has just taken a new seat.
    pub(super) fn set_part(&mut self, seat: SeatId, part: Part) {
        if let Some(held) = self.held(seat) {
            held.part = part;
            held.muted = part == Part::Watching;
            held.camera = part != Part::Watching;
        }
    }

    /// Whether they have a tile.
    pub(super) fn is_shown(&self, id: ParticipantId) -> bool {
        let seat = self.seats.get(&id);
        seat.is_some_and(|seat| seat.part != Part::Watching)
    }

    fn take(
        &mut self,
        name: DisplayName,
        line: Line,
        generation: u64,
    ) -> Result<Entered, JoinError> {
        if self.seats.len() >= self.max {
            return Err(JoinError::Full { max: self.max });
        }
        let participant = ParticipantId(self.next_participant);
        self.next_participant += 1;
        let token = new_token();
        let seat = Seat {
            generation,
            token: token.clone(),
            name,
            part: Part::InSession,
            muted: false,
            camera: true,
            wish: Wish::default(),
            line: Some(line),
            connection: None,
            absent_since: None,
        };
        self.seats.insert(participant, seat);
        let seat = SeatId {
            participant,
            generation,
        };
        Ok(Entered {
            seat,
            token,
            displaced: None,
            transport: None,
        })
    }

    fn retake(
        &mut self,
        token: &str,
        (name, line): (DisplayName, Line),
        generation: u64,
        now: Instant,
    ) -> Result<Entered, JoinError> {
        let (participant, seat) = self
            .seats
            .iter_mut()
            .find(|(_, seat)| same_token(&seat.token, token))
            .ok_or(JoinError::BadToken)?;
        seat.generation = generation;
        seat.name = name;
        let displaced = seat.line.replace(line);
        seat.judge(now);
        seat.hold_anew(now);
        Ok(Entered {
            seat: SeatId {
                participant: *participant,
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

    /// Puts a connection on the seat; false if the seat has another session by now.
    pub(super) fn attach(&mut self, seat: SeatId, connection: Connection, now: Instant) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        held.connection = Some(connection);
        held.hold_anew(now);
        true
    }

    /// What ties a participant to the media threads, if they have a transport.
    pub(super) fn wiring(&self, id: ParticipantId) -> Option<&Wiring> {
        let connection = self.seats.get(&id)?.connection.as_ref();
        connection.map(|connection| &connection.wiring)
    }

    /// Looks at everybody anew, since silence says nothing by itself: those who turn out to be
    /// absent, or present.
    pub(super) fn look_around(&mut self, now: Instant) -> Vec<ParticipantId> {
        let seats = self.seats.iter_mut();
        seats
            .filter_map(|(id, seat)| seat.judge(now).then_some(*id))
            .collect()
    }

    /// Follows a seat's transport, if it is still the one it has; true if that changed whether the
    /// participant is absent.
    pub(super) fn transport(
        &mut self,
        participant: ParticipantId,
        transport: TransportId,
        state: TransportState,
        now: Instant,
    ) -> bool {
        let Some(seat) = self.seats.get_mut(&participant) else {
            return false;
        };
        match &mut seat.connection {
            Some(connection) if connection.id == transport => {
                connection.state = state;
                if state == TransportState::Connected {
                    connection.wiring.link.hear(now);
                }
            }
            _ => return false,
        }
        seat.judge(now)
    }

    /// Follows what the participant says; true if something changed.
    pub(super) fn status(&mut self, seat: SeatId, change: StatusChange) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        let before = (held.muted, held.camera);
        held.muted = change.muted.unwrap_or(held.muted);
        held.camera = change.camera.unwrap_or(held.camera);
        before != (held.muted, held.camera)
    }

    /// Follows what the participant asks for; false if the seat has another session by now.
    pub(super) fn set_wish(&mut self, seat: SeatId, wish: Wish) -> bool {
        let held = self.held(seat);
        held.map(|held| held.wish = wish).is_some()
    }

    /// What a participant asks for: no video where its transport takes none.
    pub(super) fn wish(&self, id: ParticipantId) -> Wish {
        let Some(seat) = self.seats.get(&id) else {
            return Wish::default();
        };
        match seat.connection.as_ref().map(|it| it.wiring.sees) {
            Some(Direction::Unwanted) => Wish {
                video: WishedVideo::Unwanted,
                ..seat.wish
            },
            Some(Direction::Wanted) | None => seat.wish,
        }
    }

    /// Gives the seat up; false if it has another session by now.
    pub(super) fn leave(&mut self, seat: SeatId) -> bool {
        self.held(seat).is_some() && self.seats.remove(&seat.participant).is_some()
    }

    /// The session is gone without a word; true if the participant is absent from now on.
    pub(super) fn hang_up(&mut self, seat: SeatId, now: Instant) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        held.line = None;
        held.judge(now)
    }

    /// Gives up the seats of those absent for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(ParticipantId, Option<Line>)> {
        let hold = self.hold;
        let over = |seat: &Seat| {
            seat.absent_since
                .is_some_and(|since| now.saturating_duration_since(since) >= hold)
        };
        let gone = self.seats.extract_if(.., |_, seat| over(seat));
        gone.map(|(participant, seat)| (participant, seat.line))
            .collect()
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

    /// Where to say something to one of them.
    pub(super) fn line(&self, id: ParticipantId) -> Option<&Line> {
        self.seats.get(&id).and_then(|seat| seat.line.as_ref())
    }

    /// Where to say something about a transport, if it is still the one of the seat.
    pub(super) fn line_of(&self, id: ParticipantId, transport: TransportId) -> Option<&Line> {
        let seat = self.seats.get(&id)?;
        let current = seat
            .connection
            .as_ref()
            .is_some_and(|it| it.id == transport);
        seat.line.as_ref().filter(|_| current)
    }

    /// Where to say something to everybody who listens.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.seats.values().filter_map(|seat| seat.line.as_ref())
    }

    fn held(&mut self, seat: SeatId) -> Option<&mut Seat> {
        let held = self.seats.get_mut(&seat.participant)?;
        (held.generation == seat.generation).then_some(held)
    }
}

impl Seat {
    /// Whoever is on the way back has the whole time again.
    fn hold_anew(&mut self, now: Instant) {
        if let Some(since) = &mut self.absent_since {
            *since = now;
        }
    }

    /// Notes whether the participant can be reached; true if that changed.
    fn judge(&mut self, now: Instant) -> bool {
        let in_session = self.line.is_some() && self.part == Part::InSession;
        let reachable = match &self.connection {
            None => in_session,
            Some(connection) => match connection.state {
                TransportState::Connecting => in_session,
                TransportState::Connected => in_session || connection.is_alive(now),
                TransportState::Disconnected | TransportState::Failed => false,
            },
        };
        let changed = reachable == self.absent_since.is_some();
        if changed {
            self.absent_since = (!reachable).then_some(now);
        }
        changed
    }

    fn describe(&self, id: ParticipantId) -> Participant {
        Participant {
            id: id.to_string(),
            name: self.name.to_string(),
            muted: self.muted,
            camera: self.camera,
            absent: self.absent_since.is_some(),
            watching: self.part == Part::Watching,
        }
    }
}

/// 128 random bits: not to be guessed within the minute that a seat is held.
fn new_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Compares in a time that does not depend on where the first difference is.
fn same_token(held: &str, given: &str) -> bool {
    held.len() == given.len()
        && held
            .bytes()
            .zip(given.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests;
