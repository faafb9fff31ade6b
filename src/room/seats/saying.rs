//! What participants say of themselves, write, and ask for.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use mixer::ladder::{Wish, WishedVideo};

use super::seat::Seat;
use super::switch::{Device, Held, Power};
use super::{SeatId, Seats};
use crate::room::moment::Moment;
use crate::rtc::Direction;

/// What a participant says of themselves. `None`: as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub(crate) muted: Option<bool>,
    pub(crate) camera: Option<bool>,
    pub(crate) hand: Option<bool>,
}

impl Seats {
    /// Follows what the participant says; true if something changed. `None` if the seat has another
    /// session by now.
    ///
    /// # Errors
    ///
    /// [`Held`] if what they would switch on is to stay off. The rest is followed.
    pub(in crate::room) fn status(
        &mut self,
        seat: SeatId,
        change: StatusChange,
        moment: Moment,
    ) -> Option<(bool, Result<(), Held>)> {
        let held = self.held(seat)?;
        let state = |seat: &Seat| (seat.microphone, seat.camera, seat.hand_raised_ms);
        let before = state(held);
        let mut outcome = Ok(());
        for (device, on) in [
            (Device::Microphone, change.muted.map(|muted| !muted)),
            (Device::Camera, change.camera),
        ] {
            let power = match on {
                Some(true) => Power::On,
                Some(false) => Power::Off,
                None => continue,
            };
            if !held.switch(device).set(power) {
                outcome = Err(Held(device));
            }
        }
        match change.hand {
            Some(true) => {
                held.hand_raised_ms.get_or_insert(moment.wall_ms);
            }
            Some(false) => held.hand_raised_ms = None,
            None => {}
        }
        Some((state(held) != before, outcome))
    }

    /// Takes one chat message's share of what a participant may write: their id and name.
    ///
    /// # Errors
    ///
    /// After how long they may write again. `None` if the seat has another session by now.
    pub(in crate::room) fn take_chat(
        &mut self,
        seat: SeatId,
        now: Instant,
    ) -> Option<Result<(String, String), Duration>> {
        let held = self.held(seat)?;
        let taken = held.chat_pace.take(now);
        Some(taken.map(|()| (seat.participant.to_string(), held.name.to_string())))
    }

    /// Follows what the participant asks for; false if the seat has another session by now.
    pub(in crate::room) fn set_wish(&mut self, seat: SeatId, wish: Wish) -> bool {
        let held = self.held(seat);
        held.map(|held| held.wish = wish).is_some()
    }

    /// Everybody whom others than `except` have pinned for themselves.
    pub(in crate::room) fn pins(&self, except: ParticipantId) -> BTreeSet<ParticipantId> {
        let others = self.seats.iter().filter(|(id, _)| **id != except);
        others.filter_map(|(_, seat)| seat.wish.pin).collect()
    }

    /// Has nobody pin `gone` any more: who did.
    pub(in crate::room) fn unpin(&mut self, gone: ParticipantId) -> Vec<ParticipantId> {
        let all = self.seats.iter_mut();
        let pinning = all.filter(|(_, seat)| seat.wish.pin == Some(gone));
        pinning
            .map(|(id, seat)| {
                seat.wish.pin = None;
                *id
            })
            .collect()
    }

    /// What a participant asks for: no video where its transport takes none.
    pub(in crate::room) fn wish(&self, id: ParticipantId) -> Wish {
        let Some(seat) = self.seats.get(&id) else {
            return Wish::default();
        };
        match seat.connection.as_ref().map(|it| it.wiring.sees) {
            Some(Direction::Unwanted) => Wish {
                video: WishedVideo::Unwanted,
                ..seat.wish
            },
            Some(Direction::Wanted) | None => seat.wish,
        }
    }
}
