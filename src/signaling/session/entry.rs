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
    /// Gives the place up.
    pub(super) async fn withdraw(self) {
        self.room.withdraw(self.ticket).await;
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
