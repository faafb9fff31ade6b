//! A room under any operations, for fuzz targets and property tests: whatever people and moderators
//! do, in whatever order, what each is told adds up to what is so.

mod guest;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use mixer::ladder::Wish;
use tokio::sync::oneshot;

use super::entrance::JoinError;
use super::handle::{Command, Entry, JoinRequest};
use super::moderation::{ActError, Actor};
use super::moment::Moment;
use super::seats::{Client, Part, SeatId, StatusChange};
use super::small::one_thread;
use super::{HouseRules, Room, RoomConfig, RoomSettings};
use crate::access::Grant;
use crate::signaling::message::{Act, ByeReason, How, PreferredLayout, Role};
use crate::signaling::{DisplayName, line};
use guest::{Guest, Place};

/// The most who take part, one more than there are seats.
const PEOPLE: usize = 6;

/// The most seats, and the most who wait.
const SEATS: usize = PEOPLE - 1;
const WAITING: usize = 2;

/// The most messages that the room keeps.
const CHAT_KEPT: usize = 3;

/// The most operations of one input.
const MAX_OPERATIONS: usize = 400;

/// Nobody has media, so that nothing is ever mixed.
static POOL: LazyLock<Arc<rayon::ThreadPool>> = LazyLock::new(one_thread);

/// Who does what: of the four bytes of an operation, the first says what kind it is, the second who
/// it is that does it, and the others what to whom.
#[derive(Clone, Copy, Debug)]
struct Operation {
    kind: u8,
    who: usize,
    what: u8,
    /// For acts: by oneself, by whoever may, or by the operator.
    by: u8,
}

/// A room and those who come and go.
struct Play {
    room: Room,
    guests: [Option<Guest>; PEOPLE],
    now: Instant,
    /// Who had a seat and has none any more: no id comes back.
    gone: BTreeSet<ParticipantId>,
    /// Who has one.
    here: BTreeSet<ParticipantId>,
    /// Whether the operator took the role from somebody, who may have been the last to have it.
    is_left_alone: bool,
    /// Tokens of those who are to stay away.
    banned: Vec<String>,
}

/// People join, wait, leave, vanish, come back, write and act, all without media. Checked after each
/// operation: bounds hold, ids are never used again, somebody moderates, who is removed or banned is
/// out, and what everybody was told is what is so.
///
/// The input is a list of operations of four bytes each.
///
/// # Panics
///
/// If one of these does not hold.
pub fn room(input: &[u8]) {
    let mut play = Play::new();
    for bytes in input.as_chunks::<4>().0.iter().take(MAX_OPERATIONS) {
        let [kind, who, what, by] = *bytes;
        let who = usize::from(who) % PEOPLE;
        play.apply(Operation {
            kind,
            who,
            what,
            by,
        });
        // What is not told at once is told by then; also who waits, where looking around changed that.
        play.now += Duration::from_secs(1);
        play.room.look_around(play.now);
        play.now += Duration::from_secs(1);
        play.room.tell_lobby_if_due(play.now);
        play.listen();
        play.check();
        if play.room.is_over(play.now) {
            return play.end();
        }
    }
}

impl Play {
    fn new() -> Self {
        let house = HouseRules {
            max_waiting: WAITING,
            chat_kept: CHAT_KEPT,
            patience: Duration::from_secs(60),
            ..HouseRules::default()
        };
        let config = RoomConfig {
            max_participants: SEATS,
            ..RoomConfig::small(house)
        };
        let settings = RoomSettings::default();
        let pool = Arc::clone(&POOL);
        Self {
            room: Room::new("demo".to_owned(), config, settings, pool),
            guests: std::array::from_fn(|_| None),
            now: Instant::now(),
            gone: BTreeSet::new(),
            here: BTreeSet::new(),
            is_left_alone: false,
            banned: Vec::new(),
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            wall_ms: 7,
        }
    }

    fn apply(&mut self, operation: Operation) {
        let Operation {
            kind, who, what, ..
        } = operation;
        match kind % 32 {
            0..=5 => self.join(who, what),
            6 => self.leave(who),
            7 => self.hang_up(who),
            8 => self.now += Duration::from_secs(u64::from(what)),
            kind => {
                let Some(seat) = self.guests[who].as_mut().and_then(Guest::seat) else {
                    return;
                };
                match kind {
                    9 | 10 => self.status(seat, what),
                    11 | 12 => {
                        let text = "x".repeat(usize::from(what));
                        let _ = self.room.say(seat, text, self.moment());
                    }
                    13 => {
                        let wish = Wish {
                            pin: Some(self.somebody(what)),
                            ..Wish::default()
                        };
                        let _ = self.room.prefer(seat, wish);
                    }
                    14 => {
                        let is_here = what.is_multiple_of(2);
                        let client = if is_here { Client::Here } else { Client::Away };
                        let changed = self.room.seats.follow_client(seat, client, self.now);
                        self.room.tell_if(seat.participant, changed);
                    }
                    kind => self.act(seat, kind, operation),
                }
            }
        }
        self.room.count_seats(self.moment());
    }

