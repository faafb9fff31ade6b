//! What one client makes of what it is told.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::super::Room;
use super::super::handle::Entry;
use super::super::lobby::Ticket;
use super::super::seats::SeatId;
use crate::signaling::LineEnd;
use crate::signaling::message::{ErrorCode, Participant, Role, RoomState, ServerMessage};

/// One client, as far as it knows.
pub(super) struct Guest {
    entry: Entry,
    line: LineEnd,
    pub(super) token: Option<String>,
    pub(super) own: Option<String>,
    participants: BTreeMap<String, Participant>,
    state: RoomState,
    /// Nothing is known of it where nothing was kept.
    last_chat: Option<u64>,
    knocking: Vec<String>,
    /// Its session is: it was refused or sent away, or has hung up.
    pub(super) is_over: bool,
}

/// Where it is.
pub(super) enum Place {
    Seat(SeatId),
    Lobby(Ticket),
}

impl Guest {
    pub(super) fn new(entry: Entry, line: LineEnd) -> Self {
        Self {
            entry,
            line,
            token: None,
            own: None,
            participants: BTreeMap::new(),
            state: RoomState::default(),
            last_chat: None,
            knocking: Vec::new(),
            is_over: false,
        }
    }

    pub(super) fn place(&mut self) -> Place {
        if let Entry::Waiting { admitted, .. } = &mut self.entry
            && let Ok(seated) = admitted.try_recv()
        {
            self.entry = Entry::Seated(seated);
        }
        match &self.entry {
            Entry::Seated(seated) => Place::Seat(seated.seat),
            Entry::Waiting { ticket, .. } => Place::Lobby(*ticket),
        }
    }

    pub(super) fn seat(&mut self) -> Option<SeatId> {
        match self.place() {
            Place::Seat(seat) => Some(seat),
            Place::Lobby(_) => None,
        }
    }

    /// Takes all that was said since the last time. Nothing is said after a `bye`.
    pub(super) fn listen(&mut self) {
        while !self.is_over {
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(message) = pin!(self.line.next()).poll(&mut context) else {
                return;
            };
            self.take(message);
        }
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined(joined) => {
                assert!(self.own.is_none(), "joined twice");
                self.token = Some(joined.token);
                self.own = Some(joined.participant);
                self.state = joined.state;
                self.last_chat = joined.chat.last().map(|chat| chat.number);
                self.knocking.clear();
                let all = joined.participants.into_iter();
                self.participants = all.map(|it| (it.id.clone(), it)).collect();
            }
            ServerMessage::Waiting(waiting) => {
                assert!(self.own.is_none() && waiting.place > 0);
                self.token = Some(waiting.token);
            }
            ServerMessage::Participant { participant } => {
                self.participants
                    .insert(participant.id.clone(), participant);
            }
            ServerMessage::ParticipantLeft { participant, .. } => {
                let known = self.participants.remove(&participant);
                assert!(known.is_some(), "{participant} left, who was not there");
            }
            ServerMessage::Room(state) => {
                assert_ne!(state, self.state, "told what was known");
                self.state = state;
            }
            ServerMessage::Knocking { waiting } => {
                self.knocking = waiting.into_iter().map(|knock| knock.id).collect();
            }
            ServerMessage::Chat(chat) => {
                assert!(self.last_chat.is_none_or(|last| chat.number == last + 1));
                self.last_chat = Some(chat.number);
            }
            ServerMessage::Error(error) => {
                assert!(
                    self.own.is_none()
                        && matches!(
                            error.code,
                            ErrorCode::Denied | ErrorCode::RoomFull | ErrorCode::WaitedTooLong
                        )
                );
                self.is_over = true;
            }
            ServerMessage::Bye { .. } => self.is_over = true,
            ServerMessage::Asked { .. } => assert!(self.own.is_some()),
            other => panic!("nobody has media or asked: {other:?}"),
        }
    }

    /// That what it knows is so.
    pub(super) fn check(&mut self, room: &Room) {
        if self.is_over {
            return;
        }
        let Some(seat) = self.seat() else {
            assert!(!room.lobby.is_empty(), "waits where nobody does");
            return;
        };
        assert_eq!(self.own, Some(seat.participant.to_string()));
        let participants = room.seats.participants().into_iter();
        let participants: BTreeMap<_, _> = participants.map(|it| (it.id.clone(), it)).collect();
        assert_eq!(self.participants, participants);
        assert_eq!(self.state, room.state());
        if room.seats.role_of(seat) == Some(Role::Moderator) {
            let waiting = room.lobby.knocks().into_iter().map(|knock| knock.id);
            assert_eq!(self.knocking, waiting.collect::<Vec<_>>());
        }
    }
}
