//! Who gets a seat, and who has to wait for one.

use std::time::SystemTime;

use codecs::video::VIDEO_CLOCK_HZ;
use tokio::sync::oneshot;
use tracing::info;

use super::events::{Happening, WaitEnd};
use super::handle::{Entry, JoinRequest, Seated};
use super::lobby::{Door, Waiter, WaitingId};
use super::moment::{Moment, to_ms};
use super::seats::{Entered, Newcomer, Part, SeatId};
use super::telling::speaker_message;
use super::{Room, SameIdentity};
use crate::signaling::message::{
    ByeReason, Canvas, ErrorCode, ErrorMessage, Joined, RequestId, Role, ServerMessage, VERSION,
};
use crate::signaling::{Line, PING_INTERVAL, SILENCE};
use mixer::ParticipantId;

/// Why a seat is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("the room is full, it takes {max} participants")]
    Full { max: usize },
    #[error("no seat is held for this token")]
    BadToken,
    #[error("the room is locked")]
    Locked,
    #[error("{max} wait to be let in already")]
    LobbyFull { max: usize },
    #[error("somebody has to let you in first, and a single request cannot wait for that")]
    MustWait,
    #[error("you were removed from this room")]
    Banned,
    #[error("you are in this room already")]
    IdentityTaken,
}

impl Room {
    pub(super) fn answer_door(
        &mut self,
        request: JoinRequest,
        reply: oneshot::Sender<Result<Entry, JoinError>>,
        moment: Moment,
    ) {
        // Whoever asked may be gone by now: then nobody has the seat's session.
        match reply.send(self.join(request, moment)) {
            Err(Ok(Entry::Seated(Seated { seat, .. }))) => self.hang_up(seat),
            Err(Ok(Entry::Waiting { ticket, .. })) => {
                self.lobby.hang_up(ticket, moment.now);
            }
            Err(Err(_)) | Ok(()) => {}
        }
    }

    pub(super) fn join(
        &mut self,
        request: JoinRequest,
        moment: Moment,
    ) -> Result<Entry, JoinError> {
        let (token, identity) = (request.token.as_deref(), request.grant.identity.as_deref());
        if self.bans.holds(token, identity) {
            return Err(JoinError::Banned);
        }
        if let Some(token) = token {
            if let Some(id) = self.seats.find(token, identity) {
                return self.come_back(id, request, ByeReason::Taken, moment);
            }
            let waiting = self.lobby.find(token, identity);
            let id = waiting.ok_or(JoinError::BadToken)?;
            return self.wait_again(id, request, ByeReason::Taken, moment);
        }
        if let Some(identity) = identity {
            let refuses = self.config.house.same_identity == SameIdentity::Refuse;
            if let Some(id) = self.seats.of_identity(identity) {
                let absent = self.seats.participant(id).is_none_or(|it| it.absent);
                if refuses && !absent {
                    return Err(JoinError::IdentityTaken);
                }
                self.seats.hand_over(id, request.part);
                self.media.leave(id);
                self.show(id);
                return self.come_back(id, request, ByeReason::Replaced, moment);
            }
            if let Some(id) = self.lobby.of_identity(identity) {
                if refuses && self.lobby.is_in_session(id) {
                    return Err(JoinError::IdentityTaken);
                }
                if request.part != Part::InSession {
                    return Err(JoinError::MustWait);
                }
                self.lobby.renew_token(id);
                return self.wait_again(id, request, ByeReason::Replaced, moment);
            }
        }
        self.come_in(request, moment)
    }

