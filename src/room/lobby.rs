//! Who waits to be let in. Pure; time is an argument.
//!
//! A place in the lobby outlives its session as a seat does: its token takes it back. At most
//! [`HouseRules::max_waiting`] wait, each for at most [`HouseRules::patience`], and for the time a
//! seat is held without a session. How often that is told is in [`news`].

mod news;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

pub(super) use news::News;

use super::HouseRules;
use super::handle::Seated;
use super::moment::{Moment, to_ms};
use super::seats::{Newcomer, new_token, same_token};
use crate::limits::Permit;
use crate::signaling::message::{Knock, RequestId, ServerMessage, Waiting};
use crate::signaling::{Line, PING_INTERVAL, SILENCE};

/// Who waits, and for which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    id: WaitingId,
    generation: u64,
}

/// One who waits; `w1`, `w2` … in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WaitingId(u32);

impl Ticket {
    /// Whose it is.
    pub(super) const fn id(self) -> WaitingId {
        self.id
    }
}

impl WaitingId {
    /// Reads what [`fmt::Display`] writes, and nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = Self(text.strip_prefix('w')?.parse().ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for WaitingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}", self.0)
    }
}

/// Somebody at the door.
#[derive(Debug)]
pub(super) struct Waiter {
    id: WaitingId,
    pub(super) newcomer: Newcomer,
    pub(super) door: Door,
    since: Moment,
    generation: u64,
    /// Since when there is no session.
    lost_since: Option<Instant>,
    /// The place that was told last.
    place: usize,
}

impl Waiter {
    /// Who they are.
    pub(super) const fn id(&self) -> WaitingId {
        self.id
    }

    /// Whether somebody listens at the door.
    pub(super) const fn is_in_session(&self) -> bool {
        self.lost_since.is_none()
    }
}

/// Where a session waits for an answer.
#[derive(Debug)]
pub(super) struct Door {
    /// Of the `join`.
    pub(super) id: Option<RequestId>,
    pub(super) line: Option<Line>,
    /// Where the session finds its seat. `None` once nobody waits there.
    pub(super) admitted: Option<oneshot::Sender<Seated>>,
}

/// Which of those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Who was told nothing yet.
    Newcomers,
    Everybody,
}

/// Everybody who waits for one room.
#[derive(Debug)]
pub(super) struct Lobby {
    waiting: BTreeMap<WaitingId, Waiter>,
    max: usize,
    patience: Duration,
    hold: Duration,
    next: u32,
    next_generation: u64,
}

