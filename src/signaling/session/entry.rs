//! How a session comes by its seat: it joins, and may have to wait to be let in.

use tokio::sync::oneshot;
use tracing::field;

use super::super::message::{ErrorCode, Join, VERSION};
use super::super::names::{DisplayName, RoomName};
use super::super::refusal::{Refusal, refusal};
use super::{SeatedSession, Session};
use crate::room::{Entry, JoinRequest, Part, RoomHandle, Seated, Ticket};

/// Somebody has to let the client in.
#[derive(Debug)]
pub(super) struct WaitingSession {
    room: RoomHandle,
    ticket: Ticket,
    admitted: oneshot::Receiver<Seated>,
}

impl WaitingSession {
    /// Gives the place up; and the seat, where it has become one in the same moment.
    pub(super) async fn withdraw(mut self) {
        self.room.withdraw(self.ticket).await;
        if let Ok(seated) = self.admitted.try_recv() {
            self.room.leave(seated.seat).await;
        }
    }

    /// The client is gone without a word: the place, or the seat that it has become, is held for a
    /// while.
    pub(super) fn hang_up(mut self) {
        self.admitted.close();
        match self.admitted.try_recv() {
            Ok(seated) => self.room.hang_up(seated.seat),
            Err(_) => self.room.hang_up_waiting(self.ticket),
        }
    }
}

impl Session {
    pub(super) async fn join(&mut self, join: Join) -> Result<(), Refusal> {
        if self.left {
            return Err(refusal(ErrorCode::NotJoined, "this session has left"));
        }
        if self.seated.is_some() || self.waiting.is_some() {
            return Err(refusal(
                ErrorCode::AlreadyJoined,
                "this session has a seat already",
            ));
        }
        if join.version != VERSION {
            let message = format!("version is {}, expected {VERSION}", join.version);
            return Err(refusal(ErrorCode::BadVersion, message));
        }
        let room = RoomName::parse(&join.room).ok_or_else(|| {
            refusal(
                ErrorCode::BadRoom,
                "a room's name is 1 to 64 of A-Z a-z 0-9 . _ -",
            )
        })?;
        let name = DisplayName::parse(&join.name).ok_or_else(|| {
            refusal(
                ErrorCode::BadName,
                "a name is at most 64 characters, none of them control",
            )
        })?;
        let credential = join.auth.as_deref().or(self.caller.credential.as_deref());
        let access = &self.venue.access;
        let (grant, permit) = match &join.token {
            // A seat that is taken back has what it had.
            Some(_) => (access.readmit(credential, &room)?, None),
            None => (
                access.admit(credential, &room)?,
                self.venue.seat_permit(self.caller.address)?,
            ),
        };
        let request = JoinRequest {
            id: join.id,
            name,
            grant,
            part: Part::InSession,
            token: join.token,
            permit,
            line: self.line.clone(),
        };
        let (handle, entry) = self.venue.rooms.join(&room, request).await?;
        self.span.record("room", field::display(&room));
        match entry {
            Entry::Seated(seated) => self.sit(handle, seated),
            Entry::Waiting { ticket, admitted } => {
                self.waiting = Some(WaitingSession {
                    room: handle,
                    ticket,
                    admitted,
                });
            }
        }
        Ok(())
    }

    fn sit(&mut self, room: RoomHandle, seated: Seated) {
        let participant = seated.seat.participant;
        self.span.record("participant", field::display(participant));
        self.seated = Some(SeatedSession {
            room,
            seat: seated.seat,
            room_start: seated.room_start,
            transport: seated.transport,
            can: seated.can,
        });
    }

    /// Takes the seat that somebody may have given meanwhile. The room gives it before it says so,
    /// so that whatever a client asks for after its `joined` finds it here.
    pub(super) fn come_in_if_admitted(&mut self) {
        let Some(mut waiting) = self.waiting.take() else {
            return;
        };
        match waiting.admitted.try_recv() {
            Ok(seated) => self.sit(waiting.room, seated),
            Err(oneshot::error::TryRecvError::Empty) => self.waiting = Some(waiting),
            // Refused: this session may ask again, or elsewhere.
            Err(oneshot::error::TryRecvError::Closed) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::line::line;
    use super::super::super::message::{Act, LeaveReason, ServerMessage};
    use super::super::super::tests::{rooms, transports, venue};
    use super::*;
    use crate::limits::Caller;
    use crate::room::Actor;
    use crate::rtc::MediaPorts;

    /// Who leaves just when they are let in must not leave a seat behind that nobody has.
    #[tokio::test]
    async fn whoever_leaves_the_lobby_in_the_moment_of_being_let_in_has_no_seat() {
        let venue = venue(&rooms(), &transports(MediaPorts::Shared(0)));
        let ((ann, mut heard), (bob, _told)) = (line(), line());
        let mut ann = Session::new(venue.clone(), Caller::default(), ann);
        let mut bob = Session::new(venue, Caller::default(), bob);
        let join = r#"{"type":"join","version":1,"room":"demo"}"#;
        ann.hear(join).await;
        ann.hear(r#"{"type":"moderate","act":"lobby","on":true}"#)
            .await;
        bob.hear(join).await;
        let room = bob.waiting.as_ref().unwrap().room.clone();

        let admit = Act::Admit { waiting: None };
        // Both are asked for before the room does either.
        let (admitted, _) = tokio::join!(
            room.moderate(Actor::Operator, admit, None),
            bob.hear(r#"{"type":"leave"}"#),
        );

        admitted.unwrap();
        loop {
            if let ServerMessage::ParticipantLeft { reason, .. } = heard.next().await {
                assert_eq!(reason, LeaveReason::Left);
                break;
            }
        }
        assert_eq!(room.seats_taken(), 1);
    }
}