    /// Somebody of whom nothing is known here.
    fn come_in(&mut self, request: JoinRequest, moment: Moment) -> Result<Entry, JoinError> {
        let has_key = request.grant.role == Some(Role::Moderator);
        if self.rules.locked && !has_key {
            return Err(JoinError::Locked);
        }
        if self.seats.is_full() {
            let max = self.seats.max();
            return Err(JoinError::Full { max });
        }
        let waits = self.rules.lobby && !has_key;
        if waits && request.part != Part::InSession {
            return Err(JoinError::MustWait);
        }
        if waits && self.lobby.is_full() {
            let max = self.config.house.max_waiting;
            return Err(JoinError::LobbyFull { max });
        }
        let newcomer = Newcomer {
            part: request.part,
            permit: request.permit,
            ..Newcomer::new(request.name, request.grant)
        };
        if waits {
            let (door, admitted) = Door::new(request.id, request.line);
            let name = newcomer.name.to_string();
            let ticket = self.lobby.knock(newcomer, door, moment);
            self.report(Happening::Knocked {
                waiting: ticket.id().to_string(),
                name,
            });
            self.tell_lobby(moment.now);
            return Ok(Entry::Waiting { ticket, admitted });
        }
        let entered = self.seat(newcomer, Some(request.line.clone()), moment);
        self.greet(&request.line, request.id, &entered);
        self.present(entered.seat.participant);
        Ok(Entry::Seated(self.seated(entered)))
    }

    /// Somebody who has a seat, in another session.
    fn come_back(
        &mut self,
        id: ParticipantId,
        request: JoinRequest,
        reason: ByeReason,
        moment: Moment,
    ) -> Result<Entry, JoinError> {
        let JoinRequest {
            id: request_id,
            name,
            grant,
            permit,
            line,
            ..
        } = request;
        let mut entered = self
            .seats
            .retake(id, (name, &grant), line.clone(), moment.now)
            .ok_or(JoinError::BadToken)?;
        if let Some(permit) = permit {
            self.seats.keep(entered.seat, permit);
        }
        if let Some(displaced) = entered.displaced.take() {
            displaced.close(reason);
        }
        info!(participant = %id, "joined again");
        // Their credential may say something else of them than before.
        self.have_a_moderator(Some(id));
        self.media_follows(id);
        self.greet(&line, request_id, &entered);
        let arrival = self.seats.participant(id);
        if let Some(participant) = arrival {
            self.tell_others(id, &ServerMessage::Participant { participant });
        }
        Ok(Entry::Seated(self.seated(entered)))
    }

    /// Somebody who waits, in another session.
    fn wait_again(
        &mut self,
        id: WaitingId,
        request: JoinRequest,
        reason: ByeReason,
        moment: Moment,
    ) -> Result<Entry, JoinError> {
        let (door, admitted) = Door::new(request.id, request.line);
        if let Some(permit) = request.permit {
            self.lobby.keep(id, permit);
        }
        let retaken = self.lobby.retake(id, door);
        let (ticket, displaced) = retaken.ok_or(JoinError::BadToken)?;
        if let Some(displaced) = displaced {
            displaced.close(reason);
        }
        self.tell_lobby(moment.now);
        Ok(Entry::Waiting { ticket, admitted })
    }

    /// Lets in who waited; they may have lost their session meanwhile, and come back for the seat.
    pub(super) fn admit(&mut self, waiter: Waiter, moment: Moment) {
        let waiting = waiter.id();
        let Waiter { newcomer, door, .. } = waiter;
        if self.seats.is_full() {
            self.report_waited(waiting, WaitEnd::Denied);
            self.refuse(door, ErrorCode::RoomFull, "the room is full by now");
            return;
        }
        let Door { id, line, admitted } = door;
        let entered = self.seat(newcomer, line.clone(), moment);
        let seat = entered.seat;
        let until = WaitEnd::Admitted {
            participant: seat.participant.to_string(),
        };
        self.report_waited(waiting, until);
        // Before the client is told and can ask for anything.
        let seated = Seated {
            seat,
            room_start: self.start,
            transport: None,
            can: self.seats.can(seat.participant),
        };
        let in_session = admitted.is_some_and(|admitted| admitted.send(seated).is_ok());
        if let Some(line) = line {
            self.greet(&line, id, &entered);
        }
        self.present(seat.participant);
        if !in_session {
            self.hang_up(seat);
        }
    }

    /// Lets in all who wait, in their order.
    pub(super) fn admit_all(&mut self, moment: Moment) {
        while let Some(waiter) = self.lobby.take_first() {
            self.admit(waiter, moment);
        }
        self.tell_lobby(moment.now);
    }