impl Lobby {
    /// Nobody yet. A place without a session is kept for `hold`.
    pub(super) const fn new(house: &HouseRules, hold: Duration) -> Self {
        Self {
            waiting: BTreeMap::new(),
            max: house.max_waiting,
            patience: house.patience,
            hold,
            next: 1,
            next_generation: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether nobody else may wait.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.max
    }

    /// Takes the last place. [`Self::is_full`] is for the caller to ask before.
    pub(super) fn knock(&mut self, newcomer: Newcomer, door: Door, since: Moment) -> Ticket {
        let id = WaitingId(self.next);
        self.next += 1;
        let generation = self.generation();
        let waiter = Waiter {
            id,
            newcomer,
            door,
            since,
            generation,
            lost_since: None,
            place: 0,
        };
        self.waiting.insert(id, waiter);
        Ticket { id, generation }
    }

    /// Who has this token, of the identity that they had.
    pub(super) fn find(&self, token: &str, identity: Option<&str>) -> Option<WaitingId> {
        let mut all = self.waiting.iter();
        let found = all.find(|(_, waiter)| {
            let newcomer = &waiter.newcomer;
            same_token(&newcomer.token, token) && newcomer.grant.identity.as_deref() == identity
        });
        found.map(|(id, _)| *id)
    }

    /// Who has this identity.
    pub(super) fn of_identity(&self, identity: &str) -> Option<WaitingId> {
        let mut all = self.waiting.iter();
        let same = |waiter: &Waiter| waiter.newcomer.grant.identity.as_deref() == Some(identity);
        all.find(|(_, waiter)| same(waiter)).map(|(id, _)| *id)
    }

    /// Whether somebody listens at the door.
    pub(super) fn is_in_session(&self, id: WaitingId) -> bool {
        let waiter = self.waiting.get(&id);
        waiter.is_some_and(Waiter::is_in_session)
    }

    /// Has the session that waits until now not take the place back.
    pub(super) fn renew_token(&mut self, id: WaitingId) {
        if let Some(waiter) = self.waiting.get_mut(&id) {
            waiter.newcomer.token = new_token();
        }
    }

    /// Has the place hold another permit than the one that it may have had.
    pub(super) fn keep(&mut self, id: WaitingId, permit: Arc<Permit>) {
        if let Some(waiter) = self.waiting.get_mut(&id) {
            waiter.newcomer.permit = Some(permit);
        }
    }

    /// Gives a place to another session; the line of the one that had it, if it is still there.
    pub(super) fn retake(&mut self, id: WaitingId, door: Door) -> Option<(Ticket, Option<Line>)> {
        let generation = self.generation();
        let waiter = self.waiting.get_mut(&id)?;
        let displaced = std::mem::replace(&mut waiter.door, door).line;
        (waiter.generation, waiter.lost_since, waiter.place) = (generation, None, 0);
        Some((Ticket { id, generation }, displaced))
    }

    /// The session is gone without a word; false if the place has another by now, or is no more.
    pub(super) fn hang_up(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(waiter) = self.held(ticket) else {
            return false;
        };
        (waiter.door.line, waiter.door.admitted) = (None, None);
        waiter.lost_since = Some(now);
        true
    }

    /// Gives the place up; false if it has another session by now, or is no more.
    pub(super) fn withdraw(&mut self, ticket: Ticket) -> bool {
        self.held(ticket).is_some() && self.waiting.remove(&ticket.id).is_some()
    }

    /// Takes one out, to be let in or sent away.
    pub(super) fn take(&mut self, id: WaitingId) -> Option<Waiter> {
        self.waiting.remove(&id)
    }

    /// Takes the first out.
    pub(super) fn take_first(&mut self) -> Option<Waiter> {
        self.waiting.pop_first().map(|(_, waiter)| waiter)
    }

    /// Takes out who has waited for too long, or whose session has been gone for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Waiter> {
        let (patience, hold) = (self.patience, self.hold);
        let over = |since: Instant, span| now.saturating_duration_since(since) >= span;
        let gone = self.waiting.extract_if(.., |_, waiter| {
            over(waiter.since.now, patience) || waiter.lost_since.is_some_and(|at| over(at, hold))
        });
        gone.map(|(_, waiter)| waiter).collect()
    }

    /// What to tell those whose place is another than they know, and where.
    pub(super) fn places(&mut self, to: To) -> Vec<(Line, ServerMessage)> {
        let (wait_ms, seat_ms) = (to_ms(self.patience), to_ms(self.hold));
        let concerns = |waiter: &Waiter| match to {
            To::Newcomers => waiter.place == 0,
            To::Everybody => true,
        };
        let moved = self.waiting.values_mut().zip(1..);
        let moved = moved.filter(|(waiter, place)| waiter.place != *place && concerns(waiter));
        let told = moved.filter_map(|(waiter, place)| {
            waiter.place = place;
            let message = ServerMessage::Waiting(Waiting {
                token: waiter.newcomer.token.clone(),
                place,
                ping_interval_ms: to_ms(PING_INTERVAL),
                session: None,
                silence_ms: to_ms(SILENCE),
                seat_ms,
                wait_ms,
            });
            Some((waiter.door.line.clone()?, message))
        });
        told.collect()
    }

    /// Everybody, as moderators see them.
    pub(super) fn knocks(&self) -> Vec<Knock> {
        let all = self.waiting.iter();
        all.map(|(id, waiter)| Knock {
            id: id.to_string(),
            name: waiter.newcomer.name.to_string(),
            since_ms: waiter.since.wall_ms,
        })
        .collect()
    }

    fn generation(&mut self) -> u64 {
        self.next_generation += 1;
        self.next_generation
    }