    /// Somebody comes, or comes back: with the token that they have, an identity that they share with
    /// one other, or the role of a moderator, as the bits of `what` say.
    fn join(&mut self, who: usize, what: u8) {
        let token = self.guests[who].as_ref().and_then(|it| it.token.clone());
        let token = token.filter(|_| what & 1 == 0);
        let identity = (what & 2 != 0).then(|| format!("person {}", who / 2));
        let role = (what & 12 == 12).then_some(Role::Moderator);
        let (said, line) = line();
        let request = JoinRequest {
            id: None,
            name: DisplayName::parse(&format!("Person {who}")).expect("it is a name"),
            grant: Grant {
                identity,
                role,
                ..Grant::anybody()
            },
            part: Part::InSession,
            token: token.clone(),
            permit: None,
            line: said,
        };
        let is_stranger = token.is_none() && request.grant.identity.is_none() && role.is_none();
        let is_banned = token.is_some_and(|token| self.banned.contains(&token));
        let entered = self.room.join(request, self.moment());
        let rules = self.room.rules;
        match &entered {
            Ok(_) => {
                assert!(!is_banned, "came in after a ban");
                assert!(!is_stranger || !rules.locked, "came past the lock");
            }
            Err(error) => assert!(!is_banned || *error == JoinError::Banned, "{error:?}"),
        }
        if let Ok(entry) = entered {
            let sits = matches!(entry, Entry::Seated(_));
            assert!(!(is_stranger && rules.lobby && sits), "came past the lobby");
            self.guests[who] = Some(Guest::new(entry, line));
        }
    }

    fn leave(&mut self, who: usize) {
        let Some(mut guest) = self.guests[who].take() else {
            return;
        };
        // What was said before may be that there is nothing to leave.
        guest.listen();
        match guest.place() {
            Place::Seat(seat) => {
                let (done, _when) = oneshot::channel();
                self.room.obey(Command::Leave { seat, done });
            }
            Place::Lobby(ticket) => {
                let (done, _when) = oneshot::channel();
                self.room.obey(Command::Withdraw { ticket, done });
            }
        }
    }

    fn hang_up(&mut self, who: usize) {
        let Some(guest) = self.guests[who].as_mut() else {
            return;
        };
        guest.is_over = true;
        match guest.place() {
            Place::Seat(seat) => {
                let changed = self.room.seats.hang_up(seat, self.now);
                self.room.tell_if(seat.participant, changed);
            }
            Place::Lobby(ticket) => {
                self.room.lobby.hang_up(ticket, self.now);
            }
        }
    }