    fn seat(&mut self, newcomer: Newcomer, line: Option<Line>, moment: Moment) -> Entered {
        let entered = self.seats.take(newcomer, line, moment);
        let participant = entered.seat.participant;
        info!(%participant, "joined");
        self.show(participant);
        self.have_a_moderator(Some(participant));
        entered
    }

    /// Somebody new is there.
    fn present(&self, id: ParticipantId) {
        let Some(participant) = self.seats.participant(id) else {
            return;
        };
        self.report(Happening::Joined {
            participant: participant.id.clone(),
            name: participant.name.clone(),
            identity: self.seats.identity(id),
            role: participant.role,
        });
        self.tell_others(id, &ServerMessage::Participant { participant });
    }

    /// Has somebody moderate where nobody does. A `newcomer` is told by their `joined`.
    pub(super) fn have_a_moderator(&mut self, newcomer: Option<ParticipantId>) {
        let Some(moderator) = self.seats.hand_on() else {
            return;
        };
        if newcomer != Some(moderator) {
            self.tell_role(moderator, Role::Moderator);
        }
    }

    /// After somebody may do something else than before.
    pub(super) fn tell_role(&self, participant: ParticipantId, role: Role) {
        self.tell_participant(participant);
        self.report(Happening::Role {
            participant: participant.to_string(),
            role,
        });
        // Also that nobody does: what they knew when they last moderated may be otherwise.
        if role == Role::Moderator {
            self.tell(participant, self.knocking());
        }
    }

    fn seated(&self, entered: Entered) -> Seated {
        Seated {
            seat: entered.seat,
            room_start: self.start,
            transport: entered.transport,
            can: self.seats.can(entered.seat.participant),
        }
    }

    fn greet(&mut self, line: &Line, id: Option<RequestId>, entered: &Entered) {
        let seat = entered.seat;
        let joined = self.greeting(id, seat, entered.token.clone());
        line.say(ServerMessage::Joined(joined));
        if let Some(speaker) = self.media.speaker() {
            line.say(speaker_message(speaker));
        }
        // Whoever takes a seat back may still have its transport, and so a picture.
        if let Some(sight) = self.told.get(&seat.participant) {
            for message in sight.messages(None, &self.config.media.ladder) {
                line.say(message);
            }
        }
        if self.seats.role(seat.participant) == Some(Role::Moderator) {
            self.tell_who_waits(seat.participant);
        }
    }

    fn greeting(&mut self, id: Option<RequestId>, seat: SeatId, token: String) -> Joined {
        let chat = self.chat.kept(Moment::now().now);
        let ladder = &self.config.media.ladder;
        let size = ladder.top().size;
        Joined {
            id,
            version: VERSION,
            participant: seat.participant.to_string(),
            token,
            session: None,
            room: self.name.clone(),
            ice_servers: self
                .config
                .ice_servers
                .issue(&seat.participant.to_string(), SystemTime::now()),
            ping_interval_ms: to_ms(PING_INTERVAL),
            silence_ms: to_ms(SILENCE),
            seat_ms: to_ms(self.config.seat_hold),
            max_participants: self.seats.max(),
            canvas: Canvas {
                width: size.width(),
                height: size.height(),
                fps: VIDEO_CLOCK_HZ / ladder.top().pace.interval(),
            },
            state: self.state(),
            participants: self.seats.participants(),
            chat,
        }
    }
}

impl Door {
    fn new(id: Option<RequestId>, line: Line) -> (Self, oneshot::Receiver<Seated>) {
        let (admit, admitted) = oneshot::channel();
        let door = Self {
            id,
            line: Some(line),
            admitted: Some(admit),
        };
        (door, admitted)
    }

    /// Answers the `join` of one who will not be let in.
    pub(super) fn refuse(self, code: ErrorCode, message: &str) {
        if let Some(line) = self.line {
            line.say(ServerMessage::Error(ErrorMessage {
                id: self.id,
                code,
                message: message.to_owned(),
                retry_after_ms: None,
            }));
        }
    }
}