    fn held(&mut self, ticket: Ticket) -> Option<&mut Waiter> {
        let waiter = self.waiting.get_mut(&ticket.id)?;
        (waiter.generation == ticket.generation).then_some(waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Grant;
    use crate::room::Part;
    use crate::signaling::{DisplayName, line};

    const HOLD: Duration = Duration::from_secs(30);
    const PATIENCE: Duration = Duration::from_secs(600);

    fn lobby() -> Lobby {
        let house = HouseRules {
            max_waiting: 2,
            patience: PATIENCE,
            ..HouseRules::default()
        };
        Lobby::new(&house, HOLD)
    }

    fn door() -> Door {
        Door {
            id: None,
            line: Some(line().0),
            admitted: None,
        }
    }

    fn knock(lobby: &mut Lobby, name: &str, now: Instant) -> Ticket {
        let newcomer = Newcomer {
            name: DisplayName::parse(name).unwrap(),
            grant: Grant::anybody(),
            token: format!("token of {name}"),
            part: Part::InSession,
            permit: None,
        };
        lobby.knock(newcomer, door(), Moment { now, wall_ms: 7 })
    }

    /// Who is told which place.
    fn told(lobby: &mut Lobby) -> Vec<(String, usize)> {
        let places = lobby.places(To::Everybody).into_iter();
        let place = |(_, message)| match message {
            ServerMessage::Waiting(waiting) => (waiting.token, waiting.place),
            other => panic!("{other:?}"),
        };
        places.map(place).collect()
    }

    #[test]
    fn only_those_whose_place_changes_are_told() {
        let mut lobby = lobby();
        let now = Instant::now();
        let ann = knock(&mut lobby, "Ann", now);
        assert_eq!(told(&mut lobby), [("token of Ann".to_owned(), 1)]);
        assert!(!lobby.is_full());
        knock(&mut lobby, "Bob", now);
        assert_eq!(told(&mut lobby), [("token of Bob".to_owned(), 2)]);
        assert!(lobby.is_full());

        assert!(lobby.withdraw(ann));

        assert_eq!(told(&mut lobby), [("token of Bob".to_owned(), 1)]);
        let knocks: Vec<_> = lobby.knocks().into_iter().map(|it| it.id).collect();
        assert_eq!(knocks, ["w2"]);
    }

    #[test]
    fn who_just_came_is_told_a_place_before_the_others_are_told_theirs() {
        let mut lobby = lobby();
        let ann = knock(&mut lobby, "Ann", Instant::now());
        told(&mut lobby);
        knock(&mut lobby, "Bob", Instant::now());

        assert_eq!(lobby.places(To::Newcomers).len(), 1);
        assert_eq!(told(&mut lobby), []);
        lobby.withdraw(ann);
        assert_eq!(lobby.places(To::Newcomers).len(), 0);
        assert_eq!(told(&mut lobby).len(), 1);
    }

    #[test]
    fn a_token_takes_a_place_back_and_the_earlier_session_has_no_say_any_more() {
        let mut lobby = lobby();
        let now = Instant::now();
        let first = knock(&mut lobby, "Ann", now);
        assert!(lobby.hang_up(first, now));
        assert_eq!(lobby.find("guess", None), None);
        assert_eq!(lobby.find("token of Ann", Some("somebody")), None);

        let id = lobby.find("token of Ann", None).unwrap();
        let (second, displaced) = lobby.retake(id, door()).unwrap();

        assert!(displaced.is_none(), "it had hung up");
        assert!(!lobby.withdraw(first));
        assert!(lobby.expire(now + HOLD).is_empty());
        assert_eq!(told(&mut lobby), [("token of Ann".to_owned(), 1)]);
        assert!(lobby.withdraw(second));
    }

    #[test]
    fn nobody_waits_for_ever_with_or_without_a_session() {
        let mut lobby = lobby();
        let start = Instant::now();
        knock(&mut lobby, "Ann", start);
        let bob = knock(&mut lobby, "Bob", start);
        lobby.hang_up(bob, start);
        let names = |gone: Vec<Waiter>| -> Vec<String> {
            let gone = gone.into_iter();
            gone.map(|it| it.newcomer.name.to_string()).collect()
        };
        let just = Duration::from_millis(1);

        assert!(lobby.expire(start + HOLD - just).is_empty());
        assert_eq!(names(lobby.expire(start + HOLD)), ["Bob"]);
        assert!(lobby.expire(start + PATIENCE - just).is_empty());
        assert_eq!(names(lobby.expire(start + PATIENCE)), ["Ann"]);
        assert!(lobby.is_empty());
    }

    #[test]
    fn an_id_is_read_as_it_is_written_and_no_other_way() {
        assert_eq!(WaitingId::parse("w12"), Some(WaitingId(12)));
        for bad in ["", "w", "12", "p12", "w+1", "w01"] {
            assert_eq!(WaitingId::parse(bad), None, "{bad:?}");
        }
    }
}
