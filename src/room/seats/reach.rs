//! Who of those in seats can be reached, since when not, and where to say something to them.
//!
//! Whether somebody is absent follows from three things that change each by itself: the session has
//! its client or not, the transport's state, and how long nothing has come over it.

use std::time::Instant;

use mixer::ParticipantId;

use super::connection::{Connection, Wiring};
use super::seat::Seat;
use super::{SeatId, Seats};
use crate::rtc::{TransportId, TransportState};
use crate::signaling::Line;

/// Whether a session can reach its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Here,
    /// Its carrier was lost.
    Away,
}

impl Seats {
    /// Puts a connection on the seat; false if the seat has another session by now.
    pub(in crate::room) fn attach(
        &mut self,
        seat: SeatId,
        connection: Connection,
        now: Instant,
    ) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        held.connection = Some(connection);
        held.hold_anew(now);
        true
    }

    /// What ties a participant to the media threads, if they have a transport.
    pub(in crate::room) fn wiring(&self, id: ParticipantId) -> Option<&Wiring> {
        let connection = self.seats.get(&id)?.connection.as_ref();
        connection.map(|connection| &connection.wiring)
    }

    /// Looks at everybody anew, since silence says nothing by itself: those who turn out to be
    /// absent, or present.
    pub(in crate::room) fn look_around(&mut self, now: Instant) -> Vec<ParticipantId> {
        let seats = self.seats.iter_mut();
        seats
            .filter_map(|(id, seat)| seat.judge(now).then_some(*id))
            .collect()
    }

    /// Follows a seat's transport, if it is still the one it has; true if that changed whether the
    /// participant is absent.
    pub(in crate::room) fn transport(
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

    /// The session lost its client, or has it back; true if that changed whether the participant is
    /// absent.
    pub(in crate::room) fn follow_client(
        &mut self,
        seat: SeatId,
        client: Client,
        now: Instant,
    ) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        held.client = client;
        if client == Client::Here {
            held.hold_anew(now);
        }
        held.judge(now)
    }

    /// The session is gone without a word; true if the participant is absent from now on.
    pub(in crate::room) fn hang_up(&mut self, seat: SeatId, now: Instant) -> bool {
        let Some(held) = self.held(seat) else {
            return false;
        };
        held.line = None;
        held.judge(now)
    }

    /// Gives up the seats of those absent for too long.
    pub(in crate::room) fn expire(&mut self, now: Instant) -> Vec<(ParticipantId, Option<Line>)> {
        let hold = self.hold;
        let over = |seat: &Seat| {
            seat.absent_since
                .is_some_and(|since| now.saturating_duration_since(since) >= hold)
        };
        let gone = self.seats.extract_if(.., |_, seat| over(seat));
        gone.map(|(participant, seat)| (participant, seat.line))
            .collect()
    }

    /// Where to say something to one of them.
    pub(in crate::room) fn line(&self, id: ParticipantId) -> Option<&Line> {
        self.seats.get(&id).and_then(|seat| seat.line.as_ref())
    }

    /// Where to say something about a transport, if it is still the one of the seat.
    pub(in crate::room) fn line_of(
        &self,
        id: ParticipantId,
        transport: TransportId,
    ) -> Option<&Line> {
        let seat = self.seats.get(&id)?;
        let current = seat
            .connection
            .as_ref()
            .is_some_and(|it| it.id == transport);
        seat.line.as_ref().filter(|_| current)
    }

    /// Where to say something to everybody who listens.
    pub(in crate::room) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.seats.values().filter_map(|seat| seat.line.as_ref())
    }
}
