//! What moderators, and whoever runs the server, may do; and what participants may not.

use std::time::Duration;

use mixer::ParticipantId;

use super::chat::{MAX_TEXT_BYTES, text_is_fine};
use super::events::{Happening, WaitEnd};
use super::lobby::{Waiter, WaitingId};
use super::moment::Moment;
use super::seats::{By, Device, Grip, Held, SeatId, StatusChange};
use super::{Room, Rules};
use crate::signaling::message::{
    Act, Asked, ByeReason, ErrorCode, How, LeaveReason, Role, ServerMessage,
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A participant, who has to moderate for it.
    Seat(SeatId),
    /// Whoever runs the server, who may do everything.
    Operator,
}

/// What there is to say of an act that is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acted {
    /// Of a removal with a ban: whether whoever was removed would be known again.
    pub(crate) kept_out: Option<bool>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ActError {
    #[error("the seat has another session by now")]
    NoSeat,
    #[error("the room has ended")]
    NoRoom,
    #[error("that is for moderators")]
    NotModerator,
    #[error("a moderator has switched your {0} off, and has to allow it first")]
    Held(&'static str),
    #[error("the credential that was shown does not allow it: {0}")]
    NotGranted(&'static str),
    #[error("they moderate by their credential, which is not for you to change")]
    Protected,
    #[error("somebody has to moderate: make another one a moderator first")]
    LastModerator,
    #[error("to leave, leave")]
    Oneself,
    #[error("{0} is nobody here")]
    NoSuchParticipant(String),
    #[error("{max} participants are pinned by others for themselves, which is all that is drawn")]
    TooManyPins { max: usize },
    #[error(
        "a text is 1 to {MAX_TEXT_BYTES} bytes, no control characters but line breaks and tabs"
    )]
    BadText,
    #[error("too many messages, the next may come in {} ms", .0.as_millis())]
    TooFast(Duration),
}

impl Room {
    /// Does what is asked for, and tells everybody whom it concerns.
    pub(super) fn moderate(
        &mut self,
        actor: Actor,
        act: Act,
        moment: Moment,
    ) -> Result<Acted, ActError> {
        let by = self.permit(actor)?;
        let mut acted = Acted::default();
        match act {
            Act::Lock => self.set_rules(|rules| rules.locked = true),
            Act::Unlock => self.set_rules(|rules| rules.locked = false),
            Act::Lobby { on } => {
                self.set_rules(|rules| rules.lobby = on);
                if !on {
                    self.admit_all(moment);
                }
            }
            Act::Admit { waiting } => self.answer_knocks(waiting, moment, |room, waiter| {
                room.admit(waiter, moment);
            })?,
            Act::Deny { waiting } => self.answer_knocks(waiting, moment, |room, waiter| {
                room.report_waited(waiter.id(), WaitEnd::Denied);
                room.refuse(waiter.door, ErrorCode::Denied, "you were not let in");
            })?,
            Act::Mute { participant, how } => {
                self.switch_off(by, Device::Microphone, participant, how)?;
            }
            Act::CameraOff { participant, how } => {
                self.switch_off(by, Device::Camera, participant, how)?;
            }
            Act::Unmute { participant } => self.allow(by, Device::Microphone, &participant)?,
            Act::CameraOn { participant } => self.allow(by, Device::Camera, &participant)?,
            Act::Remove { participant, ban } => {
                let is_known = self.remove(by, &participant, ban)?;
                acted.kept_out = ban.then_some(is_known);
            }
            Act::Role { participant, role } => self.give_role(by, &participant, role)?,
            Act::LowerHand { participant } => {
                for id in self.those(participant, |_, _| true)? {
                    let changed = self.seats.lower_hand(id);
                    self.tell_if(id, changed);
                }
            }
            Act::Pin { participant } => {
                let pinned = participant.map(|it| self.find(&it)).transpose()?;
                self.set_rules(|rules| rules.pinned = pinned);
            }
            Act::Layout { layout } => self.set_rules(|rules| rules.layout = layout),
            Act::End => self.ending = Some(ByeReason::Ended),
        }
        Ok(acted)
    }

