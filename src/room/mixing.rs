//! What the room has mixed: who is wired to the media threads, and what becomes of their news.

use std::time::Instant;

use mixer::ParticipantId;
use mixer::ladder::{Wish, WishedLayout};
use tracing::{error, warn};

use super::Room;
use super::handle::Attachment;
use super::media::{News, Started};
use super::moderation::ActError;
use super::seats::{Connection, SeatId, Wiring};
use super::telling::speaker_message;
use crate::rtc::{TransportEvent, TransportId};
use crate::signaling::message::{Notice, PreferredLayout, ServerMessage};

/// So many participants may be pinned by people for themselves: each costs encoders of its own.
const MAX_PINS: usize = 3;

/// Whether the room can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mended {
    Yes,
    GivenUp,
}

impl Room {
    pub(super) fn attach(&mut self, seat: SeatId, attachment: Attachment) {
        let Attachment { link, transport } = attachment;
        let (hears, sees) = (transport.hears(), transport.sees());
        let wiring = Wiring { link, hears, sees };
        let connection = Connection::new(transport.id(), Some(transport), wiring);
        if self.seats.attach(seat, connection, Instant::now()) {
            self.mix(seat.participant);
        }
    }

    /// Has a participant's new transport mixed, which may be the first there is.
    pub(super) fn mix(&mut self, participant: ParticipantId) {
        match self.media.start() {
            Started::Now => self.introduce_everybody(),
            Started::Before => {
                self.media.detach(participant);
                self.wire(participant);
                self.media_follows(participant);
            }
            Started::Failed => {}
        }
    }

    /// Gives a participant a tile, unless they only watch.
    pub(super) fn show(&self, participant: ParticipantId) {
        if self.seats.is_shown(participant) {
            self.media.join(participant);
        }
    }

    /// Threads that were just started know of nobody.
    fn introduce_everybody(&self) {
        self.media.pin(self.rules.pinned);
        for participant in self.seats.ids() {
            self.show(participant);
            self.wire(participant);
            self.media_follows(participant);
        }
    }

    fn wire(&self, participant: ParticipantId) {
        if let Some(wiring) = self.seats.wiring(participant) {
            self.media
                .attach(participant, wiring, self.wish(participant));
        }
    }

    pub(super) fn follow_media(&mut self, news: News) -> Mended {
        match news {
            News::Ended => return self.mend_media(Instant::now()),
            News::Thinned(participant) => {
                if let Some(line) = self.seats.line(participant) {
                    line.say(ServerMessage::Notice(Notice::source_thinned()));
                }
            }
            News::Speaker(speaker) => self.tell_all(&speaker_message(speaker)),
            News::Sights(sights) => self.tell_sights(sights),
        }
        Mended::Yes
    }

    /// Starts media anew after one of the threads has ended by itself. What participants send and
    /// receive goes on where it was, after a moment.
    pub(super) fn mend_media(&mut self, now: Instant) -> Mended {
        self.media.stop();
        if !self.restarts.allow(now) {
            error!("media has failed again, the room is given up");
            return Mended::GivenUp;
        }
        error!("a media thread has failed, media begins anew");
        match self.media.start() {
            Started::Now => self.introduce_everybody(),
            Started::Before => {}
            Started::Failed => warn!("the room has no media until the next attempt"),
        }
        Mended::Yes
    }

    pub(super) fn follow_transport(
        &mut self,
        participant: ParticipantId,
        transport: TransportId,
        event: TransportEvent,
    ) {
        match event {
            TransportEvent::Candidate(candidate) => {
                if let Some(line) = self.seats.line_of(participant, transport) {
                    line.say(ServerMessage::Candidate { candidate });
                }
            }
            TransportEvent::State(state) => {
                let changed = self
                    .seats
                    .transport(participant, transport, state, Instant::now());
                self.tell_if(participant, changed);
            }
        }
    }

    /// Tries again where threads are wanted and could not be started.
    pub(super) fn retry_media(&mut self, now: Instant) {
        let wanted = self.seats.ids().any(|id| self.seats.wiring(id).is_some());
        let retry = wanted && !self.media.is_running() && self.restarts.allow(now);
        if retry && self.media.start() == Started::Now {
            self.introduce_everybody();
        }
    }

    /// Follows what a participant would rather get.
    pub(super) fn prefer(&mut self, seat: SeatId, wish: Wish) -> Result<(), ActError> {
        if let Some(pinned) = wish.pin {
            if !self.seats.ids().any(|id| id == pinned) {
                return Err(ActError::NoSuchParticipant(pinned.to_string()));
            }
            let pins = self.seats.pins(seat.participant);
            if !pins.contains(&pinned) && pins.len() >= MAX_PINS {
                return Err(ActError::TooManyPins { max: MAX_PINS });
            }
        }
        if !self.seats.set_wish(seat, wish) {
            return Err(ActError::NoSeat);
        }
        self.media_follows_wish(seat.participant);
        Ok(())
    }

    /// What a participant asks for, and where they ask for nothing, what holds for the room. A pin,
    /// their own or the room's, is of no use in a grid.
    pub(super) fn wish(&self, participant: ParticipantId) -> Wish {
        let wish = self.seats.wish(participant);
        let pinned = wish
            .pin
            .or(self.rules.pinned)
            .map(|_| WishedLayout::Speaker);
        let usual = self.rules.layout.map(wished_layout);
        Wish {
            layout: wish.layout.or(pinned).or(usual),
            ..wish
        }
    }

    pub(super) fn media_follows_wish(&self, participant: ParticipantId) {
        self.media.wish(participant, self.wish(participant));
    }

    /// After the room's pin or layout is another.
    pub(super) fn media_follows_rules(&self) {
        self.media.pin(self.rules.pinned);
        for participant in self.seats.ids() {
            self.media_follows_wish(participant);
        }
    }

    pub(super) fn media_follows(&self, participant: ParticipantId) {
        if let Some(status) = self.seats.participant(participant) {
            self.media.status(participant, &status);
        }
    }
}

const fn wished_layout(layout: PreferredLayout) -> WishedLayout {
    match layout {
        PreferredLayout::Grid => WishedLayout::Grid,
        PreferredLayout::Speaker => WishedLayout::Speaker,
    }
}
