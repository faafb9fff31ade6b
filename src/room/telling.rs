//! What participants are told.

use std::time::Instant;

use mixer::ParticipantId;

use super::Room;
use super::events::{Happening, WaitEnd};
use super::lobby::{Door, To, WaitingId};
use super::sight::Sights;
use crate::signaling::message::{ByeReason, ErrorCode, RoomState, ServerMessage};

impl Room {
    /// What holds for everybody in the room.
    pub(super) fn state(&self) -> RoomState {
        RoomState {
            locked: self.rules.locked,
            lobby: self.rules.lobby,
            layout: self.rules.layout,
            pinned: self.rules.pinned.map(|id| id.to_string()),
        }
    }

    pub(super) fn tell_state(&self) {
        self.tell_all(&ServerMessage::Room(self.state()));
        self.report(Happening::State(self.state()));
    }

    /// After a participant is another than before, as far as anybody can tell.
    pub(super) fn tell_if(&mut self, participant: ParticipantId, changed: bool) {
        if changed {
            self.media_follows(participant);
            self.tell_participant(participant);
        }
    }

    pub(super) fn tell_participant(&self, participant: ParticipantId) {
        if let Some(participant) = self.seats.participant(participant) {
            self.tell_all(&ServerMessage::Participant { participant });
        }
    }

    pub(super) fn tell_all(&self, message: &ServerMessage) {
        for line in self.seats.lines() {
            line.say(message.clone());
        }
    }

    pub(super) fn tell_others(&self, except: ParticipantId, message: &ServerMessage) {
        for id in self.seats.ids().filter(|id| *id != except) {
            self.tell(id, message.clone());
        }
    }

    pub(super) fn tell(&self, participant: ParticipantId, message: ServerMessage) {
        if let Some(line) = self.seats.line(participant) {
            line.say(message);
        }
    }

    /// After somebody began or ceased to wait: tells whoever just came, and the others now or soon.
    pub(super) fn tell_lobby(&mut self, now: Instant) {
        for (line, message) in self.lobby.places(To::Newcomers) {
            line.say(message);
        }
        if self.lobby_news.change(now) {
            self.tell_who_waits_to_all();
        }
    }

    /// Tells what could not be told at once.
    pub(super) fn tell_lobby_if_due(&mut self, now: Instant) {
        if self.lobby_news.is_due(now) {
            self.tell_who_waits_to_all();
        }
    }

    fn tell_who_waits_to_all(&mut self) {
        for (line, message) in self.lobby.places(To::Everybody) {
            line.say(message);
        }
        let message = self.knocking();
        for line in self.seats.moderator_lines() {
            line.say(message.clone());
        }
    }

    /// Tells a moderator who comes who waits, if anybody does.
    pub(super) fn tell_who_waits(&self, moderator: ParticipantId) {
        if !self.lobby.is_empty() {
            self.tell(moderator, self.knocking());
        }
    }

    pub(super) fn knocking(&self) -> ServerMessage {
        ServerMessage::Knocking {
            waiting: self.lobby.knocks(),
        }
    }

    pub(super) fn tell_sights(&mut self, sights: Sights) {
        for (participant, sight) in &sights {
            let before = self.told.get(participant);
            for message in sight.messages(before, &self.config.media.ladder) {
                self.tell(*participant, message);
            }
        }
        self.told = sights;
    }

    pub(super) fn close_lines(&self, reason: ByeReason) {
        for line in self.seats.lines() {
            line.close(reason);
        }
    }

    /// Tells whoever runs the server.
    pub(super) fn report(&self, what: Happening) {
        self.config.events.say(Some(&self.name), what);
    }

    /// Somebody waits no more.
    pub(super) fn report_waited(&self, waiting: WaitingId, until: WaitEnd) {
        let waiting = waiting.to_string();
        self.report(Happening::Waited { waiting, until });
    }

    /// Answers the `join` of one who waited and is not let in.
    pub(super) fn refuse(&self, door: Door, code: ErrorCode, message: &str) {
        self.config.counters.count_code(code);
        door.refuse(code, message);
    }
}

pub(super) fn speaker_message(speaker: Option<ParticipantId>) -> ServerMessage {
    ServerMessage::Speaker {
        participant: speaker.map(|speaker| speaker.to_string()),
    }
}