    /// Writes to everybody.
    pub(super) fn say(
        &mut self,
        seat: SeatId,
        text: String,
        moment: Moment,
    ) -> Result<(), ActError> {
        if !self.seats.can(seat.participant).chat {
            return Err(ActError::NotGranted("chat"));
        }
        if !text_is_fine(&text) {
            return Err(ActError::BadText);
        }
        let taken = self.seats.take_chat(seat, moment.now);
        let (from, name) = taken.ok_or(ActError::NoSeat)?.map_err(ActError::TooFast)?;
        self.post(from, name, text, moment);
        Ok(())
    }

    /// Writes to everybody as whoever runs the server.
    pub(super) fn announce(&mut self, text: String, moment: Moment) -> Result<(), ActError> {
        if !text_is_fine(&text) {
            return Err(ActError::BadText);
        }
        let from = By::Operator.to_string();
        self.post(from, String::new(), text, moment);
        Ok(())
    }

    fn post(&mut self, from: String, name: String, text: String, moment: Moment) {
        let message = self.chat.post(from, name, text, moment);
        self.tell_all(&ServerMessage::Chat(message.clone()));
        self.report(Happening::Chat(message));
    }

    /// Follows what a participant says of themselves.
    pub(super) fn follow_status(
        &mut self,
        seat: SeatId,
        change: StatusChange,
        moment: Moment,
    ) -> Result<(), ActError> {
        let followed = self.seats.status(seat, change, moment);
        let (changed, outcome) = followed.ok_or(ActError::NoSeat)?;
        self.tell_if(seat.participant, changed);
        outcome.map_err(|Held(device)| {
            let granted = self.granted(seat.participant, device);
            granted
                .err()
                .unwrap_or_else(|| ActError::Held(name(device)))
        })
    }

    fn permit(&self, actor: Actor) -> Result<By, ActError> {
        let seat = match actor {
            Actor::Operator => return Ok(By::Operator),
            Actor::Seat(seat) => seat,
        };
        match self.seats.role_of(seat) {
            Some(Role::Moderator) => Ok(By::Participant(seat.participant)),
            Some(Role::Participant) => Err(ActError::NotModerator),
            None => Err(ActError::NoSeat),
        }
    }

    fn set_rules(&mut self, change: impl FnOnce(&mut Rules)) {
        let before = self.rules;
        change(&mut self.rules);
        if self.rules == before {
            return;
        }
        if (self.rules.layout, self.rules.pinned) != (before.layout, before.pinned) {
            self.media_follows_rules();
        }
        self.tell_state();
    }

    fn answer_knocks(
        &mut self,
        waiting: Option<String>,
        moment: Moment,
        mut answer: impl FnMut(&mut Self, Waiter),
    ) -> Result<(), ActError> {
        match waiting {
            Some(waiting) => {
                let waiter = WaitingId::parse(&waiting).and_then(|id| self.lobby.take(id));
                let waiter = waiter.ok_or(ActError::NoSuchParticipant(waiting))?;
                answer(self, waiter);
            }
            None => {
                while let Some(waiter) = self.lobby.take_first() {
                    answer(self, waiter);
                }
            }
        }
        self.tell_lobby(moment.now);
        Ok(())
    }

    fn switch_off(
        &mut self,
        by: By,
        device: Device,
        participant: Option<String>,
        how: How,
    ) -> Result<(), ActError> {
        let is_guest = |role, id| role == Role::Participant && by != By::Participant(id);
        for id in self.those(participant, is_guest)? {
            let grip = match how {
                How::Ask => {
                    if self.seats.is_on(id, device) {
                        self.ask(
                            id,
                            by,
                            match device {
                                Device::Microphone => Asked::Mute,
                                Device::Camera => Asked::CameraOff,
                            },
                        );
                    }
                    continue;
                }
                How::Force => Grip::Loose,
                How::Hold => Grip::Firm,
            };
            let changed = self.seats.force_off(id, device, by, grip);
            self.tell_if(id, changed);
        }
        Ok(())
    }

