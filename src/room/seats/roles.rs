//! Who moderates, and what moderators do to seats.
//!
//! A credential may say who moderates. Among those of whom nothing is said, the first in the room
//! does, and once no moderator sits there any more, whoever has sat there longest.

use mixer::ParticipantId;

use super::switch::{By, Device, Grip, Power};
use super::{Part, SeatId, Seats};
use crate::signaling::Line;
use crate::signaling::message::Role;

impl Seats {
    /// Whether this session's participant moderates; `None` if the seat has another session by now.
    pub(in crate::room) fn role_of(&self, seat: SeatId) -> Option<Role> {
        let held = self.seats.get(&seat.participant)?;
        (held.generation == seat.generation).then_some(held.role)
    }

    /// What a participant may do.
    pub(in crate::room) fn role(&self, id: ParticipantId) -> Option<Role> {
        Some(self.seats.get(&id)?.role)
    }

    /// What a participant's credential says that they may do.
    pub(in crate::room) fn granted(&self, id: ParticipantId) -> Option<Role> {
        self.seats.get(&id)?.granted
    }

    /// Gives somebody a role; true if that changes something.
    pub(in crate::room) fn set_role(&mut self, id: ParticipantId, role: Role) -> bool {
        let seat = self.seats.get_mut(&id);
        seat.is_some_and(|seat| std::mem::replace(&mut seat.role, role) != role)
    }

    /// Everybody who moderates.
    pub(in crate::room) fn moderators(&self) -> impl Iterator<Item = ParticipantId> {
        let all = self.seats.iter();
        let moderating = all.filter(|(_, seat)| seat.role == Role::Moderator);
        moderating.map(|(id, _)| *id)
    }

    /// Where to say something to everybody who moderates.
    pub(in crate::room) fn moderator_lines(&self) -> impl Iterator<Item = &Line> {
        self.moderators().filter_map(|id| self.line(id))
    }

    /// Has somebody moderate if nobody does: who that is now. Whoever cannot be reached comes last.
    pub(in crate::room) fn hand_on(&mut self) -> Option<ParticipantId> {
        if self.moderators().next().is_some() {
            return None;
        }
        // Without a session nobody can say what is to be so.
        let open = |(_, seat): &(&ParticipantId, &super::Seat)| {
            seat.granted.is_none() && seat.part == Part::InSession
        };
        let all = self.seats.iter().filter(open);
        let (id, _) = all.min_by_key(|(id, seat)| (seat.absent_since.is_some(), **id))?;
        let id = *id;
        self.set_role(id, Role::Moderator).then_some(id)
    }

    /// Switches somebody's microphone or camera off; true if that changes something.
    pub(in crate::room) fn force_off(
        &mut self,
        id: ParticipantId,
        device: Device,
        by: By,
        grip: Grip,
    ) -> bool {
        self.change(id, device, |switch| switch.force_off(by, grip))
    }

    /// Lets somebody use it again; true if that changes something.
    pub(in crate::room) fn release(&mut self, id: ParticipantId, device: Device) -> bool {
        self.change(id, device, super::switch::Switch::release)
    }

    /// Whether somebody's microphone or camera is on.
    pub(in crate::room) fn is_on(&self, id: ParticipantId, device: Device) -> bool {
        self.seats.get(&id).is_some_and(|seat| {
            let switch = match device {
                Device::Microphone => seat.microphone,
                Device::Camera => seat.camera,
            };
            switch.power() == Power::On
        })
    }

    /// Takes note of a raised hand; true if there was one.
    pub(in crate::room) fn lower_hand(&mut self, id: ParticipantId) -> bool {
        let seat = self.seats.get_mut(&id);
        seat.is_some_and(|seat| seat.hand_raised_ms.take().is_some())
    }

    fn change(
        &mut self,
        id: ParticipantId,
        device: Device,
        change: impl FnOnce(&mut super::switch::Switch),
    ) -> bool {
        let Some(seat) = self.seats.get_mut(&id) else {
            return false;
        };
        let switch = seat.switch(device);
        let before = *switch;
        change(switch);
        before != *switch
    }
}