    fn status(&mut self, seat: SeatId, what: u8) {
        let flag = |shift: u8| match (what >> shift) & 3 {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        let change = StatusChange {
            muted: flag(0),
            camera: flag(2),
            hand: flag(4),
        };
        let _ = self.room.follow_status(seat, change, self.moment());
    }

    fn act(&mut self, own: SeatId, kind: u8, operation: Operation) {
        let Operation { what, by, .. } = operation;
        let actor = match by % 8 {
            0 => Actor::Operator,
            1 | 2 => Actor::Seat(own),
            // Whoever may.
            _ => {
                let moderators = self.room.seats.moderators();
                let seats = moderators.filter_map(|id| self.room.seats.seat_id(id));
                Actor::Seat(seats.last().unwrap_or(own))
            }
        };
        let act = self.act_of(kind, what);
        let target = match &act {
            Act::Remove { participant, .. } => ParticipantId::parse(participant),
            _ => None,
        };
        let token = target.and_then(|target| {
            let guests = self.guests.iter().flatten();
            let mut same = guests.filter(|it| it.own.as_deref() == Some(&target.to_string()));
            same.find(|it| !it.is_over)?.token.clone()
        });
        let role = Role::Participant;
        let demotes = matches!(&act, Act::Role { role: given, .. } if *given == role);
        self.is_left_alone |= demotes && actor == Actor::Operator;
        let bans = matches!(act, Act::Remove { ban: true, .. });
        let moderates = match actor {
            Actor::Operator => true,
            Actor::Seat(seat) => self.room.seats.role_of(seat) == Some(Role::Moderator),
        };
        let done = self.room.moderate(actor, act, self.moment());
        match done {
            Ok(_) => assert!(moderates, "not for them to do"),
            Err(error) => {
                let expected = matches!(error, ActError::NotModerator | ActError::NoSeat);
                assert_eq!(moderates, !expected, "{error:?}");
                return;
            }
        }
        if let Some(target) = target {
            assert!(self.room.seats.participant(target).is_none(), "still here");
            self.banned.extend(token.filter(|_| bans));
        }
    }

    fn act_of(&self, kind: u8, what: u8) -> Act {
        let somebody = || self.somebody(what).to_string();
        let perhaps = || (!what.is_multiple_of(8)).then(somebody);
        let how = match what >> 4 {
            0..4 => How::Ask,
            4..10 => How::Force,
            _ => How::Hold,
        };
        let waiting = || {
            let knocks = self.room.lobby.knocks();
            let knock = knocks.get(usize::from(what) % (WAITING + 1))?;
            Some(knock.id.clone())
        };
        match kind {
            15 => Act::Lock,
            16 => Act::Unlock,
            17 | 18 => Act::Lobby {
                on: !what.is_multiple_of(4),
            },
            19 => Act::Admit { waiting: waiting() },
            20 => Act::Deny { waiting: waiting() },
            21 => Act::Mute {
                participant: perhaps(),
                how,
            },
            22 => Act::CameraOff {
                participant: perhaps(),
                how,
            },
            23 => Act::Unmute {
                participant: somebody(),
            },
            24 => Act::CameraOn {
                participant: somebody(),
            },
            25 => Act::Remove {
                participant: somebody(),
                ban: what >= 128,
            },
            26 | 27 => Act::Role {
                participant: somebody(),
                role: if what >= 128 {
                    Role::Moderator
                } else {
                    Role::Participant
                },
            },
            28 => Act::LowerHand {
                participant: perhaps(),
            },
            29 => Act::Pin {
                participant: perhaps(),
            },
            30 => Act::Layout {
                layout: match what % 3 {
                    0 => Some(PreferredLayout::Grid),
                    1 => Some(PreferredLayout::Speaker),
                    _ => None,
                },
            },
            _ if what == u8::MAX => Act::End,
            _ => Act::Unlock,
        }
    }

    /// One who is there, or nobody.
    fn somebody(&self, what: u8) -> ParticipantId {
        let id = self.room.seats.ids().nth(usize::from(what) % PEOPLE);
        id.unwrap_or(ParticipantId(0))
    }

    fn listen(&mut self) {
        for guest in self.guests.iter_mut().flatten() {
            guest.listen();
        }
    }

    fn check(&mut self) {
        let seats = &self.room.seats;
        assert!(seats.len() <= SEATS);
        assert!(self.room.lobby.knocks().len() <= WAITING);
        let may_moderate = |id| seats.granted(id).is_none();
        let somebody_should = !self.is_left_alone && seats.ids().any(may_moderate);
        assert!(
            !somebody_should || seats.moderators().next().is_some(),
            "nobody moderates"
        );
        let now: BTreeSet<ParticipantId> = seats.ids().collect();
        self.gone.extend(self.here.difference(&now));
        assert!(self.gone.is_disjoint(&now), "an id was used again");
        self.here = now;
        let kept = self.room.chat.kept(self.now);
        assert!(kept.len() <= CHAT_KEPT);
        for guest in self.guests.iter_mut().flatten() {
            guest.check(&self.room);
        }
        let mut sitting = self.guests.iter_mut().flatten();
        let mut seen = BTreeSet::new();
        assert!(
            sitting
                .all(|guest| guest.is_over
                    || guest.seat().is_none_or(|it| seen.insert(it.participant))),
            "two sessions with one seat"
        );
    }

    /// Everybody is told that it is over.
    fn end(mut self) {
        let reason = self.room.ending.unwrap_or(ByeReason::Ended);
        self.room.close_lines(reason);
        self.listen();
        for guest in self.guests.iter_mut().flatten() {
            assert!(guest.is_over || guest.seat().is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_each_is_told_adds_up_to_what_is_so(
            operations in prop::collection::vec(any::<[u8; 4]>(), 1..100),
        ) {
            room(operations.as_flattened());
        }
    }
}