    fn allow(&mut self, by: By, device: Device, participant: &str) -> Result<(), ActError> {
        let id = self.find(participant)?;
        self.granted(id, device)?;
        let changed = self.seats.release(id, device);
        self.tell_if(id, changed);
        if !self.seats.is_on(id, device) {
            self.ask(
                id,
                by,
                match device {
                    Device::Microphone => Asked::Unmute,
                    Device::Camera => Asked::CameraOn,
                },
            );
        }
        Ok(())
    }

    /// Whether a participant's credential lets them use a device at all.
    fn granted(&self, id: ParticipantId, device: Device) -> Result<(), ActError> {
        let can = self.seats.can(id);
        let allowed = match device {
            Device::Microphone => can.publish_audio,
            Device::Camera => can.publish_video,
        };
        let withheld = ActError::NotGranted(name(device));
        if allowed { Ok(()) } else { Err(withheld) }
    }

    fn ask(&self, participant: ParticipantId, by: By, to: Asked) {
        let by = by.to_string();
        self.tell(participant, ServerMessage::Asked { to, by });
    }

    /// Whether they have an identity: who has none cannot be told from anybody else. To keep out their
    /// address would keep out whoever is behind it with them, often the moderator too, and nobody who
    /// wants to come back.
    fn remove(&mut self, by: By, participant: &str, ban: bool) -> Result<bool, ActError> {
        let id = self.find(participant)?;
        if by == By::Participant(id) {
            return Err(ActError::Oneself);
        }
        self.respect(by, id)?;
        let Some(removed) = self.seats.remove(id) else {
            return Ok(false);
        };
        let is_known = removed.identity.is_some();
        if let Some(line) = removed.line {
            line.close(ByeReason::Removed);
        }
        if ban {
            self.bans.add(removed.token, removed.identity);
        }
        self.forget(id, LeaveReason::Removed);
        Ok(is_known)
    }

    fn give_role(&mut self, by: By, participant: &str, role: Role) -> Result<(), ActError> {
        let id = self.find(participant)?;
        if role == Role::Participant && self.seats.role(id) == Some(Role::Moderator) {
            self.respect(by, id)?;
            let last = self.seats.moderators().all(|moderator| moderator == id);
            if last && by != By::Operator {
                return Err(ActError::LastModerator);
            }
        }
        if self.seats.set_role(id, role) {
            self.tell_role(id, role);
        }
        Ok(())
    }

    /// Whoever moderates by their credential is above those to whom it was given here.
    fn respect(&self, by: By, id: ParticipantId) -> Result<(), ActError> {
        let by_credential = |id| self.seats.granted(id) == Some(Role::Moderator);
        match by {
            By::Participant(actor) if actor != id && by_credential(id) && !by_credential(actor) => {
                Err(ActError::Protected)
            }
            By::Participant(_) | By::Operator => Ok(()),
        }
    }

    /// The one named, or all of whom `of_all` is true.
    fn those(
        &self,
        participant: Option<String>,
        of_all: impl Fn(Role, ParticipantId) -> bool,
    ) -> Result<Vec<ParticipantId>, ActError> {
        if let Some(participant) = participant {
            return Ok(vec![self.find(&participant)?]);
        }
        let all = self.seats.ids();
        let all = all.filter(|id| self.seats.role(*id).is_some_and(|role| of_all(role, *id)));
        Ok(all.collect())
    }

    fn find(&self, participant: &str) -> Result<ParticipantId, ActError> {
        let id = ParticipantId::parse(participant);
        id.filter(|id| self.seats.role(*id).is_some())
            .ok_or_else(|| ActError::NoSuchParticipant(participant.to_owned()))
    }
}

/// As messages to people have it.
const fn name(device: Device) -> &'static str {
    match device {
        Device::Microphone => "microphone",
        Device::Camera => "camera",
    }
}
